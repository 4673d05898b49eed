"""Laws over decoding orders: {order: probability}, an order listing the positions 0..L-1 as they are decoded.

Notation. w: positive weights, one per position. T_l: the noise time at which position l gets masked when noise time
runs 0 (clean) -> 1 (all masked). The position masked LAST is decoded FIRST: decoding order = argsort of T descending.
"""

from collections.abc import Mapping
from fractions import Fraction
from itertools import permutations
from math import factorial

import numpy as np
from jaxtyping import Float

from toy_models.errors import IntractableError
from toy_models.validation import distribution

MAX_LISTED = 8  # L! orders kept in a dict: 40320
Order = tuple[int, ...]
Probability = float | Fraction | int
OrderLaw = dict[Order, Probability]


def positive_weights(weights) -> list:
    """The weights as a list of floats, or of Fractions where Fractions or ints are given (then sums stay exact)."""
    values = list(weights)
    if not values:
        raise ValueError("weights is empty, one positive number per position is needed")
    for index, value in enumerate(values):
        if not (np.isfinite(float(value)) and value > 0):
            raise ValueError(f"weights[{index}] = {value}, every weight must be finite and > 0")
    exact = all(isinstance(v, Fraction | int) and not isinstance(v, bool) for v in values)
    return [Fraction(v) for v in values] if exact else [float(v) for v in values]


def require_listed(length: int, what: str = "a law over all orders") -> None:
    """IntractableError when L! orders are too many to list."""
    if length > MAX_LISTED:
        raise IntractableError(
            what,
            f"L = {length}, hence {factorial(length)} orders",
            f"L <= {MAX_LISTED}",
            "use the subset recursions (schedule_nelbo, best_order), which cost 2^L",
        )


def plackett_luce(weights) -> OrderLaw:
    """pi(sigma) = prod_i w[sigma_i] / (w[sigma_i] + ... + w[sigma_L]): a larger weight is decoded earlier.

    Equals the law of argsort(T) descending for P(T_l <= s) = s**w_l (Garg et al. 2025, arXiv 2511.19152, Prop. 3.1 with
    their power family; -log T_l is exponential with rate w_l). Exact Fractions in, exact Fractions out. O(L L!).

    >>> tm.plackett_luce([2, 1])
    {(0, 1): Fraction(2, 3), (1, 0): Fraction(1, 3)}
    """
    w = positive_weights(weights)
    require_listed(len(w))
    return {order: _sequential(w, order) for order in permutations(range(len(w)))}


def reverse_plackett_luce(weights) -> OrderLaw:
    """The same draws without replacement, read backwards: the LAST position decoded has probability w / sum w.

    The law of argsort(T) descending for P(T_l > s) = (1 - s)**w_l. O(L L!).

    >>> tm.learned_order.reverse_plackett_luce([3, 1])
    {(0, 1): Fraction(1, 4), (1, 0): Fraction(3, 4)}
    """
    w = positive_weights(weights)
    require_listed(len(w))
    return {order: _sequential(w, order[::-1]) for order in permutations(range(len(w)))}


def _sequential(w: list, order: Order):
    """Probability of drawing `order` without replacement, each time in proportion to w."""
    remaining = sum(w[i] for i in order)
    probability = w[0] / w[0]
    for i in order[:-1]:
        probability *= w[i] / remaining
        remaining = remaining - w[i] if isinstance(remaining, Fraction) else _rest(w, order, i)
    return probability


def _rest(w: list, order: Order, i: int) -> float:
    """Sum of the weights after i, added up afresh: subtracting would lose the small weights."""
    return sum(w[j] for j in order[order.index(i) + 1 :])


def uniform_orders(length: int) -> OrderLaw:
    """Every order with probability 1 / L!.

    >>> tm.learned_order.uniform_orders(2)
    {(0, 1): 0.5, (1, 0): 0.5}
    """
    require_listed(length)
    return dict.fromkeys(permutations(range(length)), 1.0 / factorial(length))


def reversed_law(law: Mapping[Order, Probability]) -> OrderLaw:
    """The law of the reversed order: what a wrong sign of the sort would give.

    >>> tm.learned_order.reversed_law({(0, 1): 0.75, (1, 0): 0.25})
    {(1, 0): 0.75, (0, 1): 0.25}
    """
    return {order[::-1]: p for order, p in law.items()}


def order_law_checked(law: Mapping[Order, Probability]) -> OrderLaw:
    """A copy of `law`, or ValueError naming the entry that is no permutation, negative, or the wrong sum."""
    if not law:
        raise ValueError("the order law is empty")
    length = len(next(iter(law)))
    for order, p in law.items():
        if sorted(order) != list(range(length)):
            raise ValueError(f"order {order} is not a permutation of 0..{length - 1}")
        if not p >= 0:
            raise ValueError(f"the order law gives {order} the probability {p}, it must be >= 0")
    repaired = distribution("the order law", [float(p) for p in law.values()])
    exact = all(not isinstance(p, float) for p in law.values()) and sum(law.values()) == 1
    return dict(law) if exact else dict(zip(law, repaired.tolist(), strict=True))


def pairwise(law: Mapping[Order, Probability]) -> Float[np.ndarray, "L L"]:
    """P[i, j] = probability that i is decoded before j; 0 on the diagonal. O(L^2) per order.

    >>> tm.learned_order.pairwise(tm.plackett_luce([3.0, 1.0])).tolist()
    [[0.0, 0.75], [0.25, 0.0]]
    """
    length = len(next(iter(law)))
    result = np.zeros((length, length))
    for order, p in law.items():
        for k, i in enumerate(order):
            for j in order[k + 1 :]:
                result[i, j] += float(p)
    return result


def positions_table(law: Mapping[Order, Probability]) -> Float[np.ndarray, "L L"]:
    """P[i, k] = probability that position i is the k-th one decoded.

    >>> tm.learned_order.positions_table({(1, 0): 1.0}).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    length = len(next(iter(law)))
    result = np.zeros((length, length))
    for order, p in law.items():
        result[list(order), np.arange(length)] += float(p)
    return result
