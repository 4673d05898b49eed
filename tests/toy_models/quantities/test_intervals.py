"""Intervals against their definitions, by the laws that they invert."""

import numpy as np
import pytest
from scipy.stats import binom, t

from toy_models.quantities.intervals import Estimate, bernstein_interval, clopper_pearson, student_interval


@pytest.mark.parametrize(("successes", "trials"), [(0, 7), (3, 7), (7, 7), (1, 1)])
def test_clopper_pearson_inverts_the_binomial_law(successes, trials):
    """Each end is the share at which the observed count has a tail of (1 - confidence) / 2."""
    found = clopper_pearson(successes, trials, 0.9)
    assert found.value == successes / trials
    if successes:
        assert binom.sf(successes - 1, trials, found.low) == pytest.approx(0.05, abs=1e-12)
    else:
        assert found.low == 0.0
    if successes < trials:
        assert binom.cdf(successes, trials, found.high) == pytest.approx(0.05, abs=1e-12)
    else:
        assert found.high == 1.0


def test_student_by_hand():
    values = np.array([[1.0, 0.0], [3.0, 0.0], [5.0, 3.0]])
    found = student_interval(values, 0.9)
    radius = t.ppf(0.95, 2) * np.array([2.0, np.sqrt(3.0)]) / np.sqrt(3)
    np.testing.assert_allclose(found.value, [3.0, 1.0], rtol=1e-15)
    np.testing.assert_allclose(found.high - found.value, radius, rtol=1e-14)
    np.testing.assert_allclose(found.value - found.low, radius, rtol=1e-14)
    one = student_interval(values[:, 0], 0.9, fitted=2)
    assert one.value.shape == ()
    assert float(one.high - one.value) == pytest.approx(t.ppf(0.95, 1) * np.sqrt(8.0) / np.sqrt(3), rel=1e-14)


def test_shifted():
    moved = Estimate(np.array(1.0), np.array(0.5), np.array(2.0), 0.9).shifted(-1.0)
    assert (float(moved.value), float(moved.low), float(moved.high), moved.confidence) == (0.0, -0.5, 1.0, 0.9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: clopper_pearson(3, 2, 0.9), "successes = 3, it must be at most trials = 2"),
        (lambda: clopper_pearson(0, 0, 0.9), "trials = 0, it must be an integer >= 1"),
        (lambda: clopper_pearson(0, 1, 1.0), "confidence = 1.0"),
        (lambda: student_interval(np.zeros(3), 0.0), "confidence = 0.0"),
        (lambda: bernstein_interval(np.zeros(3), 1.0, 1.0), "confidence = 1.0"),
    ],
)
def test_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
