"""Learned programs: parity and Sudoku."""

from theory.any_process.results import Results
from theory.any_process.search import interval
from theory.ledger.registry import Outcome, construction, control, decide, not_claimed_tight

CHANCE = 0.01  # filling at least ten open cells at random solves fewer than one puzzle in 4^10


@construction("learned-parity", tier="sampled")
def learned(results: Results) -> Outcome:
    """219 parameters, seven transitions of length <= 3, equal to the rules at every length by a finite check."""
    right = sum(r for r, _ in results.learned.parity.values())
    total = sum(t for _, t in results.learned.parity.values())
    good = all(results.learned.certified) and right == total
    return decide(good, total, interval(right, total)[0], f"{right}/{total} up to n = {max(results.learned.parity)}")


@control("learned-parity", tier="sampled")
def relative_positions_generalise(results: Results) -> Outcome:
    """The same network without the index: length 2 does not carry over."""
    n, (right, trials) = max(results.learned.relative.items())
    return decide(right == trials, trials, 1 - right / trials, f"n = {n}: {right}/{trials} without position gains")


not_claimed_tight("learned-parity", "one trained network")


@construction("learned-sudoku", tier="sampled")
def learned_sudoku(results: Results) -> Outcome:
    """P(solve a held-out puzzle) > CHANCE, by the lower end of the exact binomial interval."""
    right, trials = results.learned.sudoku
    low, _ = interval(right, trials)
    return decide(low > CHANCE, trials, low, f"{right}/{trials} held-out puzzles; shown: better than {CHANCE}")


@control("learned-sudoku", tier="sampled")
def untrained_sudoku(results: Results) -> Outcome:
    """The same network after one training step would solve held-out puzzles above CHANCE."""
    right, trials = results.learned.untrained
    low, _ = interval(right, trials)
    return decide(low > CHANCE, trials, low, f"one training step: {right}/{trials}")


not_claimed_tight("learned-sudoku", "one trained network")
