"""Any-process experiments on search: Sudoku, queens, and the learned programs."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from toy_models.any_process import queens, sudoku, sudoku_oracle
from toy_models.any_process.laws import program_law
from toy_models.any_process.programs import ProgramCycle, run
from toy_models.quantities.intervals import clopper_pearson
from toy_models.validation import MASK

ALPHA = 1e-6  # per interval
SHORT = ("row-major", "boxes")  # orders of the smoke profile


@dataclass(frozen=True, eq=False)
class Sudoku:
    grids: int
    clue_counts: dict[int, int]
    solved: int  # minimal puzzles that parallel naked singles finish
    steps4: np.ndarray  # 4-clue puzzles by number of steps
    oracle: dict[str, sudoku_oracle.GroupDecoding]
    fixed: dict[str, queens.Search]  # one cell per step from the empty grid
    four_clues: tuple[queens.Search, ...]  # row-major, one puzzle per relabelling orbit (24 each)


@dataclass(frozen=True, eq=False)
class Queens:
    sizes: tuple[int, ...]
    left_to_right: tuple[queens.Search, ...]
    adaptive: tuple[queens.Search, ...]
    through_g: dict[int, tuple[Fraction, int, Fraction]]  # n: (E steps, most steps, P(success))
    cycles: dict[int, bool]  # does the program without tried slots loop for ever


@dataclass(frozen=True, eq=False)
class Learned:
    """Successes out of trials; intervals are exact (Clopper-Pearson) at 1 - 1e-6."""

    parity: dict[int, tuple[int, int]]  # length: (right, trials), position gains
    relative: dict[int, tuple[int, int]]  # the same network without position gains
    certified: tuple[bool, ...]  # per seed: equal to the seven rules at every length
    sudoku: tuple[int, int]  # held-out grids
    untrained: tuple[int, int]


def row_orders() -> dict[str, list[int]]:
    """Fixed cell orders."""
    units, cells = sudoku.UNITS, range(16)
    return {
        "row-major": list(cells),
        "boxes": [i for u in units[8:] for i in u],
        "diagonal boxes first": [i for k in (8, 11, 9, 10) for i in units[k]],
        "checkerboard": sorted(cells, key=lambda i: ((i // 4 + i % 4) % 2, i)),
        "transversals": [i for g in sudoku.SCHEDULES["transversals"] for i in g],
    }


def sudoku_results(full: bool) -> Sudoku:
    puzzles = sudoku.minimal_puzzles()
    finished, steps = sudoku.solve_singles(puzzles.puzzles)
    four = (puzzles.puzzles >= 0).sum(axis=1) == 4
    return Sudoku(
        len(sudoku.grids()),
        puzzles.clue_counts,
        int((finished == sudoku.grids()[puzzles.grid]).all(axis=1).sum()),
        np.bincount(steps[four]),
        {name: sudoku_oracle.decode_groups(groups) for name, groups in sudoku.SCHEDULES.items()},
        {name: sudoku.order_search(order) for name, order in row_orders().items() if full or name in SHORT},
        tuple(sudoku.order_search(range(16), tuple(p)) for p in sudoku.clue_orbits(4).tolist()),
    )


def queens_results(full: bool) -> Queens:
    sizes = tuple(range(4, 9))
    through = {}
    for n in (4, 5, 6) if full else (4, 5):
        law = program_law(queens.backtracker(n), queens.backtracker_start(n))
        good = sum((p for x, p in law.final.items() if MASK not in x[:n]), Fraction(0))
        through[n] = (law.mean_steps, law.longest, good)
    cycles = {}
    for n in sizes:
        try:
            run(queens.forgetful(n), (MASK,) * n)
            cycles[n] = False
        except ProgramCycle:
            cycles[n] = True
    return Queens(
        sizes,
        tuple(queens.search(n) for n in sizes),
        tuple(queens.adaptive_search(n) for n in sizes),
        through,
        cycles,
    )


def learned_results(full: bool, rng: np.random.Generator, progress) -> Learned:
    import torch

    from toy_models.networks import edit_learner as learner

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        seeds = range(4) if full else range(1)
        indexed = [learner.train_parity(s, indexed=True) for s in progress(seeds, "parity networks")]
        relative = learner.train_parity(0, indexed=False)
        lengths = (2, 3, 4, 8, 16, 32, 64, 100, 300, 1000) if full else (2, 3, 4, 8, 32)
        parity, without = {}, {}
        for n in progress(lengths, "parity lengths"):
            trials = 24 if n >= 300 else 64
            bits = rng.integers(2, size=(trials, n))
            truth = bits.sum(axis=1) % 2
            parity[n] = (int((learner.parity_answers(indexed[0], bits, 2 * n + 2) == truth).sum()), trials)
            if n <= 100:
                without[n] = (int((learner.parity_answers(relative, bits, 2 * n + 2) == truth).sum()), trials)
        solved, untrained = sudoku_learner(learner, full, rng)
        return Learned(parity, without, tuple(map(learner.agrees_at_every_length, indexed)), solved, untrained)
    finally:
        torch.set_num_threads(threads)


def sudoku_learner(learner, full: bool, rng: np.random.Generator) -> tuple[tuple[int, int], tuple[int, int]]:
    """Train on the naked-single steps of puzzles from 200 grids, test on puzzles of the other 88."""
    puzzles = sudoku.minimal_puzzles()
    trained_on = np.isin(puzzles.grid, rng.permutation(288)[:200])
    seen = rng.permutation(np.flatnonzero(trained_on))[: 6000 if full else 1500]
    states = sudoku.single_states(puzzles.puzzles[seen])
    forced = sudoku.forced_values(states)
    candidate = np.where(forced >= 0, forced, learner.IGNORE)
    held_out = rng.permutation(np.flatnonzero(~trained_on))[: 2000 if full else 300]
    truth = sudoku.grids()[puzzles.grid[held_out]]
    scores = []
    for steps in (1200 if full else 150, 1):
        model = learner.train_sudoku(states, candidate, seed=0, steps=steps, width=16)
        found = learner.fill_grids(model, puzzles.puzzles[held_out])
        scores.append((int((found == truth).all(axis=1).sum()), len(held_out)))
    return scores[0], scores[1]


def interval(right: int, trials: int) -> tuple[float, float]:
    """Clopper-Pearson interval at confidence 1 - 1e-6."""
    found = clopper_pearson(right, trials, 1 - ALPHA)
    return float(found.low), float(found.high)
