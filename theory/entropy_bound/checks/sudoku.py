"""4x4 Sudoku in four fixed calls."""

import numpy as np
from flint import fmpq

import toy_models as tm
from theory.entropy_bound.checks.instances import ROUNDING
from theory.entropy_bound.results import Results
from theory.ledger.registry import Outcome, check, control, decide, tightness
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
    schedule = tm.rules.best_fixed_schedule(tm.rules.subset_entropies(tm.targets.sudoku4()), 4)
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
    kl = tm.rules.best_fixed_schedule(tm.rules.subset_entropies(tm.targets.sudoku4()), 3).kl
    return decide(abs(kl - np.log(4 / 3)) < ROUNDING, 1, kl - np.log(4 / 3))


@control("sudoku-four-calls", tier="rational")
def three_calls_fill_sudoku(results: Results) -> Outcome:
    """Three fixed calls would write the uniform law."""
    schedule = tm.rules.best_fixed_schedule(tm.rules.subset_entropies(tm.targets.sudoku4()), 3)
    return decide(uniform_on_grids(schedule.rule.blocks), 288)


@control("sudoku-four-calls", tier="rational")
def any_four_blocks_fill_sudoku(results: Results) -> Outcome:
    """Four blocks of the same sizes with two cells of one row in a block would write the uniform law."""
    return decide(uniform_on_grids(((0,), (1, 2), (4, 15), (3, *range(5, 15)))), 288, note="cells 1 and 2 share a row")
