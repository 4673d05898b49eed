"""Three-valued comparisons: decided both ways, equal at equality, undecided only beyond the last precision."""

from flint import fmpq

from toy_models.exact import LogSum, decide_at_most, decide_equal
from toy_models.exact.log_sum import LAST_BITS, log

TINY = fmpq(1, 10**300)
HIDDEN = fmpq(1, 2 ** (2 * LAST_BITS))


def test_at_most():
    assert decide_at_most(log(2), log(3)) == "PROVED"
    assert decide_at_most(log(3), log(2)) == "REFUTED"
    assert decide_at_most(log(2) + log(3), log(6)) == "PROVED"
    assert decide_at_most(log(2) + log(3), log(6) + log(1 + TINY)) == "PROVED"
    assert decide_at_most(log(2) + log(3) + log(1 + TINY), log(6)) == "REFUTED"


def test_equal():
    assert decide_equal(log(2) + log(3), log(6)) == "PROVED"
    assert decide_equal(log(2) + log(3), log(6) + log(1 + TINY)) == "REFUTED"
    assert decide_equal(log(2), LogSum(constant=fmpq(693147, 1000000))) == "REFUTED"


def test_undecided_is_neither():
    """A difference of 2^-16384 is beyond the last precision; the exact zero test still tells it from equality."""
    nearly = log(2) + log(1 + HIDDEN)
    assert decide_at_most(nearly, log(2)) == "UNDECIDED"
    assert decide_at_most(log(2), nearly) == "UNDECIDED"
    assert decide_equal(nearly, log(2)) == "REFUTED"
