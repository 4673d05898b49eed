"""Sudoku and queens: what remasking saves."""

from fractions import Fraction
from itertools import pairwise

from theory.any_process.results import Results
from theory.ledger.registry import Outcome, check, control, decide, not_claimed_tight, tightness
from toy_models.any_process import sudoku
from toy_models.any_process.programs import run
from toy_models.validation import MASK


@check("sudoku-no-separation", tier="rational")
def singles_solve(results: Results) -> Outcome:
    """All 85632 minimal 4x4 puzzles, counted by clues, are filled by parallel naked singles."""
    s = results.sudoku
    total = sum(s.clue_counts.values())
    good = s.solved == total == 85632 and s.grids == 288 and s.clue_counts == {4: 25728, 5: 58368, 6: 1536}
    return decide(good, total, 0, "all minimal 4x4 puzzles, parallel naked singles, no guess, no remask")


@check("sudoku-no-separation", tier="rational")
def singles_through_g(results: Results) -> Outcome:
    """One puzzle in 2000 as an edit program through g: same end, same steps, and no written cell changes."""
    puzzles = sudoku.minimal_puzzles().puzzles[::2000]
    ends, steps = sudoku.solve_singles(puzzles)
    runs = [run(sudoku.naked_singles, tuple(map(int, row))) for row in puzzles]
    same = all(r.final == tuple(e) and r.steps == s for r, e, s in zip(runs, ends.tolist(), steps, strict=True))
    kept = all(b == a for r in runs for x, y in pairwise(r.trace) for a, b in zip(x, y, strict=True) if a != MASK)
    return decide(same and kept, len(runs), None, "through g: no written cell changes")


@check("sudoku-no-separation", tier="rational")
def row_major_fails(results: Results) -> Outcome:
    """Row-major, uniform over local candidates: mean P(success) 117995/617472 with four clues, 3/4 from none."""
    s = results.sudoku
    mean = sum((x.success for x in s.four_clues), Fraction(0)) / len(s.four_clues)
    good = mean == Fraction(117995, 617472) and s.fixed["row-major"].success == Fraction(3, 4)
    return decide(good, len(s.four_clues) + 1, None, "a fixed order needs luck")


@control("sudoku-no-separation", tier="rational")
def fixed_order_suffices(results: Results) -> Outcome:
    """Row-major write-once filling would solve every four-clue puzzle: mean P(success) = 1."""
    s = results.sudoku
    mean = sum((x.success for x in s.four_clues), Fraction(0)) / len(s.four_clues)
    return decide(mean == 1, 24 * len(s.four_clues), float(1 - mean), f"row-major: mean P(success) = {mean}")


not_claimed_tight("sudoku-no-separation", "a finite statement")


@check("sudoku-group-remask", tier="rational")
def costs(results: Results) -> Outcome:
    """E[steps] of redraw = sum_k E[1/a_k], of restart = sum_k P(k - 1 groups accepted) / P(valid), each by a recursion
    over contexts as well; redraw <= restart on seven schedules; on the transversals 202/37 against 5992/1137."""
    s = results.sudoku
    same = all((d.valid, d.redraw, d.restart) == s.by_contexts[name] for name, d in s.oracle.items())
    dearer = {name: (d.redraw, d.restart) for name, d in s.oracle.items() if d.redraw > d.restart}
    stated = dearer == {"transversals": (Fraction(202, 37), Fraction(5992, 1137))}
    rows = s.oracle["rows"]
    stated = stated and (rows.redraw, rows.restart, rows.blind) == (
        Fraction(65, 3),
        Fraction(2297, 9),
        Fraction(8192, 9),
    )
    return decide(same and stated, len(s.oracle), None, "both costs by two recursions; one schedule of eight is dearer")


@tightness("sudoku-group-remask", tier="rational")
def redraw_equal(results: Results) -> Outcome:
    """With all cells in one group redraw is restart: both cost 134217728/9 steps. Single cells: 16 steps and TV 0."""
    d, single = results.sudoku.oracle["all 16"], results.sudoku.oracle["single cells"]
    good = d.redraw == d.restart == d.blind == Fraction(134217728, 9) and d.tv == single.tv == single.kl == 0
    return decide(good and single.redraw == single.restart == 16, 2, 0, "one group: redraw is restart")


@control("sudoku-group-remask", tier="rational")
def redraw_is_cheaper(results: Results) -> Outcome:
    """Redraw would cost at most what starting again at the first rejected group costs, on every schedule."""
    rows = results.sudoku.oracle
    worst = max(float(d.redraw - d.restart) for d in rows.values())
    note = "transversals: a group is rejected more often in the contexts that redraw reaches"
    return decide(all(d.redraw <= d.restart for d in rows.values()), len(rows), worst, note)


@control("sudoku-group-remask", tier="rational")
def redraw_is_uniform(results: Results) -> Outcome:
    """Group redraw would write the uniform law on the grids: TV = 0 on every schedule."""
    worst = max(d.tv for d in results.sudoku.oracle.values())
    return decide(worst == 0, len(results.sudoku.oracle), float(worst), "group redraw does not give the uniform law")


@check("queens-backtracking", tier="rational")
def through_g(results: Results) -> Outcome:
    """E[steps] of the edit program equals the recursion over the search tree, and it always ends in a solution.

    So do P(success) and the steps of starting again, from the law of the program that stops at a dead end.
    """
    q = results.queens
    direct = dict(zip(q.sizes, q.left_to_right, strict=True))
    good = all(mean == direct[n].backtrack and success == 1 for n, (mean, _, success) in q.through_g.items())
    good = good and all((direct[n].success, direct[n].restart) == found for n, found in q.guesses.items())
    return decide(good, len(q.through_g), 0, f"E[steps] through g = tree recursion, n = {sorted(q.through_g)}")


@tightness("queens-backtracking", tier="rational")
def propagation_is_not_enough(results: Results) -> Outcome:
    """Write-once with fewest candidates and propagation fails for every n = 4..8, though never more than row by row."""
    q, plain = results.queens.adaptive, results.queens.left_to_right
    good = all(p.success <= s.success < 1 for s, p in zip(q, plain, strict=True)) and q[-1].success > plain[-1].success
    return decide(good, len(q), None, "fewest candidates + propagation still fails, n = 4..8")


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
