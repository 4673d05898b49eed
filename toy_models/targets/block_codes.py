"""Blocks of nested MDS codes: a language on which even the marginal law costs about (1/2) log |V| / N per token.

A block has m tokens. A symbol is an (m-1)-tuple over F_K, K >= m-1 a prime power; component l = 1..m-1 of the block is
a uniform word of an [m, l] MDS code, components independent. With k tokens visible g(k) = (m-1-k) log K, and for every
order -log p_tau(x) + log q(x) = log K sum_j s_j (s_j - 1)/2 on valid x: it depends on the block sizes alone.
"""

from math import lgamma, log

import numpy as np
from jaxtyping import Float

from toy_models.validation import positive_int


def code_block_kl(m: int, K: int, steps: int) -> float:
    """KL(q || p) per block under uniform independent reveal: -log E[K^-(sum_j s_j (s_j - 1)/2)], s multinomial.

    The expectation is m! [z^m] (sum_s (z/N)^s / s! K^-(s(s-1)/2))^N, all terms positive. O(m^2 log N).

    >>> round(float(tm.targets.code_block_kl(3, 2, 1) / np.log(2)), 12)  # one step: m(m - 1)/2 bits
    3.0
    """
    positive_int("steps", steps)
    s = np.arange(positive_int("m", m, 2) + 1)
    log_factorial = np.array([lgamma(k + 1) for k in s])
    base = -s * log(steps) - log_factorial - s * (s - 1) / 2 * log(K)
    power = _log_power(base, steps)
    return -(power[m] + log_factorial[m])


def _log_power(log_series: Float[np.ndarray, " n"], exponent: int) -> Float[np.ndarray, " n"]:
    """Logarithms of the coefficients of series^exponent, truncated to the same degree."""
    result = np.full_like(log_series, -np.inf)
    result[0] = 0.0
    square = log_series
    while exponent:
        if exponent & 1:
            result = _log_product(result, square)
        square = _log_product(square, square)
        exponent >>= 1
    return result


def _log_product(a: Float[np.ndarray, " n"], b: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    return np.array([np.logaddexp.reduce(a[: k + 1] + b[k::-1]) for k in range(len(a))])
