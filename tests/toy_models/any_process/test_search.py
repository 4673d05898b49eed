"""Queens and 4x4 Sudoku: success and cost in fractions, by two routes where there are two."""

from fractions import Fraction as F

import numpy as np
import pytest

from toy_models.any_process import queens, sudoku, sudoku_oracle
from toy_models.any_process.laws import program_law
from toy_models.any_process.programs import ProgramCycle, run
from toy_models.validation import MASK

QUEENS = {
    4: (F(1, 2), F(1, 2), F(28, 3), F(26, 3), 7.5, 7.5),
    5: (F(23, 30), F(23, 30), F(89, 15), F(47, 10), 6.35, 5.35),
    6: (F(5, 72), F(1, 12), F(223, 5), F(557, 20), 83.6, 62.3),
    7: (F(419, 1680), F(619, 1680), F(745, 42), F(1237, 120), 25.5, 16.1),
    8: (F(149, 1152), F(107, 432), F(8717, 180), F(35627, 1440), 54.9, 27.4),
}


@pytest.mark.parametrize("n", sorted(QUEENS))
def test_queens_fractions(n):
    left, adaptive = queens.search(n), queens.adaptive_search(n)
    assert (left.success, adaptive.success, left.backtrack, adaptive.backtrack) == QUEENS[n][:4]
    assert [float(left.restart), float(adaptive.restart)] == pytest.approx(QUEENS[n][4:], abs=0.05)


@pytest.mark.parametrize(("n", "longest"), [(4, 20), (5, 9)])
def test_backtracking_through_the_transition(n, longest):
    law = program_law(queens.backtracker(n), queens.backtracker_start(n))
    assert law.mean_steps == QUEENS[n][2]
    assert law.longest == longest
    assert sum(law.final.values()) == 1
    assert all(MASK not in x[:n] and queens.consistent(x[:n]) for x in law.final)


def test_sampled_backtracking_ends_in_solutions():
    for seed in range(5):
        done = run(queens.backtracker(7), queens.backtracker_start(7), np.random.default_rng(seed))
        assert queens.consistent(done.final[:7])
        assert MASK not in done.final[:7]


def test_without_memory_it_loops():
    with pytest.raises(ProgramCycle):
        run(queens.forgetful(4), (MASK,) * 4)
    assert queens.consistent(run(queens.forgetful(5), (MASK,) * 5).final)


def test_no_solution_is_told():
    with pytest.raises(ValueError, match="n = 3 has no solution"):
        queens.search(3)


def test_grids_and_minimal_puzzles():
    puzzles = sudoku.minimal_puzzles()
    assert len(sudoku.grids()) == 288
    assert puzzles.clue_counts == {4: 25728, 5: 58368, 6: 1536}
    rng = np.random.default_rng(0)
    for row in rng.integers(len(puzzles.puzzles), size=30):  # by definition, slowly
        clues = puzzles.puzzles[row]
        known = np.flatnonzero(clues >= 0)

        def completions(cells, clues=clues):
            return int((sudoku.grids()[:, cells] == clues[cells]).all(axis=1).sum())

        assert completions(known) == 1
        assert all(completions(known[known != k]) > 1 for k in known)


def test_naked_singles_solve_all_minimal_puzzles():
    puzzles = sudoku.minimal_puzzles()
    finished, steps = sudoku.solve_singles(puzzles.puzzles)
    np.testing.assert_array_equal(finished, sudoku.grids()[puzzles.grid])
    four = (puzzles.puzzles >= 0).sum(axis=1) == 4
    assert np.bincount(steps[four]).tolist() == [0, 0, 2688, 4608, 13824, 4608]
    assert F(int(steps[four].sum()), int(four.sum())) == F(254, 67)


def test_the_edit_program_of_naked_singles_agrees():
    puzzles = sudoku.minimal_puzzles().puzzles
    for row in np.random.default_rng(1).integers(len(puzzles), size=20):
        finished, steps = sudoku.solve_singles(puzzles[row : row + 1])
        done = run(sudoku.naked_singles, puzzles[row])
        assert done.final == tuple(finished[0].tolist())
        assert done.steps == steps[0]


def test_empty_grid_needs_a_guess():
    assert sudoku.naked_singles((MASK,) * 16) is None


RESTART = {
    "all 16": F(134217728, 9),
    "halves": F(525056, 9),
    "rows": F(2297, 9),
    "boxes": F(2258, 9),
    "transversals": F(5992, 1137),
    "row halves": F(259, 9),
    "peer-free pairs": F(4905, 491),
    "single cells": 16,
}
ORACLE = {
    "all 16": (F(9, 134217728), 16.51775, F(134217728, 9), 0),
    "halves": (F(9, 524288), 10.97257, F(2336, 3), F(1, 6)),
    "rows": (F(9, 2048), 5.42739, F(65, 3), F(1, 6)),
    "boxes": (F(9, 2048), 5.42739, 34, 0),
    "transversals": (F(379, 768), 2.36712, F(202, 37), None),
    "row halves": (F(3, 32), 2.54154, F(34, 3), F(2, 15)),
    "peer-free pairs": (F(491, 784), 0.53510, F(2853, 328), F(5, 24)),
    "single cells": (1, 0.0, 16, 0),
}


@pytest.mark.parametrize("name", ORACLE)
def test_group_decoding(name):
    valid, kl, redraw, tv = ORACLE[name]
    found = sudoku_oracle.decode_groups(sudoku.SCHEDULES[name])
    assert (found.valid, found.redraw, found.blind) == (valid, redraw, found.steps / valid)
    assert found.restart == RESTART[name]
    assert found.kl == pytest.approx(kl, abs=5e-6)
    assert found.tv == tv if tv is not None else float(found.tv) == pytest.approx(0.39414, abs=5e-6)


def test_group_decoding_of_a_tiny_language():
    """Two words 00, 11: one step is right half the time; redraw keeps both words, at two draws."""
    found = sudoku_oracle.decode_groups([(0, 1)], np.array([[0, 0], [1, 1]]))
    assert (found.valid, found.redraw, found.restart, found.blind, found.tv) == (F(1, 2), 2, 2, 2, 0)


def test_restart_stops_at_the_first_rejected_group():
    """Even words by (0, 1), (2) pass the first test. Words 00., 11.: one attempt in two stops after one step."""
    even = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]])
    found = sudoku_oracle.decode_groups([(0, 1), (2,)], even)
    assert (found.redraw, found.restart, found.blind) == (2, 2, 2)
    equal = np.array([[0, 0, 0], [0, 0, 1], [1, 1, 0], [1, 1, 1]])
    found = sudoku_oracle.decode_groups([(0, 1), (2,)], equal)
    assert (found.redraw, found.restart, found.blind) == (3, 3, 4)


def test_constant_acceptance_makes_redraw_no_dearer():
    """Two groups of two equal bits each: both are accepted with probability 1/2 in every context."""
    words = np.array([[a, a, b, b] for a in (0, 1) for b in (0, 1)])
    found = sudoku_oracle.decode_groups([(0, 1), (2, 3)], words)
    assert (found.redraw, found.restart, found.blind) == (4, 6, 8)


def test_fixed_orders_from_the_empty_grid():
    row = sudoku.order_search(range(16))
    assert (row.success, row.backtrack) == (F(3, 4), 17)
    assert float(row.restart) == pytest.approx(19.83, abs=0.005)
    checkerboard = sorted(range(16), key=lambda i: ((i // 4 + i % 4) % 2, i))
    found = sudoku.order_search(checkerboard)
    assert (found.success, found.backtrack) == (F(100, 729), F(10535, 162))


def test_four_clue_puzzles_row_major():
    orbits = sudoku.clue_orbits(4)
    assert len(orbits) * 24 == 25728
    found = [sudoku.order_search(range(16), tuple(p)) for p in orbits.tolist()]
    assert sum(x.success for x in found) / len(found) == F(117995, 617472)
    assert min(x.success for x in found) == F(1, 96)
    assert max(x.backtrack for x in found) == 59
    assert float(sum(x.backtrack for x in found)) / len(found) == pytest.approx(23.593, abs=5e-4)
    assert float(sum(x.restart for x in found)) / len(found) == pytest.approx(56.47, abs=5e-3)
