"""The sweeps behind the figures and the table of the page, by routes of their own."""

from fractions import Fraction
from itertools import product

import numpy as np
from flint import fmpq
from scipy.integrate import quad

import toy_models as tm
from theory.energy.checks.common import ALPHAS
from theory.energy.instances import full_tables, rational, rational_illegal_mass, sparse_tables
from theory.energy.paths import DIAGONAL, DRAWN, SKEWED, SOURCE
from theory.energy.results import Results
from theory.energy.schedules import NAMED, REFERENCES
from theory.energy.toy import at_cuts, toy_targets
from theory.ledger.registry import check, control, decide, definition
from toy_models.energy.chords import arc_energy, chord_energy, joint_chord_energy, step_angles
from toy_models.energy.conditional_kinetic import marginalised_rates
from toy_models.energy.fisher_rao import binomial_path, kullback_leibler, squared_hellinger
from toy_models.energy.kinetic import kinetic_sum, lattice_of, path_probabilities, rates
from toy_models.energy.rate_optimality import cheapest_directed, cheapest_flux, edges_of


def slope_of(schedule, t: np.ndarray) -> np.ndarray:
    """alpha'(t) by a fourth-order difference."""
    step = 1e-3 * t * (1 - t)
    a = [schedule.alpha(t + k * step) for k in (-2, -1, 1, 2)]
    return (a[0] - 8 * a[1] + 8 * a[2] - a[3]) / (12 * step)


def energy_inside(schedule, reference, end: float) -> float:
    """The integral of base / gamma' over [end, 1 - end], gamma = (2/pi) arcsin sqrt(reference)."""
    s = np.linspace(np.log(end / (1 - end)), np.log((1 - end) / end), 4001)
    t = 1 / (1 + np.exp(-s))
    a, r = schedule.alpha(t), reference.alpha(t)
    gamma = slope_of(reference, t) / (np.pi * np.sqrt(r * (1 - r)))
    return float(np.trapezoid(slope_of(schedule, t) ** 2 / (gamma * a * (1 - a)) * t * (1 - t), s))


@definition("energy-chi-square", tier="float64")
def named_schedules_by_quadrature(res: Results):
    """E of the named schedules, under gamma = t and linear's gamma: infinite ones grow at an end, finite ones agree."""
    gaps, grows = [], []
    given = {"t": tm.SineSquaredSchedule(), "linear": tm.LinearSchedule()}
    for row in res.schedules:
        for value, reference in ((row.energy, given["t"]), (row.energy_under_linear, given["linear"])):
            inside = [energy_inside(NAMED[row.name], reference, e) for e in (1e-2, 1e-3, 1e-4)]
            steps = np.diff(inside)
            if np.isinf(value):
                grows.append(steps[1] > 0.5 * steps[0])  # each decade adds at least half as much: no limit
            else:
                gaps.append(abs(inside[-1] + steps[1] ** 2 / (steps[0] - steps[1]) - value) / value)
    infinite = [row.name for row in res.schedules if np.isinf(row.energy)]
    expected = ["linear", "sin", "1-cos", "t²", "1-(1-t)²", "t³"]
    holds = max(gaps) < 1e-3 and all(grows) and infinite == expected and len(res.schedules) == len(NAMED)
    return decide(holds, len(gaps) + len(grows), max(gaps), f"under gamma = t infinite: {', '.join(infinite)}")


@definition("energy-beta-pairs", tier="float64")
def fitted_pairs(res: Results):
    """The fitted pair of each schedule: no neighbour has a smaller squared error in eta; its distance in alpha."""
    t, gaps, better = np.linspace(0.0, 1.0, 2001), [], []
    for row in res.schedules:
        alpha = NAMED[row.name].alpha(t)
        eta = 2 / np.pi * np.arcsin(np.sqrt(alpha))

        def miss(a, b, eta=eta):
            own = 2 / np.pi * np.arcsin(np.sqrt(tm.BetaSchedule(a, b).alpha(t)))
            return np.trapezoid((own - eta) ** 2, t)

        a, b = row.fit.a, row.fit.b
        around = [miss(a + x, b + y) for x, y in ((0.01, 0), (-0.01, 0), (0, 0.01), (0, -0.01))]
        better.append(miss(a, b) - min(around))
        gaps.append(abs(np.abs(tm.BetaSchedule(a, b).alpha(t) - alpha).max() - row.fit.sup_error))
    sine = next(row.fit for row in res.schedules if row.name == "sin")
    page = abs(sine.a - 0.5625) < 5e-5 and abs(sine.b - 0.8862) < 5e-5 and abs(sine.sup_error - 0.0079) < 5e-5
    exact = [row.name for row in res.schedules if row.fit.exact]
    return decide(max(gaps) < 1e-6 and max(better) < 0 and page and exact == ["linear", "sin²"], len(gaps), max(gaps))


@definition("energy-fix-gamma-first", tier="float64")
def landscapes_have_one_minimum(res: Results):
    """Each landscape is least, E = pi^2, at its gamma and 1 nowhere else; the table has ones on its diagonal alone."""
    table, least, count = res.table, np.inf, 0
    holds = bool((np.abs(np.diag(table) - 1) < 1e-12).all())
    off = table[~np.eye(len(table), dtype=bool)]
    holds &= bool((off > 1 + 1e-9).all()) and abs(table[1, 0] - np.pi**2 / 8) < 1e-12 and np.isinf(table[0, 1])
    for land in res.landscapes:
        a, b = land.reference
        away = np.hypot(*np.meshgrid(land.axis - a, land.axis - b, indexing="ij"))
        finite = (2 * land.axis[:, None] > a) & (2 * land.axis[None] > b)
        holds &= bool((np.isfinite(land.values) == finite).all()) and bool((land.values[away > 1e-9] > 1).all())
        holds &= bool(away.ravel()[land.values.argmin()] < 0.2)  # two cells of the coarse grid
        least, count = min(least, float(land.values.min())), count + land.values.size
    holds &= tuple(land.reference for land in res.landscapes) == REFERENCES[1:5]
    return decide(bool(holds), count, least - 1)


@check("energy-mask-count", tier="float64")
def hellinger_and_kullback_leibler(_: Results):
    """Hellinger between two times 2 (1 - cos^n(theta_t - theta_s)), and KL that of the mask counts, on every table."""
    gaps, (now, later) = [], (0.25, 0.6)
    angle = np.arcsin(np.sqrt(later)) - np.arcsin(np.sqrt(now))
    for table in full_tables()[:-1] + sparse_tables():
        pmf = table.astype(np.float64)
        lattice = lattice_of(pmf / pmf.sum())
        p, r = (path_probabilities(lattice, a) for a in (now, later))
        counts = [binomial_path(pmf.ndim, a, 1.0)[0] for a in (now, later)]
        gaps.append(abs(squared_hellinger(p, r) - 2 * (1 - np.cos(angle) ** pmf.ndim)))
        gaps.append(abs(kullback_leibler(p, r) - float((counts[0] * np.log(counts[0] / counts[1])).sum())))
    return decide(max(gaps) < 1e-12, len(gaps), max(gaps))


@definition("energy-discrete-spacing", tier="float64")
def steps_by_their_sums(res: Results):
    """Chords, arcs and joint chords of the sweep by plain sums; the splits of unequal gaps as on the page."""
    s, gaps = res.spacing, []
    for k, n in enumerate(s.steps):
        theta = np.arcsin(np.sqrt(np.stack([NAMED[name].alpha(np.arange(n + 1) / n) for name in s.curves])))
        own = n * (2 - 2 * np.cos(np.diff(theta, axis=1))).sum(axis=1)
        gaps += [abs(values[k] - v) for values, v in zip(s.curves.values(), own, strict=True)]
        gaps.append(abs(s.least[k] - n * n * (2 - 2 * np.cos(np.pi / 2 / n))))
    for g, best, proportional in zip(s.gaps, s.best, s.proportional, strict=True):
        shares = np.array(g)
        gaps.append(abs(proportional - ((2 - 2 * np.cos(np.pi / 2 * shares)) / shares).sum()))
        gaps.append(abs(arc_energy(np.pi / 2 * shares, shares) - np.pi**2 / 4))
        tried = np.random.default_rng(4).dirichlet(20 * shares, 4000) * np.pi / 2
        least = ((2 - 2 * np.cos(tried)) / shares).sum(axis=1).min()
        gaps.append(max(best - least, 0.0) + max(least - best - 1e-3, 0.0))
    equal = joint_chord_energy(step_angles(tm.SineSquaredSchedule(), 8), 256)
    gaps += [
        abs(equal - 16 * (1 - np.cos(np.pi / 16) ** 256)),
        abs(s.best[0] - 2.192236) - 1e-6,
        abs(s.proportional[0] - 2.216892) - 1e-6,
    ]
    gaps.append(abs(chord_energy(np.array([np.pi / 2]), np.ones(1)) - 2))
    return decide(max(gaps) < 1e-9, len(gaps), max(gaps))


@definition("energy-rates-marginal", tier="rational")
def rates_are_posterior_means(_: Results):
    """The model's rates = E over the data, given the state, of the conditional rates: the definition, in rationals."""
    count, holds = 0, True
    for pmf, alpha in product(sparse_tables() + full_tables()[:6], ALPHAS[:2]):
        own = rates(lattice_of(pmf), alpha, fmpq(2))
        holds &= bool((own == marginalised_rates(pmf, alpha, fmpq(2))).all())
        count += 1
    return decide(holds, count, 0.0)


@definition("energy-rates-marginal", tier="float64")
def table_of_rates(res: Results):
    """The drawn table: model and least on three edge sets, against non-negative fluxes and the rational solution."""
    laws = {"[.5 .1; .15 .25]": SKEWED, "[.4 .1; .1 .4]": ((0.4, 0.1), (0.1, 0.4)), "diag(.7, .3)": np.diag([0.7, 0.3])}
    laws |= {"uniform": np.full((2, 2), 0.25), "drawn, K = 3": np.array(DRAWN) / np.sum(DRAWN)}
    rows, gaps = {row.name: row for row in res.rates}, []
    for name, pmf in laws.items():
        lattice = lattice_of(np.array(pmf))
        p = path_probabilities(lattice, 0.25)
        step = 1e-6
        dp = (path_probabilities(lattice, 0.25 + step) - path_probabilities(lattice, 0.25 - step)) / (2 * step)
        row, base = rows[name], 1 / (0.25 * 0.75)
        ratios = lattice.q[lattice.target] / lattice.q[lattice.source] / 0.75
        gaps.append(abs((p[lattice.source] * ratios**2 / p[lattice.target]).sum() / base - row.model))
        gaps.append(abs(cheapest_directed(p, dp, *edges_of(lattice, "unmask")) / base - row.unmask))
        for kind, value in (("single-site", row.single_site), ("all-pairs", row.all_pairs)):
            gaps.append(abs(float(cheapest_flux(p, dp, *edges_of(lattice, kind)).value) / base - value))
        gaps.append(max(row.single_site - row.unmask, row.all_pairs - 2, 2 - row.all_pairs, row.unmask - row.model))
    for n in (1, 2, 3):
        row = rows[f"conditional, n = {n}"]
        gaps += [abs(row.model - n * 2 ** (n - 1)), abs(row.unmask - row.model), abs(row.all_pairs - n)]
    least = min(row.least_unmask_flux for row in res.rates)
    return decide(max(gaps) < 1e-6 and least > 0 and len(rows) == len(laws) + 3, len(gaps), max(gaps))


def fisher(law: np.ndarray, slope: np.ndarray) -> float:
    return float((slope**2 / law).sum())


@definition("energy-score-variance", tier="float64")
def source_without_a_mask(res: Results):
    """Uniform source, q = (.7, .2, .1): the drawn integrands, and where each optimal path is half way, by quad."""
    q, eye = np.array(SOURCE), np.eye(3)

    def marginal(k):
        return fisher((1 - k) / 3 + k * q, q - 1 / 3)

    def conditional(k):
        return sum(w * fisher((1 - k) / 3 + k * e, e - 1 / 3) for w, e in zip(q, eye, strict=True))

    def share(f, x):
        return quad(lambda k: np.sqrt(f(k)), 0, x)[0] / quad(lambda k: np.sqrt(f(k)), 0, 1)[0]

    found, r = res.optima, res.ratios
    gaps = [abs(share(conditional, found.half_conditional) - 0.5), abs(share(marginal, found.half_marginal) - 0.5)]
    gaps += [abs(r.source_fisher_marginal - [marginal(k) for k in r.alpha]).max() * 1e-3]
    gaps += [abs(r.source_fisher_conditional / [conditional(k) for k in r.alpha] - 1).max()]
    for f, value in ((conditional, found.least_conditional), (marginal, found.least_marginal)):
        gaps.append(abs(quad(lambda k, f=f: np.sqrt(f(k)), 0, 1)[0] ** 2 / value - 1))
    page = [abs(marginal(k) / conditional(k) - v) < 5e-5 for k, v in ((0.1, 0.3211), (0.99, 0.0121))]
    page += [abs(found.half_conditional - 0.6830) < 5e-5, abs(found.half_marginal - 0.5160) < 5e-5]
    return decide(max(gaps) < 2e-5 and all(page), len(gaps) + len(page), max(gaps))


@definition("energy-conditional-constant", tier="float64")
def integrands_that_are_drawn(res: Results):
    """The drawn ratios are 6, 4 and 2 at every alpha; with weight one the marginal ratio moves."""
    r = res.ratios
    gaps = [np.abs(v - c).max() for v, c in ((r.kinetic, 6), (r.conditional, 4), (r.geodesic, 2))]
    lattice = lattice_of(np.array(DIAGONAL))
    own = []
    for a in r.alpha:
        p, q_rates = path_probabilities(lattice, a), lattice.q[lattice.target] / lattice.q[lattice.source] / (1 - a)
        own.append((p[lattice.source] * q_rates**2).sum() * a * (1 - a))
        gaps.append(abs(kinetic_sum(lattice, p, q_rates, "one") * a * (1 - a) - own[-1]))
    gaps.append(np.abs(r.weight_one_kinetic - own).max())
    return decide(bool(max(gaps) < 1e-9), len(gaps), float(max(gaps)))


@definition("energy-blind-to-target", tier="float64")
def toy_in_rationals(res: Results):
    """Illegal masses of the sweep by pushing rational mass; the best cuts have no better neighbour, and their Beta."""
    x, gaps = res.toy, []
    supports = [{tuple(int(v) for v in s) for s in np.argwhere(q.pmf > 0)} for q in toy_targets()]
    sides = ((x.left, x.left_best, x.left_map, x.left_beta), (x.right, x.right_best, x.right_map, x.right_beta))
    for target, support, (masses, best, values, beta) in zip(toy_targets(), supports, sides, strict=True):
        weights = [Fraction(float(w)) for w in np.diff(tm.BetaSchedule(1.0, 0.2).alpha(np.arange(3) / 3))]
        whole = rational_illegal_mass(support, [*weights, 1 - sum(weights, Fraction(0))])
        gaps.append(abs(masses[x.names.index("(1, 0.2)")] - float(whole)))
        gaps += [
            abs(masses[x.names.index(n)] - at_cuts(target, NAMED[n].alpha(np.array([1, 2]) / 3)))
            for n in ("linear", "sin", "sin²", "1-cos")
        ]
        around = [at_cuts(target, (best[1] + u, best[2] + v)) for u, v in product((-0.01, 0, 0.01), repeat=2)]
        gaps += [abs(at_cuts(target, best[1:]) - best[0]), best[0] - np.nanmin(values), best[0] - min(around) - 1e-9]
        gaps.append(np.abs(tm.BetaSchedule(*beta).alpha(np.array([1, 2]) / 3) - best[1:]).max() * 1e-3)
        i, j = 2, len(x.axis) // 2
        cuts = [Fraction(float(x.axis[i])), Fraction(float(x.axis[j]))]
        mass = rational_illegal_mass(support, [cuts[0], cuts[1] - cuts[0], 1 - cuts[1]])
        gaps.append(abs(values[i, j] - float(mass)))
    energies = [row.energy for row in res.schedules if row.name in x.names]
    named = [e for n, e in zip(x.names, x.energy, strict=True) if n in NAMED]
    return decide(max(gaps) < 1e-9 and sorted(energies) == sorted(named), len(gaps), float(max(gaps)))


@control("energy-not-over-all-paths", tier="rational")
def masked_path_is_least_in_kinetic_energy(_: Results):
    """In E_k itself, weight one per state: the masked path C_k(q) base would cost no more than one jump, base."""
    pmf = rational([[5, 1], [2, 4]])
    lattice, alpha = lattice_of(pmf), ALPHAS[0]
    base = 1 / (alpha * (1 - alpha))
    model = kinetic_sum(lattice, path_probabilities(lattice, alpha), rates(lattice, alpha, fmpq(1)))
    return decide(model <= base, 1, float(model / base), "C_k(q) against 1, times base")
