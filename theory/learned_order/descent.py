"""Descent on schedules: how often it finds planted orders, where it ends, and what the learned law leaves."""

from dataclasses import dataclass

import numpy as np

from theory.learned_order.instances import Instance, planted
from toy_models.learned_order.flow import flow, is_sink, slope
from toy_models.learned_order.losses import order_losses_of, uniform_loss
from toy_models.learned_order.subset_losses import local_losses, mean_cross_entropies
from toy_models.quantities.intervals import clopper_pearson
from toy_models.targets.denoisers import ParentPointer
from toy_models.targets.instances import k1, k2


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


def interval(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact (Clopper-Pearson) binomial interval."""
    found = clopper_pearson(successes, trials, confidence)
    return float(found.low), float(found.high)


def success_rates(trials: int, steps: int, length: int, rng: np.random.Generator) -> list[Success]:
    """Descents from three starts by three methods on `trials` planted orders of each toy."""
    import torch

    from toy_models.networks.order_learner import STARTS, initial_log_weights, learn, learn_edges, parent_pointer_loss

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

    from toy_models.networks.order_learner import learn, parent_pointer_loss

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

    from toy_models.networks.order_learner import initial_log_weights, learn, subset_loss

    chosen = [c for c in cases if "oracle" not in c.name]
    loss = subset_loss(np.stack([c.mean for c in chosen]))
    start = initial_log_weights("near", len(chosen), 4, torch.Generator().manual_seed(7))
    run = learn(loss, start, steps, rate=0.05, optimiser="adam", record=5)
    rows = []
    for case, learned, order in zip(chosen, run.losses, run.orders, strict=True):
        losses = order_losses_of(case.mean)
        pointed, best = float(losses[tuple(int(i) for i in order)]), float(min(losses.values()))
        rows.append(Gap(case.name, uniform_loss(case.mean), float(learned), pointed, best))
    return rows


def sink_flows(log_times: np.ndarray) -> dict[str, np.ndarray]:
    """log(t I g) of the violated edge (0 in the pattern) when the flow starts with it wrong, on equal edges."""
    found = {}
    for pattern in ("1011", "11011", "101"):
        satisfied = np.array([c == "1" for c in pattern])
        d = flow(np.full(len(pattern), 0.2), np.where(satisfied, 3.0, -6.0), log_times)
        violated = int(np.flatnonzero(~satisfied)[0])
        found[pattern] = np.log(0.2 * slope(d[:, violated])) + log_times
    return found
