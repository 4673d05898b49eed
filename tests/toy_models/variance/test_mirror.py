"""Mirrored masks: three routes to the covariance, the counterexample, large exchangeable laws."""

from math import comb

import numpy as np
import pytest

import toy_models as tm
from toy_models.targets import instances
from toy_models.variance import decomposition as va
from toy_models.variance import mirror
from toy_models.variance.loss_moments import loss_moments, summed_losses

TIMES = (0.1, 0.35, 0.5, 0.6, 0.9)


def is_monotone(s: np.ndarray, tolerance: float = 0.0) -> np.ndarray:
    """Whether masking one more position never lowers S(x, M): then the covariance is <= 0 at every t (Harris)."""
    masks = np.arange(s.shape[1])
    result = np.ones(len(s), dtype=bool)
    for i in range(s.shape[1].bit_length() - 1):
        without = masks[(masks >> i) & 1 == 0]
        result &= (s[:, without | (1 << i)] - s[:, without] >= -tolerance).all(axis=1)
    return result


def probabilities(target):
    return loss_moments(target).probability


@pytest.mark.parametrize("t", TIMES)
def test_pair_law_is_that_of_the_uniforms(t):
    u = (np.arange(100_000) + 0.5) / 100_000
    first, second = u < t, u > 1 - t
    table = [[np.mean((first == a) & (second == b)) for b in (False, True)] for a in (False, True)]
    np.testing.assert_allclose(mirror.pair_law(t), table, atol=2e-5)


@pytest.mark.parametrize("t", TIMES)
def test_three_routes_to_the_covariance(t):
    target = instances.k1()
    s, q, at = summed_losses(target), probabilities(target), np.array([t])
    by_pairs, by_levels = mirror.pair_covariance(s, t), mirror.fourier_covariance(s, t)
    np.testing.assert_allclose(by_pairs, by_levels, rtol=1e-9, atol=1e-12)
    moments = loss_moments(target, pairs=True).average
    averaged = (moments.cross(at) - moments.mean_square(at))[0] * (4 * t) ** 2
    assert q @ by_pairs == pytest.approx(averaged, rel=1e-10)
    weights = mirror.level_weights(s, t)
    size = np.array([bin(m).count("1") for m in range(16)])
    law = t**size * (1 - t) ** (4 - size)
    np.testing.assert_allclose(weights[:, 0], (s @ law) ** 2, rtol=1e-11)
    np.testing.assert_allclose(weights.sum(axis=1), s**2 @ law, rtol=1e-11)


@pytest.mark.parametrize("t", TIMES)
def test_additive_losses(t):
    c = np.array([0.3, 0.7, 1.1, 0.2])
    s = np.array([[sum(c[i] for i in range(4) if m >> i & 1) for m in range(16)]])
    rho = mirror.pair_covariance(s, t) / (t * (1 - t) * (c**2).sum())
    assert rho[0] == pytest.approx(mirror.additive_correlation(np.array([t]))[0], abs=1e-13)


def test_rho_of_k1():
    moments = loss_moments(instances.k1(), pairs=True).average
    found = mirror.correlation(moments, np.array([0.1, 0.25, 0.5, 0.75, 0.9]))
    assert found == pytest.approx([-0.1032, -0.2739, -0.6473, -0.2659, -0.1018], abs=6e-5)
    s, q = summed_losses(instances.k1()), probabilities(instances.k1())
    positive = mirror.pair_covariance(s, 0.5) > 0
    assert positive.sum() == 2
    assert q[positive].sum() == pytest.approx(0.0026, abs=1e-12)


def test_anti_copy():
    moments = loss_moments(mirror.copy_law(), mirror.AntiCopy(0.05), pairs=True).average
    b, s = -np.log(0.05), 2 * np.log(2)
    at = np.array([0.5])
    covariance = (moments.cross(at) - moments.mean_square(at))[0]
    assert covariance == pytest.approx(b**2 / 4 - b * s / 4 - s**2 / 16, rel=1e-12)
    assert mirror.correlation(moments, at)[0] == pytest.approx(0.693, abs=5e-4)
    table = {(0.3, 0.8): (1.6946, 0.8473, 0.9707), (0.45, 0.95): (0.6734, 0.3367, 0.4694)}
    for (low, high), expected in table.items():
        found = [
            4 * va.decompose(moments, None, low, m, high).pattern for m in ("single", "independent-pair", "mirror")
        ]
        assert found == pytest.approx(expected, abs=6e-5)
    full = [va.decompose(moments, None, 1e-3, m).pattern for m in ("independent-pair", "mirror")]
    assert full[1] / full[0] - 1 == pytest.approx(-0.028, abs=5e-4)
    threshold = 2.0 ** -(1 + np.sqrt(2))  # .1876
    for delta, sign in ((threshold - 1e-3, 1), (threshold + 1e-3, -1)):
        other = loss_moments(mirror.copy_law(), mirror.AntiCopy(delta), pairs=True).average
        assert np.sign(mirror.correlation(other, at)[0]) == sign


def test_monotone_laws_have_no_positive_covariance():
    parity = tm.Table(np.where(np.indices((2, 2, 2, 2)).sum(axis=0) % 2 == 0, 0.125, 0.0))
    s = summed_losses(parity)
    assert is_monotone(s, 1e-12).all()
    for t in TIMES:
        assert mirror.pair_covariance(s, t).max() <= 0
    assert not is_monotone(summed_losses(instances.k1()), 1e-12).all()


@pytest.mark.parametrize("t", [0.3, 0.5, 0.7])
def test_exchangeable_route_equals_the_table(t):
    counts = mirror.noisy_repetition(6, np.array([0.9, 0.07, 0.03]))
    pmf = np.zeros((2,) * 6)
    for index in np.ndindex(pmf.shape):
        pmf[index] = counts[sum(index)] / comb(6, sum(index))
    table = tm.Table(pmf)
    s, q = summed_losses(table), probabilities(table)
    found = mirror.exchangeable_pair(counts, t)
    assert found.covariance == pytest.approx(q @ mirror.pair_covariance(s, t), rel=1e-10)
    assert found.variance == pytest.approx(q @ mirror.level_weights(s, t)[:, 1:].sum(axis=1), rel=1e-10)
    from toy_models.variance.loss_moments import token_losses

    size = np.array([bin(m).count("1") for m in range(64)])
    own = np.einsum("xmi,m->xi", token_losses(table), t**size * (1 - t) ** (6 - size))
    assert found.own == pytest.approx(float(q @ (own**2).sum(axis=1)), rel=1e-10)


def test_noisy_repetition_at_length_forty():
    found = mirror.exchangeable_pair(
        mirror.noisy_repetition(40, np.array([0.312, 0.1184, 0.0442, 0.025, 0.0004])), 0.885
    )
    assert found.correlation == pytest.approx(-0.0041, abs=5e-5)
    assert found.covariance == pytest.approx(-0.0758, abs=5e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mirror.pair_law(1.5), "t = 1.5"),
        (lambda: mirror.AntiCopy(0.0), "delta = 0.0"),
        (lambda: mirror.noisy_repetition(4, np.ones(3)), "flips has 3 entries"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("t", [0.2, 0.7])
def test_the_margin_is_minus_two_for_independent_bits_and_moves_with_no_limit(t):
    independent = np.array([0.49, 0.42, 0.09])
    assert mirror.exchangeable_pair(independent, t).free_of_limits(t) == pytest.approx(-2.0, abs=1e-11)
    two_words = mirror.noisy_repetition(8, np.array([1.0]))
    assert mirror.exchangeable_pair(two_words, t).free_of_limits(t) < -2.0
