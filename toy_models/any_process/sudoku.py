"""4 x 4 Sudoku: all grids, all minimal puzzles, naked singles in parallel, and fixed-order search.

Cells 0..15 row by row, values 0..3.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from jaxtyping import Int

from toy_models.any_process.programs import Site, String, stay, sure
from toy_models.any_process.queens import DEAD, SOLVED, Node, Search, combine, summary
from toy_models.any_process.transition import HOLD, write
from toy_models.validation import MASK

CELLS = 16
UNITS = (
    *(tuple(range(4 * r, 4 * r + 4)) for r in range(4)),
    *(tuple(range(c, 16, 4)) for c in range(4)),
    *(tuple(8 * a + 2 * b + d for d in (0, 1, 4, 5)) for a in (0, 1) for b in (0, 1)),
)
PEERS = tuple(tuple(sorted({j for u in UNITS if i in u for j in u} - {i})) for i in range(CELLS))

SCHEDULES: dict[str, tuple[tuple[int, ...], ...]] = {
    "all 16": (tuple(range(16)),),
    "halves": (tuple(range(8)), tuple(range(8, 16))),
    "rows": UNITS[:4],
    "boxes": (UNITS[8], UNITS[11], UNITS[9], UNITS[10]),
    "transversals": ((0, 6, 9, 15), (1, 7, 8, 14), (2, 4, 11, 13), (3, 5, 10, 12)),
    "row halves": tuple((i, i + 1) for i in range(0, 16, 2)),
    "peer-free pairs": ((6, 13), (5, 14), (0, 11), (10, 12), (1, 7), (3, 8), (2, 15), (4, 9)),
    "single cells": tuple((i,) for i in range(16)),
}


@cache
def grids() -> Int[np.ndarray, "288 16"]:
    """All 288 grids, by exhaustive filling."""
    found: list[String] = []

    def fill(x: list[int]) -> None:
        i = len(x)
        if i == CELLS:
            found.append(tuple(x))
            return
        for v in candidates((*x, *(MASK,) * (CELLS - i)), i):
            fill([*x, v])

    fill([])
    return np.array(found)


def candidates(x: String, cell: int) -> list[int]:
    """Values that no peer of the cell holds: the local denoiser's support."""
    taken = {x[j] for j in PEERS[cell]}
    return [v for v in range(4) if v not in taken]


@dataclass(frozen=True, eq=False)
class MinimalPuzzles:
    """All clue sets with one completion none of whose clues can go. clues[i] = -1 where the cell is open."""

    puzzles: Int[np.ndarray, "puzzles 16"]
    grid: Int[np.ndarray, " puzzles"]  # index of the completion

    @property
    def clue_counts(self) -> dict[int, int]:
        """{number of clues: number of puzzles}."""
        sizes, counts = np.unique((self.puzzles >= 0).sum(axis=1), return_counts=True)
        return {int(s): int(c) for s, c in zip(sizes, counts, strict=True)}


@cache
def minimal_puzzles() -> MinimalPuzzles:
    """By counting, for every grid and every of the 2^16 cell sets, the grids that agree there. 85,632 in all."""
    all_grids = grids()
    weights = 1 << np.arange(CELLS)
    puzzles, owner = [], []
    for index, grid in enumerate(all_grids):
        agree = np.bincount((all_grids == grid) @ weights, minlength=2**CELLS).astype(np.int32)
        for i in range(CELLS):  # sum over supersets
            split = agree.reshape(-1, 2, 2**i)
            split[:, 0] += split[:, 1]
        unique = agree == 1
        minimal = unique.copy()
        for i in range(CELLS):  # no clue of the set can go
            has, without = minimal.reshape(-1, 2, 2**i), unique.reshape(-1, 2, 2**i)
            has[:, 1] &= ~without[:, 0]
        sets = np.flatnonzero(minimal)
        kept = (sets[:, None] & weights) > 0
        puzzles.append(np.where(kept, grid, MASK))
        owner.append(np.full(len(sets), index))
    return MinimalPuzzles(np.concatenate(puzzles), np.concatenate(owner))


def candidate_bits(x: Int[np.ndarray, "batch 16"]) -> Int[np.ndarray, "batch 16"]:
    """Bit v set where v is a candidate of the cell; 0 on written cells."""
    bits = np.where(x >= 0, 1 << np.maximum(x, 0), 0)
    taken = np.stack([np.bitwise_or.reduce(bits[:, PEERS[i]], axis=1) for i in range(CELLS)], axis=1)
    return np.where(x >= 0, 0, 15 & ~taken)


def forced_values(x: Int[np.ndarray, "batch 16"]) -> Int[np.ndarray, "batch 16"]:
    """The value of each cell that has a single candidate, -1 elsewhere."""
    value = np.full(16, -1)
    value[[1, 2, 4, 8]] = range(4)
    return value[candidate_bits(x)]


def solve_singles(x: Int[np.ndarray, "batch 16"]) -> tuple[Int[np.ndarray, "batch 16"], Int[np.ndarray, " batch"]]:
    """Parallel naked singles until nothing changes: (sequences, steps in which a cell was written)."""
    x = np.array(x)
    steps = np.zeros(len(x), dtype=np.int64)
    while True:
        forced = forced_values(x)
        changed = (forced >= 0).any(axis=1)
        if not changed.any():
            return x, steps
        x = np.where(forced >= 0, forced, x)
        steps += changed


def single_states(x: Int[np.ndarray, "batch 16"]) -> Int[np.ndarray, "states 16"]:
    """All unfinished sequences on the parallel naked-single runs from the given puzzles, each once."""
    states = []
    for _ in range(CELLS):
        x = x[(x < 0).any(axis=1)]
        states.append(x)
        forced = forced_values(x)
        x = np.where(forced >= 0, forced, x)[(forced >= 0).any(axis=1)]
    return np.unique(np.concatenate(states), axis=0)


def naked_singles(x: String) -> list[Site] | None:
    """The same as an edit program: forced cells are unmasked, other masks are held."""
    forced = {}
    for i, v in enumerate(x):
        if v == MASK and len(found := candidates(x, i)) == 1:
            forced[i] = found[0]
    if not forced:
        return None
    return [sure(write(forced[i])) if i in forced else (sure(HOLD) if v == MASK else stay(v)) for i, v in enumerate(x)]


def order_search(order: Sequence[int], puzzle: String = (MASK,) * CELLS) -> Search:
    """One cell per step in a fixed order, uniform over candidates: success, restart and backtracking costs, exact."""
    board = tuple(int(v) for v in puzzle)
    rank = {cell: k for k, cell in enumerate(order)}
    return summary(
        _order_node(board, tuple(sorted((i for i in range(CELLS) if board[i] == MASK), key=rank.__getitem__)))
    )


@lru_cache(maxsize=500_000)
def _order_node(board: String, todo: tuple[int, ...]) -> Node:
    if not todo:
        return SOLVED
    cell, rest = todo[0], todo[1:]
    found = candidates(board, cell)
    children = [_order_node((*board[:cell], v, *board[cell + 1 :]), rest) for v in found]
    return combine(children) if children else DEAD


def clue_orbits(clues: int) -> Int[np.ndarray, "orbits 16"]:
    """One minimal puzzle with that many clues per relabelling of the four values (every orbit has 24 members): the
    puzzles whose values appear in the order 0, 1, 2, 3, the value that no clue shows last."""
    puzzles = minimal_puzzles().puzzles
    puzzles = puzzles[(puzzles >= 0).sum(axis=1) == clues]
    seen = {}
    for row in puzzles.tolist():
        names: dict[int, int] = {}
        key = tuple(MASK if v == MASK else names.setdefault(v, len(names)) for v in row)
        seen.setdefault(key, row)
    return np.array(list(seen.values()))
