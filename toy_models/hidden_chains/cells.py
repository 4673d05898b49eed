"""Shorter lists of atoms: added atoms give an upper bound of the entropy, split atoms a lower bound.

Adding atoms (a garbling of what is known) raises H. Replacing an atom by non-negative multiples of other vectors that
sum to it (a disclosure) lowers H. Both are preserved by the linear steps that follow, so they may be applied at every
step and on both sides, and the bound stays on its side (Blackwell order). A cell of diameter eps costs O(eps^2) per
step, and earlier errors are forgotten geometrically. Cells are even in theta for a probability sin^2 theta: finer near
0 and 1, where entropy curves most.

A reduction is a frozen object with `shorten(atoms, upper)`:
Exact      adds proportional atoms only (no loss),
Extremal   two hidden states; the atoms of a cell move to its smallest and its largest posterior,
Grid       any number of states; the atoms move to the corners of a fixed Kuhn triangulation,
Hybrid     the heaviest atoms stay as they are, the others go to the grid.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from toy_models.hidden_chains.atoms import merge_proportional


@dataclass(frozen=True)
class Exact:
    """Proportional atoms are added: H is unchanged.

    >>> tm.hidden_chains.Exact().shorten(np.array([[0.1, 0.2], [0.2, 0.4]]), upper=True).round(12).tolist()
    [[0.3, 0.6]]
    """

    cells: int = 0

    def shorten(self, atoms: Float[np.ndarray, "K S"], upper: bool) -> Float[np.ndarray, "K2 S"]:
        return merge_proportional(atoms)


@dataclass(frozen=True)
class Extremal:
    """Two hidden states: at most `cells` atoms above, 2 * `cells` below.

    >>> tm.hidden_chains.Extremal(1).shorten(np.array([[0.25, 0.25], [0.1, 0.4]]), upper=True).round(12).tolist()
    [[0.35, 0.65]]
    """

    cells: int

    def shorten(self, atoms: Float[np.ndarray, "K 2"], upper: bool) -> Float[np.ndarray, "K2 2"]:
        atoms = atoms[atoms.sum(axis=1) > 0]
        angle = np.arctan2(np.sqrt(atoms[:, 0]), np.sqrt(atoms[:, 1])) * (2.0 / np.pi)
        order = np.argsort(angle)
        atoms, angle = atoms[order], angle[order]
        weight = atoms.sum(axis=1)
        cell = np.minimum((angle * self.cells).astype(np.int64), self.cells - 1)
        starts = np.concatenate([[0], np.flatnonzero(np.diff(cell)) + 1])
        sums = np.add.reduceat(atoms, starts, axis=0)
        if upper:
            return sums
        ends = np.concatenate([starts[1:], [len(atoms)]]) - 1
        return _split_between(sums, atoms[starts] / weight[starts, None], atoms[ends] / weight[ends, None])


def _split_between(
    sums: Float[np.ndarray, "K 2"], low: Float[np.ndarray, "K 2"], high: Float[np.ndarray, "K 2"]
) -> Float[np.ndarray, "K2 2"]:
    """sums = x low + y high with x, y >= 0; `low` and `high` are the posteriors at the ends of each cell."""
    weight = sums.sum(axis=1)
    rows = np.arange(len(sums))
    axis = (high[:, 0] > 0.5).astype(np.int64)  # the smaller of the two probabilities is the accurate coordinate
    gap = high[rows, axis] - low[rows, axis]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.clip((sums[rows, axis] / weight - low[rows, axis]) / gap, 0.0, 1.0)
    thin = np.abs(gap) < 1e-13
    share = np.where(thin, 0.0, share)
    lower = np.where(thin[:, None], sums, ((1.0 - share) * weight)[:, None] * low)
    upper = (share * weight)[:, None] * high
    both = np.concatenate([lower, upper])
    return both[both.sum(axis=1) > 0]


@dataclass(frozen=True)
class Grid:
    """S hidden states: cumulative posteriors on `cells` intervals per axis, at most binom(cells+S-1, S-1) corners."""

    cells: int

    def shorten(self, atoms: Float[np.ndarray, "K S"], upper: bool) -> Float[np.ndarray, "K2 S"]:
        atoms = merge_proportional(atoms)
        states = atoms.shape[1]
        if len(atoms) == 0 or states == 1:
            return atoms
        knots = np.sin(0.5 * np.pi * np.arange(self.cells + 1) / self.cells) ** 2
        knots[-1] = 1.0
        weight = atoms.sum(axis=1)
        cumulative = np.minimum(np.cumsum(atoms / weight[:, None], axis=1)[:, :-1], 1.0)
        box = (np.arcsin(np.sqrt(cumulative)) * (2.0 / np.pi) * self.cells).astype(np.int64)
        box = np.clip(box, 0, self.cells - 1)
        if upper:
            _, group = _distinct_rows(box, self.cells)
            return _sum_groups(atoms, group)
        share = np.clip((cumulative - knots[box]) / (knots[box + 1] - knots[box]), 0.0, 1.0)
        corner, part = kuhn_corners(box, share)
        distinct, group = _distinct_rows(corner.reshape(-1, states - 1), self.cells)
        total = np.bincount(group, weights=(part * weight[:, None]).ravel())
        ends = np.concatenate([np.zeros((len(distinct), 1)), knots[distinct], np.ones((len(distinct), 1))], axis=1)
        return (total[:, None] * np.diff(ends, axis=1))[total > 0]


@dataclass(frozen=True)
class Hybrid:
    """The `keep` heaviest atoms stay exact; the rest are added or split on a grid of `cells`."""

    keep: int
    cells: int

    def shorten(self, atoms: Float[np.ndarray, "K S"], upper: bool) -> Float[np.ndarray, "K2 S"]:
        atoms = merge_proportional(atoms)
        if len(atoms) <= self.keep:
            return atoms
        order = np.argpartition(-atoms.sum(axis=1), self.keep)
        light = Grid(self.cells).shorten(atoms[order[self.keep :]], upper)
        return np.concatenate([atoms[order[: self.keep]], light])


def kuhn_corners(
    box: Int[np.ndarray, "K D"], share: Float[np.ndarray, "K D"]
) -> tuple[Int[np.ndarray, "K D+1 D"], Float[np.ndarray, "K D+1"]]:
    """The D + 1 corners of the simplex of Kuhn's triangulation that holds box + share, and the barycentric weights.

    Corners go up along the axes in decreasing order of share, the later axis first in a tie, so that a non-decreasing
    point has non-decreasing corners.
    """
    count, axes = box.shape
    order = axes - 1 - np.argsort(-share[:, ::-1], axis=1, kind="stable")
    ordered = np.take_along_axis(share, order, axis=1)
    padded = np.concatenate([np.ones((count, 1)), ordered, np.zeros((count, 1))], axis=1)
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.broadcast_to(np.arange(axes), order.shape), axis=1)
    corners = box[:, None, :] + (rank[:, None, :] < np.arange(axes + 1)[None, :, None])
    return corners, padded[:, :-1] - padded[:, 1:]


def _distinct_rows(rows: Int[np.ndarray, "n D"], cells: int) -> tuple[Int[np.ndarray, "m D"], Int[np.ndarray, " n"]]:
    """The distinct rows and the number of the distinct row that each row equals."""
    axes = rows.shape[1]
    if (cells + 1) ** axes < 2**62:
        key = rows @ (cells + 1) ** np.arange(axes)
        _, first, group = np.unique(key, return_index=True, return_inverse=True)
        return rows[first], group.ravel()
    distinct, group = np.unique(rows, axis=0, return_inverse=True)
    return distinct, group.ravel()


def _sum_groups(atoms: Float[np.ndarray, "K S"], group: Int[np.ndarray, " K"]) -> Float[np.ndarray, "K2 S"]:
    return np.stack([np.bincount(group, weights=column) for column in atoms.T], axis=1)
