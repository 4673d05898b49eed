"""The minimax grid of independent reveal: the random schedule with the least worst-case trajectory KL over languages.

m(s) = expected number of uniform variables on (0, 1) until their sum exceeds s = sum_k (-1)^k (s-k)^k e^(s-k) / k!.
With R = N - 1 and X(t) = 1 - m(R - t)/m(R) the cuts a_k = X(U + k - 1), k = 1..R, have E[next(a) - a] <= 1/m(R) for
every a, U one uniform variable; so E KL <= (TC + DTC)/m(R), and no random grid does better.
"""

from math import exp, factorial, floor, fsum

import numpy as np
from jaxtyping import Float

from toy_models.validation import positive_int

MAX_STEPS = 16  # the alternating sum loses about N/2 digits


def uniform_renewals(s: int | float) -> float:
    """m(s) = E[min{n: U_1 + .. + U_n > s}], 0 for s < 0. Source: Uspensky 1937, p. 278.

    >>> round(tm.schedules.uniform_renewals(1.0), 12)  # e
    2.718281828459
    """
    if s < 0:
        return 0.0
    return fsum((k - s) ** k * exp(s - k) / factorial(k) for k in range(floor(s) + 1))


def minimax_value(steps: int) -> float:
    """E_N = 1/m(N - 1) = min over random grids of the worst E KL/(TC + DTC) over languages of any length.

    >>> [round(tm.schedules.minimax_value(n), 6) for n in (1, 2, 3, 4)]  # 1, 1/e, 1/(e^2 - e), 1/(e^3 - 2 e^2 + e/2)
    [1.0, 0.367879, 0.214097, 0.150002]
    """
    return 1.0 / uniform_renewals(_steps(steps) - 1.0)


def minimax_weights(steps: int, shift: float) -> Float[np.ndarray, " N"]:
    """Step probabilities of the minimax grid given U = shift in [0, 1]; draw one U per text.

    >>> tm.IndependentReveal(tm.schedules.minimax_weights(2, 0.5)).weights.round(6).tolist()  # a_1 = 1 - e^(-U)
    [0.393469, 0.606531]
    """
    last = _steps(steps) - 1
    if not 0.0 <= shift <= 1.0:
        raise ValueError(f"shift = {shift}, it must lie in [0, 1]")
    whole = uniform_renewals(float(last))
    cuts = [1.0 - uniform_renewals(last - shift - k) / whole for k in range(last)]
    return np.diff(np.array([0.0, *cuts, 1.0])).clip(0.0)


def _steps(steps: int) -> int:
    if positive_int("steps", steps) > MAX_STEPS:
        raise ValueError(f"steps = {steps}, allowed: 1 to {MAX_STEPS}; beyond, ShiftedReveal costs 2.1 % more at most")
    return steps
