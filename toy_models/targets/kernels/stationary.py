"""The stationary law of the windows of an n-gram, on the sparse graph (a_1, ..., a_{n-1}) -> (a_2, ..., a_{n-1}, v)."""

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import ArpackNoConvergence, eigs

from toy_models.targets.markov import stationary_law

DENSE = 512  # recurrent windows up to which elimination is used
STEPS = 4096
RESIDUAL = 1e-13  # sum |pi P - pi| that is accepted


def stationary_windows(conditional: Float[np.ndarray, "T V"]) -> Float[np.ndarray, " T"]:
    """pi with pi(mid, v) = sum_a pi(a, mid) conditional[(a, mid), v]; ValueError when it is not unique.

    Up to DENSE recurrent windows by elimination without subtractions, exact on nearly decomposable chains. Above, by
    averaged power steps pi <- (pi + pi P) / 2 (every period converges), then Arnoldi where these are slow; the result
    has sum |pi P - pi| <= RESIDUAL, and its error is about that over 1 - |second eigenvalue|.
    """
    matrix = window_graph(conditional)
    members = recurrent_windows(matrix, conditional.shape[1])
    law = np.zeros(len(conditional))
    inner = matrix[members][:, members]
    if len(members) <= DENSE:
        law[members] = stationary_law(inner.toarray())
    else:
        law[members] = _iterate(inner)
    return law


def window_graph(conditional: Float[np.ndarray, "T V"]) -> csr_array:
    """P as a sparse T x T matrix with the positive entries of `conditional`."""
    tuples, vocab = conditional.shape
    row, token = np.nonzero(conditional)
    return csr_array((conditional[row, token], (row, row % (tuples // vocab) * vocab + token)), shape=(tuples, tuples))


def recurrent_windows(matrix: csr_array, vocab_size: int) -> Int[np.ndarray, " members"]:
    """The windows of the only closed communicating class; ValueError when there are several."""
    count, label = connected_components(matrix, directed=True, connection="strong")
    row, column = matrix.nonzero()
    closed = np.ones(count, dtype=bool)
    closed[label[row[label[row] != label[column]]]] = False
    classes = np.flatnonzero(closed)
    if len(classes) > 1:
        digits = round(np.log(len(label)) / np.log(vocab_size))
        codes = [int((label == c).argmax()) for c in classes[:4]]
        shown = [tuple(int(t) for t in np.unravel_index(code, (vocab_size,) * digits)) for code in codes]
        raise ValueError(
            f"the stationary law is not unique: the n-gram has {len(classes)} recurrent classes of contexts, "
            f"for example those of {', '.join(map(str, shown))}; pass initial= explicitly"
        )
    return np.flatnonzero(closed[label])


def _iterate(matrix: csr_array) -> Float[np.ndarray, " members"]:
    across, size = csr_array(matrix.T), len(matrix.indptr) - 1
    law = _power(across, np.ones(size))
    if _residual(across, law) > RESIDUAL:
        try:
            vector = np.asarray(eigs(across + _identity(size), k=1, v0=law)[1])
            law = _power(across, np.abs(np.real(vector.ravel())))
        except ArpackNoConvergence:
            pass
    if (residual := _residual(across, law)) > RESIDUAL:
        raise ValueError(
            f"the stationary law of {len(law)} contexts was not found: sum |pi P - pi| = {residual:.3g}, "
            f"allowed {RESIDUAL}; pass initial= explicitly"
        )
    return law


def _power(across: csr_array, law: Float[np.ndarray, " members"]) -> Float[np.ndarray, " members"]:
    """Averaged steps; every 32 of them, stop at RESIDUAL / 16 or when they gained less than a tenth."""
    best = np.inf
    for step in range(STEPS):
        law = law + across @ law
        law /= law.sum()
        if step % 32 == 31:
            residual = _residual(across, law)
            if residual <= RESIDUAL / 16 or residual > 0.9 * best:
                break
            best = residual
    return law


def _residual(across: csr_array, law: Float[np.ndarray, " members"]) -> float:
    return float(np.abs(across @ law - law).sum())


def _identity(size: int) -> csr_array:
    where = np.arange(size)
    return csr_array((np.ones(size), (where, where)), shape=(size, size))
