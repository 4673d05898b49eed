"""The law of a ReMDM-type sampler, which remasks revealed tokens at random."""

import numpy as np
from jaxtyping import Float

from toy_models.rules.remasking import Remasking
from toy_models.targets.protocol import Target


def remdm_law(target: Target, steps: int, eta: float) -> Float[np.ndarray, "..."]:
    """Law of K steps of the ReMDM-type kernel, linear schedule; shape (V,)*L. Impossible contexts lose their mass.

    With revealed fraction a_t before and a_s after the step, sigma = eta min(1, (1 - a_s) / a_t): `Remasking.rescaled`.
    eta = 0 is plain ancestral sampling. Source: Wang et al. 2025, arXiv 2503.00307 (kernel), with the exact denoiser.
    """
    if not 0 <= eta <= 1:
        raise ValueError(f"eta = {eta}, it must lie in [0, 1]")
    return Remasking.rescaled(steps, eta).exact_law(target).pmf
