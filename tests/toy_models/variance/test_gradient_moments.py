"""Gradient moments against explicit gradient vectors of a table."""

import numpy as np
import pytest

import toy_models as tm
from toy_models.targets import instances
from toy_models.variance import decomposition as va
from toy_models.variance import mirror, p_pots
from toy_models.variance.gradient_moments import tabular_gradient_moments, vector_moments
from toy_models.variance.loss_moments import loss_moments, support


def explicit_gradients(target, denoiser):
    """G(x, M) as one long vector over (state, position, token)."""
    x = support(target)
    length, vocab_size = target.length, target.vocab_size
    states = (vocab_size + 1) ** length
    result = np.zeros((len(x), 2**length, states, length, vocab_size))
    for mask in range(2**length):
        hidden = np.array([(mask >> i) & 1 == 1 for i in range(length)])
        y = np.where(hidden, tm.MASK, x)
        index = np.ravel_multi_index(tuple((y + 1).T), (vocab_size + 1,) * length)
        gradient = np.where(hidden[:, None], denoiser.marginals(y) - np.eye(vocab_size)[x], 0.0)
        result[np.arange(len(x)), mask, index] = gradient
    return result.reshape(len(x), 2**length, -1)


@pytest.mark.parametrize("power", [1.0, 0.5])
def test_tabular_moments_equal_explicit_vectors(power):
    target = instances.k1(2)
    denoiser = tm.Tempered(target, power)
    fast = tabular_gradient_moments(target, denoiser)
    slow = vector_moments(explicit_gradients(target, denoiser), np.exp(target.log_prob(support(target))))
    t = np.array([0.1, 0.5, 0.7, 0.9])
    for method in ("second_moment", "mean_square", "square_of_mean", "spread_of_mean", "cross"):
        np.testing.assert_allclose(getattr(fast, method)(t), getattr(slow, method)(t), rtol=1e-11, atol=1e-15)


def test_scalar_vectors_reproduce_the_loss():
    from toy_models.variance.loss_moments import summed_losses

    target = instances.k2(3)
    q = np.exp(target.log_prob(support(target)))
    found = vector_moments(summed_losses(target)[:, :, None], q)
    expected = loss_moments(target, pairs=True).average
    for masks in ("single", "mirror"):
        a, b = va.decompose(found, None, 1e-2, masks), va.decompose(expected, None, 1e-2, masks)
        assert (a.pattern, a.rate, a.data, a.mean) == pytest.approx((b.pattern, b.rate, b.data, b.mean), rel=1e-11)


def test_trace_table_of_k1():
    target = instances.k1()
    gradient, loss = tabular_gradient_moments(target), loss_moments(target).average
    densities = (None, p_pots.optimal(loss), p_pots.optimal(gradient))
    totals = [va.decompose(gradient, d).total for d in densities]
    assert totals == pytest.approx([0.85146, 0.50717, 0.49046], abs=6e-6)


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_mirrored_gradient_correlation_at_one_half(length):
    target = instances.k1(length)
    moments = tabular_gradient_moments(target, tm.Smoothed(target, 0.3))
    assert mirror.correlation(moments, np.array([0.5]))[0] == pytest.approx(-1 / (2**length - 1), abs=1e-13)


def test_shared_parameter_counterexample():
    moments = vector_moments(*mirror.shared_parameter_gradients())
    assert mirror.correlation(moments, np.array([0.5]))[0] == pytest.approx(1.0, abs=1e-15)


def test_masks_must_be_a_power_of_two():
    with pytest.raises(ValueError, match="has 3 masks, it must have 2"):
        vector_moments(np.zeros((2, 3, 1)), np.array([0.5, 0.5]))
