"""Three-valued comparisons of sums of logarithms. A ball comparison is never negated."""

from typing import Literal

from toy_models.exact.log_sum import LogSum

Verdict = Literal["PROVED", "REFUTED", "UNDECIDED"]


def decide_at_most(left: LogSum, right: LogSum) -> Verdict:
    """left <= right, decided exactly; UNDECIDED only when the precision limit is reached on a nonzero difference.

    >>> tm.exact.decide_at_most(tm.exact.log(2), tm.exact.log(3))
    'PROVED'
    """
    try:
        return "PROVED" if (right - left).sign() >= 0 else "REFUTED"
    except ArithmeticError:
        return "UNDECIDED"


def decide_equal(left: LogSum, right: LogSum) -> Verdict:
    """left == right, decided exactly.

    >>> tm.exact.decide_equal(tm.exact.log(2), tm.exact.log(3))
    'REFUTED'
    """
    return "PROVED" if (left - right).is_zero() else "REFUTED"
