"""Sums of logarithms: the ring operations, enclosures against mpmath, signs of near-equal numbers, disguised zeros."""

from fractions import Fraction

import mpmath
import pytest
import sympy
from flint import arb, fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

from toy_models.exact import LogSum
from toy_models.exact.log_sum import LAST_BITS, log

rationals = st.fractions(Fraction(1, 50), 50, max_denominator=60)
terms = st.lists(st.tuples(rationals, st.fractions(-3, 3, max_denominator=7)), max_size=5)


def as_fmpq(value):
    return fmpq(value.numerator, value.denominator)


def sum_of(pairs):
    return LogSum([(as_fmpq(r), as_fmpq(c)) for r, c in pairs])


def number(pairs, digits=60):
    """The same sum by mpmath."""
    with mpmath.workdps(digits):
        return mpmath.fsum(
            mpmath.mpf(c.numerator) / c.denominator * mpmath.log(mpmath.mpf(r.numerator) / r.denominator)
            for r, c in pairs
        )


@settings(max_examples=100)
@given(terms, terms, st.fractions(-4, 4, max_denominator=5))
def test_operations_against_mpmath(first, second, factor):
    a, b, c = sum_of(first), sum_of(second), as_fmpq(factor)
    with mpmath.workdps(60):
        x, y, z = number(first), number(second), mpmath.mpf(factor.numerator) / factor.denominator
        for value, wanted in ((a + b, x + y), (a - b, x - y), (-a, -x), (a.scaled(c), x * z)):
            middle = mpmath.mpf(value.enclosure(200).mid().str(50, radius=False))
            assert abs(middle - wanted) < mpmath.mpf(10) ** -45
            assert float(value) == pytest.approx(float(wanted), rel=1e-14, abs=1e-30)


@settings(max_examples=100)
@given(terms)
def test_signs_against_mpmath(pairs):
    wanted = number(pairs, 80)
    sign = 0 if abs(wanted) < mpmath.mpf(10) ** -60 else int(mpmath.sign(wanted))
    assert sum_of(pairs).sign() == sign
    assert sum_of(pairs).is_zero() == (sign == 0)


@settings(max_examples=100)
@given(terms)
def test_a_sum_minus_itself_is_zero_in_any_disguise(pairs):
    """log(r s) - log r - log s, powers, and reciprocals: no term cancels by name, the sum is zero."""
    total = LogSum()
    for r, c in pairs:
        square = as_fmpq(r) ** 2
        total = total + LogSum([(square, as_fmpq(c)), (as_fmpq(r), -2 * as_fmpq(c))])
        total = total + LogSum([(as_fmpq(r), as_fmpq(c)), (1 / as_fmpq(r), as_fmpq(c))])
    assert total.is_zero()
    assert total.sign() == 0
    assert (total + log(fmpq(10**40 + 1, 10**40))).sign() == 1
    assert (total - log(fmpq(10**40 + 1, 10**40))).sign() == -1


def test_disguised_zeros_against_sympy():
    disguised = LogSum([(fmpq(6), fmpq(1)), (fmpq(10), fmpq(1)), (fmpq(15), fmpq(1)), (fmpq(30), fmpq(-2))])
    assert disguised.is_zero()
    assert disguised.sign() == 0
    expression = sympy.log(6) + sympy.log(10) + sympy.log(15) - 2 * sympy.log(30)
    assert sympy.expand_log(sympy.factor(expression), force=True).simplify() == 0
    almost = LogSum([(fmpq(6), fmpq(1)), (fmpq(10), fmpq(1)), (fmpq(15), fmpq(1)), (fmpq(31), fmpq(-2))])
    assert not almost.is_zero()
    assert almost.sign() == -1
    third = LogSum([(fmpq(8), fmpq(1, 3)), (fmpq(2), fmpq(-1))])
    assert third.is_zero()


def test_signs_of_nearly_equal_numbers():
    """log(1 + 10^-k) - 10^-k is negative by 10^-2k / 2: beyond any float, decided."""
    for k in (20, 200, 1000):
        tiny = fmpq(1, 10**k)
        value = LogSum([(1 + tiny, fmpq(1))], constant=-tiny)
        assert value.sign() == -1
        assert (-value).sign() == 1
        assert (value + LogSum(constant=tiny**2)).sign() == 1
        assert not value.is_zero()


def test_beyond_the_last_precision_the_sign_is_refused():
    tiny = fmpq(1, 2 ** (2 * LAST_BITS))
    value = LogSum([(1 + tiny, fmpq(1))])
    assert not value.is_zero()
    with pytest.raises(ArithmeticError, match=f"undecided at {LAST_BITS} bits"):
        value.sign()


def test_constants():
    assert LogSum(constant=3).sign() == 1
    assert LogSum(constant=fmpq(-1, 7)).sign() == -1
    assert LogSum().sign() == 0
    assert not LogSum([(fmpq(2), fmpq(1))], constant=fmpq(-693147, 1000000)).is_zero()
    assert (LogSum(constant=2) - LogSum(constant=2)).is_zero()
    assert LogSum(constant=2).scaled(3).constant == 6


def test_terms_are_collected():
    value = LogSum(
        [(fmpq(2), fmpq(1)), (fmpq(2), fmpq(-1)), (fmpq(1), fmpq(5)), (fmpq(3), fmpq(0)), (fmpq(5), fmpq(2))]
    )
    assert value.terms == {fmpq(5): fmpq(2)}
    assert log(Fraction(3, 4)).terms == {fmpq(3, 4): fmpq(1)}
    assert log(7).terms == {fmpq(7): fmpq(1)}
    assert LogSum({fmpq(2): fmpq(3)}).terms == {fmpq(2): fmpq(3)}


def test_enclosures_shrink_and_contain():
    value = LogSum([(fmpq(2), fmpq(1)), (fmpq(3), fmpq(-1, 2))])
    wide, narrow = value.enclosure(64), value.enclosure(512)
    assert wide.contains(narrow)
    assert narrow.rad() < arb(2) ** -480
    assert float(value) == pytest.approx(float(sympy.log(2) - sympy.log(3) / 2), rel=1e-15)


@pytest.mark.parametrize("bad", [0, -1, fmpq(-2, 3)])
def test_only_positive_arguments(bad):
    with pytest.raises(ValueError, match="must be positive"):
        LogSum([(fmpq(bad), fmpq(1))])
