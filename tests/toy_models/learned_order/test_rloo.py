"""Gradient estimators: exact means, exact variances against draws, and the biased control."""

import numpy as np
import pytest

from toy_models.learned_order.nelbo import nelbo_gradient
from toy_models.learned_order.plackett_luce import plackett_luce
from toy_models.learned_order.rloo import estimator_moments, order_scores
from toy_models.learned_order.subset_losses import sequence_cross_entropies
from toy_models.quantities.lattice import sequences, to_table
from toy_models.targets.denoisers import ParentPointer
from toy_models.targets.instances import k1

X = sequences(3, 4)
Q = to_table(k1()).pmf.ravel()
EACH = sequence_cross_entropies(ParentPointer(k1(), (-1, 0, 1, 2)), X)
WEIGHTS = np.array([4.0, 3.0, 5.0, 3.5])


def draw_gradients(
    cross_entropies, probabilities, weights, name: str, size: int, rng: np.random.Generator
) -> np.ndarray:
    """`size` independent draws of the estimator (score, rloo, antithetic or direct), as a training step makes them."""
    w = np.array(weights)
    full, bit = 2 ** len(w) - 1, 1 << np.arange(len(w))
    row = rng.choice(len(probabilities), size=size, p=probabilities / probabilities.sum())
    s = 1.0 - rng.random(size)
    m = s[:, None] ** w
    u = rng.random((size, len(w)))

    def parts(masked):
        e = cross_entropies[full - masked @ bit, :, row] * masked * w / s[:, None]
        score = w * np.log(s)[:, None] * np.where(masked, 1.0, -m / np.where(m < 1, 1 - m, 1.0))
        return e, e.sum(axis=1), score

    e1, f1, a1 = parts(u < m)
    if name == "direct":
        return e1
    if name == "score":
        return e1 + f1[:, None] * a1
    e2, f2, a2 = parts(rng.random(u.shape) < m if name == "rloo" else 1.0 - u < m)
    scale = 1.0 if name == "rloo" else np.maximum(m, 1.0 - m)
    return 0.5 * (f1 - f2)[:, None] * (a1 - a2) * scale + 0.5 * (e1 + e2)


@pytest.mark.parametrize("name", ["score", "rloo", "antithetic", "local", "orders"])
def test_mean_is_the_gradient(name):
    exact = WEIGHTS * nelbo_gradient(EACH @ Q, WEIGHTS)
    found = estimator_moments(EACH, Q, WEIGHTS, name)
    np.testing.assert_allclose(found.mean, exact, atol=1e-13)
    assert (found.variance > 0).all()
    biased = estimator_moments(EACH, Q, WEIGHTS, "direct").mean
    assert np.abs(biased - exact).min() > 0.5


@pytest.mark.parametrize("name", ["score", "rloo", "antithetic"])
def test_variance_against_draws(name):
    size = 200_000
    draws = draw_gradients(EACH, Q, WEIGHTS, name, size, np.random.default_rng(4))
    found = estimator_moments(EACH, Q, WEIGHTS, name)
    assert (np.abs(draws.mean(axis=0) - found.mean) < 5.4 * np.sqrt(found.variance / size)).all()
    errors = np.sqrt(((draws - found.mean) ** 2).var(axis=0) / size)
    assert (np.abs(((draws - found.mean) ** 2).mean(axis=0) - found.variance) < 5.4 * errors).all()
    other = estimator_moments(EACH, Q, WEIGHTS, "local").variance
    assert (np.abs(draws.var(axis=0) - other) > 5.4 * errors).any()


def test_orders_by_hand_on_the_oracle():
    oracle = sequence_cross_entropies(k1(), X)
    assert estimator_moments(oracle, Q, WEIGHTS, "orders").total < 1e-25
    assert estimator_moments(oracle, Q, WEIGHTS, "rloo").total > 1.0


def test_order_scores_have_mean_zero():
    scores, law = order_scores(WEIGHTS), plackett_luce(WEIGHTS)
    mean = sum(law[o] * scores[o] for o in law)
    np.testing.assert_allclose(mean, 0.0, atol=1e-14)
    up, down = (plackett_luce(WEIGHTS * np.exp(s * np.eye(4)[1])) for s in (1e-5, -1e-5))
    for order, score in scores.items():
        assert np.log(up[order] / down[order]) / 2e-5 == pytest.approx(score[1], abs=1e-8)


def test_weights_at_most_one_are_infinite_or_refused():
    assert np.isinf(estimator_moments(EACH, Q, WEIGHTS / 3.0, "rloo").variance).all()
    assert np.isfinite(estimator_moments(EACH, Q, WEIGHTS / 3.0, "orders").variance).all()
    with pytest.raises(ValueError, match=r"between 1 and 1\.1"):
        estimator_moments(EACH, Q, WEIGHTS / 2.9, "rloo")
    with pytest.raises(ValueError, match="name = 'reinforce', allowed"):
        estimator_moments(EACH, Q, WEIGHTS, "reinforce")
