"""A + B + C against the direct variance, the published tables, and Monte Carlo."""

import numpy as np
import pytest

import toy_models as tm
from toy_models.targets import instances
from toy_models.variance import decomposition as va
from toy_models.variance import densities, p_pots
from toy_models.variance.loss_moments import loss_moments, summed_losses, support

K1, K2 = instances.k1(), instances.k2()
LEFT = tm.ParentPointer(K1, (-1, 0, 1, 2))
CASES = {
    "K1 oracle": (K1, None),
    "K1 smooth": (K1, tm.Smoothed(K1, 0.2)),
    "K1 temper": (K1, tm.Tempered(K1, 0.5)),
    "K1 left-parent": (K1, LEFT),
    "K2 oracle": (K2, None),
    "K2 temper": (K2, tm.Tempered(K2, 0.5)),
}
UNIFORM = {
    "K1 oracle": (1.66014588, 0.02080716, 0.08813913, 1.76909217),
    "K1 smooth": (1.44150441, 0.01359903, 0.05528265, 1.51038608),
    "K1 temper": (1.36953451, 0.00837074, 0.02804434, 1.40594959),
    "K1 left-parent": (1.75976931, 0.00690946, 0.04011930, 1.80679806),
    "K2 oracle": (1.74497134, 0.01061962, 0.09643880, 1.85202976),
    "K2 temper": (1.46116996, 0.00344952, 0.02825737, 1.49287685),
}
OPTIMAL = {
    "K1 oracle": (0.84567435, 0.14309676, 0.08813913, 1.07691024),
    "K1 smooth": (0.75456519, 0.12340961, 0.05528265, 0.93325745),
    "K1 temper": (0.71884451, 0.11566905, 0.02804434, 0.86255790),
    "K1 left-parent": (0.86846462, 0.14176298, 0.04011930, 1.05034689),
    "K2 oracle": (0.84450023, 0.14095333, 0.09643880, 1.08189236),
}
PAIRS = {  # independent pair, mirror, mirror with p* of one mask, mirror with p refitted
    "K1 oracle": (0.939019, 0.860876, 0.575119, 0.559560),
    "K1 temper": (0.721182, 0.644234, 0.424089, 0.409920),
    "K1 left-parent": (0.926913, 0.833370, 0.521112, 0.503934),
    "K2 oracle": (0.979544, 0.894857, 0.574665, 0.558298),
}


def parts(d):
    return (d.pattern, d.rate, d.data, d.total)


def direct(target, denoiser, density, epsilon, upper=1.0, masks="single"):
    """A, B, C and the total by plain loops over x, t and M, with np.average for every mean."""
    s, q = summed_losses(target, denoiser), np.exp(target.log_prob(support(target)))
    length = target.length
    size = np.array([bin(m).count("1") for m in range(2**length)])
    t, w = densities.quadrature(epsilon, upper, (0.5, *density.breaks))
    p = density.pdf(t)
    prob = w * p
    g, v = np.empty((len(q), len(t))), np.empty((len(q), len(t)))
    second = 0.0
    for j, time in enumerate(t):
        law = time**size * (1 - time) ** (length - size)
        loss = s / (length * time * p[j])
        g[:, j] = loss @ law
        v[:, j] = ((loss - g[:, [j]]) ** 2) @ law / (2 if masks == "independent-pair" else 1)
        second += prob[j] * float(q @ (loss**2 @ law))
    a = float(q @ v @ prob)
    b = float(q @ (((g - (g @ prob)[:, None]) ** 2) @ prob))
    c = float(q @ (g @ prob - q @ g @ prob) ** 2)
    return a, b, c, second - float(q @ g @ prob) ** 2


@pytest.mark.parametrize("name", CASES)
def test_uniform_table(name):
    assert parts(tm.variance_decomposition(*CASES[name])) == pytest.approx(UNIFORM[name], abs=6e-9)


@pytest.mark.parametrize("name", OPTIMAL)
def test_optimal_table(name):
    found = tm.variance_decomposition(*CASES[name], density="optimal")
    assert parts(found) == pytest.approx(OPTIMAL[name], abs=6e-9)
    moments = loss_moments(*CASES[name]).average
    t, w = densities.quadrature(1e-3, 1.0)
    assert found.total == pytest.approx((w @ np.sqrt(moments.second_moment(t))) ** 2 - found.mean**2, abs=1e-12)


@pytest.mark.parametrize("name", PAIRS)
def test_pair_table(name):
    moments = loss_moments(*CASES[name], pairs=True).average
    single = p_pots.optimal(moments)
    found = (
        va.decompose(moments, masks="independent-pair").total,
        va.decompose(moments, masks="mirror").total,
        va.decompose(moments, single, masks="mirror").total,
        va.decompose(moments, "optimal", masks="mirror").total,
    )
    assert found == pytest.approx(PAIRS[name], abs=6e-7)


def test_optimal_at_small_epsilon():
    found = tm.variance_decomposition(K1, density="optimal", epsilon=1e-8)
    assert parts(found) == pytest.approx((0.91192342, 0.16684862, 0.08839667, 1.16716871), abs=6e-9)
    assert tm.variance_decomposition(K1, epsilon=1e-8).total == pytest.approx(4.85766414, abs=6e-9)


@pytest.mark.parametrize("masks", ["single", "independent-pair"])
@pytest.mark.parametrize("density", [densities.uniform(1e-2), densities.power(2.0, 1e-2)])
def test_parts_equal_plain_enumeration(masks, density):
    for target, denoiser in [(K1, LEFT), (instances.k2(2), None), (instances.k1(1), None)]:
        a, b, c, total = direct(target, denoiser, density, 1e-2, masks=masks)
        found = tm.variance_decomposition(target, denoiser, density, 1e-2, masks)
        assert (found.pattern, found.rate, found.data) == pytest.approx((a, b, c), rel=1e-11, abs=1e-13)
        assert found.rate_time_first + found.data_time_first == pytest.approx(b + c, rel=1e-11)
        if masks == "single":
            assert found.total == pytest.approx(total, abs=1e-12)


def test_mixing_the_two_orders_of_conditioning_is_seen():
    found = tm.variance_decomposition(K1)
    assert abs(found.pattern + found.rate_time_first + found.data - found.total) > 1e-3


def test_data_noise_is_that_of_the_autoregressive_model():
    at_zero = va.size_decomposition(loss_moments(K1).average).data
    for order in ([0, 1, 2, 3], [2, 0, 3, 1]):
        assert va.arm_variance(K1, order) == pytest.approx(at_zero, abs=1e-14)
    tempered = tm.Tempered(K1, 0.5)
    assert (
        abs(va.arm_variance(K1, None, tempered) - va.size_decomposition(loss_moments(K1, tempered).average).data) > 1e-3
    )
    with pytest.raises(ValueError, match=r"permutation of 0\.\.3"):
        va.arm_variance(K1, [0, 1, 2, 2])


def test_sizes_equal_plain_enumeration():
    s, q = summed_losses(K1, LEFT), np.exp(K1.log_prob(support(K1)))
    size = np.array([bin(m).count("1") for m in range(16)])
    weights = np.array([0.1, 0.4, 0.2, 0.3])
    moments = loss_moments(K1, LEFT, pairs=True).average
    found = va.size_decomposition(moments, weights)
    g, v = np.empty((len(q), 4)), np.empty((len(q), 4))
    for k in range(1, 5):
        loss = s[:, size == k] / (4 * k * weights[k - 1])
        g[:, k - 1], v[:, k - 1] = loss.mean(axis=1), loss.var(axis=1)
    mean = g @ weights
    assert found.pattern == pytest.approx(float(q @ v @ weights), rel=1e-12)
    assert found.rate == pytest.approx(float(q @ (((g - mean[:, None]) ** 2) @ weights)), rel=1e-11)
    assert found.data == pytest.approx(float(q @ (mean - q @ mean) ** 2), rel=1e-11)
    assert found.mean == pytest.approx(float(q @ mean), rel=1e-13)
    assert va.size_decomposition(moments, weights, "independent-pair").pattern == pytest.approx(found.pattern / 2)
    best = va.optimal_size_weights(moments)
    totals = [va.size_decomposition(moments, w).total for w in (best, weights, np.full(4, 0.25))]
    assert totals[0] < min(totals[1:])


def test_mirrored_sizes_equal_enumeration_over_pairs():
    s, q = summed_losses(K1), np.exp(K1.log_prob(support(K1)))
    found = va.size_second_moment(loss_moments(K1, pairs=True).average, "mirror")
    for k in range(1, 5):
        sets = [m for m in range(16) if m.bit_count() == k]
        pairs = [(a, b) for a in sets for b in sets if (a & b).bit_count() == max(0, 2 * k - 4)]
        value = np.mean([q @ ((s[:, a] + s[:, b]) / 2) ** 2 for a, b in pairs])
        assert found[k - 1] == pytest.approx(value, rel=1e-12)


def test_averaging_the_weight_over_t_keeps_the_mean_and_lowers_the_variance():
    moments = loss_moments(K1).average
    for density in (densities.uniform(1e-3), p_pots.optimal(moments), densities.power(3.0, 1e-3)):
        by_time, by_size = va.decompose(moments, density), va.sizes_from_times(moments, density, 1e-3)
        assert by_size.mean == pytest.approx(by_time.mean, abs=1e-13)
        assert by_size.data == pytest.approx(by_time.data, abs=1e-13)
        assert by_size.total < by_time.total
    constant = densities.proportional(lambda t: 1 / t, 1e-3, 1.0, "1/t")
    assert va.sizes_from_times(moments, constant, 1e-3).total == pytest.approx(va.decompose(moments, constant).total)


def test_estimate_covers_the_exact_value_and_misses_a_wrong_one():
    exact = tm.variance_decomposition(K1, epsilon=1e-1)
    found = tm.variance.estimate_variance(K1, 60_000, np.random.default_rng(3), epsilon=1e-1, confidence=1 - 1e-6)
    assert found.low < exact.total < found.high
    assert not found.low < 1.5 * exact.total < found.high


@pytest.mark.parametrize("masks", ["single", "independent-pair", "mirror"])
def test_draws_have_the_exact_mean_and_variance(masks):
    density = densities.uniform(0.1)
    exact = tm.variance_decomposition(K1, density=density, epsilon=0.1, masks=masks)
    draws = va.draw_losses(K1, 60_000, np.random.default_rng(5), None, density, masks)
    half = 4.9 * np.sqrt(exact.total / len(draws))  # two-sided 1e-6
    assert abs(draws.mean() - exact.mean) < half
    spread = 4.9 * np.sqrt(((draws - draws.mean()) ** 2).var() / len(draws))
    assert abs(draws.var() - exact.total) < spread
    if masks == "mirror":  # the same interval tells a mirrored from an independent pair
        other = tm.variance_decomposition(K1, density=density, epsilon=0.1, masks="independent-pair").total
        assert abs(draws.var() - other) > spread


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epsilon": 0.0}, r"epsilon = 0.0, allowed: 0 < epsilon < 1.*infinite"),
        ({"epsilon": 1.0}, "epsilon = 1.0"),
        ({"epsilon": 0.5, "upper": 0.4}, "upper = 0.4"),
        ({"masks": "mirrored"}, "masks = 'mirrored', allowed: 'single', 'independent-pair', 'mirror'"),
        ({"density": "best"}, "density = 'best', allowed"),
        ({"density": densities.clipped(0.3, 0.8)}, r"vanishes at t = .*biased"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        tm.variance_decomposition(K1, **arguments)


def test_bad_sizes():
    moments = loss_moments(K1).average
    for weights in ([0.5, 0.5], [0.5, 0.5, 0.0, 0.0], [0.3, 0.3, 0.3, 0.3]):
        with pytest.raises(ValueError, match=r"positive numbers|weights sum to 1.2, they must sum to 1"):
            va.size_decomposition(moments, np.array(weights))
    with pytest.raises(ValueError, match="pairs=True"):
        va.size_decomposition(moments, None, "mirror")
    with pytest.raises(ValueError, match="masks = 'both'"):
        va.size_decomposition(moments, None, "both")
    with pytest.raises(ValueError, match="masks = 'both'"):
        va.draw_losses(K1, 4, np.random.default_rng(0), None, densities.uniform(), "both")
    with pytest.raises(ValueError, match="masks = 'both'"):
        va.decompose(moments, masks="both")
