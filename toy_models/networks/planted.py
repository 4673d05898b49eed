"""Does a network trained together with its schedules find a planted order? Five tokens: every number is exact.

Position rho_k may attend to itself and to rho_(k-1) alone (one layer), so the best the network can be is the
parent-pointer denoiser of the planted order rho, L(sigma) = sum H_i - sum of I_i over the parents that come before
their child. rho is the unique best order; a network without the restriction has no best order but for its errors.
After training the network is tabulated on all (V+1)^L contexts, and the loss of every order follows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations, pairwise

import numpy as np
import torch
from jaxtyping import Float

from toy_models.learned_order.losses import best_order_of, order_loss, uniform_loss
from toy_models.learned_order.plackett_luce import Order
from toy_models.learned_order.reveal_weights import plackett_luce_reveals
from toy_models.learned_order.subset_losses import mean_cross_entropies
from toy_models.networks.data import stream
from toy_models.networks.device import one_thread
from toy_models.networks.judge import tabulate
from toy_models.networks.model import Config
from toy_models.networks.order_learner import initial_log_weights, parent_pointer_loss
from toy_models.networks.sampling import Network
from toy_models.networks.schedules import LearnedSchedule, train_with_schedules
from toy_models.networks.training import TrainOptions, plain_step
from toy_models.quantities import lattice
from toy_models.targets import MarkovChain, Table, Target
from toy_models.targets.denoisers import ParentPointer

TRANSITION = ((0.85, 0.10, 0.05), (0.05, 0.80, 0.15), (0.15, 0.05, 0.80))
NATURAL: Order = (0, 1, 2, 3, 4)
SWAPPED: Order = (1, 0, 2, 3, 4)
SCRAMBLED: Order = (0, 1, 4, 2, 3)
ALONG: Order = (2, 0, 4, 1, 3)


@dataclass(frozen=True)
class Case:
    """One run. data: the chain read along the line of positions, or along rho (then the planted order is natural).

    parameters: log-weights, differences along the edges of rho, or fixed (the schedule stays where it starts).
    """

    name: str
    rho: Order
    data: str = "line"  # line | rho
    start: str = "equal"  # equal: w = 1 | near | spread (toy_models.networks.order_learner)
    parameters: str = "weights"  # weights | edges | fixed
    estimator: str = "orders"
    restricted: bool = True


@dataclass(frozen=True, eq=False)
class PlantedRun:
    """What training found; losses in nats per sequence under the trained network, exact. order: argsort of log w."""

    case: Case
    entropy: float  # H(X)
    path: Float[np.ndarray, "steps L"]  # log w, mean 0, at the start and after every step
    nelbo: float  # under the learned w
    uniform: float  # w = 1
    best_order: Order
    best: float
    worst: float  # of all orders
    order: Order  # the learned w, sorted descending
    loss: float  # of that order
    reversed_loss: float  # of its reversal
    planted: float  # of rho
    kept: tuple[bool, ...]  # edge k of rho: whether rho_k comes before rho_(k+1) in `order`
    distance: int  # Kendall distance of `order` to rho
    pointer: float  # of rho, under the exact parent-pointer denoiser
    pointer_uniform: float
    exact_order: Order  # of w after the same steps with the exact gradient of the best denoiser of this visibility
    exact_nelbo: float  # J there
    exact_kept: tuple[bool, ...]
    exact_distance: int

    @property
    def log_weights(self) -> Float[np.ndarray, " L"]:
        return self.path[-1]


@dataclass(frozen=True)
class Plan:
    cases: tuple[Case, ...]
    options: TrainOptions
    schedule_rate: float  # per token: five times this per sequence


CASES = (
    Case("natural, w = 1", NATURAL),
    Case("natural, near", NATURAL, start="near"),
    Case("natural, spread", NATURAL, start="spread"),
    Case("read along rho", ALONG, data="rho"),
    Case("swapped", SWAPPED),
    Case("scrambled", SCRAMBLED),
    Case("scrambled, edges", SCRAMBLED, parameters="edges"),
    Case("scrambled, pairs of masks", SCRAMBLED, estimator="rloo"),
    Case("scrambled, fixed w = 1", SCRAMBLED, parameters="fixed"),
    Case("unrestricted", NATURAL, start="near", restricted=False),
)
PLANS = {
    "smoke": Plan((CASES[0], CASES[5]), TrainOptions(steps=90, batch=24, rate=2e-2, warmup=10, ema=0.95), 6.0),
    "full": Plan(CASES, TrainOptions(steps=200, batch=20, rate=1e-2, warmup=10), 4.0),
}


def planted_parents(rho: Sequence[int]) -> tuple[int, ...]:
    """a(rho_k) = rho_(k-1), -1 at rho_0."""
    parents = [-1] * len(rho)
    for before, after in pairwise(rho):
        parents[after] = int(before)
    return tuple(parents)


def parent_visibility(parents: Sequence[int]) -> tuple[tuple[bool, ...], ...]:
    """Config.visible of a network that sees at i only i and its parent."""
    return tuple(tuple(j in (i, a) for j in range(len(parents))) for i, a in enumerate(parents))


def chain_along(transition: Float[np.ndarray, "V V"], rho: Sequence[int]) -> Table:
    """The law of X with X_(rho_0), X_(rho_1), ... the stationary Markov chain: a table of V^L entries."""
    chain = MarkovChain(transition, len(rho))
    x = lattice.sequences(chain.vocab_size, chain.length)
    pmf = np.exp(chain.log_prob(x)).reshape((chain.vocab_size,) * chain.length)
    return Table(np.moveaxis(pmf, range(chain.length), rho))


def kendall(first: Sequence[int], second: Sequence[int]) -> int:
    """Pairs of positions that the two orders put in opposite order."""
    rank = np.argsort(second)
    return sum(bool(rank[a] > rank[b]) for a, b in combinations(first, 2))


def kept_edges(rho: Sequence[int], order: Sequence[int]) -> tuple[bool, ...]:
    """Whether the parent rho_k comes before its child rho_(k+1) in `order`, k = 0..L-2."""
    rank = np.argsort(order)
    return tuple(bool(rank[a] < rank[b]) for a, b in pairwise(rho))


def sorted_positions(log_weights: Float[np.ndarray, " L"]) -> Order:
    """The order that weights prefer: larger first; ties by position."""
    return tuple(np.argsort(-log_weights, kind="stable").tolist())


def case_target(case: Case) -> Target:
    transition = np.array(TRANSITION)
    return MarkovChain(transition, len(case.rho)) if case.data == "line" else chain_along(transition, case.rho)


def run_case(case: Case, options: TrainOptions, schedule_rate: float, seed: int) -> PlantedRun:
    """Train on the CPU and judge. 200 steps take about 2 s of one core.

    The network reads equally many contexts in each case: options.batch pairs of orders, or L times as many of masks.
    """
    target, parents, length = case_target(case), planted_parents(case.rho), len(case.rho)
    visible = parent_visibility(parents) if case.restricted else None
    config = Config(target.vocab_size, length, width=16, layers=1, heads=8, hidden=2, visible=visible)
    if case.estimator != "orders":
        options = replace(options, batch=length * options.batch)
    start = initial_log_weights(case.start, 1, length, torch.Generator().manual_seed(seed))[0]
    rate = 0.0 if case.parameters == "fixed" else schedule_rate
    edges = parents if case.parameters == "edges" else None
    with one_thread():
        found = train_with_schedules(
            config, partial(stream, target), options, seed, "cpu", start, rate, edges, case.estimator
        )
    table = mean_cross_entropies(target, tabulate(Network(found.trained.model)))
    exact = mean_cross_entropies(target, ParentPointer(target, parents) if case.restricted else None)
    pointed = parents if case.restricted else [-1] * length
    ideal = exact_descent(exact, pointed, LearnedSchedule(start, rate, edges), options)
    path = found.path.numpy()
    order, reached, best = sorted_positions(path[-1]), sorted_positions(ideal), best_order_of(table)
    return PlantedRun(
        case=case,
        entropy=float(target.entropy()),
        path=path,
        nelbo=nelbo_of_table(table, path[-1]),
        uniform=uniform_loss(table),
        best_order=best.order,
        best=best.loss,
        worst=best_order_of(table, worst=True).loss,
        order=order,
        loss=order_loss(table, order),
        reversed_loss=order_loss(table, order[::-1]),
        planted=order_loss(table, case.rho),
        kept=kept_edges(case.rho, order),
        distance=kendall(order, case.rho),
        pointer=order_loss(exact, case.rho),
        pointer_uniform=uniform_loss(exact),
        exact_order=reached,
        exact_nelbo=nelbo_of_table(exact, ideal),
        exact_kept=kept_edges(case.rho, reached),
        exact_distance=kendall(reached, case.rho),
    )


def nelbo_of_table(table: Float[np.ndarray, "sets L"], log_weights: Float[np.ndarray, " L"]) -> float:
    """J(w) = sum W[T, i] C[T, i] for the power family, as toy_models.schedule_nelbo from a table."""
    return float((plackett_luce_reveals(list(np.exp(log_weights))) * table).sum())


def exact_descent(
    table: Float[np.ndarray, "sets L"], parents: Sequence[int], schedule: LearnedSchedule, options: TrainOptions
) -> Float[np.ndarray, " L"]:
    """log w after the steps of training, taken with the exact gradient of the parent-pointer losses `table`."""
    information = [table[0, i] - table[1 << a, i] if a >= 0 else 0.0 for i, a in enumerate(parents)]
    loss = parent_pointer_loss(torch.tensor([parents]), torch.tensor([information]), float(table[0].sum()))
    for step in range(options.steps):
        schedule.zero_grad(set_to_none=True)
        (loss(schedule.log_weights()[None]).sum() / len(parents)).backward()
        plain_step(schedule, schedule.rate * options.rate_at(step) / options.rate)
    return schedule.record().numpy()


def planted_runs(profile: str = "full", seed: int = 0) -> tuple[PlantedRun, ...]:
    """Every case of the profile, one after the other."""
    if profile not in PLANS:
        raise ValueError(f"profile = {profile!r}, allowed: {', '.join(PLANS)}")
    plan = PLANS[profile]
    return tuple(run_case(case, plan.options, plan.schedule_rate, seed) for case in plan.cases)
