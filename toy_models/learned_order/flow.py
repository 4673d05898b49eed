"""Gradient flow on log-weights for a parent-pointer chain: where it ends, and when it ends at a wrong order.

Edge k = 1..n of a chain of n + 1 positions has difference d_k = s_parent - s_child and information I_k > 0, and
J = const - sum_k I_k sigmoid(d_k). Flow on s gives d' = K (I g(d)), g = sigmoid (1 - sigmoid), K tridiagonal (2, -1).
Flow on d itself gives d_k' = I_k g(d_k).
"""

import numpy as np
import scipy
from jaxtyping import Bool, Float

from toy_models.validation import positive_int


def edge_gram(edges: int) -> Float[np.ndarray, "n n"]:
    """K = B^T B of a directed path with n edges: 2 on the diagonal, -1 beside it.

    >>> tm.learned_order.edge_gram(3).tolist()
    [[2.0, -1.0, 0.0], [-1.0, 2.0, -1.0], [0.0, -1.0, 2.0]]
    """
    n = positive_int("edges", edges)
    return 2.0 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)


def growth_exponents(satisfied: Bool[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Exponent of t * g(d_v) per violated edge, along the end at infinity with the given edges satisfied (nan there).

    There the satisfied edges have t I g(d) -> a = K_SS^{-1} 1, and a violated one grows like t^(1 + K_VS a), which is
    1 - (n1 + n2) / 2 for runs of n1 and n2 satisfied edges on its two sides. All negative: the end attracts.

    >>> tm.learned_order.growth_exponents(np.array([True, False])).tolist()
    [nan, 0.5]
    """
    satisfied = np.asarray(satisfied, dtype=bool)
    k = edge_gram(len(satisfied))
    result = np.full(len(satisfied), np.nan)
    a = (
        np.linalg.solve(k[np.ix_(satisfied, satisfied)], np.ones(int(satisfied.sum())))
        if satisfied.any()
        else np.zeros(0)
    )
    result[~satisfied] = 1.0 + k[np.ix_(~satisfied, satisfied)] @ a
    return result


def is_sink(satisfied: Bool[np.ndarray, " n"]) -> bool:
    """Whether the end at infinity with these satisfied edges attracts an open set of starting points.

    >>> tm.learned_order.is_sink(np.array([True, True]))
    True
    """
    exponents = growth_exponents(satisfied)
    return bool((exponents[~np.asarray(satisfied, dtype=bool)] < 0).all())


def slope(d: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """g(d) = sigmoid(d) (1 - sigmoid(d)), without overflow."""
    e = np.exp(-np.abs(d))
    return e / (1.0 + e) ** 2


def flow(
    information: Float[np.ndarray, " n"], start: Float[np.ndarray, " n"], log_times: Float[np.ndarray, " times"]
) -> Float[np.ndarray, "times n"]:
    """d(t) of the flow on log-weights at t = exp(log_times), from d(0) = start; implicit integration in log time."""
    information = np.asarray(information, dtype=np.float64)
    k = edge_gram(len(information))

    def field(tau, d):
        return np.exp(tau) * (k @ (information * slope(d)))

    early = min(-12.0, float(log_times[0]) - 1.0)  # before this time the flow has moved by less than 1e-5
    solution = scipy.integrate.solve_ivp(
        field, (early, float(log_times[-1])), start, method="LSODA", t_eval=log_times, rtol=1e-9, atol=1e-9
    )
    if not solution.success:
        raise RuntimeError(f"the flow could not be integrated: {solution.message}")
    return solution.y.T


def edge_flow_time(start: float, end: float, information: float) -> float:
    """Time of the flow on d itself from `start` to `end`: [2 d + 2 sinh d] / I between, as 1 / g = 2 + 2 cosh d.

    >>> round(tm.learned_order.edge_flow_time(0.0, 1.0, 1.0), 12)  # 2 + 2 sinh 1
    4.350402387288
    """
    return float(2.0 * (end - start) + 2.0 * (np.sinh(end) - np.sinh(start))) / information
