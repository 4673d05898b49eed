"""Cross-entropies C[T, i] of position i given the revealed set T: everything about orders is linear in them.

Sets are bit masks: bit i of T says that position i is revealed. Per sequence: C[T, i](x) = -log p(x_i | x_T); in the
mean over q see subset_cross_entropies of toy_models.quantities.lattice. A denoiser that looks only at a few neighbours
has a LocalLosses, which stays small at any L.
"""

from dataclasses import dataclass
from typing import overload

import numpy as np
from jaxtyping import Float, Int

from toy_models.errors import IntractableError
from toy_models.quantities.lattice import subset_cross_entropies
from toy_models.targets.denoisers import ParentPointer, Windowed
from toy_models.targets.protocol import Denoiser, Target
from toy_models.validation import MASK, tokens

MAX_SUBSET_LENGTH = 22  # tables with one row per subset
MAX_ENTRIES = 2**27
ROWS = 2**16  # contexts per denoiser call


def require_subsets(length: int, what: str, limit: int = MAX_SUBSET_LENGTH) -> None:
    """IntractableError when 2^L sets are too many."""
    if length > limit:
        raise IntractableError(
            what, f"L = {length}, hence 2^L = {2**length} revealed sets", f"L <= {limit}", "shorten the sequence"
        )


def sequence_cross_entropies(denoiser: Denoiser, x: Int[np.ndarray, "batch L"]) -> Float[np.ndarray, "sets L batch"]:
    """C[T, i, row] = -log p(x_i | x_T) for i not in T, 0 for i in T; a context of probability 0 counts as inf.

    Cost: the denoiser on 2^L * batch contexts.

    >>> table = tm.learned_order.sequence_cross_entropies(tm.repetition(2, 2), np.array([[0, 0]]))
    >>> np.exp(-table[:, :, 0]).round(12).tolist()  # p(x_i | x_T)
    [[0.5, 0.5], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]
    """
    x = tokens(x, denoiser.vocab_size, denoiser.length, masks=False)
    batch, length = x.shape
    require_subsets(length, "cross-entropies on every revealed set", limit=16)
    if 2**length * length * max(batch, 1) > MAX_ENTRIES:
        raise IntractableError(
            "cross-entropies on every revealed set",
            f"L = {length} with {batch} sequences",
            f"2^L * L * batch <= {MAX_ENTRIES}",
            "pass fewer sequences at a time",
        )
    result = np.zeros((2**length, length, batch))
    shown = (np.arange(2**length)[:, None] >> np.arange(length) & 1).astype(bool)
    for part in np.array_split(np.arange(2**length), 2**length * batch // ROWS + 1):
        y = np.where(shown[part, None, :], x, MASK)
        marginals = denoiser.marginals(y.reshape(-1, length), on_impossible="nan").reshape(*y.shape, -1)
        chosen = np.take_along_axis(marginals, np.broadcast_to(x, y.shape)[..., None], axis=3)[..., 0]
        with np.errstate(divide="ignore"):
            losses = -np.log(np.where(np.isnan(chosen), 0.0, chosen))
        result[part] = np.where(shown[part, None, :], 0.0, losses).transpose(0, 2, 1)
    return result


@dataclass(frozen=True, eq=False)
class LocalLosses:
    """C[T, i] = values[i, pattern]; bit k of the pattern says whether neighbours[i, k] is in T (-1: no neighbour)."""

    neighbours: Int[np.ndarray, "L d"]
    values: Float[np.ndarray, "L patterns"]

    @property
    def length(self) -> int:
        return len(self.neighbours)

    def table(self) -> Float[np.ndarray, "sets L"]:
        """The full table C[T, i], 0 for i in T. O(2^L L d)."""
        require_subsets(self.length, "the full table of a local denoiser", limit=20)
        sets = np.arange(2**self.length)
        result = np.empty((len(sets), self.length))
        for i in range(self.length):
            pattern = sum(
                ((sets >> a & 1) << k for k, a in enumerate(self.neighbours[i]) if a >= 0), np.zeros_like(sets)
            )
            result[:, i] = np.where(sets >> i & 1, 0.0, self.values[i, pattern])
        return result


def neighbours_of(denoiser) -> list[list[int]] | None:
    """The positions that the marginal at i can depend on, for denoisers that are known to be local; else None."""
    if isinstance(denoiser, ParentPointer):
        return [[a] if a >= 0 else [] for a in denoiser.parents]
    if isinstance(denoiser, Windowed) and denoiser.radius < denoiser.length - 1:
        length, r = denoiser.length, denoiser.radius
        return [[j for j in range(max(0, i - r), min(length, i + r + 1)) if j != i] for i in range(length)]
    return None


@overload
def local_losses(target: Target, denoiser: ParentPointer) -> LocalLosses: ...


@overload
def local_losses(target: Target, denoiser: Denoiser) -> LocalLosses | None: ...


def local_losses(target: Target, denoiser: Denoiser) -> LocalLosses | None:
    """C[T, i] = E_q[-log p(X_i | X_T)] of a ParentPointer or Windowed denoiser; None for any other denoiser.

    Per position the joint law of its d neighbours, by the chain rule on the target's marginals, and (V+1)^d contexts.

    >>> tm.learned_order.local_losses(tm.repetition(2, 3), tm.Smoothed(tm.repetition(2, 3), 0.5)) is None
    True
    """
    neighbours = neighbours_of(denoiser)
    if neighbours is None:
        return None
    width = max(1, max(len(row) for row in neighbours))
    if denoiser.vocab_size ** (width + 1) * denoiser.length > 2**22:
        raise IntractableError(
            "local cross-entropies",
            f"V = {denoiser.vocab_size} with {width} neighbours",
            f"V^(neighbours + 1) * L <= {2**22}",
            "use a smaller window",
        )
    padded = np.full((len(neighbours), width), -1)
    values = np.zeros((len(neighbours), 2**width))
    for i, row in enumerate(neighbours):
        padded[i, : len(row)] = row
        values[i, : 2 ** len(row)] = _local_values(target, denoiser, i, row)
    return LocalLosses(padded, values)


def _local_values(target: Target, denoiser: Denoiser, i: int, row: list[int]) -> Float[np.ndarray, " patterns"]:
    vocab_size = target.vocab_size
    joint = joint_law(target, [*row, i])
    # only tokens inside the window are revealed below, where a window denoiser is its own target
    source = denoiser.target if isinstance(denoiser, Windowed) else denoiser
    values = np.empty(2 ** len(row))
    for pattern in range(2 ** len(row)):
        seen = [k for k in range(len(row)) if pattern >> k & 1]
        law = joint.sum(axis=tuple(k for k in range(len(row)) if k not in seen)).reshape(-1, vocab_size)
        y = np.full((len(law), target.length), MASK)
        if seen:
            y[:, [row[k] for k in seen]] = np.stack(
                np.unravel_index(np.arange(len(law)), (vocab_size,) * len(seen)), axis=1
            )
        p = np.nan_to_num(source.marginals(y, on_impossible="nan")[:, i])
        with np.errstate(divide="ignore", invalid="ignore"):
            values[pattern] = -np.where(law > 0, law * np.log(p), 0.0).sum()
    return values


def joint_law(target: Target, positions: list[int]) -> Float[np.ndarray, "..."]:
    """q(x_positions) with one axis per listed position, by the chain rule on the marginals. O(V^n) rows.

    >>> tm.learned_order.joint_law(tm.repetition(2, 3), [0, 2]).round(12).tolist()
    [[0.5, 0.0], [0.0, 0.5]]
    """
    vocab_size = target.vocab_size
    law = np.ones(1)
    y = np.full((1, target.length), MASK)
    for position in positions:
        step = target.marginals(y, on_impossible="uniform")[:, position]
        law = (law[:, None] * step).ravel()
        y = np.repeat(y, vocab_size, axis=0)
        y[:, position] = np.tile(np.arange(vocab_size), len(law) // vocab_size)
    return law.reshape((vocab_size,) * len(positions))


def mean_cross_entropies(target: Target, denoiser: Denoiser | None = None) -> Float[np.ndarray, "sets L"]:
    """C[T, i] in the mean over q: the local route where the denoiser is local, else the lattice of all contexts.

    >>> (tm.learned_order.mean_cross_entropies(tm.repetition(2, 2)) / np.log(2)).round(12).tolist()
    [[1.0, 1.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]
    """
    local = None if denoiser is None else local_losses(target, denoiser)
    if local is not None:
        return local.table()
    require_subsets(target.length, "cross-entropies on every revealed set", limit=20)
    return subset_cross_entropies(target, denoiser)
