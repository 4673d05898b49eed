"""Differences that are >= 0 by theorem: rounding becomes 0, a fault stays visible."""

import numpy as np
import pytest

import toy_models as tm
from toy_models.rounding import ROUNDING, nonnegative_curve, nonnegative_measure, probability, settle


def test_only_rounding_is_settled():
    values = np.array([-0.0, -ROUNDING, -1.01 * ROUNDING, 0.0, 1e-300, 2.0])
    found = settle(values, 1.0)
    assert found.tolist() == [0.0, 0.0, -1.01 * ROUNDING, 0.0, 1e-300, 2.0]
    assert np.signbit(found).tolist() == [False, False, True, False, False, False]
    assert settle(values, 1e-3)[1] == -ROUNDING


@pytest.mark.parametrize("value", [-1e-9, float("nan"), -np.inf])
def test_a_negative_measure_is_an_error(value):
    with pytest.raises(ArithmeticError, match="KL = "):
        nonnegative_measure("KL", value, 1.0)
    with pytest.raises(ArithmeticError, match=r"g\[1\] = "):
        nonnegative_curve("g", np.array([0.0, value]), 1.0)


def test_probability():
    assert [probability("p", v) for v in (-1e-16, 0.25, 1.0 + 1e-15)] == [0.0, 0.25, 1.0]
    with pytest.raises(ArithmeticError, match="1 - p"):
        probability("p", 1.0 + 1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_independent_tokens_have_no_information(seed):
    """They came out at down to -2.5e-14."""
    rng = np.random.default_rng(seed)
    law = np.einsum("a,b,c,d->abcd", *rng.dirichlet(np.ones(4), 4))
    target, rule = tm.Table(law), tm.IndependentReveal(np.full(3, 1 / 3))
    found = [tm.total_correlation(target), tm.dual_total_correlation(target), tm.marginal_kl(target, rule)]
    found += [tm.trajectory_kl(target, rule, method=m) for m in ("curve", "enumeration")]
    found += [tm.trajectory_kl(target, tm.TopK(2)), tm.sequence_error(target, rule)]
    assert not np.signbit(found).any()
    np.testing.assert_allclose(found, 0.0, rtol=0, atol=1e-13)
    estimate = tm.quantities.estimate_trajectory_kl(target, rule, 20, rng)
    assert not np.signbit([estimate.value, estimate.low, estimate.high]).any()
