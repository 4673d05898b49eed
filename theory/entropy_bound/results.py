"""Entropy-bounded unmasking beside the best adaptive policy: every rule's exact calls and KL on small targets.

Ben-Hamu et al. 2025 (arXiv 2505.24857). Calls are expected under q, KL is KL(q || p) in nats, the denoiser is exact
unless said otherwise. Derivations: theory/entropy_bound/derivation.md; the claims: theory/checks/entropy_bound/.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

import toy_models as tm
from theory.entropy_bound.targets import sticky_hmm, targets
from theory.entropy_bound.traces import Decomposition, Steps, Trace, call_steps, decomposition, fixed_trace, trace
from toy_models.quantities import lattice
from toy_models.rules.entropy_bounded import prefix_excess
from toy_models.rules.policy_front import optimal_front
from toy_models.rules.protocol import Rule
from toy_models.rules.proxies import entropies
from toy_models.schedules.optimal import optimal_sizes, sizes_cost

PROXIES = ("entropy", "confidence", "margin")


MATCHED = 0.01  # rules are compared at KL <= 1 % of the target's total correlation


MARGINAL_ENTRIES = 2**22  # lattices up to this size also get the text law of random orders


@dataclass(frozen=True, eq=False)
class Curve:
    """One family of rules: a point per parameter."""

    family: str
    parameter: np.ndarray
    calls: np.ndarray
    kl: np.ndarray
    multi: np.ndarray  # expected calls that reveal two tokens or more
    bound: np.ndarray  # expected sum of (sum H - max H)


@dataclass(frozen=True, eq=False)
class Case:
    """Everything computed for one target."""

    name: str
    label: str
    vocab_size: int
    length: int
    states: int  # partially masked sequences the recursion ran over
    entropy: float
    total_correlation: float
    curves: tuple[Curve, ...]
    front_calls: np.ndarray
    front_kl: np.ndarray
    step_costs: np.ndarray
    costs: np.ndarray
    front_complete: bool
    fixed_steps: np.ndarray
    fixed_kl: np.ndarray
    random_trajectory_kl: np.ndarray  # best sizes with 1..L steps, KL of each order averaged over orders
    random_marginal_kl: np.ndarray  # the same rule's KL(q || p); nan where the lattice is too large

    def best_calls(self, prefix: str, tolerance: float = MATCHED) -> float:
        """Fewest expected calls among rules whose family starts with `prefix` and whose KL <= tolerance * TC."""
        limit = tolerance * self.total_correlation + 1e-9
        calls = [c for curve in self.curves if curve.family.startswith(prefix) for c in curve.calls[curve.kl <= limit]]
        return float(min(calls, default=np.nan))

    @property
    def fixed_calls(self) -> float:
        return float(self.fixed_steps[self.fixed_kl <= MATCHED * self.total_correlation + 1e-9][0])

    @property
    def optimal_calls(self) -> float:
        return float(np.interp(-MATCHED * self.total_correlation, -self.front_kl, self.front_calls))

    @property
    def distance(self) -> float:
        """max over step costs of (best cost of any EB rule) / (optimal cost): 1 means nothing is left on the table."""
        calls = np.concatenate([c.calls for c in self.curves if c.family.startswith("EB")])
        kl = np.concatenate([c.kl for c in self.curves if c.family.startswith("EB")])
        reached = (kl[:, None] + calls[:, None] * self.step_costs).min(axis=0)
        return float((reached / self.costs).max())


@dataclass(frozen=True, eq=False)
class Results:
    profile: str
    cases: tuple[Case, ...]
    steps: tuple[Steps, ...]
    traces: tuple[Trace, ...]
    decompositions: tuple[Decomposition, ...]

    def case(self, name: str) -> Case:
        return next(c for c in self.cases if c.name == name)


def rule_families(target, profile: str) -> dict[str, list[tuple[float, Rule]]]:
    """family -> (parameter, rule). EB runs on a grid of gamma and on every value at which its first call grows."""
    points = 8 if profile == "smoke" else 12 if target.vocab_size > 9 else 24
    top = float(target.length * np.log(target.vocab_size))
    first = np.sort(entropies(target.marginals(np.full((1, target.length), tm.MASK))), axis=1)
    grows = prefix_excess(first)[0] * (1 + 1e-12) + 1e-12
    gammas = np.unique(np.concatenate([[0.0], np.geomspace(1e-3, top, points), grows, [np.inf]]))
    families: dict[str, list[tuple[float, Rule]]] = {}
    for proxy in PROXIES:
        families[f"EB {proxy}"] = [(g, tm.EntropyBounded(g, proxy)) for g in gammas]
        families[f"top-k {proxy}"] = [(k, tm.TopK(k, proxy)) for k in range(1, target.length + 1)]
        if proxy == "entropy":
            values = np.concatenate([[0.0], np.geomspace(1e-3, np.log(target.vocab_size), points)])
        else:
            values = np.linspace(0.0, 1.0, points)
        families[f"threshold {proxy}"] = [(v, tm.Threshold(v, proxy)) for v in values]
    return families


def curve(family: str, target, rules: Iterable[tuple[float, Rule]]) -> Curve:
    rules = list(rules)
    values = [tm.rules.evaluate_rule(target, rule) for _, rule in rules]
    return Curve(
        family,
        np.array([parameter for parameter, _ in rules], dtype=np.float64),
        np.array([v.calls for v in values]),
        np.array([max(v.kl, 0.0) for v in values]),
        np.array([v.multi_calls for v in values]),
        np.array([v.bound for v in values]),
    )


def case(name: str, label: str, target, profile: str) -> Case:
    """All rules and all references on one target."""
    table = target if isinstance(target, tm.targets.WordList) else lattice.to_table(target)
    subset_entropy = tm.rules.subset_entropies(table)
    families = rule_families(table, profile)
    curves = tuple(curve(family, table, rules) for family, rules in families.items())
    front = optimal_front(table, solves=12 if name in ("sudoku", "english") else 48)
    fixed = tm.rules.fixed_schedule_front_of(tm.rules.entropy_increments(subset_entropy))
    trajectory, marginal = random_orders(table, subset_entropy)
    length, entropy = table.length, float(subset_entropy[-1])
    return Case(
        name,
        label,
        table.vocab_size,
        length,
        front.policies[0].states,
        entropy,
        float(sum(subset_entropy[1 << i] for i in range(length)) - entropy),
        curves,
        front.calls,
        np.maximum(front.kl, 0.0),
        front.step_costs,
        front.costs,
        front.complete,
        np.arange(1, length + 1),
        np.maximum([schedule.loss - entropy for schedule in fixed], 0.0),
        trajectory,
        marginal,
    )


def random_orders(target, subset_entropy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Trajectory and text KL of the best uniformly random order with 1..L steps."""
    length = target.length
    size = np.array([bin(s).count("1") for s in range(2**length)])
    average = np.bincount(size, weights=subset_entropy) / np.bincount(size)
    g = np.minimum.accumulate(np.diff(average))
    sizes = [optimal_sizes(g, steps) for steps in range(1, length + 1)]
    trajectory = np.array([max(sizes_cost(g, s), 0.0) for s in sizes])
    if (target.vocab_size + 1) ** length * length * target.vocab_size > MARGINAL_ENTRIES:
        return trajectory, np.full(length, np.nan)
    rules = [tm.RandomOrder(tuple(int(k) for k in s)) for s in sizes]
    return trajectory, np.array([max(text_kl(target, rule), 0.0) for rule in rules])


def text_kl(target, rule, denoiser=None) -> float:
    """KL(q || p) from the exact law of what is written, by the lattice: independent of any replay."""
    q = lattice.to_table(target).pmf
    p = tm.sampler_law(denoiser or target, rule).pmf
    return float((q[q > 0] * np.log(q[q > 0] / p[q > 0])).sum())


def results(profile: str, rng: np.random.Generator) -> Results:
    """All sweeps of the topic, once. `rng` draws the sequence that the traces fill."""
    if profile not in ("smoke", "full"):
        raise ValueError(f'profile = {profile!r}, allowed: "smoke", "full"')
    chosen = targets(profile)
    cases = tuple(
        case(name, label, target, profile) for name, (label, target) in tqdm(chosen.items(), "targets", leave=False)
    )
    grid = tm.targets.sudoku4()
    x = grid.sample(1, rng)[0]
    traces = [trace(f"entropy-bounded, γ = {g:g}", grid, tm.EntropyBounded(g), x) for g in (0.1, 1.4)]
    traces.append(trace("optimal policy", grid, tm.optimal_policy(grid, 1e-3), x))
    schedule = tm.rules.fixed_schedule_front(grid, steps=4)[-1]
    traces.append(fixed_trace("best fixed schedule", grid, schedule, x))
    hmm = sticky_hmm(5 if profile == "smoke" else 7)
    label = f"hidden Markov, L = {hmm.length}"
    steps = [call_steps(f"{label}, γ = {g:g}", hmm, tm.EntropyBounded(g)) for g in (1.0, 2.5)]
    steps.append(call_steps("permutations of 4, γ = 1.4", tm.permutations(4), tm.EntropyBounded(1.4)))
    steps.append(call_steps("3 pairs of 2 symbols, γ = log 2", tm.pairs(2, 6), tm.EntropyBounded(np.log(2))))
    steps.append(call_steps("even parity, L = 6, γ = 2 log 2", tm.zero_sum(2, 6), tm.EntropyBounded(2 * np.log(2))))
    wrong = [
        ("marginals smoothed by 0.2", tm.Smoothed(hmm, 0.2)),
        ("marginals sharpened, power 2", tm.Tempered(hmm, 2.0)),
    ]
    named = [(f"hidden Markov, L = {hmm.length}: {label}", model) for label, model in wrong]
    parts = tuple(decomposition(label, hmm, model, 8 if profile == "smoke" else 20) for label, model in named)
    return Results(profile, cases, tuple(steps), tuple(traces), parts)


def summary(res: Results) -> str:
    """One line per target: calls at matched KL, and EB's distance to the optimal front."""
    names = ("Top-1", "top-k", "thresh.", "EB", "fixed", "optimal", "EB/opt", "distance")
    lines = [f"{'target':<22}" + "".join(f"{name:>9}" for name in names)]
    for c in res.cases:
        eb, opt = c.best_calls("EB"), c.optimal_calls
        lines.append(
            f"{c.label:<22}{c.length:>9}{c.best_calls('top-k'):>9.2f}{c.best_calls('threshold'):>9.2f}{eb:>9.2f}"
            f"{c.fixed_calls:>9.0f}{opt:>9.2f}{eb / opt:>9.2f}{c.distance:>9.2f}"
        )
    return "\n".join(lines)
