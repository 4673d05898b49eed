"""The training loss of a masked diffusion model with one schedule per position, exactly (Garg et al. 2025, 2511.19152).

Noise time s, P(position l masked at s) = m_l(s), independent. For a denoiser that does not depend on time,
    NELBO(x) = sum_l integral m_l'(s) / m_l(s) E_M[1[l in M] C[complement of M, l](x)] ds
             = sum over orders of pi(sigma) L_sigma(x)
with pi the law of the masking times sorted descending. `weights` means the power family m_l(s) = s**w_l.
"""

from collections.abc import Mapping, Sequence
from typing import overload

import numpy as np
from jaxtyping import Float, Int

from toy_models.learned_order.plackett_luce import Order, Probability, positive_weights
from toy_models.learned_order.reveal_times import masking, time_grid
from toy_models.learned_order.reveal_weights import (
    inclusion_exclusion_reveals,
    order_reveals,
    plackett_luce_reveals,
    plackett_luce_value,
    quadrature_reveals,
)
from toy_models.learned_order.subset_losses import mean_cross_entropies, sequence_cross_entropies
from toy_models.learned_order.time_dependent import TimedDenoiser
from toy_models.schedules.protocol import Schedule
from toy_models.targets.protocol import Denoiser, Target

METHODS = ("subsets", "inclusion-exclusion", "quadrature", "orders")


@overload
def schedule_nelbo(
    target: Target, denoiser: Denoiser | TimedDenoiser | None, weights, x: None = None, method: str = "subsets"
) -> float: ...


@overload
def schedule_nelbo(
    target: Target,
    denoiser: Denoiser | TimedDenoiser | None,
    weights,
    x: Int[np.ndarray, "batch L"],
    method: str = "subsets",
) -> Float[np.ndarray, " batch"]: ...


def schedule_nelbo(
    target: Target,
    denoiser: Denoiser | TimedDenoiser | None,
    weights,
    x: Int[np.ndarray, "batch L"] | None = None,
    method: str = "subsets",
) -> float | Float[np.ndarray, " batch"]:
    """NELBO in nats per sequence for m_l(s) = s**w_l: of each row of x, or the mean under the target for x=None.

    method: "subsets" (recursion over revealed sets, O(2^L L), the default), "inclusion-exclusion" (O(3^L L)),
    "quadrature" (over noise time), "orders" (all L! orders, L <= 8). denoiser=None: the oracle. ValueError for weights
    that are not positive and for a denoiser that depends on time (see toy_models.learned_order.time_dependent).

    >>> round(float(tm.schedule_nelbo(tm.repetition(2, 3), None, [1.0, 2.0, 3.0]) / np.log(2)), 12)  # the oracle: H(q)
    1.0
    """
    if method not in METHODS:
        raise ValueError(f"method = {method!r}, allowed: {', '.join(METHODS)}")
    w = positive_weights(weights)
    if len(w) != target.length:
        raise ValueError(f"weights has {len(w)} entries, the target has length {target.length}")
    w = [float(v) for v in w]
    denoiser = require_time_free(denoiser)
    if method == "subsets":
        reveals = plackett_luce_reveals(w)
    elif method == "inclusion-exclusion":
        reveals = inclusion_exclusion_reveals(w)
    elif method == "quadrature":
        from toy_models.learned_order.reveal_times import NoisePowerSchedule

        reveals = quadrature_reveals([NoisePowerSchedule(v) for v in w])
    else:
        from toy_models.learned_order.plackett_luce import plackett_luce

        reveals = order_reveals(plackett_luce(w))
    return average_loss(target, denoiser, reveals, x)


def nelbo_of_schedules(
    target: Target,
    denoiser: Denoiser | None,
    schedules: Sequence[Schedule],
    x: Int[np.ndarray, "batch L"] | None = None,
) -> float | Float[np.ndarray, " batch"]:
    """NELBO for any schedule per position (quadrature over noise time, about 1e-12 for smooth schedules).

    >>> schedules = [tm.LinearSchedule(), tm.LinearSchedule()]
    >>> round(float(tm.learned_order.nelbo_of_schedules(tm.repetition(2, 2), None, schedules) / np.log(2)), 9)
    1.0
    """
    if len(schedules) != target.length:
        raise ValueError(f"schedules has {len(schedules)} entries, the target has length {target.length}")
    require_time_free(denoiser)
    return average_loss(target, denoiser, quadrature_reveals(schedules), x)


def nelbo_of_orders(
    target: Target,
    denoiser: Denoiser | None,
    law: Mapping[Order, Probability],
    x: Int[np.ndarray, "batch L"] | None = None,
) -> float | Float[np.ndarray, " batch"]:
    """sum over orders of law[sigma] * (autoregressive loss along sigma).

    >>> law = tm.learned_order.uniform_orders(2)
    >>> round(float(tm.learned_order.nelbo_of_orders(tm.repetition(2, 2), None, law) / np.log(2)), 12)
    1.0
    """
    require_time_free(denoiser)
    return average_loss(target, denoiser, order_reveals(law), x)


def average_loss(
    target: Target, denoiser: Denoiser | None, reveals: np.ndarray, x: Int[np.ndarray, "batch L"] | None
) -> float | Float[np.ndarray, " batch"]:
    """sum over T, i of W[T, i] C[T, i]; terms of weight zero count as zero even where C is infinite."""
    if x is None:
        return float(_weighted(reveals, mean_cross_entropies(target, denoiser)[:, :, None])[0])
    return _weighted(reveals, sequence_cross_entropies(target if denoiser is None else denoiser, x))


def _weighted(reveals: np.ndarray, table: Float[np.ndarray, "sets L batch"]) -> Float[np.ndarray, " batch"]:
    used = reveals > 0
    return reveals[used].astype(np.float64) @ table[used]


def require_time_free(denoiser: Denoiser | TimedDenoiser | None) -> Denoiser | None:
    """ValueError for a denoiser that depends on noise time: for it the loss is no average of order losses alone."""
    if isinstance(denoiser, TimedDenoiser):
        raise ValueError(
            f"denoiser = {type(denoiser).__name__} depends on noise time; the identity with order losses needs one "
            "that does not. Use toy_models.learned_order.time_dependent, or denoiser.at_noise_time(s) at one fixed s"
        )
    return denoiser


def nelbo_gradient(table: Float[np.ndarray, "sets L"], weights) -> Float[np.ndarray, " L"]:
    """dJ / dw_k of J(w) = sum W[T, i] C[T, i] for m_l(s) = s**w_l, by the recursion over revealed sets. O(2^L L).

    >>> table = tm.learned_order.mean_cross_entropies(tm.repetition(2, 2))
    >>> bool(abs(tm.learned_order.nelbo_gradient(table, [1.0, 2.0])).max() < 1e-12)  # every schedule costs H
    True
    """
    w = np.array([float(v) for v in positive_weights(weights)])
    return plackett_luce_value(w, np.ascontiguousarray(table))[2] / w


def nelbo_gradient_by_time(table: Float[np.ndarray, "sets L"], weights, score: bool = True) -> Float[np.ndarray, " L"]:
    """The same as integral of E_M[1[k in M] C_k / s + F d log P(M) / dw_k] ds, F = sum_{l in M} w_l C_l / s.

    score=False drops the second term, the gradient through the masking: a wrong gradient, kept as a control.

    >>> table = tm.learned_order.mean_cross_entropies(tm.repetition(2, 2))
    >>> bool(abs(tm.learned_order.nelbo_gradient_by_time(table, [1.0, 2.0])).max() < 1e-9)
    True
    """
    from toy_models.learned_order.reveal_times import NoisePowerSchedule

    w = np.array([float(v) for v in positive_weights(weights)])
    grid = time_grid()
    masked, shown, _ = masking([NoisePowerSchedule(float(v)) for v in w])
    log_s = np.log(grid.s)
    result = np.zeros(len(w))
    for revealed in range(2 ** len(w) - 1):
        hidden = [i for i in range(len(w)) if not revealed >> i & 1]
        others = [i for i in range(len(w)) if revealed >> i & 1]
        density = np.prod(masked[hidden], axis=0) * np.prod(shown[others], axis=0) * grid.ds / grid.s
        for k in hidden:
            result[k] += float(density.sum() * table[revealed, k])
        if score:
            loss = float(sum(w[i] * table[revealed, i] for i in hidden))
            for k in range(len(w)):
                if k in hidden:
                    result[k] += loss * float((density * log_s).sum())
                else:
                    odds = np.divide(masked[k], shown[k], out=np.zeros_like(log_s), where=shown[k] > 0)
                    result[k] -= loss * float((density * log_s * odds).sum())
    return result


def nelbo_second_moment(
    cross_entropies: Float[np.ndarray, "sets L batch"], probabilities: Float[np.ndarray, " batch"], weights
) -> float:
    """E[F^2] of the one-sample loss F = sum_{l in M} w_l C_l(x) / s, s uniform on (0, 1), x with `probabilities`.

    sum over M of E_x[(sum_{l in M} w_l C_l)^2] * integral of s^(w(M) - 2) prod_{j not in M}(1 - s^w_j). Infinite as
    soon as a w_l <= 1 meets a position with positive loss given all others. O(2^L nodes).

    >>> table = tm.learned_order.sequence_cross_entropies(tm.repetition(2, 1), np.array([[0], [1]]))
    >>> half = np.array([0.5, 0.5])
    >>> round(float(tm.learned_order.nelbo_second_moment(table, half, [2.0]) / np.log(2) ** 2), 9)
    4.0
    """
    from toy_models.learned_order.reveal_times import NoisePowerSchedule

    w = np.array([float(v) for v in positive_weights(weights)])
    length = len(w)
    full = 2**length - 1
    for l in range(length):
        if w[l] <= 1.0 and float(cross_entropies[full & ~(1 << l), l] ** 2 @ probabilities) > 0:
            return float("inf")
    grid = time_grid()
    _, shown, _ = masking([NoisePowerSchedule(float(v)) for v in w])
    log_s = np.log(grid.s)
    total = 0.0
    for revealed in range(full):
        hidden = [i for i in range(length) if not revealed >> i & 1]
        others = [i for i in range(length) if revealed >> i & 1]
        size = float((w[hidden] @ cross_entropies[revealed, hidden]) ** 2 @ probabilities)
        if size > 0:
            density = np.exp((w[hidden].sum() - 2.0) * log_s) * np.prod(shown[others], axis=0)
            below = np.exp(-700.0 * (w[hidden].sum() - 1.0)) / (w[hidden].sum() - 1.0)  # the rest, s < exp(-700)
            total += size * (float(grid.integral(density)) + float(below))
    return total


def nelbo_variance(
    cross_entropies: Float[np.ndarray, "sets L batch"], probabilities: Float[np.ndarray, " batch"], weights
) -> float:
    """Var(F) = E[F^2] - NELBO^2 of the one-sample loss, s uniform; changes under w -> c w, while the mean does not.

    >>> table = tm.learned_order.sequence_cross_entropies(tm.repetition(2, 1), np.array([[0], [1]]))
    >>> half = np.array([0.5, 0.5])
    >>> round(float(tm.learned_order.nelbo_variance(table, half, [2.0]) / np.log(2) ** 2), 9)  # 4 - 1
    3.0
    """
    table = cross_entropies @ probabilities
    mean = float(_weighted(plackett_luce_reveals([float(v) for v in weights]), table[:, :, None])[0])
    return nelbo_second_moment(cross_entropies, probabilities, weights) - mean**2
