"""What remasking at random leaves behind: stationary floors of subset remask, and the ReMDM-type kernel.

The denoiser is the exact one; the tokens of a step are drawn independently.
"""

from itertools import combinations, pairwise

import numpy as np
from jaxtyping import Float

from toy_models import lattice
from toy_models.schedules import LinearSchedule
from toy_models.targets.protocol import Target
from toy_models.targets.table import Table
from toy_models.validation import positive_int


def remask_kernel(target: Target, blocks) -> Float[np.ndarray, "words words"]:
    """Matrix on V^L: a uniformly chosen block is remasked, then redrawn in one step from the exact marginals."""
    x = lattice.sequences(target.vocab_size, target.length)
    kernel = np.zeros((len(x), len(x)))
    rows = np.arange(len(x))
    for block in blocks:
        block = list(block)
        y = x.copy()
        y[:, block] = -1
        marginals = target.marginals(y)
        same = np.ones((len(x), len(x)))
        for i in range(target.length):
            same *= marginals[rows[:, None], i, x[None, :, i]] if i in block else x[:, None, i] == x[None, :, i]
        kernel += same / len(blocks)
    return kernel


def stationary_floor(target: Target, size: int) -> tuple[float, float]:
    """(TV from target to stationary law, second largest |eigenvalue|) of random-subset remask of that size."""
    blocks = list(combinations(range(target.length), positive_int("size", size)))
    return kernel_floor(target, remask_kernel(target, blocks))


def kernel_floor(target: Target, kernel: Float[np.ndarray, "n n"]) -> tuple[float, float]:
    """The same for any kernel with a unique stationary law."""
    q = lattice.to_table(target).pmf.ravel()
    values, vectors = np.linalg.eig(kernel.T)
    top = np.argmin(np.abs(values - 1))
    law = np.real(vectors[:, top])
    law = law / law.sum()
    return float(np.abs(law - q).sum() / 2), float(np.sort(np.abs(values))[-2])


def alternating_floor(target: Target) -> float:
    """TV floor when even and odd positions are remasked and redrawn in turn (a pair of updates is one step)."""
    length = target.length
    even, odd = (remask_kernel(target, [range(s, length, 2)]) for s in (0, 1))
    return kernel_floor(target, even @ odd)[0]


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


def two_mode(length: int, noise: float) -> Table:
    """(1 - noise) on the two constant words, 1/2 each, plus `noise` times the uniform law on binary words."""
    pmf = np.full((2,) * length, noise / 2**length)
    pmf[(0,) * length] += (1 - noise) / 2
    pmf[(1,) * length] += (1 - noise) / 2
    return Table(pmf)
