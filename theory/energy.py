"""Masked diffusion as energy minimisation (Chen et al. 2025, arXiv 2509.13866): the sweeps behind claims and figures.

The displayed formulas of the paper are reconstructed from the constants and identities its text states;
theory/energy.md says how far that pins them. Fisher-Rao normalisation throughout: the minimum of E is pi^2.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq, minimize
from tqdm import tqdm

import toy_models as tm
from toy_models.energy.beta_family import BetaFit
from toy_models.energy.beta_search import RULES, BetaSearch, BudgetRow, schedule_kl
from toy_models.energy.fisher_rao import fisher_information, mixture_kinetic, uniform_mixture
from toy_models.energy.path_energy import beta_energy, chord_energy, optimal_chord_angles, step_angles, tanh_sinh
from toy_models.energy.path_rates import kinetic_sum, lattice_of, path_probabilities, path_slopes, rates
from toy_models.energy.rate_optimality import EDGES, cheapest_flux, edges_of
from toy_models.optimal_schedules import sizes_cost, weights_cost

REFERENCES = ((0.5, 0.5), (1.0, 1.0), (0.9, 0.9), (0.9, 0.3), (1.0, 0.2), (0.3, 0.9))
NAMED = {
    "linear": tm.LinearSchedule(),
    "sin": tm.SineSchedule(),
    "sin²": tm.SineSquaredSchedule(),
    "1-cos": tm.CosineSchedule(),
    "t²": tm.PowerSchedule(2.0),
    "1-(1-t)²": tm.MirroredSchedule(tm.PowerSchedule(2.0)),
    "t³": tm.PowerSchedule(3.0),
    "3t²-2t³": tm.SmoothstepSchedule(),
}
SOURCE = (0.7, 0.2, 0.1)  # data law of the mask-free source
DIAGONAL = ((0.45, 0.05), (0.05, 0.45))
SKEWED = ((0.5, 0.1), (0.15, 0.25))
# np.random.default_rng(7).integers(1, 13, (3, 3)) ** 2, stored so that no result depends on a stream
DRAWN = ((144, 64, 81), (121, 49, 100), (121, 9, 1))


@dataclass(frozen=True, eq=False)
class RatioCurves:
    """Integrands over alpha'^2 / (alpha (1-alpha)) against alpha, and for sources where they are not constant."""

    alpha: np.ndarray
    kinetic: np.ndarray
    conditional: np.ndarray
    geodesic: np.ndarray
    weight_one_kinetic: np.ndarray  # weight 1 in place of 1/p(x), times alpha so that both fit one plot
    weight_one_conditional: np.ndarray
    source_kinetic: np.ndarray  # uniform source, no mask
    source_conditional: np.ndarray
    source_fisher_marginal: np.ndarray
    source_fisher_conditional: np.ndarray


@dataclass(frozen=True, eq=False)
class SourceOptima:
    """Mask-free source: which path between the same ends each energy prefers."""

    half_conditional: float  # kappa at t = 1/2 of the conditional-optimal path
    half_marginal: float
    half_kinetic: float
    least_conditional: float
    least_marginal: float
    marginal_of_conditional: float  # marginal energy of the conditional-optimal path
    weight_one_half_conditional: float  # masked source with weight 1: alpha(1/2)
    weight_one_half_marginal: float


@dataclass(frozen=True)
class ScheduleRow:
    """One schedule: its Beta parameters, its energy under gamma = t and under the linear schedule's own gamma."""

    name: str
    fit: BetaFit
    energy: float
    reason: str
    energy_under_linear: float


@dataclass(frozen=True, eq=False)
class Landscape:
    """E / pi^2 of Beta(a', b') schedules, values[i, j] at (axis[i], axis[j]), under gamma = CDF of Beta(reference)."""

    reference: tuple[float, float]
    axis: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class RateRow:
    """Energy at one time over base: of the model's rates, and the least over each edge set; backwards = least flux."""

    name: str
    model: float
    unmask: float
    single_site: float
    all_pairs: float
    least_unmask_flux: float


@dataclass(frozen=True, eq=False)
class Spacing:
    """Chord energies of N steps, sphere normalisation, gamma = t; and two splits of unequal gaps."""

    steps: np.ndarray
    least: np.ndarray
    curves: dict[str, np.ndarray]
    gaps: tuple[tuple[float, ...], ...]
    best: tuple[float, ...]
    proportional: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Toy:
    """Five tokens, three steps, exact conditionals: illegal mass (= total variation) on two targets."""

    names: tuple[str, ...]
    left: np.ndarray  # target: aaaaa or bbbbb
    right: np.ndarray  # target: two or three a
    energy: np.ndarray  # under gamma = t
    axis: np.ndarray
    left_map: np.ndarray  # illegal mass at (alpha_1, alpha_2), nan where alpha_1 > alpha_2
    right_map: np.ndarray
    left_best: tuple[float, float, float]  # value, alpha_1, alpha_2
    right_best: tuple[float, float, float]
    left_beta: tuple[float, float]  # Beta(a, b) through the best pair
    right_beta: tuple[float, float]


@dataclass(frozen=True)
class EstimatedText:
    """The 3-gram text, no exact curve known: sampled information curve, with the exact entropy it should sum to."""

    row: BudgetRow
    sum_of_curve: float
    entropy: float


@dataclass(frozen=True, eq=False)
class Results:
    """The sweeps of the topic. Those that no claim reads are computed when first asked for."""

    profile: str
    corpus: str
    optima: SourceOptima
    schedules: tuple[ScheduleRow, ...]
    spacing: Spacing
    toy: Toy
    budgets: tuple[BudgetRow, ...]
    curves: dict[str, np.ndarray]  # information curve of each target of `budgets`
    search: BetaSearch  # grid of the English chain, N = 16, sizes
    search_target: str
    rng: np.random.Generator = field(repr=False)

    @cached_property
    def ratios(self) -> RatioCurves:
        return ratio_curves(61 if self.profile == "full" else 21)

    @cached_property
    def table(self) -> np.ndarray:
        """E / pi^2, rows alpha and columns gamma over REFERENCES."""
        return np.array([[beta_energy(own, given) / np.pi**2 for given in REFERENCES] for own in REFERENCES])

    @cached_property
    def landscapes(self) -> tuple[Landscape, ...]:
        return tuple(landscape(given, 61 if self.profile == "full" else 31) for given in REFERENCES[1:5])

    @cached_property
    def rates(self) -> tuple[RateRow, ...]:
        return rate_rows()

    @cached_property
    def estimated(self) -> tuple[EstimatedText, ...]:
        """Two independent samples, so that their spread shows the noise."""
        rng = deepcopy(self.rng)  # so that the samples do not depend on when they are drawn
        return tuple(estimated_text(self.profile == "full", self.corpus, rng) for _ in range(2))


def results(profile: str, rng: np.random.Generator, corpus: str = "") -> Results:
    """Every number of the topic. Only `estimated` is sampled. smoke: smaller grids, shorter and fewer targets."""
    if profile not in ("smoke", "full"):
        raise ValueError(f'profile = {profile!r}, allowed: "smoke", "full"')
    full = profile == "full"
    curves = language_curves(full, corpus)
    budgets, searches = compare_budgets(curves, (16, 64) if full else (16,), points=100 if full else 30)
    shown = "sticky chain, 0.99"
    return Results(
        profile=profile,
        corpus=corpus,
        optima=source_optima(),
        schedules=tuple(schedule_row(name, s) for name, s in NAMED.items()),
        spacing=spacing((1, 2, 3, 4, 8, 16, 32, 64, 128, 256, 512, 1024)),
        toy=toy(41 if full else 15),
        budgets=budgets,
        curves=curves,
        search=searches[shown, 16, "sizes"],
        search_target=shown,
        rng=deepcopy(rng),
    )


def ratio_curves(points: int) -> RatioCurves:
    alpha = np.linspace(0.01, 0.99, points)
    kappa = alpha
    paper = [tm.energy_integrands(np.array(DIAGONAL), float(a), 1.0) for a in alpha]
    one = [tm.energy_integrands(np.array(DIAGONAL), float(a), 1.0, "one") for a in alpha]
    source = [source_integrands(float(k)) for k in kappa]
    return RatioCurves(
        alpha,
        *(np.array([getattr(e, name) / e.base for e in paper]) for name in ("kinetic", "conditional", "geodesic")),
        *(np.array([getattr(e, name) / e.base for e in one]) for name in ("kinetic", "conditional")),
        *np.array(source).T,
    )


def source_integrands(kappa: float) -> tuple[float, float, float, float]:
    """(kinetic marginal, conditional, Fisher marginal, conditional) of the uniform source, kappa' = 1."""
    q = np.array(SOURCE)
    given, slope = uniform_mixture(q, kappa)
    conditional = float(sum(w * fisher_information(p, dp) for w, p, dp in zip(q, given, slope, strict=True)))
    return *(float(v) for v in mixture_kinetic(q, kappa)), float(fisher_information(q @ given, q @ slope)), conditional


def source_optima() -> SourceOptima:
    marginal_kinetic, _, marginal, conditional = (
        lambda k, index=index: np.array([source_integrands(float(v))[index] for v in k]) for index in range(4)
    )

    def weight_one(pmf):
        lattice = lattice_of(pmf)

        def at(a):
            return float(kinetic_sum(lattice, path_probabilities(lattice, a), rates(lattice, a, 1.0), "one"))

        return lambda alphas: np.array([at(float(a)) for a in alphas])

    mixed = length_of(lambda k: marginal(k) / np.sqrt(conditional(k)))
    return SourceOptima(
        half_way(conditional),
        half_way(marginal),
        half_way(marginal_kinetic),
        length_of(lambda k: np.sqrt(conditional(k))) ** 2,
        length_of(lambda k: np.sqrt(marginal(k))) ** 2,
        length_of(lambda k: np.sqrt(conditional(k))) * mixed,
        half_way(weight_one(np.array([[1.0, 0.0], [0.0, 0.0]]))),
        half_way(weight_one(np.array(DIAGONAL))),
    )


def length_of(speed, high: float = 1.0) -> float:
    """Integral of speed from 0 to `high`; nodes within 1e-9 of an end carry no weight at the tolerance used here."""

    def integrand(t, u, weight):
        return speed(np.clip(t, 1e-12, 1 - 1e-12)) * weight

    return tanh_sinh(integrand, 0.0, high, levels=3)[0]


def half_way(integrand) -> float:
    """Where the energy-optimal path, of constant speed, is at t = 1/2: half of the length of sqrt(integrand)."""
    whole = length_of(lambda k: np.sqrt(integrand(k)))
    return float(brentq(lambda x: length_of(lambda k: np.sqrt(integrand(k)), x) - whole / 2, 0.05, 0.95, xtol=1e-6))


def schedule_row(name: str, schedule) -> ScheduleRow:
    report = tm.path_energy_report(schedule)
    under_linear = tm.path_energy(schedule, tm.LinearSchedule())
    return ScheduleRow(name, tm.best_fit_beta(schedule), report.value, report.reason, under_linear)


def landscape(reference: tuple[float, float], points: int) -> Landscape:
    axis = np.linspace(0.1, 2.0, points)
    values = np.array([[beta_energy((float(a), float(b)), reference) / np.pi**2 for b in axis] for a in axis])
    return Landscape(reference, axis, values)


def rate_rows() -> tuple[RateRow, ...]:
    """Cheapest rates at alpha = 1/4 for conditional paths (point masses) and marginal ones."""
    point = [np.eye(1, 2**n)[0].reshape((2,) * n) for n in (1, 2, 3)]
    cases = {f"conditional, n = {n}": p for n, p in enumerate(point, start=1)}
    cases |= {
        "uniform": np.full((2, 2), 0.25),
        "[.4 .1; .1 .4]": np.array([[0.4, 0.1], [0.1, 0.4]]),
        "diag(.7, .3)": np.diag([0.7, 0.3]),
        "[.5 .1; .15 .25]": np.array(SKEWED),
        "drawn, K = 3": np.array(DRAWN) / np.sum(DRAWN),
    }
    return tuple(rate_row(name, pmf, 0.25) for name, pmf in cases.items())


def rate_row(name: str, pmf: np.ndarray, alpha: float) -> RateRow:
    lattice = lattice_of(pmf)
    p, dp = path_probabilities(lattice, alpha), path_slopes(lattice, alpha, 1.0)
    base = 1 / (alpha * (1 - alpha))
    found = [cheapest_flux(p, dp, *edges_of(lattice, kind)) for kind in EDGES]
    model = float(kinetic_sum(lattice, p, rates(lattice, alpha, 1.0))) / base
    return RateRow(name, model, *(float(f.value) / base for f in found), float(found[0].flux.min()))


def spacing(steps: tuple[int, ...]) -> Spacing:
    even = {n: np.full(n, 1 / n) for n in steps}
    shown = ("linear", "sin", "t²", "3t²-2t³", "sin²")
    gaps = ((0.8, 0.2), (0.6, 0.3, 0.1))
    return Spacing(
        np.array(steps),
        np.array([4 * n * n * np.sin(np.pi / (4 * n)) ** 2 for n in steps]),
        {name: np.array([chord_energy(step_angles(NAMED[name], n), even[n]) for n in steps]) for name in shown},
        gaps,
        tuple(chord_energy(optimal_chord_angles(np.array(g)), np.array(g)) for g in gaps),
        tuple(chord_energy(np.pi / 2 * np.array(g), np.array(g)) for g in gaps),
    )


def toy_targets() -> tuple[tm.Table, tm.Table]:
    """Uniform on {aaaaa, bbbbb}, and uniform on the 20 sentences with two or three a."""
    ones = np.indices((2,) * 5).sum(axis=0)
    return tuple(tm.Table(legal / legal.sum()) for legal in ((ones % 5 == 0) * 1.0, ((ones == 2) | (ones == 3)) * 1.0))


def illegal_mass(target: tm.Table, weights) -> float:
    """Mass the three-step sampler puts outside the support; also the total variation, the law being uniform on it."""
    return float(tm.sequence_error(target, tm.IndependentReveal(np.asarray(weights))))


def toy(points: int) -> Toy:
    schedules = {k: NAMED[k] for k in ("linear", "sin", "sin²", "1-cos")}
    for a, b in ((0.9, 0.3), (1.0, 0.2), (0.3, 0.9), (0.9, 0.9), (0.3, 0.3)):
        schedules[f"({a:g}, {b:g})"] = tm.BetaSchedule(a, b)
    targets = toy_targets()
    tables = [np.array([illegal_mass(q, s.weights(3)) for s in schedules.values()]) for q in targets]
    axis = np.linspace(0.02, 0.98, points)
    maps = [
        np.array([[at_cuts(q, (x, y)) for y in axis] for x in axis]) for q in tqdm(targets, desc="toy", leave=False)
    ]
    best = [best_cuts(q) for q in targets]
    energies = np.array([tm.path_energy(s) for s in schedules.values()])
    betas = [beta_through(cuts[1:]) for cuts in best]
    return Toy(tuple(schedules), *tables, energies, axis, *maps, *best, *betas)


def at_cuts(target: tm.Table, cuts) -> float:
    first, second = float(cuts[0]), float(cuts[1])
    return illegal_mass(target, [first, second - first, 1 - second]) if 0 <= first <= second <= 1 else float("nan")


def best_cuts(target: tm.Table) -> tuple[float, float, float]:
    found = minimize(
        lambda x: at_cuts(target, np.sort(np.clip(x, 0, 1))),
        [0.3, 0.6],
        method="Nelder-Mead",
        options={"xatol": 1e-8, "fatol": 1e-14},
    )
    cuts = np.sort(found.x)
    return float(found.fun), float(cuts[0]), float(cuts[1])


def beta_through(cuts: tuple[float, float]) -> tuple[float, float]:
    """(a, b) of the Beta schedule with alpha(1/3), alpha(2/3) at the cuts."""

    def miss(logs):
        return float(((tm.BetaSchedule(*np.exp(logs)).alpha(np.array([1 / 3, 2 / 3])) - cuts) ** 2).sum())

    found = minimize(miss, [-0.5, -0.5], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-20})
    a, b = (float(v) for v in np.exp(found.x))
    return a, b


def language_curves(full: bool, corpus: str = "") -> dict[str, np.ndarray]:
    """Information curves at L = 1024 (smoke: 256): exact for every target listed."""
    length = 1024 if full else 256

    def sticky(stay):
        return tm.MarkovChain(np.array([[stay, 1 - stay], [1 - stay, stay]]), length)

    targets = {"sticky chain, 0.99": sticky(0.99), "text, 2-gram": tm.corpus.language(2, length, corpus)}
    targets["copies in blocks of 8"] = tm.Blocks(tm.repetition(2, 8), length // 8)
    if full:
        targets["parity in blocks of 8"] = tm.Blocks(tm.zero_sum(2, 8), length // 8)
        targets |= {"sticky chain, 0.9": sticky(0.9), "pairs": tm.pairs(4, length)}
    return {name: tm.information_curve(target) for name, target in targets.items()}


def estimated_text(full: bool, corpus: str, rng: np.random.Generator) -> EstimatedText:
    """Sampled information curve of the 3-gram text at a few numbers of revealed tokens, monotone cubic in between."""
    length, size, points = (1024, 12, 25) if full else (256, 4, 9)
    target = tm.corpus.language(3, length, corpus)
    revealed = np.unique(np.rint(np.linspace(0, 1, points) ** 1.5 * (length - 1)).astype(np.int64))
    values = tm.estimate_information_curve(target, size, rng, revealed=revealed).value
    g = PchipInterpolator(revealed, np.minimum.accumulate(values))(np.arange(length))
    rows, _ = compare_budgets({"text, 3-gram, estimated": g}, (16,), points=30)
    return EstimatedText(next(r for r in rows if r.rule == "sizes"), float(g.sum()), float(target.entropy()))


def compare_budgets(curves, steps, points: int):
    """Linear, sin^2, the best Beta schedule and the optimum of each rule, per target and number of steps."""
    rows, searches = [], {}
    jobs = [(name, n, rule) for name in curves for n in steps for rule in RULES]
    for name, n, rule in tqdm(jobs, desc="schedules", leave=False):
        g = curves[name]
        found = tm.search_beta(g, n, rule, points=points)
        searches[name, n, rule] = found
        if rule == "independent":
            optimum = weights_cost(g, tm.optimal_weights(g, n))
        else:
            optimum = sizes_cost(g, tm.optimal_sizes(g, n))
        plain = [schedule_kl(g, s, n, rule) for s in (tm.LinearSchedule(), tm.SineSquaredSchedule())]
        rows.append(BudgetRow(name, n, rule, *plain, found.kl, found.a, found.b, optimum))
    return tuple(rows), searches
