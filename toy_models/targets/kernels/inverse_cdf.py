"""Categorical draws by inverse CDF in float64."""

import numpy as np
from jaxtyping import Float, Int


def inverse_cdf(
    probabilities: Float[np.ndarray, "rows V"], uniforms: Float[np.ndarray, "rows draws"]
) -> Int[np.ndarray, "rows draws"]:
    """Smallest v with cdf(v) > u, never a token of probability zero.

    The cdf is divided by its last entry, so a sum that misses one by rounding never leaves the alphabet.
    """
    cdf = np.cumsum(probabilities, axis=1)
    scaled = uniforms * cdf[:, -1:]
    if len(cdf) == 1:
        return np.searchsorted(cdf[0], scaled, side="right").astype(np.int64)
    return (cdf[:, None, :] <= scaled[:, :, None]).sum(axis=2).astype(np.int64)
