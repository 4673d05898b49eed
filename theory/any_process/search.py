"""Any-process experiments on search: Sudoku, queens, and the learned programs."""

from dataclasses import dataclass
from fractions import Fraction
from math import prod

import numpy as np

from toy_models.any_process import queens, sudoku, sudoku_oracle
from toy_models.any_process.laws import program_law
from toy_models.any_process.programs import ProgramCycle, run, stay_all
from toy_models.any_process.transition import write
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
    by_contexts: dict[str, tuple[Fraction, Fraction, Fraction]]  # valid, redraw, restart by another recursion
    fixed: dict[str, queens.Search]  # one cell per step from the empty grid
    four_clues: tuple[queens.Search, ...]  # row-major, one puzzle per relabelling orbit (24 each)


@dataclass(frozen=True, eq=False)
class Queens:
    sizes: tuple[int, ...]
    left_to_right: tuple[queens.Search, ...]
    adaptive: tuple[queens.Search, ...]
    through_g: dict[int, tuple[Fraction, int, Fraction]]  # n: (E steps, most steps, P(success))
    guesses: dict[int, tuple[Fraction, Fraction]]  # n: (P(success), E steps when starting again), through g
    cycles: dict[int, bool]  # does the program without tried slots loop for ever


@dataclass(frozen=True, eq=False)
class Learned:
    """Successes out of trials; intervals are exact (Clopper-Pearson) at 1 - 1e-6."""

    parity: dict[int, tuple[int, int]]  # length: (right, trials), position gains
    relative: dict[int, tuple[int, int]]  # the same network without position gains
    certified: tuple[bool, ...]  # per seed: the seven rules, wherever two or more symbols follow the start
    endings: tuple[dict, ...]  # per seed: the runs from `<`, `<0`, `<1`, where the rules stop
    sudoku: tuple[int, int]  # held-out grids
    untrained: tuple[int, int]
    voided: bool  # is a network certified whose fourth index speaks


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
        {
            name: by_contexts(groups, list(map(tuple, sudoku.grids().tolist())))
            for name, groups in sudoku.SCHEDULES.items()
        },
        {name: sudoku.order_search(order) for name, order in row_orders().items() if full or name in SHORT},
        tuple(sudoku.order_search(range(16), tuple(p)) for p in sudoku.clue_orbits(4).tolist()),
    )


def by_contexts(groups, words: list[tuple[int, ...]]) -> tuple[Fraction, Fraction, Fraction]:
    """(P(valid), E[steps] of redraw, E[steps] of restart) from the definitions, context by context.

    redraw spends 1/a draws in a context whose group is accepted with probability a; a restarted attempt spends one draw
    in every context that it reaches, and 1/P(valid) attempts are made on average.
    """
    if not groups:
        return Fraction(1), Fraction(0), Fraction(0)
    group, later = groups[0], groups[1:]
    share = [{v: Fraction(sum(w[i] == v for w in words), len(words)) for v in range(4)} for i in group]
    classes: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
    for w in words:
        classes.setdefault(tuple(w[i] for i in group), []).append(w)
    drawn = {c: prod((s[v] for s, v in zip(share, c, strict=True)), start=Fraction(1)) for c in classes}
    accepted, valid, redraw, draws = sum(drawn.values(), Fraction(0)), Fraction(0), Fraction(0), Fraction(1)
    for c, agreeing in classes.items():
        end, again, restarted = by_contexts(later, agreeing)
        valid += drawn[c] * end
        redraw += drawn[c] / accepted * again
        draws += drawn[c] * restarted * end
    return valid, 1 / accepted + redraw, draws / valid


def queens_results(full: bool) -> Queens:
    sizes = tuple(range(4, 9))
    through, guesses = {}, {}
    for n in (4, 5, 6) if full else (4, 5):
        law = program_law(queens.backtracker(n), queens.backtracker_start(n))
        good = sum((p for x, p in law.final.items() if MASK not in x[:n]), Fraction(0))
        through[n] = (law.mean_steps, law.longest, good)
        guesses[n] = guessed(n)
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
        guesses,
        cycles,
    )


def guessed(n: int) -> tuple[Fraction, Fraction]:
    """(P(success), E[steps] when a dead end masks everything, one step, and starts again) of row-by-row guesses."""

    def program(x):
        free = queens.candidates(x, x.index(MASK)) if MASK in x else []
        if not free:
            return None
        sites = stay_all(x)
        sites[x.index(MASK)] = tuple((Fraction(1, len(free)), write(c)) for c in free)
        return sites

    law = program_law(program, (MASK,) * n)
    success = Fraction(sum(p for x, p in law.final.items() if MASK not in x))
    return success, (Fraction(law.mean_steps) + 1 - success) / success


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
            parity[n] = (int((learner.parity_answers(indexed[0], bits, 2 * n + 4) == truth).sum()), trials)
            if n <= 100:
                without[n] = (int((learner.parity_answers(relative, bits, 2 * n + 4) == truth).sum()), trials)
        solved, untrained = sudoku_learner(learner, full, rng)
        certified = tuple(map(learner.agrees_at_every_length, indexed))
        endings = tuple(map(learner.endings, indexed))
        with torch.no_grad():
            indexed[0].gain[3] = 0.1
        return Learned(
            parity, without, certified, endings, solved, untrained, learner.agrees_at_every_length(indexed[0])
        )
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
    for steps in (1200 if full else 300, 1):
        model = learner.train_sudoku(states, candidate, seed=0, steps=steps, width=16)
        found = learner.fill_grids(model, puzzles.puzzles[held_out])
        scores.append((int((found == truth).all(axis=1).sum()), len(held_out)))
    return scores[0], scores[1]


def interval(right: int, trials: int) -> tuple[float, float]:
    """Clopper-Pearson interval at confidence 1 - 1e-6."""
    found = clopper_pearson(right, trials, 1 - ALPHA)
    return float(found.low), float(found.high)
