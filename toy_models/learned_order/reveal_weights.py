"""How often position i is decoded when exactly the set T is revealed: W[T, i], with sum over T of W[T, i] = 1.

NELBO = sum over T and i not in T of W[T, i] C[T, i] for every law over orders, so W is all that a schedule contributes.
Four routes: the subset recursion of Plackett-Luce, inclusion-exclusion, quadrature over noise time, a sum over orders.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
from jaxtyping import Float

from toy_models.kernel import kernel
from toy_models.learned_order.plackett_luce import Order, Probability, order_law_checked, positive_weights
from toy_models.learned_order.reveal_times import masking, time_grid
from toy_models.learned_order.subset_losses import require_subsets
from toy_models.schedules.protocol import Schedule


def plackett_luce_reveals(weights) -> np.ndarray:
    """W[T, i] = P(T comes first) w_i / w(complement of T), shape (2^L, L), by P(T + i) += W[T, i]. O(2^L L).

    Fractions in, an object array of Fractions out.

    >>> tm.learned_order.plackett_luce_reveals([3.0, 1.0]).round(12).tolist()
    [[0.75, 0.25], [0.0, 0.75], [0.25, 0.0], [0.0, 0.0]]
    """
    w = positive_weights(weights)
    require_subsets(len(w), "reveal weights by subset recursion")
    if isinstance(w[0], Fraction):
        return _exact_reveals(w)
    first, _, _ = plackett_luce_value(np.array(w), np.zeros((2 ** len(w), len(w))))
    sets = np.arange(2 ** len(w))
    hidden = ((sets[:, None] >> np.arange(len(w))) & 1) == 0
    rest = hidden @ np.array(w)
    rest[-1] = 1.0
    return np.where(hidden, first[:, None] * np.array(w) / rest[:, None], 0.0)


def _exact_reveals(w: list[Fraction]) -> np.ndarray:
    length = len(w)
    result = np.full((2**length, length), Fraction(0), dtype=object)
    first = [Fraction(0)] * 2**length
    first[0] = Fraction(1)
    for revealed in range(2**length - 1):
        hidden = [i for i in range(length) if not revealed >> i & 1]
        rest = sum(w[i] for i in hidden)
        for i in hidden:
            result[revealed, i] = first[revealed] * w[i] / rest
            first[revealed | 1 << i] += result[revealed, i]
    return result


def inclusion_exclusion_reveals(weights) -> np.ndarray:
    """W[T, i] = sum over B in T of (-1)^|B| w_i / (w(M) + w(B)), M the complement of T. O(3^L L), L <= 12.

    The integral of w_i s^(w(M) - 1) prod_{j in T} (1 - s^w_j) over [0, 1], expanded. Cancellation costs about
    2^|T| roundings; exact in Fractions.

    >>> tm.learned_order.inclusion_exclusion_reveals([1.0, 1.0]).round(12).tolist()
    [[0.5, 0.5], [0.0, 0.5], [0.5, 0.0], [0.0, 0.0]]
    """
    w = positive_weights(weights)
    require_subsets(len(w), "reveal weights by inclusion-exclusion", limit=12)
    length, exact = len(w), isinstance(w[0], Fraction)
    result = np.full((2**length, length), Fraction(0) if exact else 0.0, dtype=object if exact else np.float64)
    for revealed in range(2**length - 1):
        hidden = [i for i in range(length) if not revealed >> i & 1]
        mass = sum(w[i] for i in hidden)
        total = mass - mass
        part = revealed
        while True:  # every submask `part` of `revealed`
            sign = -1 if part.bit_count() % 2 else 1
            total += sign / (mass + sum(w[j] for j in range(length) if part >> j & 1))
            if part == 0:
                break
            part = (part - 1) & revealed
        for i in hidden:
            result[revealed, i] = w[i] * total
    return result


def quadrature_reveals(schedules: Sequence[Schedule]) -> Float[np.ndarray, "sets L"]:
    """W[T, i] = integral of m_i' prod_{j masked, not i} m_j prod_{j in T} (1 - m_j) ds. O(2^L L nodes).

    >>> schedules = [tm.LinearSchedule(), tm.LinearSchedule()]
    >>> tm.learned_order.quadrature_reveals(schedules).round(9).tolist()
    [[0.5, 0.5], [0.0, 0.5], [0.5, 0.0], [0.0, 0.0]]
    """
    length = len(schedules)
    require_subsets(length, "reveal weights by quadrature", limit=14)
    grid = time_grid()
    masked, shown, slope = masking(schedules)
    result = np.zeros((2**length, length))
    for revealed in range(2**length - 1):
        for i in range(length):
            if not revealed >> i & 1:
                density = slope[i] * grid.ds
                for j in range(length):
                    if j != i:
                        density = density * (shown[j] if revealed >> j & 1 else masked[j])
                result[revealed, i] = density.sum()
    return result


def order_reveals(law: Mapping[Order, Probability]) -> Float[np.ndarray, "sets L"]:
    """W[T, i] = total probability of the orders that decode T first and i next. O(L) per order.

    >>> tm.learned_order.order_reveals({(0, 1): 1.0}).tolist()  # 0 first, then 1
    [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]]
    """
    law = order_law_checked(law)
    length = len(next(iter(law)))
    result = np.zeros((2**length, length))
    for order, p in law.items():
        revealed = 0
        for i in order:
            result[revealed, i] += float(p)
            revealed |= 1 << i
    return result


def _plackett_luce_value(w, table):
    """P(T comes first), V[T] = expected loss still to come, and dV[0] / d log w, for a table C[T, i].

    With pi_i(T) = w_i / w(complement) and Q_i = C[T, i] + V[T + i]: V[T] = sum pi_i Q_i and, since
    d log pi_i / d log w_k = 1[i = k] - pi_k, the gradient is sum over T of P(T) pi_k (Q_k - V[T]).
    """
    sets, length = table.shape
    value = np.zeros(sets)
    first = np.zeros(sets)
    gradient = np.zeros(length)
    first[0] = 1.0
    for revealed in range(sets - 2, -1, -1):
        rest = 0.0
        total = 0.0
        for i in range(length):
            if revealed >> i & 1 == 0:
                rest += w[i]
                total += w[i] * (table[revealed, i] + value[revealed | 1 << i])
        value[revealed] = total / rest
    for revealed in range(sets - 1):
        rest = 0.0
        for i in range(length):
            if revealed >> i & 1 == 0:
                rest += w[i]
        for i in range(length):
            if revealed >> i & 1 == 0:
                after = revealed | 1 << i
                step = first[revealed] * w[i] / rest
                first[after] += step
                gradient[i] += step * (table[revealed, i] + value[after] - value[revealed])
    return first, value, gradient


plackett_luce_value = kernel(_plackett_luce_value)
