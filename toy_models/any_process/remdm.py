"""The law of a ReMDM-type sampler, which remasks revealed tokens at random."""

from itertools import pairwise

import numpy as np
from jaxtyping import Float

from toy_models.quantities import lattice
from toy_models.schedules.named import LinearSchedule
from toy_models.targets.protocol import Target
from toy_models.validation import positive_int


def remdm_law(target: Target, steps: int, eta: float) -> Float[np.ndarray, "..."]:
    """Law of K steps of the ReMDM-type kernel, linear schedule; shape (V,)*L.

    With revealed fraction a_t before and a_s after the step, sigma = eta min(1, (1 - a_s) / a_t): a token is remasked
    with probability sigma, a mask is unmasked with probability (a_s - (1 - sigma) a_t) / (1 - a_t).
    O(K (V+1)^(2L)), the square of the lattice of partly masked sequences is held. eta = 0 is plain ancestral sampling.
    Source: Wang et al. 2025, arXiv 2503.00307 (kernel), here with the exact denoiser.
    """
    if not 0 <= eta <= 1:
        raise ValueError(f"eta = {eta}, it must lie in [0, 1]")
    vocab_size, length = target.vocab_size, target.length
    y = lattice.states(vocab_size, length)
    marginals = lattice.state_marginals(target)
    alive = ~np.isnan(marginals).any(axis=(1, 2))
    alpha = LinearSchedule().alpha(np.arange(steps + 1) / positive_int("steps", steps))
    mass = np.zeros(len(y))
    mass[0] = 1.0
    digits = np.arange(vocab_size + 1)
    for before, after in pairwise(alpha):
        sigma = eta * min(1.0, (1 - after) / before) if before else 0.0
        reveal = (after - (1 - sigma) * before) / (1 - before)
        held = np.where(digits == 0, sigma, np.where(digits == y[:, :, None] + 1, 1 - sigma, 0.0))
        drawn = np.concatenate([np.full((*y.shape, 1), 1 - reveal), reveal * marginals], axis=2)
        rows = np.where((y < 0)[:, :, None], drawn, held)[alive]
        law = mass[alive][:, None]
        for i in range(length):
            law = (law[:, :, None] * rows[:, i, None, :]).reshape(len(law), -1)
        mass = law.sum(axis=0) + np.where(alive, 0.0, mass)
    return mass.reshape((vocab_size + 1,) * length)[(slice(1, None),) * length]
