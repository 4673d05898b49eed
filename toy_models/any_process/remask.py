"""What remasking at random leaves behind: stationary floors of subset remask, and the ReMDM-type kernel.

The denoiser is the exact one; the tokens of a step are drawn independently.
"""

from itertools import combinations

import numpy as np
from jaxtyping import Float

from toy_models.quantities import lattice
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


def two_mode(length: int, noise: float) -> Table:
    """(1 - noise) on the two constant words, 1/2 each, plus `noise` times the uniform law on binary words."""
    pmf = np.full((2,) * length, noise / 2**length)
    pmf[(0,) * length] += (1 - noise) / 2
    pmf[(1,) * length] += (1 - noise) / 2
    return Table(pmf)
