"""Sudoku and queens: what remasking saves."""

from fractions import Fraction

from theory.any_process.results import Results
from theory.ledger.registry import Outcome, check, control, decide, not_claimed_tight, tightness


@check("sudoku-no-separation", tier="rational")
def singles_solve(results: Results) -> Outcome:
    """All 85632 minimal 4x4 puzzles, counted by clues, are filled by parallel naked singles."""
    s = results.sudoku
    total = sum(s.clue_counts.values())
    good = s.solved == total == 85632 and s.grids == 288 and s.clue_counts == {4: 25728, 5: 58368, 6: 1536}
    return decide(good, total, 0, "all minimal 4x4 puzzles, parallel naked singles, no guess, no remask")


@control("sudoku-no-separation", tier="rational")
def fixed_order_suffices(results: Results) -> Outcome:
    """Row-major write-once filling would solve every four-clue puzzle: mean P(success) = 1."""
    s = results.sudoku
    mean = sum((x.success for x in s.four_clues), Fraction(0)) / len(s.four_clues)
    return decide(mean == 1, 24 * len(s.four_clues), float(1 - mean), f"row-major: mean P(success) = {mean}")


not_claimed_tight("sudoku-no-separation", "a finite statement")


@check("sudoku-group-remask", tier="rational")
def redraw_is_cheaper(results: Results) -> Outcome:
    """E[steps] of group redraw <= K / P(valid) of starting again, on every schedule shown."""
    rows = results.sudoku.oracle.values()
    return decide(all(d.redraw <= d.restart for d in rows), len(rows), None, "redraw <= restart, decode steps")


@tightness("sudoku-group-remask", tier="rational")
def redraw_equal(results: Results) -> Outcome:
    """With all cells in one group redraw is restart: both cost 134217728/9 steps."""
    d = results.sudoku.oracle["all 16"]
    return decide(d.redraw == d.restart == Fraction(134217728, 9), 1, 0, "one group: redraw is restart")


@control("sudoku-group-remask", tier="rational")
def redraw_is_uniform(results: Results) -> Outcome:
    """Group redraw would write the uniform law on the grids: TV = 0 on every schedule."""
    worst = max(d.tv for d in results.sudoku.oracle.values())
    return decide(worst == 0, len(results.sudoku.oracle), float(worst), "group redraw does not give the uniform law")


@check("queens-backtracking", tier="rational")
def through_g(results: Results) -> Outcome:
    """E[steps] of the edit program equals the recursion over the search tree, and it always ends in a solution."""
    q = results.queens
    direct = dict(zip(q.sizes, q.left_to_right, strict=True))
    good = all(mean == direct[n].backtrack and success == 1 for n, (mean, _, success) in q.through_g.items())
    return decide(good, len(q.through_g), 0, f"E[steps] through g = tree recursion, n = {sorted(q.through_g)}")


@tightness("queens-backtracking", tier="rational")
def propagation_is_not_enough(results: Results) -> Outcome:
    """Write-once with fewest candidates and propagation fails with positive probability for every n = 4..8."""
    q = results.queens.adaptive
    return decide(all(s.success < 1 for s in q), len(q), None, "fewest candidates + propagation still fails, n = 4..8")


@control("queens-backtracking", tier="rational")
def without_memory(results: Results) -> Outcome:
    """Without the tried slots the walk would have no cycle."""
    loops = [n for n, looping in results.queens.cycles.items() if looping]
    return decide(not loops, len(results.queens.cycles), len(loops), f"without tried slots it cycles for n = {loops}")


@control("queens-backtracking", tier="rational")
def always_cheaper(results: Results) -> Outcome:
    """Backtracking would take at most the expected steps of restarting, at n = 4."""
    four = results.queens.left_to_right[0]
    return decide(
        four.backtrack <= four.restart, 1, float(four.backtrack - four.restart), "n = 4: restarting is cheaper"
    )
