"""The Chernoff bound on a learning error, on random denoisers and on the enumerated network."""

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

import toy_models as tm
from theory.networks.small import Small, learning_curve
from toy_models.networks.judge import Tabulated
from toy_models.quantities import lattice
from toy_models.quantities.chernoff import chernoff_information, order_laws
from toy_models.targets.protocol import Denoiser


def random_denoiser(rng: np.random.Generator, vocab: int, length: int) -> Tabulated:
    """Independent random laws at every masked position of every state: no law has these conditionals."""
    states = lattice.states(vocab, length)
    table = rng.dirichlet(np.ones(vocab), states.shape)
    shown = states != tm.MASK
    table[shown] = np.eye(vocab)[states[shown]]
    return Tabulated(table)


def two_flips() -> Tabulated:
    """Two fair bits: x_2 given x_1 flips with probability .1, x_1 given x_2 with .2."""
    table = np.zeros((9, 2, 2))
    for state, y in enumerate(lattice.states(2, 2)):
        for i, flip in ((0, 0.2), (1, 0.1)):
            other = y[1 - i]
            law = [0.5, 0.5] if other == tm.MASK else np.where(np.arange(2) == other, 1 - flip, flip)
            table[state, i] = law if y[i] == tm.MASK else np.eye(2)[y[i]]
    return Tabulated(table)


def whole_text(denoiser: Denoiser) -> np.ndarray:
    """log p_s of all texts by order, nothing revealed."""
    length = denoiser.length
    return order_laws(denoiser, np.full(length, tm.MASK), np.arange(length))


def worst_order(q: np.ndarray, log_p: np.ndarray) -> float:
    """max_s KL(q || p_s)."""
    logs = np.log(np.where(q > 0, q, 1.0))
    return float(np.where(q > 0, q * (logs - log_p), 0.0).sum(axis=1).max())


def closest_law(log_p: np.ndarray) -> np.ndarray:
    """q* = prod_s p_s^lambda_s / Z at the best weights: the law whose worst order is best."""
    total = np.exp(chernoff_information(log_p).weights @ log_p)
    return total / total.sum()


@dataclass(frozen=True, eq=False)
class Windows:
    """Of the enumerated network: what orders of a window tell, and the learning error that they bound.

    pair[m]: E of -log sum sqrt(p_ij p_ji) / 2 over random sets of m tokens, x_T ~ q and random pairs {i, j} outside.
    error[m]: (epsilon[m] + epsilon[m+1]) / 2. largest[|W|]: max over windows and contexts of Chernoff / |W|.
    """

    pair: np.ndarray
    error: np.ndarray
    largest: dict[int, float]
    epsilon: float


def windows(small: Small, sizes=(2, 3)) -> Windows:
    """All sets, contexts and windows of `sizes` tokens; table lookups alone."""
    length, vocab = small.target.length, small.target.vocab_size
    states, weight = lattice.states(vocab, length), lattice.state_probabilities(small.target)
    pair, largest = np.zeros(length - 1), dict.fromkeys(sizes, 0.0)
    for y, chance in zip(states, weight, strict=True):
        hidden = np.flatnonzero(y == tm.MASK)
        if chance <= 0 or len(hidden) < 2:
            continue
        m = length - len(hidden)
        for i, j in combinations(hidden, 2):
            log_p = order_laws(small.network, y, np.array([i, j]))
            equal = -np.log(np.exp(log_p.mean(axis=0)).sum()) / 2
            pair[m] += chance * equal / (comb(length, m) * comb(length - m, 2))
        for size in sizes:
            if len(hidden) == size:
                found = chernoff_information(order_laws(small.network, y, hidden))
                largest[size] = max(largest[size], found.bound / size)
    learning = learning_curve(small)
    return Windows(pair, (learning[:-1] + learning[1:]) / 2, largest, small.largest)


def best_pair(log_p: np.ndarray) -> float:
    """The largest Chernoff information of two orders."""
    return max(chernoff_information(log_p[list(two)]).bound for two in combinations(range(len(log_p)), 2))
