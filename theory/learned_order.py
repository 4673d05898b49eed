"""Learned order: schedules as laws over decoding orders, and what learning them finds. The experiments.

Units: nats per sequence. Decoding order = masking times sorted descending, except where "ascending" is said.
"""

from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np
from jaxtyping import Float
from scipy.stats import beta
from tqdm import tqdm

from toy_models import lattice, schedules
from toy_models.denoisers import ParentPointer, Smoothed, Tempered, Windowed
from toy_models.orders.estimators import ESTIMATORS, estimator_moments
from toy_models.orders.flow import flow, is_sink, slope
from toy_models.orders.losses import best_order_of, order_losses_of, uniform_loss
from toy_models.orders.mixtures import sandwich, shared_table_loss
from toy_models.orders.plackett_luce import plackett_luce, positions_table, reversed_law, uniform_orders
from toy_models.orders.reveal_times import NoisePowerSchedule, binned_order_law, order_law
from toy_models.orders.reveal_weights import order_reveals, plackett_luce_reveals, quadrature_reveals
from toy_models.orders.schedule_nelbo import nelbo_variance
from toy_models.orders.subset_losses import joint_law, local_losses, mean_cross_entropies, sequence_cross_entropies
from toy_models.policies.ordered_partitions import best_partitions_of
from toy_models.targets.toys import k1, k2

CIRCULANT = np.array([[0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.8, 0.1, 0.1]])
REFERENCE_WEIGHTS = (1.7, 1.2, 2.3, 1.5)  # divided by 1.2, so that the smallest is 1
PLANTED = (2, 0, 4, 1, 3)
FOUR_SCHEDULES = (
    NoisePowerSchedule(2.5),
    schedules.PowerSchedule(2.0),
    schedules.SineSchedule(),
    schedules.LinearSchedule(),
)
PUBLISHED_LOSSES = {  # best validation losses of Garg et al. 2025: learned schedule, linear schedule
    "Adult": (13.1524, 13.1861),
    "Default": (18.3272, 19.4247),
    "Beijing": (17.0060, 16.7610),
    "Shoppers": (16.4604, 16.4246),
    "Magic": (12.4712, 12.6114),
    "News": (48.9401, 49.9699),
}


@dataclass(frozen=True, eq=False)
class Instance:
    """One target with one denoiser: losses of every set, in the mean and per sequence of the support."""

    name: str
    mean: np.ndarray  # C[T, i]
    each: np.ndarray  # C[T, i, x]
    probabilities: np.ndarray  # q(x)


@dataclass(frozen=True, eq=False)
class Identity:
    """max over x of |quadrature NELBO - order average|, with the sort descending and ascending."""

    instance: str
    schedules: str
    descending: float
    ascending: float


@dataclass(frozen=True, eq=False)
class RatioCurve:
    """J(w) for w = (r^(L-1), ..., r, 1) against r, with the best, uniform and worst order losses."""

    name: str
    ratio: np.ndarray
    loss: np.ndarray
    ascending: np.ndarray
    best: float
    uniform: float
    worst: float


@dataclass(frozen=True, eq=False)
class Success:
    """How many planted orders one descent recovered; `gap` per planted order, in nats above its loss."""

    toy: str
    start: str
    method: str
    successes: int
    trials: int
    low: float
    high: float
    gap: np.ndarray
    sinks: int  # failures whose pattern of satisfied edges is an attracting end of the flow


@dataclass(frozen=True, eq=False)
class Landscape:
    """J over (log w0 - log w1, log w1 - log w2) for a cycle of parents on three positions, with descents."""

    axis: np.ndarray
    loss: np.ndarray  # [second, first]
    paths: np.ndarray  # (steps, starts, 2)
    orders: np.ndarray  # (starts, 3)
    final: np.ndarray  # (starts,)
    order_losses: dict


@dataclass(frozen=True, eq=False)
class Gap:
    """What the learned law leaves: uniform orders, the learned law, the order it points at, the best order."""

    name: str
    uniform: float
    learned: float
    pointed: float
    best: float


@dataclass(frozen=True, eq=False)
class Front:
    """Loss above the target's entropy with N = 1..L steps: best positions, and random positions with the best sizes."""

    name: str
    best: np.ndarray
    random: np.ndarray
    blocks: list


@dataclass(frozen=True, eq=False)
class Results:
    profile: str
    identities: list[Identity]
    curves: list[RatioCurve]
    law_maps: dict[str, np.ndarray]  # P[i, k]: position i decoded k-th
    variance_scale: np.ndarray
    variance: np.ndarray
    variance_mean: np.ndarray
    estimators: dict[str, dict[str, tuple[float, int, float]]]  # instance -> estimator -> total variance, calls, bias
    success: list[Success]
    edge_flow: tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]  # starting difference, steps per unit rate * I
    fronts: list[Front]
    sandwiches: np.ndarray  # (laws, 2): both directions, random independent times
    sandwich_pl: np.ndarray  # the same for weights (1, w, 1)
    sink_times: np.ndarray  # log times
    sinks: dict[str, np.ndarray]  # pattern -> log(t I g) of the violated edge
    shared: np.ndarray = field(repr=False)  # (points, 2): forward probability, loss

    @cached_property
    def landscape(self) -> Landscape:
        """Read by no claim, so computed when first asked for, as `gaps` is."""
        return landscape(*((81, 2000) if self.profile == "full" else (25, 400)))

    @cached_property
    def gaps(self) -> list[Gap]:
        return gaps(instances(), 800 if self.profile == "full" else 80)


def chain_parents(length: int) -> tuple[int, ...]:
    return (-1, *range(length - 1))


def planted_parents(order) -> list[int]:
    parents = [-1] * len(order)
    for a, b in pairwise(order):
        parents[b] = int(a)
    return parents


def instance(name: str, target, denoiser) -> Instance:
    """All losses of one target with one denoiser (None: the oracle)."""
    x = lattice.sequences(target.vocab_size, target.length)
    q = np.exp(target.log_prob(x))
    x, q = x[q > 0], q[q > 0]
    each = sequence_cross_entropies(target if denoiser is None else denoiser, x)
    return Instance(name, mean_cross_entropies(target, denoiser), each, q)


def instances() -> list[Instance]:
    """The two reference toys with five denoisers each."""
    made = []
    for toy, target in (("K1", k1()), ("K2", k2())):
        denoisers = {
            "oracle": None,
            "left parent": ParentPointer(target, chain_parents(4)),
            "window 1": Windowed(target, 1),
            "tempered": Tempered(target, 0.5),
            "smoothed": Smoothed(target, 0.2),
        }
        made += [instance(f"{toy} {name}", target, denoiser) for name, denoiser in denoisers.items()]
    return made


def reveal_families() -> dict[str, tuple[np.ndarray, dict]]:
    """Schedules by name: reveal weights by quadrature over noise time, and the order law by nested integrals."""
    families = {
        f"scalar {s.__class__.__name__}": (s,) * 4 for s in (schedules.LinearSchedule(), schedules.SineSchedule())
    }
    families["power 3, .5, 2, 1.2"] = tuple(NoisePowerSchedule(w) for w in (3.0, 0.5, 2.0, 1.2))
    families["power 4, 2, 1, .5"] = tuple(NoisePowerSchedule(w) for w in (4.0, 2.0, 1.0, 0.5))
    families["reverse 3, .5, 2, 1.2"] = tuple(schedules.PowerSchedule(w) for w in (3.0, 0.5, 2.0, 1.2))
    families["four different"] = FOUR_SCHEDULES
    return {name: (quadrature_reveals(list(s)), order_law(list(s))) for name, s in families.items()}


def average(reveals: np.ndarray, table: np.ndarray) -> np.ndarray:
    """sum over T, i of W[T, i] C[T, i] (per sequence if the table is)."""
    return np.tensordot(reveals, table, axes=([0, 1], [0, 1]))


def identities(cases: list[Instance]) -> list[Identity]:
    rows = []
    for name, (reveals, law) in reveal_families().items():
        descending, ascending = order_reveals(law), order_reveals(reversed_law(law))
        for case in cases:
            nelbo = average(reveals, case.each)
            gaps = [float(np.abs(nelbo - average(w, case.each)).max()) for w in (descending, ascending)]
            rows.append(Identity(case.name, name, *gaps))
    return rows


def ratio_curve(case: Instance, ratio: np.ndarray) -> RatioCurve:
    length = case.mean.shape[1]
    weights = [tuple(float(r) ** k for k in range(length - 1, -1, -1)) for r in ratio]
    loss = np.array([average(plackett_luce_reveals(w), case.mean) for w in weights])
    ascending = np.array([average(order_reveals(reversed_law(plackett_luce(w))), case.mean) for w in weights])
    best, worst = best_order_of(case.mean).loss, best_order_of(case.mean, worst=True).loss
    return RatioCurve(case.name, ratio, loss, ascending, best, uniform_loss(case.mean), worst)


def planted(target, orders: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Parents and informations I(X_i; X_parent) of chains planted along each order, and sum H."""
    length = target.length
    information = np.zeros((length, length))
    entropy = np.zeros(length)
    for i in range(length):
        for j in range(length):
            if i != j:
                joint = joint_law(target, [i, j])
                a, b = joint.sum(axis=1), joint.sum(axis=0)
                information[i, j] = float((joint * np.log(joint / np.outer(a, b))).sum())
                entropy[i] = float(-(a * np.log(a)).sum())
    parents = np.array([planted_parents(order) for order in orders])
    informations = np.where(parents >= 0, information[np.arange(length), np.maximum(parents, 0)], 0.0)
    return parents, informations, float(entropy.sum())


def interval(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact (Clopper-Pearson) binomial interval."""
    tail = (1 - confidence) / 2
    low = 0.0 if successes == 0 else float(beta.ppf(tail, successes, trials - successes + 1))
    high = 1.0 if successes == trials else float(beta.ppf(1 - tail, successes + 1, trials - successes))
    return low, high


def success_rates(trials: int, steps: int, length: int, rng: np.random.Generator) -> list[Success]:
    """Descents from three starts by three methods on `trials` planted orders of each toy."""
    import torch

    from toy_models.orders.learner_torch import STARTS, initial_log_weights, learn, learn_edges, parent_pointer_loss

    orders = np.array([rng.permutation(length) for _ in range(trials)])
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    rows = []
    for toy, target in (("K1", k1(length)), ("K2", k2(length))):
        parents, information, entropy = planted(target, orders)
        a, best = torch.tensor(parents), entropy - information.sum(axis=1)
        loss = parent_pointer_loss(a, torch.tensor(information), entropy)
        for start in STARTS:
            s = initial_log_weights(start, trials, length, generator)
            runs = {
                "gradient": learn(loss, s, steps, rate=5.0),
                "Adam": learn(loss, s, steps, rate=0.05, optimiser="adam"),
                "edge differences": learn_edges(loss, a, s, steps, rate=0.05, optimiser="adam"),
            }
            for method, run in runs.items():
                right = (run.orders == orders).all(axis=1)
                place = np.argsort(run.orders, axis=1)
                satisfied = np.diff(np.take_along_axis(place, orders, axis=1), axis=1) > 0
                sinks = sum(is_sink(row) for row in satisfied[~right])
                low, high = interval(int(right.sum()), trials)
                gap = run.losses - best
                rows.append(Success(toy, start, method, int(right.sum()), trials, low, high, gap, sinks))
    return rows


def landscape(points: int, steps: int) -> Landscape:
    """A cycle of parents 2 -> 0 -> 1 -> 2 on K1 with three positions: three valleys, one per broken edge."""
    import torch

    from toy_models.orders.learner_torch import learn, parent_pointer_loss

    denoiser = ParentPointer(k1(3), (2, 0, 1))
    table, values = mean_cross_entropies(k1(3), denoiser), local_losses(k1(3), denoiser).values
    information = torch.tensor((values[:, 0] - values[:, 1])[None])
    loss = parent_pointer_loss(torch.tensor([[2, 0, 1]]), information, float(values[:, 0].sum()))
    axis = np.linspace(-6.0, 6.0, points)
    first, second = np.meshgrid(axis, axis)
    s = np.stack([first.ravel(), np.zeros(first.size), -second.ravel()], axis=1)
    values = loss(torch.tensor(s)).numpy().reshape(points, points)
    starts = np.array([[0.0, 0.0], [-2.5, 2.0], [2.5, -3.5], [-3.0, -0.5], [0.5, -3.0], [1.0, 2.5]])
    s0 = np.stack([starts[:, 0], np.zeros(len(starts)), -starts[:, 1]], axis=1)
    run = learn(loss, torch.tensor(s0), steps, rate=5.0, record=120)
    paths = np.stack([run.path[:, :, 0] - run.path[:, :, 1], run.path[:, :, 1] - run.path[:, :, 2]], axis=2)
    losses = {"".join(map(str, o)): v for o, v in order_losses_of(table).items()}
    return Landscape(axis, values, paths, run.orders, run.losses, losses)


def gaps(cases: list[Instance], steps: int) -> list[Gap]:
    """Adam on log-weights from small random weights, on every imperfect denoiser at once."""
    import torch

    from toy_models.orders.learner_torch import initial_log_weights, learn, subset_loss

    chosen = [c for c in cases if "oracle" not in c.name]
    loss = subset_loss(np.stack([c.mean for c in chosen]))
    start = initial_log_weights("near", len(chosen), 4, torch.Generator().manual_seed(7))
    run = learn(loss, start, steps, rate=0.05, optimiser="adam", record=5)
    rows = []
    for case, learned, order in zip(chosen, run.losses, run.orders, strict=True):
        losses = order_losses_of(case.mean)
        pointed = losses[tuple(int(i) for i in order)]
        rows.append(Gap(case.name, uniform_loss(case.mean), float(learned), pointed, min(losses.values())))
    return rows


def fronts(length: int) -> list[Front]:
    """Best ordered partitions on K1 against random positions with the best sizes."""
    target = k1(length)
    denoisers = {
        "oracle": None,
        "window 1": Windowed(target, 1),
        "left parent": ParentPointer(target, chain_parents(length)),
        "tempered": Tempered(target, 0.5),
    }
    rows = []
    for name, denoiser in tqdm(denoisers.items(), desc="ordered partitions", disable=length < 8, leave=False):
        table = mean_cross_entropies(target, denoiser)
        found = best_partitions_of(table)
        best = np.array([p.loss for p in found]) - target.entropy()
        rows.append(Front(name, best, random_partition_losses(table) - target.entropy(), [p.blocks for p in found]))
    return rows


def random_partition_losses(table: np.ndarray) -> np.ndarray:
    """min over sizes of sum_j size_j g[revealed before step j], g[k] = mean of C[T, i] over |T| = k, i not in T."""
    length = table.shape[1]
    size = np.array([T.bit_count() for T in range(2**length)])
    hidden = (np.arange(2**length)[:, None] >> np.arange(length) & 1) == 0
    g = [float(table[size == k][hidden[size == k]].mean()) for k in range(length)]
    cost = np.full((length + 1, length + 1), np.inf)
    cost[0, 0] = 0.0
    for step in range(1, length + 1):
        for end in range(1, length + 1):
            cost[step, end] = min(cost[step - 1, k] + (end - k) * g[k] for k in range(end))
    return cost[1:, length]


def sandwiches(count: int, rng: np.random.Generator) -> np.ndarray:
    """Both directions of (0, 1, 2) for random independent times; concentrated Dirichlet bins reach the boundary."""
    rows = []
    for _ in range(count):
        masses = rng.dirichlet(np.full(5, rng.choice([0.1, 0.3, 1.0])), size=3)
        rows.append(sandwich({o: float(p) for o, p in binned_order_law(masses.tolist()).items()}))
    return np.array(rows)


def sink_flows(log_times: np.ndarray) -> dict[str, np.ndarray]:
    """log(t I g) of the violated edge (0 in the pattern) when the flow starts with it wrong, on equal edges."""
    found = {}
    for pattern in ("1011", "11011", "101"):
        satisfied = np.array([c == "1" for c in pattern])
        d = flow(np.full(len(pattern), 0.2), np.where(satisfied, 3.0, -6.0), log_times)
        violated = int(np.flatnonzero(~satisfied)[0])
        found[pattern] = np.log(0.2 * slope(d[:, violated])) + log_times
    return found


def results(profile: str, rng: np.random.Generator) -> Results:
    """All sweeps of the topic; smoke about 6 s, full about 60 s on one core."""
    full = profile == "full"
    cases = instances()
    by_name = {c.name: c for c in cases}
    ratio = np.geomspace(1.0, 1000.0, 41 if full else 13)
    curves = [ratio_curve(by_name[f"K1 {n}"], ratio) for n in ("left parent", "tempered", "smoothed", "oracle")]
    scale = np.unique(np.concatenate([np.linspace(1.02, 4.0, 40 if full else 12), [1.5, 2.0, 3.0]]))
    weights = np.array(REFERENCE_WEIGHTS) / min(REFERENCE_WEIGHTS)
    case = by_name["K1 tempered"]
    variance = np.array([nelbo_variance(case.each, case.probabilities, c * weights) for c in scale])
    means = np.array([float(average(plackett_luce_reveals(list(c * weights)), case.mean)) for c in scale])
    maps = {"scalar": positions_table(uniform_orders(4))}
    maps["power (4, 2, 1, .5)"] = positions_table(plackett_luce((4.0, 2.0, 1.0, 0.5)))
    maps["power (64, 16, 4, 1)"] = positions_table(plackett_luce((64.0, 16.0, 4.0, 1.0)))
    maps["four different"] = positions_table(order_law(list(FOUR_SCHEDULES)))
    start = np.linspace(-9.0, 0.0, 37)
    log_times = np.linspace(0.0, 60.0, 121 if full else 31)
    forward = np.linspace(0.0, 1.0, 41)
    middle = np.geomspace(1e-2, 1e2, 81)
    return Results(
        profile=profile,
        identities=identities(cases),
        curves=curves,
        law_maps=maps,
        variance_scale=scale,
        variance=variance,
        variance_mean=means,
        estimators=estimators([by_name[n] for n in ("K1 left parent", "K1 tempered", "K1 oracle")]),
        success=success_rates(240 if full else 40, 1500 if full else 300, 6, rng),
        edge_flow=(start, 2.0 * np.abs(start) + 2.0 * np.sinh(np.abs(start))),
        fronts=fronts(8 if full else 6),
        sandwiches=sandwiches(3000 if full else 300, rng),
        sandwich_pl=np.array([sandwich(plackett_luce((1.0, float(w), 1.0))) for w in middle]),
        sink_times=log_times,
        sinks=sink_flows(log_times),
        shared=np.stack([forward, [shared_table_loss(CIRCULANT, float(s)) for s in forward]], axis=1),
    )


def estimators(cases: list[Instance]) -> dict[str, dict[str, tuple[float, int, float]]]:
    """Total variance, calls and largest bias of each gradient estimator in log w, at w = 2 * reference."""
    from toy_models.orders.schedule_nelbo import nelbo_gradient

    weights = np.array(REFERENCE_WEIGHTS) * 2.0 / min(REFERENCE_WEIGHTS)
    table = {}
    for case in cases:
        exact = weights * nelbo_gradient(case.mean, weights)
        rows = {}
        for name in ESTIMATORS:
            found = estimator_moments(case.each, case.probabilities, weights, name)
            rows[name] = (found.total, found.calls, float(np.abs(found.mean - exact).max()))
        table[case.name] = rows
    return table
