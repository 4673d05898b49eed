"""The lattice of partially masked sequences: (V+1)^L states, and tables over it.

A state has one digit per position, 0 for the mask and v+1 for token v; its index is the base-(V+1) number, most
significant position first. Everything exact and small starts here.

Weights are kept as they are, arguments of logarithms as logarithms: a weight below 1e-308 adds nothing to a sum, but a
conditional below it still has a logarithm, and what is possible is decided by log_prob alone.
"""

from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float, Int

from toy_models.errors import IntractableError
from toy_models.targets.protocol import Denoiser, Target, own_route
from toy_models.targets.table import Table, context_probabilities

MAX_ENTRIES = 2**27  # states * L * V marginals held in memory: 1 GiB
MAX_SEQUENCES = 2**22  # V^L probabilities
MAX_STATES = 2**22  # states whose logarithms are held for small probabilities: 32 MiB
SMALLEST = 1e-280  # products of float64 numbers above it keep all their digits
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


def increments(vocab_size: int, length: int) -> Int[np.ndarray, "L V"]:
    """What writing token v at a masked position i adds to the index of a state: (v + 1) (V + 1)^(L - 1 - i).

    >>> tm.quantities.lattice.increments(2, 2).tolist()
    [[3, 6], [1, 2]]
    """
    powers = (vocab_size + 1) ** np.arange(length - 1, -1, -1, dtype=np.int64)
    return powers[:, None] * np.arange(1, vocab_size + 1)


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
    return Table(np.exp(log_pmf(target)).reshape((target.vocab_size,) * target.length))


def log_pmf(target: Target) -> Float[np.ndarray, " sequences"]:
    """log q(x) of every sequence of a small target, -inf off the support, in the order of `pmf.ravel()`. O(V^L)."""
    count = target.vocab_size**target.length
    if count > MAX_SEQUENCES:
        raise IntractableError(
            "a table of all sequences",
            f"V^L = {target.vocab_size}^{target.length} = {count}",
            f"V^L <= {MAX_SEQUENCES}",
            "use a structured route or an estimate_ function",
        )
    x = sequences(target.vocab_size, target.length)
    return np.concatenate([target.log_prob(part) for part in np.array_split(x, len(x) // CHUNK + 1)])


def support(target: Target) -> tuple[Int[np.ndarray, "words L"], Float[np.ndarray, " words"]]:
    """Every x with q(x) > 0 and its probability: the target's own list where it brings one (`support`), else V^L."""
    own = own_route(target, "support")
    if own is not None:
        return own
    table = to_table(target).pmf
    x = np.argwhere(table > 0)
    return x, table[tuple(x.T)]


def log_support(target: Target) -> tuple[Int[np.ndarray, "words L"], Float[np.ndarray, " words"]]:
    """Every x with q(x) > 0 and log q(x), also where q(x) is too small for float64."""
    own = own_route(target, "support")
    if own is not None:
        return own[0], np.log(own[1])
    logs = log_pmf(target)
    seen = logs > -np.inf
    return sequences(target.vocab_size, target.length)[seen], logs[seen]


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


def state_log_probabilities(target: Target) -> Float[np.ndarray, " states"]:
    """log q(revealed part) for every state, -inf exactly where it is impossible."""
    logs = small_logs(target)
    with np.errstate(divide="ignore"):
        return np.log(state_probabilities(target)) if logs is None else logs.ravel()


def state_log_marginals(denoiser: Denoiser) -> Float[np.ndarray, "states L V"]:
    """`log_marginals` in every state; nan rows mark impossible contexts."""
    count = require_lattice(denoiser.vocab_size, denoiser.length, "marginals on every masked state")
    y = states(denoiser.vocab_size, denoiser.length)
    return np.concatenate([log_marginals(denoiser, part) for part in np.array_split(y, count // CHUNK + 1)])


def log_marginals(
    denoiser: Denoiser, y: Int[np.ndarray, "batch L"], known: Float[np.ndarray, "batch L V"] | None = None
) -> Float[np.ndarray, "batch L V"]:
    """log p(x_i = v | revealed), 0 and -inf where revealed; rows with an impossible context are nan at their masks.

    A denoiser with a method `log_marginals` is asked for them. For a small target with a text under SMALLEST they come
    from logarithms of sums over the table, for any other denoiser they are logarithms of its marginals (`known`, if
    they are at hand).
    """
    own = getattr(denoiser, "log_marginals", None)
    if own is not None:
        return own(y)
    logs = small_logs(denoiser) if isinstance(denoiser, Target) else None
    if logs is None:
        with np.errstate(divide="ignore"):
            return np.log(denoiser.marginals(y, on_impossible="nan") if known is None else known)
    index = tuple((y + 1).T)
    context = logs[index]
    result = np.where(np.arange(denoiser.vocab_size) == y[..., None], 0.0, -np.inf)
    possible = np.flatnonzero(context > -np.inf)
    for i in range(denoiser.length):
        joint = np.moveaxis(logs, i, -1)[..., 1:][index[:i] + index[i + 1 :]]
        joint = np.broadcast_to(joint, (len(y), denoiser.vocab_size))  # L = 1 has no other position to index
        rows = possible[y[possible, i] < 0]
        result[rows, i] = joint[rows] - context[rows, None]
    result[np.isneginf(context)[:, None] & (y < 0)] = np.nan
    return result


def small_logs(target: Target) -> Float[np.ndarray, "..."] | None:
    """log q(revealed part), shape (V+1,)*L, of a target whose conditionals may lie under 1e-308; None for any other.

    No conditional of a possible text is smaller than the text's own probability, so only a target with a possible text
    under SMALLEST is of this kind. Beyond MAX_SEQUENCES texts the question is not asked.
    """
    return _small_logs(_Identity(target))


class _Identity:
    """A key that compares targets by identity, whatever their own notion of equality."""

    def __init__(self, target):
        self.target = target

    def __hash__(self):
        return id(self.target)

    def __eq__(self, other):
        return self.target is other.target


@lru_cache(maxsize=16)
def _small_logs(key: _Identity) -> Float[np.ndarray, "..."] | None:
    vocab_size, length = key.target.vocab_size, key.target.length
    if (vocab_size + 1) ** length > MAX_STATES:
        return None
    logs = log_pmf(key.target)
    if logs.min(where=logs > -np.inf, initial=0.0) >= np.log(SMALLEST):
        return None
    logs = logs.reshape((vocab_size,) * length)
    for axis in range(length):
        logs = np.concatenate([np.logaddexp.reduce(logs, axis=axis, keepdims=True), logs], axis=axis)
    return logs


def subset_cross_entropies(target: Target, denoiser: Denoiser | None = None) -> Float[np.ndarray, "sets L"]:
    """C[T, i] = E_q[-log p(X_i | X_T)] for every revealed set T (bit i = position i) and i not in T; 0 for i in T.

    With denoiser = None this is H(X_i | X_T). inf where the denoiser rules out the token or the context. Cost
    O((V+1)^L L V).

    >>> (tm.quantities.subset_cross_entropies(tm.repetition(2, 2)) / np.log(2)).round(12).tolist()
    [[1.0, 1.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]
    """
    vocab_size, length = target.vocab_size, target.length
    shape = (vocab_size + 1,) * length
    q, logs = state_probabilities(target).reshape(shape), state_log_probabilities(target).reshape(shape)
    result = np.zeros((2**length, length))
    revealed = states(vocab_size, length) >= 0
    set_of_state = revealed @ (1 << np.arange(length))
    model = None if denoiser is None else np.nan_to_num(state_log_marginals(denoiser), nan=-np.inf, neginf=-np.inf)
    for i in range(length):
        open_states = np.flatnonzero(~revealed[:, i])
        joint, log_joint = (np.moveaxis(table, i, 0)[1:].reshape(vocab_size, -1).T for table in (q, logs))
        here = np.moveaxis(logs, i, 0)[0].reshape(-1, 1)
        given = log_ratio(log_joint, here) if model is None else model[open_states, i]
        loss = expected_loss(joint, given, log_joint > -np.inf)
        result[:, i] = np.bincount(set_of_state[open_states], weights=loss, minlength=2**length)
    return result


def log_ratio(log_p: Float[np.ndarray, "..."], log_q: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """log p - log q, -inf wherever p or q is 0 (callers look only where q is not)."""
    log_p, log_q = np.broadcast_arrays(log_p, log_q)
    return np.subtract(log_p, log_q, out=np.full(log_p.shape, -np.inf), where=(log_p > -np.inf) & (log_q > -np.inf))


def expected_loss(
    weight: Float[np.ndarray, "*rows V"], log_p: Float[np.ndarray, "*rows V"], possible: Bool[np.ndarray, "*rows V"]
) -> Float[np.ndarray, "*rows"]:
    """-sum over the possible v of weight log p, inf where a possible v has log p = -inf, however small its weight."""
    finite = possible & (log_p > -np.inf)
    loss = -np.multiply(weight, log_p, out=np.zeros_like(weight), where=finite).sum(axis=-1)
    return np.where((possible & ~finite).any(axis=-1), np.inf, loss + 0.0)
