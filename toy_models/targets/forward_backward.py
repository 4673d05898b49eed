"""Scaled forward-backward recursions of an HMM with masked observations."""

import numpy as np
from jaxtyping import Float, Int

from toy_models.targets.impossible import reveal_one_hot, settle_impossible
from toy_models.validation import MASK


def masked_marginals(
    initial: Float[np.ndarray, " S"],
    transition: Float[np.ndarray, "S S"],
    emission: Float[np.ndarray, "S V"],
    y: Int[np.ndarray, "batch L"],
    on_impossible: str,
) -> Float[np.ndarray, "batch L V"]:
    """q(x_i = v | revealed tokens of y). O(batch L (S^2 + S V))."""
    batch, length = y.shape
    likelihood = np.where((y == MASK)[..., None], 1.0, emission.T[y])
    predicted = np.empty((batch, length, len(initial)))
    backward = np.ones((batch, length, len(initial)))
    with np.errstate(invalid="ignore", divide="ignore"):
        message = np.broadcast_to(initial, (batch, len(initial)))
        for i in range(length):
            predicted[:, i] = message
            filtered = message * likelihood[:, i]
            filtered = filtered / filtered.max(axis=1, keepdims=True)
            message = filtered @ transition
        for i in range(length - 1, 0, -1):
            message = (backward[:, i] * likelihood[:, i]) @ transition.T
            backward[:, i - 1] = message / message.max(axis=1, keepdims=True)
        result = (predicted * backward) @ emission
        impossible = ~np.isfinite(filtered).all(axis=1)
        result /= result.sum(axis=2, keepdims=True)
    reveal_one_hot(result, y)
    return settle_impossible(result, y, impossible, on_impossible)


def sequence_log_prob(
    initial: Float[np.ndarray, " S"],
    transition: Float[np.ndarray, "S S"],
    emission: Float[np.ndarray, "S V"],
    x: Int[np.ndarray, "batch L"],
) -> Float[np.ndarray, " batch"]:
    """log q(x), -inf off the support."""
    total = np.zeros(len(x))
    message = np.broadcast_to(initial, (len(x), len(initial)))
    with np.errstate(invalid="ignore", divide="ignore"):
        for i in range(x.shape[1]):
            filtered = message * emission.T[x[:, i]]
            scale = filtered.sum(axis=1)
            total += np.log(scale)
            message = np.where(scale[:, None] > 0, filtered / scale[:, None], 0.0) @ transition
    return total
