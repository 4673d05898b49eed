"""How many network calls a target needs: time slots N are not calls, and a good order needs few of either.

A slot that reveals nothing costs no call, so independent reveal with N slots makes N (1 - (1 - 1/N)^L) < L calls on
average: a sampler that writes every token once never makes more than L.
"""

from dataclasses import dataclass
from math import ceil, log

import numpy as np

import toy_models as tm
from theory.perplexity.results import CHAIN_A, uniform
from theory.sequence_error.chain import first_order_constant
from toy_models.chains.recursion import sequence_error_table
from toy_models.schedules.optimal import weights_cost

TRAJECTORY = 0.01  # nats per token of E_tau KL, an upper bound on the excess log TER
SEQUENCE_ERROR = 0.05


@dataclass(frozen=True, eq=False)
class Cost:
    """Least slots N of uniform independent reveal for two targets, the expected calls, and what a good order needs."""

    language: str
    lengths: np.ndarray
    token_slots: np.ndarray  # E_tau KL(q || p_tau)/L <= TRAJECTORY
    token_calls: np.ndarray
    sequence_slots: np.ndarray  # SER <= SEQUENCE_ERROR
    sequence_calls: np.ndarray
    exact_order: str  # a fixed order without any error
    exact_calls: np.ndarray


def pair_cost() -> Cost:
    """Pairs, K = 8: trajectory (log K)/(2N) per token, SER = 1 - (1 - (1 - 1/K)/N)^(L/2), closed forms."""
    lengths = np.array([16, 64, 256, 1024, 4096, 16384])
    tokens = np.full(len(lengths), ceil(log(8) / (2 * TRAJECTORY)))
    slots = np.array([ceil((1 - 1 / 8) / -np.expm1(2 * np.log1p(-SEQUENCE_ERROR) / length)) for length in lengths])
    two = np.full(len(lengths), 2)
    return _cost("pairs, K = 8", lengths, tokens, slots, "odd positions, then even", two)


def chain_cost(lengths: tuple[int, ...]) -> Cost:
    """Chain A: the trajectory from its curve, the sequence error from the exact recursion; both least by definition."""
    kappa = first_order_constant(tm.MarkovChain(CHAIN_A, 2))
    tokens, slots = [], []
    for length in lengths:
        chain = tm.MarkovChain(CHAIN_A, length)
        g = tm.information_curve(chain)
        tokens.append(_least(lambda n, g=g: weights_cost(g, uniform(n).weights) / len(g) <= TRAJECTORY))
        slots.append(_least_slots(chain, ceil(-1.02 * kappa * length / np.log1p(-SEQUENCE_ERROR))))
    halving = np.array([tm.bisection(length).steps for length in lengths])
    return _cost("chain A", np.array(lengths), np.array(tokens), np.array(slots), "halving", halving)


def _cost(language: str, lengths, tokens, slots, exact_order: str, exact_calls) -> Cost:
    return Cost(
        language,
        lengths,
        tokens,
        expected_calls(lengths, tokens),
        slots,
        expected_calls(lengths, slots),
        exact_order,
        exact_calls,
    )


def expected_calls(lengths: np.ndarray | int, slots: np.ndarray) -> np.ndarray:
    """N (1 - (1 - 1/N)^L): slots of uniform independent reveal that reveal at least one token."""
    with np.errstate(divide="ignore"):  # N = 1: log 0, one call
        return -slots * np.expm1(lengths * np.log1p(-1 / slots))


def _least_slots(chain: tm.MarkovChain, guess: int) -> int:
    """The least N with SER <= SEQUENCE_ERROR, read off one sweep over N = 1, 2, .. beyond the first-order guess."""
    enough = sequence_error_table(chain, guess, [chain.length], method="exact").error[:, 0] <= SEQUENCE_ERROR
    return int(np.argmax(enough)) + 1 if enough[-1] else _least_slots(chain, 2 * guess)


def _least(enough) -> int:
    """The smallest N with enough(N), for a monotone predicate."""
    high = 1
    while not enough(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
