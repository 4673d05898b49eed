"""Learned programs: parity and Sudoku."""

from theory.any_process.results import Results
from theory.any_process.search import interval
from theory.ledger.registry import Outcome, construction, control, decide, not_claimed_tight
from toy_models.any_process.parity import START
from toy_models.validation import MASK

MOST = 0.8  # the share of held-out puzzles that the statement promises
ENDINGS = {  # the runs from where the seven rules stop: the released test wants `<` if even, `<1` if odd
    (START,): ((START,),),
    (START, 0): ((START, 0), (START, MASK), (START,)),
    (START, 1): ((START, 1),),
}


@construction("learned-parity", tier="sampled")
def learned(results: Results) -> Outcome:
    """219 parameters, seven transitions of length <= 3: the rules wherever two or more symbols follow the start (finite
    check); from `<0` it goes on to `<`. Runs to their end leave `<` if even, `<1` if odd, on every input drawn."""
    right = sum(r for r, _ in results.learned.parity.values())
    total = sum(t for _, t in results.learned.parity.values())
    good = all(results.learned.certified) and all(e == ENDINGS for e in results.learned.endings) and right == total
    return decide(good, total, interval(right, total)[0], f"{right}/{total} up to n = {max(results.learned.parity)}")


@control("learned-parity", tier="sampled")
def rules_everywhere(results: Results) -> Outcome:
    """The network would take the actions of the rules on every reachable sequence, `<`, `<0` and `<1` included."""
    kept = all(len(run) == 1 for ends in results.learned.endings for run in ends.values())
    return decide(kept, len(results.learned.endings), None, "the rules keep `<0`, the network does not")


@control("learned-parity", tier="sampled")
def certified_anyway(results: Results) -> Outcome:
    """The finite check would also pass a network whose fourth position has a gain."""
    return decide(results.learned.voided, 1, None, "a gain beyond index 2 voids the certificate")


@control("learned-parity", tier="sampled")
def relative_positions_generalise(results: Results) -> Outcome:
    """The same network without the index: length 2 does not carry over."""
    n, (right, trials) = max(results.learned.relative.items())
    return decide(right == trials, trials, 1 - right / trials, f"n = {n}: {right}/{trials} without position gains")


not_claimed_tight("learned-parity", "one trained network")


@construction("learned-sudoku", tier="sampled")
def learned_sudoku(results: Results) -> Outcome:
    """P(solve a held-out puzzle) > 4/5, by the lower end of the exact binomial interval at 1 - 1e-6."""
    right, trials = results.learned.sudoku
    low, _ = interval(right, trials)
    return decide(low > MOST, trials, low, f"{right}/{trials} held-out puzzles; shown: more than {MOST:.0%}")


@control("learned-sudoku", tier="sampled")
def untrained_sudoku(results: Results) -> Outcome:
    """The same network after one training step would solve one held-out puzzle in ten."""
    right, trials = results.learned.untrained
    _, high = interval(right, trials)
    return decide(high >= 0.1, trials, high, f"one training step: {right}/{trials}")


not_claimed_tight("learned-sudoku", "one trained network")
