"""The 288 filled grids of 4x4 Sudoku as a uniform law."""

from itertools import permutations

import numpy as np

from toy_models.targets.word_list import WordList


def sudoku4() -> WordList:
    """The 288 filled 4x4 grids, row by row: each row, column and 2x2 box holds 0..3 once.

    12 up to relabelling; 128 moves permute the rows of a band, the bands, the columns likewise, or transpose.

    >>> round(float(np.exp(tm.targets.sudoku4().entropy())), 9)
    288.0
    """
    rows = list(permutations(range(4)))
    grids: list[tuple[int, ...]] = [()]
    for _ in range(4):
        grids = [grid + row for grid in grids for row in rows if _fits(grid, row)]
    lines = [
        [*band[0], *band[1]]
        for first in ([0, 1], [1, 0])
        for second in ([2, 3], [3, 2])
        for band in ((first, second), (second, first))
    ]
    cells = np.arange(16).reshape(4, 4)
    moves = [cells[np.ix_(rows, columns)] for rows in lines for columns in lines]
    moves = np.array([move.ravel() for move in moves] + [move.T.ravel() for move in moves])
    return WordList(np.array(grids), 4, relabelling=True, moves=moves)


def _fits(grid: tuple[int, ...], row: tuple[int, ...]) -> bool:
    """No symbol twice in a column, nor in a box that the new row completes."""
    above = [grid[start : start + 4] for start in range(0, len(grid), 4)]
    if any(row[c] == other[c] for other in above for c in range(4)):
        return False
    return len(above) % 2 == 0 or all(not set(row[b : b + 2]) & set(above[-1][b : b + 2]) for b in (0, 2))
