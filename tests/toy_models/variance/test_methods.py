"""ISAD, SyRM, StraTS, EMA, the released sampler and the schedules s^c: exact values and simulations."""

from itertools import pairwise

import numpy as np
import pytest

import toy_models as tm
from toy_models.targets import instances
from toy_models.variance import decomposition as va
from toy_models.variance import densities, ema, isad, p_pots, released_sampler, strats, syrm
from toy_models.variance.loss_moments import loss_moments, token_losses

K1 = instances.k1()
LOSSES, Q = token_losses(K1), loss_moments(K1).probability
MOMENTS = loss_moments(K1).average


@pytest.mark.parametrize(("position", "expected"), [(3, 0.934693), (0, 0.934867)])
def test_isad_means(position, expected):
    found = isad.isad(LOSSES, Q, np.arange(4) == position, 0.3, 1e-9)
    assert found.mean == pytest.approx(expected, abs=6e-7)
    assert found.mean - found.bias == pytest.approx(K1.entropy() / 4, abs=1e-8)


def test_isad_without_shift_is_the_plain_loss():
    found, plain = isad.isad(LOSSES, Q, np.arange(4) == 3, 0.0), va.decompose(MOMENTS)
    assert (found.mean, found.variance) == pytest.approx((plain.mean, plain.total), rel=1e-12)
    assert found.bias == pytest.approx(0.0, abs=1e-13)


@pytest.mark.parametrize("t", [0.2, 0.5, 1.0])
@pytest.mark.parametrize("eligible", [[True] * 4, [False, True, True, True], [True, False, False, True]])
def test_syrm_theorem(t, eligible):
    direct, formula = syrm.syrm_variance(LOSSES, Q, np.array(eligible), t)
    assert formula == pytest.approx(direct, rel=1e-12)


def test_syrm_with_everything_eligible_is_the_plain_loss_and_otherwise_biased():
    response = np.array([True, True, True, True])
    plain = va.decompose(MOMENTS)
    found = syrm.syrm(LOSSES, Q, response, np.zeros(4, dtype=bool))
    assert (found.mean, found.variance) == pytest.approx((plain.mean, plain.total), rel=1e-11)
    assert found.bias == 0.0
    smaller = syrm.syrm(LOSSES, Q, np.array([False, False, True, True]), np.array([True, False, False, False]))
    assert abs(smaller.bias) > 0.01
    assert (
        smaller.variance < syrm.syrm(LOSSES, Q, np.array([False, False, True, True]), np.zeros(4, dtype=bool)).variance
    )


def simulate(coupling, batch, repeats, strata=None):
    """Batch means of l at t on [0.1, 1] with coupled times."""
    rng, density = np.random.default_rng(7), densities.uniform(0.1)
    x = K1.sample(batch * repeats, rng)
    t = np.concatenate([densities.sample_times(density, batch, rng, coupling, strata) for _ in range(repeats)])[:, None]
    hidden = rng.random(x.shape) < t
    row = np.ravel_multi_index(tuple(x.T), (3,) * 4)
    losses = LOSSES.sum(axis=2)[row, hidden @ (1 << np.arange(4))] / (4 * t[:, 0] * density.pdf(t[:, 0]))
    return losses.reshape(repeats, batch).mean(axis=1)


@pytest.mark.parametrize(
    ("coupling", "strata", "exact"),
    [
        ("independent", None, lambda: va.decompose(MOMENTS, None, 0.1).total / 4),
        ("stratified", 4, lambda: strats.stratified_variance(MOMENTS, 4, 4, epsilon=0.1)),
        ("stratified", 2, lambda: strats.stratified_variance(MOMENTS, 4, 2, epsilon=0.1)),
        ("low-discrepancy", None, lambda: strats.low_discrepancy_variance(MOMENTS, 4, epsilon=0.1)),
    ],
)
def test_batch_variances_agree_with_simulation(coupling, strata, exact):
    means = simulate(coupling, 4, 8000, strata)
    spread = 4.9 * np.sqrt(((means - means.mean()) ** 2).var() / len(means))  # two-sided 1e-6
    assert abs(means.var() - exact()) < spread
    assert abs(means.var() - 1.3 * exact()) > spread


def test_stratified_variance_falls_with_strata_and_ends_at_the_fine_limit():
    values = [strats.stratified_variance(MOMENTS, 16, k) for k in (1, 2, 4, 8, 16)]
    parts = va.decompose(MOMENTS)
    assert values == sorted(values, reverse=True)
    assert values[0] == pytest.approx(parts.total / 16, rel=1e-12)
    limit = (parts.total - parts.rate_time_first) / 16
    assert limit < values[-1] < limit * 1.001
    between = parts.rate_time_first * 0.93519  # four strata on K1 keep this share
    assert (parts.total - between) / 16 == pytest.approx(values[2], rel=1e-5)
    transcribed = parts.rate_time_first / 16 - between / 4  # as in notes on the paper: right only for k = n
    assert transcribed < 0 < values[2]


def test_strata_of_a_density_without_quantile():
    density = p_pots.optimal(MOMENTS)
    edges = strats.stratum_edges(density, 4)
    for a, b in pairwise(edges):
        t, w = densities.quadrature(a, b)
        assert w @ density.pdf(t) == pytest.approx(0.25, abs=1e-9)


def test_ema_baseline_removes_what_lies_between_bins():
    parts = va.decompose(MOMENTS)
    perfect = ema.ema_baseline(MOMENTS, 16, decay=0.999999999)
    fine = 16 * strats.stratified_variance(MOMENTS, 16, 16)
    assert perfect.variance == pytest.approx(fine, rel=1e-8)
    assert ema.ema_baseline(MOMENTS, 10, coefficient=0.0).variance == pytest.approx(parts.total)
    assert ema.ema_baseline(MOMENTS, 10).variance > parts.total  # decay 0.99: its own noise is larger
    assert ema.ema_baseline(MOMENTS, 10, centred=False).bias == pytest.approx(-parts.mean / 1.0, rel=1e-9)


def test_ema_baseline_agrees_with_simulation():
    rng, density, bins, decay = np.random.default_rng(2), densities.uniform(0.1), 4, 0.8
    exact = ema.ema_baseline(MOMENTS, bins, decay=decay, centred=False, density=density)
    size = 60_000
    x, t = K1.sample(size, rng), densities.sample_times(density, size, rng)
    hidden = rng.random(x.shape) < t[:, None]
    row = np.ravel_multi_index(tuple(x.T), (3,) * 4)
    losses = LOSSES.sum(axis=2)[row, hidden @ (1 << np.arange(4))] / (4 * t) * 0.9
    average, adjusted = np.full(bins, losses.mean()), np.empty(size)
    which = np.minimum(((t - 0.1) / 0.9 * bins).astype(int), bins - 1)
    for k in range(size):
        adjusted[k] = losses[k] - average[which[k]]
        average[which[k]] = decay * average[which[k]] + (1 - decay) * losses[k]
    kept = adjusted[2000:]
    blocks = kept[: len(kept) // 20 * 20].reshape(20, -1).var(axis=1)
    half = 8.5 * blocks.std(ddof=1) / np.sqrt(20)  # Student, 19 degrees, about 1e-7
    assert abs(blocks.mean() - exact.variance) < half
    assert abs(blocks.mean() - va.decompose(MOMENTS, None, 0.1).total) > 1e-3


@pytest.mark.parametrize(("cells", "expected"), [(30, 0.861033), (70, 0.896458)])
def test_released_sampler(cells, expected):
    assert released_sampler.released_sampler_mean(MOMENTS, cells) == pytest.approx(expected, abs=6e-7)
    assert released_sampler.truncated_grid_mean(MOMENTS, cells) == pytest.approx(expected, rel=1e-3)
    assert va.decompose(MOMENTS).mean / (1 - 1e-3) == pytest.approx(0.923027, abs=6e-7)


@pytest.mark.parametrize(("exponent", "expected"), [(1.5, 19.858), (1.664, 19.310), (2.0, 20.490), (3.0, 28.748)])
def test_schedules(exponent, expected):
    assert 16 * densities.power_variance(MOMENTS, exponent) == pytest.approx(expected, abs=8e-4)
    assert densities.power_variance(MOMENTS, 1.0) == np.inf


def test_additive_optimum():
    c = np.array([0.3, 0.7, 1.1, 0.2])
    assert densities.additive_optimum(c) == pytest.approx(0.3940866764, abs=6e-11)
    assert np.sqrt(densities.additive_optimum(c) + c.mean() ** 2) == pytest.approx(0.8512999920, abs=6e-11)
    assert densities.additive_optimum(np.array([0.7])) == pytest.approx(3 * 0.49, rel=1e-12)
    marginals = np.array([0.2, 0.3, 0.5])  # a product law: at fixed x the loss is additive, here x never varies
    law = tm.Table(np.ones((1, 1, 1)))

    class Constant:
        vocab_size, length = 1, 3

        def marginals(self, y, on_impossible="raise"):
            return np.broadcast_to(marginals[:, None], (len(y), 3, 1)).copy()

    found = tm.variance_decomposition(law, Constant(), "optimal", 1e-12)
    assert found.total == pytest.approx(densities.additive_optimum(-np.log(marginals)), rel=1e-5)
    assert tm.variance_decomposition(law, Constant()).rate == pytest.approx(0.0, abs=1e-14)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: isad.isad(LOSSES, Q, np.arange(4) == 3, 1.0), "shift = 1.0"),
        (lambda: isad.isad(LOSSES, Q, np.arange(3) == 2, 0.1), r"rare has shape \(3,\)"),
        (lambda: syrm.syrm_variance(LOSSES, Q, np.ones(4, dtype=bool), 0.0), "t = 0.0"),
        (lambda: syrm.syrm_variance(LOSSES, Q, np.zeros(4, dtype=bool), 0.5), "marks no position"),
        (lambda: strats.stratified_variance(MOMENTS, 6, 4), "strata = 4, it must divide batch = 6"),
        (lambda: ema.ema_baseline(MOMENTS, 4, decay=1.0), "decay = 1.0"),
        (lambda: released_sampler.released_sampler_mean(MOMENTS, 2), "cells = 2"),
        (lambda: strats.low_discrepancy_variance(MOMENTS, 4, p_pots.optimal(MOMENTS)), "no quantile"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
