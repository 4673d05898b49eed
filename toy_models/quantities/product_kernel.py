"""Kernels that change every position by itself, given the whole state: rows[y, i] is the law of the next digit at i.

Digit 0 is the mask, v + 1 token v. Grids of Bernoulli reveals and remasking samplers are sequences of such kernels; the
state may lose tokens, so the whole lattice is pushed step by step.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float, Int

from toy_models.kernel import kernel
from toy_models.quantities import lattice
from toy_models.quantities.law import Law
from toy_models.quantities.sampling import Samples
from toy_models.targets.protocol import Denoiser
from toy_models.validation import MASK

Step = Callable[[Int[np.ndarray, "n L"], Float[np.ndarray, "n L V"]], Float[np.ndarray, "n L D"]]


def product_law(denoiser: Denoiser, steps: Sequence[Step]) -> Law:
    """The law after the steps; a call counts when it reveals a token. O(steps (V+1)^(2L)) at most.

    A state whose context is impossible stops. ValueError if the steps leave masks.
    """
    vocab_size, length = denoiser.vocab_size, denoiser.length
    marginals = lattice.state_marginals(denoiser)
    y = lattice.states(vocab_size, length)
    dead = np.isnan(marginals).any(axis=(1, 2))
    mass = np.zeros(len(y))
    mass[0] = 1.0
    impossible = calls = 0.0
    for step in steps:
        impossible += float(mass[dead].sum())
        mass[dead] = 0.0
        here = np.flatnonzero(mass)
        rows = step(y[here], marginals[here])
        calls += float(mass[here] @ reveals(y[here], rows))
        mass = push_product(mass, here, np.ascontiguousarray(rows))
    left = float(mass[(y == MASK).any(axis=1) & ~dead].sum())
    if left > 1e-12:
        raise ValueError(f"the steps leave masks with probability {left:.6g}, the last one must write every mask")
    impossible += float(mass[dead].sum())
    pmf = mass.reshape((vocab_size + 1,) * length)[(slice(1, None),) * length]
    return Law(pmf.copy(), impossible, calls)


def transition_matrix(denoiser: Denoiser, step: Step) -> Float[np.ndarray, "states states"]:
    """The step as a matrix on the (V+1)^L states, in the order of `states`; a state of an impossible context stays.

    >>> from toy_models.quantities.product_kernel import transition_matrix
    >>> step = tm.rules.Remasking.rescaled(2, 0.5).steps()[0]  # from 0 to 1/2: each letter is written w.p. 1/2
    >>> transition_matrix(tm.MarkovChain([[0.5, 0.5], [0.5, 0.5]], 1), step).tolist()
    [[0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    marginals = lattice.state_marginals(denoiser)
    y = lattice.states(denoiser.vocab_size, denoiser.length)
    matrix = np.eye(len(y))
    for state in np.flatnonzero(~np.isnan(marginals).any(axis=(1, 2))):
        rows = np.ascontiguousarray(step(y[[state]], marginals[[state]]))
        matrix[state] = push_product(matrix[state], np.array([state]), rows)
    return matrix


def product_draw(denoiser: Denoiser, steps: Sequence[Step], size: int, rng: np.random.Generator) -> Samples:
    """`size` runs of the same steps."""
    y = np.full((size, denoiser.length), MASK, dtype=np.int64)
    calls, stopped = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=bool)
    for step in steps:
        rows = np.flatnonzero(~stopped)
        marginals = denoiser.marginals(y[rows], on_impossible="nan")
        alive = ~np.isnan(marginals).any(axis=(1, 2))
        stopped[rows[~alive]] = True
        rows = rows[alive]
        if len(rows):
            after = draw_digits(step(y[rows], marginals[alive]), rng)
            calls[rows] += ((y[rows] == MASK) & (after != MASK)).any(axis=1)
            y[rows] = after
    return Samples(y, calls, stopped)


def reveals(y: Int[np.ndarray, "n L"], rows: Float[np.ndarray, "n L D"]) -> Float[np.ndarray, " n"]:
    """P(at least one mask is written)."""
    return 1.0 - np.prod(np.where(y == MASK, rows[..., 0], 1.0), axis=1)


def draw_digits(rows: Float[np.ndarray, "n L D"], rng: np.random.Generator) -> Int[np.ndarray, "n L"]:
    """Independent draws from the rows, as tokens with MASK = -1."""
    cdf = np.cumsum(rows, axis=2)
    return (cdf <= rng.random((*rows.shape[:2], 1)) * cdf[..., -1:]).sum(axis=2) - 1


def hold(y: Int[np.ndarray, "n L"], vocab_size: int) -> Float[np.ndarray, "n L D"]:
    """Every digit stays."""
    return np.eye(vocab_size + 1)[y + 1]


def _push_product(mass, here, rows):
    """sum over the states `here` of mass times the product of the rows."""
    result = np.zeros_like(mass)
    _, length, digits = rows.shape
    index = np.empty(len(mass), dtype=np.int64)
    prob = np.empty(len(mass))
    for r in range(len(here)):
        size = 1
        index[0], prob[0] = 0, mass[here[r]]
        for i in range(length):
            first = -1
            old = size
            for d in range(digits):
                p = rows[r, i, d]
                if p == 0.0:
                    continue
                if first < 0:
                    first = d
                    continue
                for k in range(old):
                    index[size] = index[k] * digits + d
                    prob[size] = prob[k] * p
                    size += 1
            for k in range(old):
                prob[k] *= rows[r, i, first]
                index[k] = index[k] * digits + first
        for k in range(size):
            result[index[k]] += prob[k]
    return result


push_product = kernel(_push_product)
