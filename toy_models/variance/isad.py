"""ISAD: rare positions are masked more often and weighted down (Jia et al. 2025, arXiv 2511.18159)."""

import numpy as np
from jaxtyping import Bool, Float

from toy_models.variance.densities import quadrature
from toy_models.variance.estimator import Estimator


def mask_probabilities(rates: Float[np.ndarray, " L"]) -> Float[np.ndarray, " masks"]:
    """P(M) when position i is masked independently with probability rates[i]."""
    law = np.ones(1)
    for rate in rates:
        law = np.concatenate([law * (1.0 - rate), law * rate])
    return law


def isad(
    losses: Float[np.ndarray, "X masks L"],
    probability: Float[np.ndarray, " X"],
    rare: Bool[np.ndarray, "..."],
    shift: float,
    epsilon: float = 1e-3,
) -> Estimator:
    """Loss (1/L) sum over i in M of c_i / q_i(t), q_i = min(1, t + shift) at rare positions, t elsewhere; t uniform.

    Only the inclusion probability is corrected, not the law of the other tokens' context: biased unless shift = 0.
    """
    if not 0.0 <= shift < 1.0:
        raise ValueError(f"shift = {shift}, it must lie in [0, 1)")
    length = losses.shape[2]
    if rare.shape != (length,):
        raise ValueError(f"rare has shape {rare.shape}, it must mark the {length} positions")
    t, w = quadrature(epsilon, 1.0, (1.0 - shift,))
    mean = plain = second = 0.0
    for time, weight in zip(t, w / (1.0 - epsilon), strict=True):
        rates = np.where(rare, min(1.0, time + shift), time)
        value = losses @ (1.0 / rates) / length
        law = mask_probabilities(rates)
        mean += weight * float(probability @ value @ law)
        second += weight * float(probability @ value**2 @ law)
        uniform_law = mask_probabilities(np.full(length, time))
        plain += weight * float(probability @ losses.sum(axis=2) @ uniform_law) / (length * time)
    scale = 1.0 - epsilon  # the estimand is the integral over [epsilon, 1], the mean over t is that / (1 - epsilon)
    return Estimator(mean * scale, (second - mean**2) * scale**2, (mean - plain) * scale)
