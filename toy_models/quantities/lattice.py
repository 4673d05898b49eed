"""The lattice of partially masked sequences: (V+1)^L states, and tables over it.

A state has one digit per position, 0 for the mask and v+1 for token v; its index is the base-(V+1) number, most
significant position first. Everything exact and small starts here.
"""

import numpy as np
from jaxtyping import Float, Int

from toy_models.errors import IntractableError
from toy_models.targets.protocol import Denoiser, Target, own_route
from toy_models.targets.table import Table, context_probabilities

MAX_ENTRIES = 2**27  # states * L * V marginals held in memory: 1 GiB
MAX_SEQUENCES = 2**22  # V^L probabilities
CHUNK = 2**16


def require_lattice(vocab_size: int, length: int, what: str) -> int:
    """Number of states (V+1)^L, or IntractableError."""
    states = (vocab_size + 1) ** length
    if states * length * vocab_size > MAX_ENTRIES:
        raise IntractableError(
            what,
            f"V = {vocab_size}, L = {length}, hence (V+1)^L = {states} states",
            f"states * L * V <= {MAX_ENTRIES}",
            "shorten the sequence, use a structured target or an estimate_ function",
        )
    return states


def states(vocab_size: int, length: int) -> Int[np.ndarray, "states L"]:
    """Every partially masked sequence in index order, as tokens with MASK = -1.

    >>> tm.quantities.states(1, 2).tolist()
    [[-1, -1], [-1, 0], [0, -1], [0, 0]]
    """
    count = (vocab_size + 1) ** length
    return np.stack(np.unravel_index(np.arange(count), (vocab_size + 1,) * length), axis=1).astype(np.int64) - 1


def sequences(vocab_size: int, length: int) -> Int[np.ndarray, "sequences L"]:
    """Every unmasked sequence, in the order of `pmf.ravel()`.

    >>> tm.quantities.sequences(2, 2).tolist()
    [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    count = vocab_size**length
    return np.stack(np.unravel_index(np.arange(count), (vocab_size,) * length), axis=1).astype(np.int64)


def to_table(target: Target) -> Table:
    """The full table of a small target, by log_prob on every sequence. O(V^L).

    >>> tm.quantities.to_table(tm.repetition(2, 2)).pmf.round(12).tolist()
    [[0.5, 0.0], [0.0, 0.5]]
    """
    if isinstance(target, Table):
        return target
    count = target.vocab_size**target.length
    if count > MAX_SEQUENCES:
        raise IntractableError(
            "a table of all sequences",
            f"V^L = {target.vocab_size}^{target.length} = {count}",
            f"V^L <= {MAX_SEQUENCES}",
            "use a structured route or an estimate_ function",
        )
    x = sequences(target.vocab_size, target.length)
    pmf = np.exp(np.concatenate([target.log_prob(part) for part in np.array_split(x, len(x) // CHUNK + 1)]))
    return Table(pmf.reshape((target.vocab_size,) * target.length))


def support(target: Target) -> tuple[Int[np.ndarray, "words L"], Float[np.ndarray, " words"]]:
    """Every x with q(x) > 0 and its probability: the target's own list where it brings one (`support`), else V^L."""
    own = own_route(target, "support")
    if own is not None:
        return own
    table = to_table(target).pmf
    x = np.argwhere(table > 0)
    return x, table[tuple(x.T)]


def state_marginals(denoiser: Denoiser) -> Float[np.ndarray, "states L V"]:
    """Marginals of the denoiser in every state; nan rows mark impossible contexts.

    >>> tm.quantities.state_marginals(tm.repetition(2, 2)).shape  # (V + 1)^L states
    (9, 2, 2)
    """
    count = require_lattice(denoiser.vocab_size, denoiser.length, "marginals on every masked state")
    y = states(denoiser.vocab_size, denoiser.length)
    parts = [denoiser.marginals(part, on_impossible="nan") for part in np.array_split(y, count // CHUNK + 1)]
    return np.concatenate(parts)


def state_probabilities(target: Target) -> Float[np.ndarray, " states"]:
    """q(revealed part) for every state.

    >>> float(tm.quantities.state_probabilities(tm.repetition(2, 2))[0])  # nothing revealed
    1.0
    """
    return context_probabilities(to_table(target).pmf).ravel()


def subset_cross_entropies(target: Target, denoiser: Denoiser | None = None) -> Float[np.ndarray, "sets L"]:
    """C[T, i] = E_q[-log p(X_i | X_T)] for every revealed set T (bit i = position i) and i not in T; 0 for i in T.

    With denoiser = None this is H(X_i | X_T). inf where the denoiser rules out the token or the context. Cost
    O((V+1)^L L V).

    >>> (tm.quantities.subset_cross_entropies(tm.repetition(2, 2)) / np.log(2)).round(12).tolist()
    [[1.0, 1.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]
    """
    vocab_size, length = target.vocab_size, target.length
    table = to_table(target)
    q = context_probabilities(table.pmf)
    result = np.zeros((2**length, length))
    revealed = states(vocab_size, length) >= 0
    set_of_state = revealed @ (1 << np.arange(length))
    marginals = None if denoiser is None else np.nan_to_num(state_marginals(denoiser), nan=0.0)
    for i in range(length):
        here = np.moveaxis(q, i, 0)[0].ravel()
        open_states = np.flatnonzero(~revealed[:, i])
        joint_v = np.moveaxis(q, i, 0)[1:].reshape(vocab_size, -1).T
        if marginals is None:
            with np.errstate(divide="ignore", invalid="ignore"):
                loss = -np.where(joint_v > 0, joint_v * np.log(joint_v / here[:, None]), 0.0).sum(axis=1)
        else:
            with np.errstate(divide="ignore", invalid="ignore"):
                loss = -np.where(joint_v > 0, joint_v * np.log(marginals[open_states, i]), 0.0).sum(axis=1)
        result[:, i] = np.bincount(set_of_state[open_states], weights=loss, minlength=2**length)
    return result
