"""What the figures of exact and of linear calls draw: KL against steps on graphs, treedepths, SER against N/L."""

from dataclasses import dataclass
from math import ceil, log

import numpy as np

import toy_models as tm
from theory.perplexity.results import CHAIN_A
from theory.sequence_error import fields
from theory.sequence_error.chain import first_order_constant
from toy_models.chains.recursion import sequence_error_table
from toy_models.rules import fixed_schedule_front, treedepth_order
from toy_models.targets.pair_language import pair_validity

LINEAR = (2 - log(2) / (1 - 1 / 8)) / 3  # N/L at which SER = 1/2, fixed sizes on pairs, K = 8, L -> infinity
WINDOW_BETA = 0.2666247232  # of chain A, m = 2


@dataclass(frozen=True, eq=False)
class Fewest:
    """Least KL of an order in N = 1..td steps for Ising fields, and td of families of graphs."""

    names: tuple[str, ...]
    kl: tuple[np.ndarray, ...]  # last entry: N = td, zero up to rounding
    lengths: np.ndarray
    depths: dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Linear:
    """SER at a fixed number of steps per token: chain A with its proved bound, pairs with fixed sizes."""

    ratio: np.ndarray  # N/L of chain A
    lengths: tuple[int, ...]
    error: np.ndarray  # (lengths, ratio)
    proved: np.ndarray  # (lengths, ratio), lower bound, uniform schedule
    kappa: float
    pair_lengths: tuple[int, ...]
    pair_ratio: tuple[np.ndarray, ...]
    pair_error: tuple[np.ndarray, ...]


def fewest_calls(longest: int) -> Fewest:
    cases = {
        "path, L = 8": (fields.path(8), 8),
        "cycle, L = 7": (fields.cycle(7), 7),
        "grid 2×4": (fields.grid(2, 4), 8),
        "complete, L = 4": (fields.complete(4), 4),
        "star, L = 6": (fields.star(6), 6),
    }
    curves = []
    for graph, length in cases.values():
        target = tm.Table(fields.ising(graph, length, 0.5, 0.2))
        front = fixed_schedule_front(target, steps=treedepth_order(graph, length).steps)
        curves.append(np.array([max(best.loss - target.entropy(), 0.0) for best in front]))
    lengths = np.arange(4, longest + 1, 2)
    families = {
        "complete graph": fields.complete,
        "grid 2×(L/2)": lambda n: fields.grid(2, n // 2),
        "cycle": fields.cycle,
        "path: bisection": fields.path,
        "star": fields.star,
    }
    depths = {
        name: np.array([treedepth_order(g(int(n)), int(n)).steps for n in lengths]) for name, g in families.items()
    }
    return Fewest(tuple(cases), tuple(curves), lengths, depths)


def linear_calls(longest: int, pair_lengths: tuple[int, ...]) -> Linear:
    lengths = tuple(n for n in (24, 96, 192) if n <= longest)
    ratio = np.array([1 / 96, 1 / 48, 1 / 24, 1 / 12, 1 / 6, 1 / 3, 2 / 3, 1.0])
    steps = np.ceil(np.outer(lengths, ratio)).astype(int)
    table = sequence_error_table(tm.MarkovChain(CHAIN_A, 2), int(steps.max()), lengths)
    error = np.array([table.error[row - 1, k] for k, row in enumerate(steps)])
    rate = np.array([[WINDOW_BETA * np.sum((1 - np.arange(n) / n) ** 4) / n**2 for n in row] for row in steps])
    proved = -np.expm1(np.array(lengths)[:, None] // 6 * np.log1p(-rate))
    ratios, errors = [], []
    for length in pair_lengths:
        counts = np.unique(np.linspace(ceil(length / 3), length // 2, 33).astype(int))
        sizes = [(2,) * (3 * n - length) + (3,) * (length - 2 * n) for n in counts.tolist()]
        ratios.append(counts / length)
        errors.append(np.array([1 - pair_validity(8, length, tm.RandomOrder(s)) for s in sizes]))
    kappa = first_order_constant(tm.MarkovChain(CHAIN_A, 2))
    return Linear(ratio, lengths, error, proved, kappa, pair_lengths, tuple(ratios), tuple(errors))
