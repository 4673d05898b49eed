"""Claims on the three energies: constants, minimisers, rates. Rational instances are decided with python-flint."""

from fractions import Fraction
from itertools import product

import numpy as np
import sympy as sp
from flint import arb, ctx, fmpq

import toy_models as tm
from theory.checks.common import instances
from theory.energy import DRAWN, SKEWED, Results, toy_targets
from theory.energy_instances import (
    Composed,
    closed_form,
    full_tables,
    polynomial_density,
    positive_marginals,
    rational,
    rational_illegal_mass,
    sparse_tables,
)
from theory.registry import Outcome, check, condition, control, decide, not_claimed_tight, sharper, tightness
from toy_models.energy.fisher_rao import (
    binomial_path,
    chi_square,
    fisher_information,
    information_split,
    mask_value_dependent,
    mixture_kinetic,
    total_variation,
    uniform_mixture,
)
from toy_models.energy.path_energy import beta_energy, energy_quadrature, optimal_chord_angles
from toy_models.energy.path_rates import (
    energy_integrands,
    full_support_constants,
    kinetic_constant,
    kinetic_sum,
    lattice_of,
    net_flow,
    path_probabilities,
    path_slopes,
    point_mass,
    rates,
)
from toy_models.energy.rate_optimality import cheapest_flux, edges_of
from toy_models.energy.state_energies import state_energies

ALPHAS = (fmpq(1, 10), fmpq(1, 3), fmpq(4, 5))
SKEWED_WEIGHTS = ((10, 2), (3, 5))  # SKEWED as integers


def ball(holds: bool, fails: bool, instances: int, margin: float | None = None, note: str = "") -> Outcome:
    """Three-valued: a ball comparison that is false decides nothing, its opposite must be true."""
    return Outcome("PROVED" if holds else "REFUTED" if fails else "UNDECIDED", instances, margin, note)


# Thm 3.1


@check("energy-kinetic-constant", "rational")
def kinetic_ratio_as_published(_: Results):
    tables = full_tables() + sparse_tables()
    failed = []
    for pmf in tables:
        at = energy_integrands(pmf, ALPHAS[1], fmpq(2, 7))
        c_k, c_c, _c_g = full_support_constants(pmf.shape[0], pmf.ndim)
        if at.kinetic * c_c != at.conditional * c_k:
            failed.append((pmf, at))
    first = failed[0][1] if failed else None
    note = (
        ""
        if first is None
        else (
            f"uniform on 000 and 111: E_k / base = {first.kinetic / first.base}, not n (K+1)^(n-1) = 27; "
            f"{len(failed)} of {len(tables)} laws fail"
        )
    )
    return decide(not failed, len(tables), None, note)


@condition("energy-kinetic-constant", "rational")
def kinetic_ratio_by_support(_: Results):
    """E_k = C_k(q) base, C_k(q) = sum over S of (n-|S|) |supp q_S|; full iff all (n-1)-marginals are positive."""
    count, holds = 0, True
    for pmf, alpha in product(full_tables() + sparse_tables(), ALPHAS):
        at = energy_integrands(pmf, alpha, fmpq(3, 11))
        full = full_support_constants(pmf.shape[0], pmf.ndim)[0]
        constant = kinetic_constant(pmf)
        holds &= at.kinetic == constant * at.base
        holds &= (constant == full) == positive_marginals(pmf)
        count += 1
    return decide(holds, count, 0.0)


@control("energy-kinetic-constant", "rational")
def weight_one_keeps_the_ratio(_: Results):
    """Weight 1 in place of 1/p(x), n = 2: the ratio of marginal to conditional moves with alpha."""
    pmf = rational([[9, 1], [1, 9]])
    ratios = [(lambda e: e.kinetic / e.conditional)(energy_integrands(pmf, a, fmpq(1), "one")) for a in ALPHAS]
    return decide(len(set(ratios)) == 1, len(ratios), None, f"ratios {', '.join(map(str, ratios))}")


@control("energy-kinetic-constant", "rational")
def uniform_source_keeps_the_ratio(_: Results):
    pmf = rational([7, 2, 1])
    ratios = [(lambda pair: pair[0] / pair[1])(mixture_kinetic(pmf, k)) for k in ALPHAS]
    return decide(len(set(ratios)) == 1, len(ratios), None, f"ratios {[round(float(r), 4) for r in ratios]}")


@control("energy-kinetic-constant", "rational")
def mask_not_counted(_: Results):
    """The constant with K in place of K + 1."""
    pmf = full_tables()[-2]
    at = energy_integrands(pmf, ALPHAS[0], fmpq(1))
    n, k = pmf.ndim, pmf.shape[0]
    return decide(at.kinetic * 2 ** (n - 1) == at.conditional * k ** (n - 1), 1)


not_claimed_tight("energy-kinetic-constant", "an identity at every time")


# Thm 3.2


@check("energy-conditional-constant", "rational")
def conditional_ratio(_: Results):
    count, holds = 0, True
    for pmf, alpha in product(full_tables() + sparse_tables(), ALPHAS):
        at = energy_integrands(pmf, alpha, fmpq(5, 3))
        holds &= at.conditional == 2 ** (pmf.ndim - 1) * at.geodesic and at.geodesic == pmf.ndim * at.base
        count += 1
    return decide(holds, count, 0.0)


@control("energy-conditional-constant", "rational")
def sphere_normalisation_left_in(_: Results):
    """Geodesic energy without the factor 4 of the Fisher-Rao normalisation: the constant 2^(n-1) fails."""
    at = energy_integrands(full_tables()[-1], ALPHAS[0], fmpq(1))
    return decide(at.conditional == 2 * at.geodesic / 4, 1)


@control("energy-conditional-constant", "rational")
def weight_one_conditional(_: Results):
    pmf = rational([[9, 1], [1, 9]])
    ratios = [(lambda e: e.conditional / e.geodesic)(energy_integrands(pmf, a, fmpq(1), "one")) for a in ALPHAS]
    return decide(len(set(ratios)) == 1, len(ratios), None, f"ratios {', '.join(map(str, ratios))}")


not_claimed_tight("energy-conditional-constant", "an identity at every time")


# the mask count is sufficient


@check("energy-mask-count", "rational")
def divergences_of_mask_count(_: Results):
    """TV, chi^2 between two times and Fisher information: marginal path = conditional path = binomial."""
    count, holds = 0, True
    now, later = fmpq(1, 4), fmpq(3, 5)
    for pmf in full_tables() + sparse_tables():
        n = pmf.ndim
        first = tuple(int(i) for i in np.argwhere(pmf != 0)[0])
        laws = [lattice_of(pmf), lattice_of(point_mass(pmf, first))]
        binomial = [binomial_path(n, a, fmpq(2))[0] for a in (now, later)]
        for lattice in laws:
            p, r = (path_probabilities(lattice, a) for a in (now, later))
            dp = path_slopes(lattice, now, fmpq(2))
            holds &= total_variation(p, r) == total_variation(*binomial)
            holds &= chi_square(p, r) == chi_square(*binomial)
            holds &= fisher_information(p, dp) == n * fmpq(4) / (now * (1 - now))
            holds &= fisher_information(p, dp) == fisher_information(*binomial_path(n, now, fmpq(2)))
            count += 1
    return decide(holds, count, 0.0)


@control("energy-mask-count", "rational")
def value_dependent_schedule(_: Results):
    """Two tokens with their own schedules: the posterior moves with time, marginal < conditional."""
    path = mask_value_dependent(np.array([fmpq(1, 4), fmpq(1, 16)]), np.array([fmpq(1), fmpq(1, 2)]))
    given, mixed, _rest = information_split(rational([1, 1]), *path)
    return decide(mixed == given, 1, None, f"marginal {mixed} against conditional {given}")


@control("energy-mask-count", "rational")
def uniform_source_fisher(_: Results):
    given, mixed, _rest = information_split(rational([7, 2, 1]), *uniform_mixture(rational([7, 2, 1]), fmpq(1, 2)))
    return decide(mixed == given, 1, None, f"marginal {float(mixed):.6f} against conditional {float(given):.6f}")


not_claimed_tight("energy-mask-count", "an equality of divergences")


@check("energy-score-variance", "rational")
def variance_identity(_: Results):
    count, holds = 0, True
    rng = np.random.default_rng(3)
    for size in (2, 3, 4):
        for _repeat in range(4):
            pmf = rational(rng.integers(1, 30, size))
            paths = [uniform_mixture(pmf, fmpq(int(rng.integers(0, 9)), 10))]
            alphas, slopes = (np.array([fmpq(int(v), 20) for v in rng.integers(1, 20, size)]) for _side in range(2))
            paths.append(mask_value_dependent(alphas, slopes))
            for path in paths:
                given, mixed, variance = information_split(pmf, *path)
                holds &= given == mixed + variance
                count += 1
    return decide(holds, count, 0.0)


@control("energy-score-variance", "rational")
def variance_left_out(_: Results):
    given, mixed, variance = information_split(rational([7, 2, 1]), *uniform_mixture(rational([7, 2, 1]), fmpq(1, 2)))
    return decide(given == mixed, 1, float(variance), f"the variance term is {float(variance):.6f}")


@tightness("energy-score-variance", "rational")
def equal_schedules_close_the_gap(_: Results):
    """One schedule for all tokens: the variance vanishes; schedules 1 % apart leave 1e-4 of it."""
    same = mask_value_dependent(np.array([fmpq(1, 4)] * 2), np.array([fmpq(1)] * 2))
    near = mask_value_dependent(np.array([fmpq(1, 4), fmpq(101, 400)]), np.array([fmpq(1)] * 2))
    law = rational([1, 1])
    exact, close = (information_split(law, *path) for path in (same, near))
    return decide(exact[2] == 0 and 0 < close[2] < fmpq(1, 1000) * close[0], 2, float(close[2] / close[0]))


# the minimiser


def symbols():
    t = sp.symbols("t")
    return t, sp.Function("gamma")(t), sp.Function("theta")(t)


@check("energy-geodesic-minimiser", "symbolic")
def euler_lagrange(_: Results):
    """alpha = sin^2(pi gamma/2) solves the Euler-Lagrange equation for every gamma; its integrand is pi^2 gamma'."""
    t, gamma, _theta = symbols()
    x, v = sp.symbols("x v")
    lagrangian = v**2 / (sp.diff(gamma, t) * x * (1 - x))
    path = sp.sin(sp.pi * gamma / 2) ** 2
    at = {x: path, v: sp.diff(path, t)}
    residual = sp.diff(sp.diff(lagrangian, v).subs(at), t) - sp.diff(lagrangian, x).subs(at)
    value = sp.simplify(lagrangian.subs(at) - sp.pi**2 * sp.diff(gamma, t))
    return decide(sp.simplify(residual) == 0 and value == 0, 2)


@check("energy-geodesic-minimiser", "symbolic")
def completed_square(_: Results):
    """With d = theta' - pi gamma'/2: 4 theta'^2/gamma' = pi^2 gamma' + 4 d^2/gamma' + 4 pi d; d integrates to 0."""
    t, gamma, theta = symbols()
    dg, dt = sp.diff(gamma, t), sp.diff(theta, t)
    rest = dt - sp.pi * dg / 2
    alpha = sp.sin(theta) ** 2
    integrand = sp.diff(alpha, t) ** 2 / (dg * alpha * (1 - alpha))
    square = sp.pi**2 * dg + 4 * rest**2 / dg + 4 * sp.pi * rest
    return decide(sp.simplify(integrand - 4 * dt**2 / dg) == 0 and sp.simplify(4 * dt**2 / dg - square) == 0, 2)


@tightness("energy-geodesic-minimiser", "float64")
def neighbours_of_the_minimiser(_: Results):
    near = beta_energy((1.01, 1.0), (1.0, 1.0)) / np.pi**2 - 1
    return decide(0 < near < 1e-3, 1, near, "relative excess of Beta(1.01, 1) under gamma = t")


@control("energy-geodesic-minimiser", "enclosed")
def smoothstep_also_minimises(_: Results):
    """9 ln 3 <= pi^2, in ball arithmetic."""
    ctx.prec = 128
    gap = 9 * arb(3).log() - arb.pi() ** 2
    return ball(gap <= 0, gap > 0, 1, float(gap), f"9 ln 3 - pi^2 = {gap.str(12, radius=False)}")


@control("energy-geodesic-minimiser", "float64")
def one_schedule_for_every_gamma(_: Results):
    """sin^2(pi t/2) has energy pi^2 under every gamma."""
    value = tm.path_energy(tm.SineSquaredSchedule(), tm.LinearSchedule())
    return decide(
        value <= np.pi**2 * (1 + 1e-12), 1, value - np.pi**2, f"under the linear schedule's gamma E = {value:.6f}"
    )


@check("energy-three-minimisers", "float64")
def state_sums_have_one_minimiser(_: Results):
    """State sums in time: each energy of sin^2 is C pi^2, and every other schedule tried lies above, on two laws."""
    count, holds, worst = 0, True, np.inf
    others = [tm.SmoothstepSchedule(), tm.BetaSchedule(2.0, 2.0), tm.BetaSchedule(1.5, 1.5), tm.BetaSchedule(1.0, 2.0)]
    for pmf in (np.array(SKEWED), np.diag([0.7, 0.3])):
        constants = np.array([kinetic_constant(pmf), 4, 2])
        least = energies(state_energies(pmf, tm.SineSquaredSchedule()))
        holds &= bool(np.allclose(least, constants * np.pi**2, rtol=1e-12, atol=0))
        for schedule in others:
            found = state_energies(pmf, schedule)
            holds &= bool((energies(found) - found.error > least).all())
            worst = min(worst, float((energies(found) / least).min() - 1))
            count += 1
    return decide(holds, count, worst, "margin: least relative excess of another schedule")


def energies(found) -> np.ndarray:
    return np.array([found.kinetic, found.conditional, found.geodesic])


@tightness("energy-three-minimisers", "float64")
def smoothstep_is_close(_: Results):
    """The smoothstep lies 0.18 % above, on all three energies alike."""
    least, found = (state_energies(np.array(SKEWED), s) for s in (tm.SineSquaredSchedule(), tm.SmoothstepSchedule()))
    ratios = energies(found) / energies(least)
    return decide(bool((np.abs(ratios - 9 * np.log(3) / np.pi**2) < 1e-12).all()), 3, float(ratios.max() - 1))


@control("energy-three-minimisers", "float64")
def one_minimiser_without_a_mask(res: Results):
    """Uniform source: the marginal and the conditional energy choose the same path."""
    found = res.optima
    gap = found.half_conditional - found.half_marginal
    note = f"kappa(1/2): conditional {found.half_conditional:.4f}, marginal {found.half_marginal:.4f}"
    return decide(abs(gap) < 1e-4, 1, gap, note)


@control("energy-three-minimisers", "float64")
def one_minimiser_with_weight_one(res: Results):
    found = res.optima
    gap = found.weight_one_half_marginal - found.weight_one_half_conditional
    both = found.weight_one_half_conditional, found.weight_one_half_marginal
    note = f"alpha(1/2): conditional {both[0]:.4f}, marginal {both[1]:.4f}"
    return decide(abs(gap) < 1e-4, 1, gap, note)


@check("energy-beta-pairs", "symbolic")
def beta_pairs(_: Results):
    """d/dt (2/pi) arcsin sqrt t is the Beta(1/2, 1/2) density, and eta = t gives sin^2(pi t/2)."""
    t = sp.symbols("t", positive=True)
    density = 1 / (sp.beta(sp.Rational(1, 2), sp.Rational(1, 2)) * sp.sqrt(t * (1 - t)))
    gap = sp.simplify((sp.diff(2 / sp.pi * sp.asin(sp.sqrt(t)), t) - density).rewrite(sp.gamma))
    inverse = sp.simplify(sp.sin(sp.pi / 2 * (2 / sp.pi * sp.asin(sp.sqrt(t)))) ** 2 - t)
    return decide(gap == 0 and inverse == 0 and sp.integrate(sp.Integer(1), (t, 0, t)) == t, 3)


@control("energy-beta-pairs", "float64")
def pairs_swapped(_: Results):
    gap = float(np.abs(tm.BetaSchedule(1.0, 1.0).alpha(np.linspace(0, 1, 9)) - np.linspace(0, 1, 9)).max())
    return decide(gap < 1e-12, 9, gap, f"Beta(1, 1) is {gap:.3f} away from the linear schedule")


@control("energy-beta-pairs", "float64")
def sine_is_in_the_family(_: Results):
    """The best fit of the sine schedule is no Beta schedule."""
    fit = tm.best_fit_beta(tm.SineSchedule())
    return decide(
        fit.sup_error < 1e-6, 1, fit.sup_error, f"nearest ({fit.a:.4f}, {fit.b:.4f}), off by {fit.sup_error:.4f}"
    )


not_claimed_tight("energy-beta-pairs", "an identity of functions")


@check("energy-time-change", "rational")
def time_change(_: Results):
    """energy-time-change: Q(gamma_t) gamma'_t generates p(gamma_t); its integrand under gamma is gamma' times Q's."""
    count, holds = 0, True
    for pmf, s, speed in product((rational(SKEWED_WEIGHTS), *sparse_tables()[:3]), ALPHAS, (fmpq(1, 3), fmpq(5, 2))):
        lattice = lattice_of(pmf)
        p, q_rates = path_probabilities(lattice, s**2), rates(lattice, s**2, 2 * s)  # alpha(s) = s^2
        moved = kinetic_sum(lattice, p, q_rates * speed) / speed
        holds &= moved == speed * kinetic_sum(lattice, p, q_rates)
        holds &= bool((net_flow(lattice, p, q_rates * speed) == path_slopes(lattice, s**2, 2 * s * speed)).all())
        count += 1
    return decide(holds, count, 0.0)


@check("energy-time-change", "float64")
def time_change_of_schedules(_: Results):
    """E(alpha o gamma, gamma) = E(alpha, t), by quadrature: alpha smoothstep, gamma = CDF of Beta(2, 2)."""
    moved = Composed(tm.SmoothstepSchedule(), tm.SmoothstepSchedule())
    value, error = (lambda r: (r.value, r.error))(tm.path_energy_report(moved, tm.BetaSchedule(2.0, 2.0)))
    gap = abs(value - 9 * np.log(3))
    return decide(gap <= 1e-10 and error < 1e-12, 1, gap, "estimated quadrature error below 1e-12")


@control("energy-time-change", "rational")
def factor_forgotten(_: Results):
    """Rates Q(gamma_t) without gamma'_t: they generate no such path, and the energies differ."""
    lattice = lattice_of(rational(SKEWED_WEIGHTS))
    p, q_rates = path_probabilities(lattice, fmpq(1, 4)), rates(lattice, fmpq(1, 4), fmpq(1))
    speed = fmpq(5, 2)
    return decide(kinetic_sum(lattice, p, q_rates) / speed == speed * kinetic_sum(lattice, p, q_rates), 1)


not_claimed_tight("energy-time-change", "an identity")


@check("energy-chi-square", "symbolic")
def chi_square_identity(_: Results):
    """alpha'^2/(gamma' alpha(1-alpha)) = pi^2 [gamma' + (eta'-gamma')^2/gamma' + 2 (eta'-gamma')], eta = 2 theta/pi."""
    t, gamma, theta = symbols()
    eta, alpha = 2 * theta / sp.pi, sp.sin(theta) ** 2
    dg, de = sp.diff(gamma, t), sp.diff(eta, t)
    left = sp.diff(alpha, t) ** 2 / (dg * alpha * (1 - alpha))
    return decide(sp.simplify(left - sp.pi**2 * (dg + (de - dg) ** 2 / dg + 2 * (de - dg))) == 0, 1)


@check("energy-chi-square", "rational")
def chi_square_of_polynomials(_: Results):
    """1 + chi^2 = E / pi^2 in rationals for integer Beta parameters, where both sides are rational."""
    count, holds = 0, True
    for a, b, p, q in product((1, 2), (1, 2), (2, 3), (2, 3)):
        own, given = polynomial_density(p, q), polynomial_density(a, b)
        t = sp.symbols("t")
        chi = sp.integrate(sp.cancel((own - given) ** 2 / given), (t, 0, 1))
        holds &= 1 + chi == closed_form(p, q, a, b)
        count += 1
    return decide(holds, count, 0.0)


@control("energy-chi-square", "rational")
def arguments_swapped(_: Results):
    """chi^2(gamma' || eta') in place of chi^2(eta' || gamma'): 1/5 against infinity for Beta(2, 2) under gamma = t."""
    own, swapped = closed_form(2, 2, 1, 1) - 1, beta_energy((1.0, 1.0), (2.0, 2.0))
    return decide(float(own) == swapped, 1, None, f"{own} against {swapped}")


@control("energy-chi-square", "rational")
def twice_kullback_leibler(_: Results):
    """E = pi^2 (1 + 2 KL): Beta(2, 1) under gamma = t has KL = ln 2 - 1/2, chi^2 = 1/3."""
    excess = closed_form(2, 1, 1, 1) - 1
    return decide(bool(sp.Eq(excess, 2 * (sp.log(2) - sp.Rational(1, 2)))), 1, None, f"chi^2 = {excess}")


not_claimed_tight("energy-chi-square", "an identity")


@check("energy-beta-closed-form", "rational")
def beta_integrals(_: Results):
    """integral of eta'^2/gamma' of polynomials against the Beta functions, integer parameters."""
    t = sp.symbols("t")
    count, holds = 0, True
    for a, b, p, q in product((1, 2, 3), (1, 2), (2, 3), (1, 2)):
        if 2 * p > a and 2 * q > b:
            own, given = polynomial_density(p, q), polynomial_density(a, b)
            holds &= sp.integrate(sp.cancel(own**2 / given), (t, 0, 1)) == closed_form(p, q, a, b)
            count += 1
    return decide(holds, count, 0.0)


@check("energy-beta-closed-form", "float64")
def infinite_exactly_outside(_: Results):
    """On a grid of quarter integers: finite iff 2a' > a and 2b' > b, by closed form and by the ends of the schedule."""
    values, count, holds = np.arange(1, 9) / 4, 0, True
    for p, q, a, b in product(values, values, (0.5, 1.0, 1.5), (0.5, 1.0)):
        finite = 2 * p > a and 2 * q > b
        report = tm.path_energy_report(tm.BetaSchedule(float(p), float(q)), tm.BetaSchedule(a, b))
        holds &= np.isfinite(report.value) == finite and (report.reason == "") == finite
        count += 1
    return decide(bool(holds), count)


@tightness("energy-beta-closed-form", "float64")
def blows_up_at_the_edge(_: Results):
    """At 2a' = a (1 + 1e-6) the value is finite and within 1e-5 of its leading term."""
    value = beta_energy((0.5 * (1 + 1e-6), 1.0), (1.0, 1.0))
    leading = np.pi**2 * 1e6 * 0.25
    return decide(abs(value / leading - 1) < 1e-5, 1, abs(value / leading - 1))


@control("energy-beta-closed-form", "float64")
def edge_counted_as_finite(_: Results):
    report = tm.path_energy_report(tm.LinearSchedule())
    return decide(bool(np.isfinite(report.value)), 1, None, report.reason)


@control("energy-beta-closed-form", "rational")
def factor_two_dropped(_: Results):
    t = sp.symbols("t")
    value = sp.integrate(polynomial_density(3, 3) ** 2 / polynomial_density(1, 1), (t, 0, 1))
    return decide(value == closed_form(2, 2, 1, 1), 1)


# N steps


def arb_angles(parts) -> list[arb]:
    """Rational shares of pi/2 as balls."""
    return [arb.pi() / 2 * arb(p) for p in parts]


def arb_chords(angles, gaps) -> arb:
    return sum((4 * (a / 2).sin() ** 2 / arb(g) for a, g in zip(angles, gaps, strict=True)), arb(0))


@check("energy-discrete-spacing", "enclosed")
def proportional_chords_are_least(_: Results):
    """Gaps (4/5, 1/5): the split of the angle in these shares against (0.84404, 0.15596), which is cheaper."""
    ctx.prec = 128
    gaps = [fmpq(4, 5), fmpq(1, 5)]
    other = [fmpq(84404, 100000), fmpq(15596, 100000)]
    gap = arb_chords(arb_angles(other), gaps) - arb_chords(arb_angles(gaps), gaps)
    note = f"gaps (0.8, 0.2): proportional 2.216892, another split {float(arb_chords(arb_angles(other), gaps)):.6f}"
    return ball(gap >= 0, gap < 0, 1, float(gap), note)


@condition("energy-discrete-spacing", "enclosed")
def equal_gaps(res: Results):
    """Equal gaps: every other split of the angle tried costs more chords than equal ones, 4 N^2 sin^2(pi/4N)."""
    ctx.prec = 128
    rng, count, holds, fails, least = np.random.default_rng(5), 0, True, False, np.inf
    for n, scale in product((2, 3, 4, 8), (2, 10, 1000)):
        formula = 4 * n * n * (arb.pi() / (4 * n)).sin() ** 2
        for _repeat in range(instances(res, 1, 84)):
            w = rng.integers(0, scale, n) + scale
            w[0] += 1
            w[1] = max(w[1] - 1, 0)
            if len(set(w.tolist())) == 1:
                w[0] += 1
            shares = [fmpq(int(v), int(w.sum())) for v in w]
            gap = arb_chords(arb_angles(shares), [fmpq(1, n)] * n) - formula
            holds, fails, count = holds and bool(gap > 0), fails or bool(gap < 0), count + 1
            least = min(least, float(gap))
    return ball(holds, fails, count, least, "least excess over 4 N^2 sin^2(pi/4N)")


@condition("energy-discrete-spacing", "rational")
def arcs_proportional(res: Results):
    """Arcs: sum of x_k^2/g_k >= 1 for shares x of the angle, equality iff x = g; every gap, decided in rationals."""
    rng, count, holds = np.random.default_rng(6), 0, True
    for n in (1, 2, 3, 5):
        for _repeat in range(instances(res, 10, 250)):
            g, x = (rng.integers(1, 50, n) for _side in range(2))
            gaps, shares = ([fmpq(int(v), int(w.sum())) for v in w] for w in (g, x))
            cost = sum((s**2 / d for s, d in zip(shares, gaps, strict=True)), fmpq(0))
            holds &= cost == 1 if shares == gaps else cost > 1
            holds &= sum((d**2 / d for d in gaps), fmpq(0)) == 1
            count += 1
    return decide(holds, count, 0.0)


@condition("energy-discrete-spacing", "enclosed")
def sine_rule(res: Results):
    """Chords with any gaps: sin(angle)/gap constant. The split found beats proportional and its own neighbours."""
    ctx.prec = 128
    holds, fails, count = True, False, 0
    for gaps in res.spacing.gaps:
        best = [arb(float(a)) for a in optimal_chord_angles(np.array(gaps))]
        least = arb_chords(best, gaps)
        for i, j in product(range(len(gaps)), repeat=2):
            if i != j:
                moved = [a + (arb("0.001") if k == i else arb("-0.001") if k == j else 0) for k, a in enumerate(best)]
                gap = arb_chords(moved, gaps) - least
                holds, fails, count = holds and bool(gap > 0), fails or bool(gap < 0), count + 1
    return ball(holds, fails, count)


@tightness("energy-discrete-spacing", "float64")
def chords_reach_the_continuum(res: Results):
    """4 N^2 sin^2(pi/4N) rises to pi^2/4 with relative gap pi^2/(48 N^2)."""
    n = res.spacing.steps[-1]
    gap = 1 - res.spacing.least[-1] / (np.pi**2 / 4)
    return decide(0 < gap < 1.01 * np.pi**2 / (48 * n**2), 1, gap)


@control("energy-discrete-spacing", "enclosed")
def joint_law_equal_spacing(_: Results):
    """Hellinger steps of the joint law of 256 tokens, 8 steps: equal spacing 15.89 against one jump 2."""
    ctx.prec = 128
    equal = 16 * (1 - (arb.pi() / 16).cos() ** 256)
    return ball(equal <= 2, equal > 2, 1, float(equal - 2), f"equal {float(equal):.4f}, one jump 2")


@control("energy-discrete-spacing", "float64")
def linear_converges(res: Results):
    """The chord energy of the linear schedule stays below 9/4 ln 3 as N grows; it rises like (ln N)/2."""
    curve = res.spacing.curves["linear"]
    slope = float(curve[-1] - curve[-2]) / np.log(2)
    return decide(curve[-1] < 9 / 4 * np.log(3), len(curve), slope, f"growth per unit of ln N: {slope:.6f}")


# rates


def least_of(pmf, kind: str, alpha=ALPHAS[1]):
    """(model, least) energy over base at one time, in rationals."""
    lattice = lattice_of(pmf)
    p, dp = path_probabilities(lattice, alpha), path_slopes(lattice, alpha, fmpq(1))
    base = 1 / (alpha * (1 - alpha))
    model = kinetic_sum(lattice, p, rates(lattice, alpha, fmpq(1)))
    return model / base, cheapest_flux(p, dp, *edges_of(lattice, kind)).value / base


def point(n: int, size: int = 2) -> np.ndarray:
    table = np.zeros((size,) * n, dtype=int)
    table[(0,) * n] = 1
    return rational(table)


@check("energy-rates-conditional", "rational")
def single_token_rates(_: Results):
    """n = 1: the model's conditional rates cost 1, the least over all edges."""
    pairs = [least_of(point(1, k), kind, a) for k, kind, a in product((2, 3), ("unmask", "all-pairs"), ALPHAS)]
    return decide(all(model == least == 1 for model, least in pairs), len(pairs), 0.0)


@sharper("energy-rates-conditional", "rational")
def every_length_single_site(_: Results):
    """n <= 3: the model's conditional rates are the cheapest single-site rates, n 2^(n-1)."""
    pairs = [(n, *least_of(point(n), kind, a)) for n, kind, a in product((1, 2, 3), ("unmask", "single-site"), ALPHAS)]
    return decide(all(model == least == n * 2 ** (n - 1) for n, model, least in pairs), len(pairs), 0.0)


@control("energy-rates-conditional", "rational")
def all_pairs_of_states(_: Results):
    """With jumps of several tokens the least is n, below n 2^(n-1) from n = 2 on."""
    model, least = least_of(point(2), "all-pairs")
    return decide(model == least, 1, float(model - least), f"model {model}, least {least}")


not_claimed_tight("energy-rates-conditional", "an optimum that is attained")


@check("energy-rates-marginal", "rational")
def marginal_rates(_: Results):
    """n = 2: the model's marginal rates against the cheapest on unmasking edges."""
    rows = [least_of(rational(w), "unmask", fmpq(1, 4)) for w in (SKEWED_WEIGHTS, DRAWN)]
    model, least = rows[0]
    note = f"q = [.5 .1; .15 .25], alpha = 1/4: model {model}, least {float(least):.6f} on these edges, times base"
    return decide(all(m == v for m, v in rows), len(rows), float(model - least), note)


@condition("energy-rates-marginal", "rational")
def equal_prefix_laws(_: Results):
    """n = 2: optimal on unmasking edges iff q_1(a) = q_2(b) for every (a, b) of positive probability."""
    rng = np.random.default_rng(8)
    tables = [rng.integers(1, 9, (k, k)) for k in (2, 2, 3)]
    tables += [np.diag(rng.integers(1, 9, 3)), np.array([[4, 1], [1, 4]]), np.ones((3, 3), dtype=int)]
    tables += [np.array([[0, 3], [5, 0]]), np.array([[2, 1], [0, 3]]), np.array(SKEWED_WEIGHTS)]
    holds, optimal = True, 0
    for table in tables:
        pmf = rational(table)
        model, least = least_of(pmf, "unmask")
        first, second = pmf.sum(axis=1), pmf.sum(axis=0)
        balanced = all(first[a] == second[b] for a, b in np.argwhere(pmf != 0))
        holds &= (model == least) == balanced and least <= model
        optimal += model == least
    return decide(holds and 0 < optimal < len(tables), len(tables), None, f"{optimal} of {len(tables)} laws optimal")


@control("energy-rates-marginal", "rational")
def balanced_law_all_pairs(_: Results):
    """Even a diagonal law: with jumps of several tokens allowed the least is n = 2, not 6."""
    model, least = least_of(rational(np.diag([7, 3])), "all-pairs")
    return decide(model == least, 1, float(model - least), f"model {model}, least {least}")


@control("energy-rates-marginal", "rational")
def equal_laws_of_both_tokens_suffice(_: Results):
    """q_1 = q_2 as laws is not enough: the entries have to match pairwise on the support."""
    model, least = least_of(rational([[4, 1], [1, 2]]), "unmask")
    return decide(model == least, 1, float(model - least))


not_claimed_tight("energy-rates-marginal", "a statement about optimality; the condition is an equivalence")


# scope


@check("energy-not-over-all-paths", "rational")
def one_jump_path(_: Results):
    """cos^2 theta on all-masked + sin^2 theta on the data: joint Fisher information base, against n base."""
    count, holds = 0, True
    for pmf, alpha in product(full_tables() + sparse_tables(), ALPHAS):
        n, base = pmf.ndim, 1 / (alpha * (1 - alpha))
        jump = fisher_information(np.array([1 - alpha, *(alpha * pmf.ravel())]), np.array([fmpq(-1), *pmf.ravel()]))
        lattice = lattice_of(pmf)
        model = fisher_information(path_probabilities(lattice, alpha), path_slopes(lattice, alpha, fmpq(1)))
        holds &= jump == base and model == n * base
        count += 1
    return decide(holds, count, 0.0, "integrated at alpha = sin^2(pi t/2): pi^2 against n pi^2")


@control("energy-not-over-all-paths", "rational")
def strictly_cheaper_at_one_token(_: Results):
    """n = 1: the two paths are the same, so no gain."""
    pmf, alpha = rational([7, 2, 1]), ALPHAS[0]
    jump = fisher_information(np.array([1 - alpha, *(alpha * pmf)]), np.array([fmpq(-1), *pmf]))
    lattice = lattice_of(pmf)
    return decide(
        jump < fisher_information(path_probabilities(lattice, alpha), path_slopes(lattice, alpha, fmpq(1))), 1
    )


not_claimed_tight("energy-not-over-all-paths", "an example of a cheaper path; the factor n is exact")


@check("energy-fix-gamma-first", "float64")
def every_schedule_is_optimal_for_its_own(_: Results):
    """E(s, s) = pi^2 by quadrature for eight schedules, and no other of them is as cheap under that gamma."""
    shown = [tm.LinearSchedule(), tm.SineSchedule(), tm.CosineSchedule(), tm.SineSquaredSchedule()]
    shown += [tm.SmoothstepSchedule(), tm.PowerSchedule(2.0), tm.PowerSchedule(3.0), tm.BetaSchedule(0.9, 0.3)]
    holds, worst, closest = True, 0.0, np.inf
    for own, other in product(shown, shown):
        if own == other:
            value, _error = energy_quadrature(own, own)
            worst = max(worst, abs(value - np.pi**2))
        else:
            closest = min(closest, tm.path_energy(other, own) - np.pi**2)
    holds = worst <= 1e-10 and closest > 1e-6
    return decide(holds, len(shown) ** 2, closest, "least excess over pi^2 of another schedule")


@control("energy-fix-gamma-first", "float64")
def all_optimal_for_one_gamma(res: Results):
    """Under gamma = t all named schedules have energy pi^2."""
    others = [row.energy for row in res.schedules if row.name != "sin²"]
    return decide(all(e <= np.pi**2 * (1 + 1e-9) for e in others), len(others), min(others) - np.pi**2)


not_claimed_tight("energy-fix-gamma-first", "an identity: E(s, s) = pi^2 for every schedule")


@check("energy-blind-to-target", "rational")
def two_targets_disagree(_: Results):
    """Three steps on five tokens: linear against sin^2 (weights 1/4, 1/2, 1/4), illegal mass in rationals."""
    thirds, quarters = [Fraction(1, 3)] * 3, [Fraction(1, 4), Fraction(1, 2), Fraction(1, 4)]
    left, right = ({tuple(int(v) for v in x) for x in np.argwhere(q.pmf > 0)} for q in toy_targets())
    linear, sine = ([rational_illegal_mass(s, w) for s in (left, right)] for w in (thirds, quarters))
    note = (
        f"aaaaa/bbbbb: linear {float(linear[0]):.5f}, sin^2 {float(sine[0]):.5f}; "
        f"two or three a: linear {float(linear[1]):.5f}, sin^2 {float(sine[1]):.5f}; margin: illegal mass"
    )
    return decide(sine[0] < linear[0] and linear[1] < sine[1], 2, float(sine[1] - linear[1]), note)


@control("energy-blind-to-target", "float64")
def energy_orders_the_error(res: Results):
    """On both targets a schedule of lower energy (gamma = t) has lower illegal mass."""
    energy, pairs = res.toy.energy, [res.toy.left, res.toy.right]
    cheaper = energy[:, None] < energy[None, :]
    wrong = sum(int((cheaper & (mass[:, None] > mass[None, :])).sum()) for mass in pairs)
    return decide(wrong == 0, 2 * int(cheaper.sum()), None, f"{wrong} of {2 * int(cheaper.sum())} pairs the wrong way")


@control("energy-blind-to-target", "float64")
def two_steps_tell_schedules_apart(_: Results):
    """Two steps: linear, sin^2 and Beta(.9, .9) differ. They do not: all reveal half of the tokens by symmetry."""
    shown = [tm.LinearSchedule(), tm.SineSquaredSchedule(), tm.BetaSchedule(0.9, 0.9)]
    gap = max(float(np.abs(s.weights(2) - 0.5).max()) for s in shown)
    return decide(gap > 1e-12, 3, gap, "margin: largest difference of a reveal probability from 1/2")


not_claimed_tight("energy-blind-to-target", "a statement about two named targets")


@check("energy-beta-against-optimum", "float64")
def best_beta_between(res: Results):
    """optimum <= best Beta <= min(linear, sin^2) for every target, budget and rule; margin: least share of the gain."""
    holds = all(
        row.optimum <= row.best_beta * (1 + 1e-9) and row.best_beta <= min(row.linear, row.sine_squared) * (1 + 1e-9)
        for row in res.budgets
    )
    least = min(row.reached for row in res.budgets if row.linear > row.optimum * (1 + 1e-6))
    worst = max(row.best_beta / row.optimum for row in res.budgets)
    note = f"best Beta at most {worst:.4f} times the optimum; margin: least share of the possible gain on linear"
    return decide(holds and worst < 1.1, len(res.budgets), least, note)


@tightness("energy-beta-against-optimum", "float64")
def beta_reaches_the_optimum(res: Results):
    ratio = min(row.best_beta / row.optimum for row in res.budgets)
    return decide(ratio < 1.005, len(res.budgets), ratio - 1, "smallest relative excess over the optimum")


@control("energy-beta-against-optimum", "float64")
def energy_optimum_is_near(res: Results):
    """sin^2, the minimiser of the energy under gamma = t, is also within a tenth of the optimum."""
    worst = max(row.sine_squared / row.optimum for row in res.budgets)
    return decide(worst < 1.1, len(res.budgets), worst, f"sin^2 is up to {worst:.3f} times the optimum")


@control("energy-beta-against-optimum", "float64")
def sine_squared_beats_linear(res: Results):
    """sin^2 is at least as good as linear on every target."""
    losses = sorted({row.target for row in res.budgets if row.sine_squared > row.linear})
    return decide(not losses, len(res.budgets), None, f"worse on {', '.join(losses)}")
