"""4x4 Sudoku in four fixed calls."""

import numpy as np
from flint import fmpq

import toy_models as tm
from theory.entropy_bound.checks.instances import ROUNDING
from theory.entropy_bound.results import Results
from theory.ledger.registry import Outcome, check, control, decide, definition, tightness
from toy_models.rules.policy_front import optimal_front


def uniform_on_grids(blocks) -> bool:
    """Does revealing `blocks` in turn, tokens independent within a block, write the uniform law? Counted exactly."""
    words = tm.targets.sudoku4().words
    x, known = words[0], np.ones(len(words), dtype=bool)
    for x in words:
        known[:] = True
        p = fmpq(1)
        for block in blocks:
            total = int(known.sum())
            for i in block:
                p *= fmpq(int((known & (words[:, i] == x[i])).sum()), total)
            known &= (words[:, block] == x[list(block)]).all(axis=1)
        if p != fmpq(1, len(words)):
            return False
    return True


@check("sudoku-four-calls", tier="rational")
def four_fixed_calls_fill_sudoku(results: Results) -> Outcome:
    """The best fixed schedule of four calls writes the uniform law on the 288 grids, in rationals."""
    schedule = tm.rules.fixed_schedule_front(tm.targets.sudoku4(), steps=4)[-1]
    return decide(
        uniform_on_grids(schedule.rule.blocks), 288, note=f"first blocks {schedule.rule.blocks[:3]}, then the rest"
    )


@check("sudoku-four-calls", tier="float64")
def fewer_calls_cost_something(results: Results) -> Outcome:
    """The front is positive at 1, 2, 3 and 3.9 expected calls, equals log 4/3 at 3, and ends at 4."""
    front = optimal_front(tm.targets.sudoku4(), solves=12)
    below = [float(front.lower_bound(c)) for c in (1.0, 2.0, 3.0, 3.9)]
    holds = min(below) > 1e-3 and abs(front.calls[-1] - 4) < ROUNDING and abs(below[2] - np.log(4 / 3)) < ROUNDING
    return decide(
        holds, 4, below[2] - np.log(4 / 3), "no adaptive rule with fewer expected calls has KL 0; three cost log 4/3"
    )


@tightness("sudoku-four-calls", tier="float64")
def three_fixed_calls_reach_the_bound(results: Results) -> Outcome:
    """The best fixed schedule of three calls has KL = log 4/3."""
    kl = tm.rules.fixed_schedule_front(tm.targets.sudoku4(), steps=3)[-1].loss - np.log(288)
    return decide(abs(kl - np.log(4 / 3)) < ROUNDING, 1, kl - np.log(4 / 3))


@control("sudoku-four-calls", tier="rational")
def three_calls_fill_sudoku(results: Results) -> Outcome:
    """Three fixed calls would write the uniform law."""
    schedule = tm.rules.fixed_schedule_front(tm.targets.sudoku4(), steps=3)[-1]
    return decide(uniform_on_grids(schedule.rule.blocks), 288)


@control("sudoku-four-calls", tier="rational")
def any_four_blocks_fill_sudoku(results: Results) -> Outcome:
    """Four blocks of the same sizes with two cells of one row in a block would write the uniform law."""
    return decide(uniform_on_grids(((0,), (1, 2), (4, 15), (3, *range(5, 15)))), 288, note="cells 1 and 2 share a row")


def independent(words: np.ndarray, cells) -> bool:
    """Are the cells independent under the uniform law on `words`? Counted: n^(k-1) #(joint) = product of #(single)."""
    values, joint = np.unique(words[:, cells], axis=0, return_counts=True)
    alone = [np.bincount(words[:, c], minlength=4) for c in cells]
    if len(values) != np.prod([np.count_nonzero(a) for a in alone]):
        return False
    scale = len(words) ** (len(cells) - 1)
    return all(
        int(n) * scale == np.prod([int(a[v]) for a, v in zip(alone, row, strict=True)], dtype=object)
        for row, n in zip(values, joint, strict=True)
    )


def independent_sets(words: np.ndarray, cells, start=()) -> list[tuple[int, ...]]:
    """All nonempty independent subsets of `cells`: subsets of independent sets are independent, so one grows them."""
    found = []
    for k, cell in enumerate(cells):
        grown = (*start, cell)
        if independent(words, grown):
            found += [grown, *independent_sets(words, cells[k + 1 :], grown)]
    return found


def continuations(words: np.ndarray, cells) -> list[np.ndarray]:
    """The words that agree with each value of the cells, one value per pattern of equal symbols (relabelling)."""
    patterns: dict = {}
    for value in np.unique(words[:, cells], axis=0):
        names: dict = {}
        patterns.setdefault(tuple(names.setdefault(int(v), len(names)) for v in value), value)
    return [words[(words[:, cells] == value).all(axis=1)] for value in patterns.values()]


def one_per_orbit(target, sets) -> list[tuple[int, ...]]:
    """One set of each orbit under the moves of the cells that permute the grids."""
    grids = {tuple(w) for w in target.words.tolist()}
    moves = [m for m in target.moves if {tuple(w) for w in target.words[:, m].tolist()} == grids]
    return [s for s in sets if s == min(tuple(sorted(m[list(s)].tolist())) for m in moves)]


@check("sudoku-four-calls", tier="rational")
def no_run_of_three_calls_is_exact(results: Results) -> Outcome:
    """Every run of two error-free calls, any cells: the cells left are never independent. By counting grids."""
    target, cells = tm.targets.sudoku4(), list(range(16))
    grids, endings, exact = target.words, 0, 0
    firsts = independent_sets(grids, cells)
    tried = firsts if results.profile == "full" else one_per_orbit(target, firsts)
    for first in tried:
        for words in continuations(grids, first):
            rest = [c for c in cells if c not in first]
            exact += independent(words, rest)
            # determined cells are independent of everything: revealing them as well can only help the last call
            fixed = [c for c in rest if np.ptp(words[:, c]) == 0]
            free = [c for c in rest if c not in fixed]
            for second in independent_sets(words, free):
                for value in np.unique(words[:, second], axis=0):
                    last = words[(words[:, second] == value).all(axis=1)]
                    endings += 1
                    exact += independent(last, [c for c in free if c not in second])
    note = f"{len(firsts)} exact first calls, {endings} endings after {len(tried)} of them, {exact} exact"
    counted = [sum(len(s) == size for s in firsts) for size in (1, 2)] == [16, 32] and len(firsts) == 48
    counted &= results.profile != "full" or endings == 12_272
    return decide(exact == 0 and counted, endings, None, note)


@definition("sudoku-four-calls", tier="rational")
def traces_are_such_runs(results: Results) -> Outcome:
    """The drawn runs of the best policy and of the best fixed schedule fill a grid in four calls."""
    steps = [trace.step for trace in results.traces]
    four = [int(s.max()) + 1 == 4 for s in steps[2:]]
    gapless = [sorted(set(s.tolist())) == list(range(int(s.max()) + 1)) for s in steps]
    grid = all(sorted(results.traces[0].x[4 * r : 4 * r + 4].tolist()) == [0, 1, 2, 3] for r in range(4))
    return decide(all(four) and all(gapless) and grid and len(steps) == 4, 4)
