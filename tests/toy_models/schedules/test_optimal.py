"""Optimal schedules against brute force, against the published numbers, and the bounds of the blind ones."""

import re
from itertools import combinations, pairwise

import numpy as np
import pytest

import toy_models as tm
from toy_models.quantities.information_curve import reveal_curve
from toy_models.schedules.budget import odds_geometric_bound
from toy_models.schedules.optimal import sizes_cost, weights_cost

RNG = np.random.default_rng


def binary(flip, length=64):
    return tm.information_curve(tm.MarkovChain([[1 - flip, flip], [flip, 1 - flip]], length))


def compositions(total, parts):
    for cuts in combinations(range(1, total), parts - 1):
        yield np.diff([0, *cuts, total])


def random_curve(rng, length):
    """Nonincreasing, with flat pieces and jumps."""
    return np.sort(rng.exponential(size=length) * rng.integers(0, 2, size=length))[::-1].copy() + 0.01


@pytest.mark.parametrize("length", [1, 2, 5, 9])
def test_optimal_sizes_against_every_composition(length):
    rng = RNG(1)
    for _ in range(10):
        g = random_curve(rng, length)
        for steps in range(1, length + 1):
            sizes = tm.optimal_sizes(g, steps)
            best = min(sizes_cost(g, s) for s in compositions(length, steps))
            assert len(sizes) == steps
            assert sizes.min() >= 1
            assert sizes_cost(g, sizes) == pytest.approx(best, abs=1e-13)


@pytest.mark.parametrize(
    ("flip", "sizes", "optimal"),
    [(0.1, [4, 5, 6, 7, 8, 9, 11, 14], 1.6017), (0.01, [1, 2, 3, 4, 6, 9, 15, 24], 0.7149)],
)
def test_published_optimal_sizes(flip, sizes, optimal):
    g = binary(flip)
    assert tm.optimal_sizes(g, 8).tolist() == sizes
    assert sizes_cost(g, np.array(sizes)) == pytest.approx(optimal, abs=5.1e-5)


def test_published_costs_of_the_binary_chain():
    """Uniform independent reveal and equal sizes at f = 0.1; uniform and cosine at f = 0.01, all at L = 64."""
    g = binary(0.1)
    for steps, independent, fixed in ((8, 2.18136, 1.93978), (16, 1.05537, 0.80333), (32, 0.51876, 0.26304)):
        assert weights_cost(g, np.full(steps, 1 / steps)) == pytest.approx(independent, abs=5.1e-6)
        assert sizes_cost(g, np.full(steps, 64 // steps)) == pytest.approx(fixed, abs=5.1e-6)
    assert weights_cost(g, np.full(64, 1 / 64)) == pytest.approx(0.25714, abs=5.1e-6)
    assert sizes_cost(g, np.ones(64, dtype=int)) == pytest.approx(0.0, abs=1e-12)
    slow = binary(0.01)
    assert sizes_cost(slow, tm.LinearSchedule().sizes(8, 64)) == pytest.approx(3.6822, abs=5.1e-5)
    assert sizes_cost(slow, tm.CosineSchedule().sizes(8, 64)) == pytest.approx(1.0678, abs=5.1e-5)


def test_more_steps_than_tokens_and_one_step():
    g = binary(0.1, 6)
    assert tm.optimal_sizes(g, 50).tolist() == [1] * 6
    assert tm.optimal_sizes(g, 1).tolist() == [6]
    assert tm.optimal_weights(g, 1).tolist() == [1.0]
    assert tm.optimal_weights(np.array([0.7]), 3).tolist() == [1.0, 0.0, 0.0]


def test_optimal_sizes_at_length_100_000():
    """256 steps on a long curve: a valid schedule that no single moved cut improves."""
    g = 1.0 / (1.0 + np.arange(100_000) / 500.0)
    sizes = tm.optimal_sizes(g, 256)
    assert (len(sizes), sizes.sum(), sizes.min() >= 1) == (256, 100_000, True)
    best = sizes_cost(g, sizes)
    for j in (0, 1, 100, 200, 254):
        for move in (-1, 1):
            moved = sizes.copy()
            moved[j] += move
            moved[j + 1] -= move
            assert sizes_cost(g, moved) >= best - 1e-9
    assert best < 0.5 * sizes_cost(g, np.diff(np.rint(np.arange(257) * 100_000 / 256).astype(int)))


def brute_weights(g, steps, cells):
    """Best cost over all cuts on a grid, by enumeration."""
    level = reveal_curve(g, np.arange(cells) / cells)
    return min(
        sum((b - a) / cells * level[a] for a, b in pairwise((0, *cuts, cells))) * len(g) - g.sum()
        for cuts in combinations(range(1, cells), steps - 1)
    )


@pytest.mark.parametrize("steps", [2, 3])
def test_optimal_weights_against_a_grid_of_cuts(steps):
    rng = RNG(2)
    for _ in range(4):
        g = random_curve(rng, 12)
        found = weights_cost(g, tm.optimal_weights(g, steps))
        grid = brute_weights(g, steps, 48)
        assert found <= grid + 1e-12
        assert found >= grid - len(g) * steps * (g[0] - g[-1]) / 48  # moving a cut by one cell costs no more


@pytest.mark.parametrize("steps", [2, 3, 4])
def test_every_cut_is_stationary_also_from_a_coarse_grid(steps):
    """The descent has the exact gradient: from cuts on 16 points it ends where moving any cut changes nothing."""
    g = np.array([1.0, 0.6, 0.35, 0.2, 0.1, 0.05])
    cuts = np.concatenate([[0.0], np.cumsum(tm.optimal_weights(g, steps, grid=16))])

    def slope(at, j):
        moved = [at + step * (np.arange(steps + 1) == j) for step in (1e-5, -1e-5)]
        return (weights_cost(g, np.diff(moved[0])) - weights_cost(g, np.diff(moved[1]))) / 2e-5

    assert max(abs(slope(cuts, j)) for j in range(1, steps)) < 1e-4
    assert max(abs(slope(np.round(cuts * 16) / 16, j)) for j in range(1, steps)) > 1e-2


@pytest.mark.parametrize("steps", [2, 3, 7, 16])
@pytest.mark.parametrize("flip", [0.3, 0.1, 0.01])
def test_optimal_weights_beat_uniform_and_random_grids(flip, steps):
    g, rng = binary(flip), RNG(3)
    weights = tm.optimal_weights(g, steps)
    assert weights.shape == (steps,)
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    best = weights_cost(g, weights)
    rivals = [np.full(steps, 1 / steps), *(rng.dirichlet(np.ones(steps)) for _ in range(200))]
    assert best <= min(weights_cost(g, w) for w in rivals)
    assert best <= weights_cost(g, tm.CosineSchedule().weights(steps))
    a = np.cumsum(weights)[:-1]
    slope = (len(g) - 1) * reveal_curve(np.diff(g), a)
    before, here = reveal_curve(g, np.concatenate([[0.0], a[:-1]])), reveal_curve(g, a)
    gradient = before - here + weights[1:] * slope
    np.testing.assert_allclose(gradient, 0.0, atol=1e-12)  # every cut is stationary


@pytest.mark.parametrize("steps", [2, 16, 32])
def test_the_optimum_does_not_move_with_the_last_digits_of_the_curve(steps):
    g, rng = tm.information_curve(tm.MarkovChain([[0.95, 0.05], [0.05, 0.95]], 64)), RNG(5)
    nudged = [np.minimum.accumulate(g * (1 + 1e-15 * rng.standard_normal(64))) for _ in range(3)]
    found = [weights_cost(g, tm.optimal_weights(one, steps)) for one in (g, *nudged)]
    np.testing.assert_allclose(found, found[0], rtol=1e-11, atol=0)


def test_optimal_weights_of_a_target():
    chain = tm.MarkovChain([[0.9, 0.1], [0.1, 0.9]], 16)
    np.testing.assert_array_equal(tm.optimal_weights(chain, 4), tm.optimal_weights(tm.information_curve(chain), 4))


@pytest.mark.parametrize("steps", [3, 8, 32, 200])
def test_odds_geometric_bound(steps):
    """E KL <= kappa min(TC, DTC) + delta (TC + DTC); the cuts obey next(a) - a <= kappa a (1 - a)."""
    weights = tm.odds_geometric_weights(steps)
    kappa, delta = odds_geometric_bound(steps)
    assert len(weights) == steps
    assert weights.sum() == pytest.approx(1.0, abs=1e-14)
    np.testing.assert_allclose(weights, weights[::-1], atol=1e-14)
    assert (weights[0], weights[-1]) == pytest.approx((delta, delta), rel=1e-9)
    a = np.cumsum(weights)[:-1]
    ratio = weights[1:-1] / (a[:-1] * (1 - a[:-1]))
    assert (ratio <= kappa * (1 + 1e-12)).all()
    assert ratio.max(initial=kappa) > 0.4 * kappa
    rng = RNG(4)
    for g in [binary(0.01), binary(0.4), *(random_curve(rng, 30) for _ in range(20))]:
        tc, dtc = len(g) * g[0] - g.sum(), g.sum() - len(g) * g[-1]
        assert weights_cost(g, weights) <= kappa * min(tc, dtc) + delta * (tc + dtc)


def test_odds_geometric_beats_uniform_where_dependence_is_long():
    g = binary(0.001, 512)
    assert weights_cost(g, tm.odds_geometric_weights(32)) < 0.5 * weights_cost(g, np.full(32, 1 / 32))


def test_odds_geometric_few_steps():
    assert tm.odds_geometric_weights(1).tolist() == [1.0]
    assert tm.odds_geometric_weights(2).tolist() == [0.5, 0.5]
    with pytest.raises(ValueError, match="steps = 2, it must be an integer >= 3"):
        odds_geometric_bound(2)


def zeta_of(sizes, length):
    """The parameter of the construction, recovered from the first size."""
    return next(z for z in range(length, 0, -1) if sizes[0] == length // z and _rebuild(length, z) == sizes.tolist())


def _rebuild(length, zeta):
    sizes, left = [], length
    while left >= zeta:
        sizes.append(left // zeta)
        left -= left // zeta
    return sizes + [1] * left


@pytest.mark.parametrize("length", [1, 2, 7, 64])
@pytest.mark.parametrize("steps", [1, 2, 5, 16, 80])
def test_tc_and_dtc_sizes(length, steps):
    """They fit the budget, mirror each other, and no larger zeta fits; E KL <= TC/(zeta-1), DTC/(zeta-1)."""
    sizes, mirrored = tm.tc_sizes(length, steps), tm.dtc_sizes(length, steps)
    assert sizes.sum() == length
    assert len(sizes) <= steps
    assert (np.diff(sizes) <= 0).all()
    assert mirrored.tolist() == sizes[::-1].tolist()
    zeta = zeta_of(sizes, length)
    assert all(len(_rebuild(length, z)) > steps for z in range(zeta + 1, length + 1))
    if zeta >= 2:
        rng = RNG(5)
        for _ in range(20):
            g = random_curve(rng, length)
            tc, dtc = length * g[0] - g.sum(), g.sum() - length * g[-1]
            assert sizes_cost(g, sizes) <= tc / (zeta - 1) + 1e-12 * length
            assert sizes_cost(g, mirrored) <= dtc / (zeta - 1) + 1e-12 * length


def test_the_blind_schedules_suit_their_own_measure():
    """TC sizes win where TC is small, DTC sizes where DTC is small; swapped they break the bound."""
    few_dtc, few_tc = np.r_[np.log(2), np.zeros(63)], np.r_[np.full(63, np.log(2)), 0.0]
    tc, dtc = tm.tc_sizes(64, 24), tm.dtc_sizes(64, 24)
    zeta = zeta_of(tc, 64)
    assert sizes_cost(few_tc, tc) <= np.log(2) / (zeta - 1) < sizes_cost(few_tc, dtc)
    assert sizes_cost(few_dtc, dtc) <= np.log(2) / (zeta - 1) < sizes_cost(few_dtc, tc)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tm.optimal_sizes(np.array([1.0, 0.5]), 0), "steps = 0, it must be an integer >= 1"),
        (lambda: tm.optimal_weights(np.array([1.0, 0.5]), 0), "steps = 0, it must be an integer >= 1"),
        (lambda: tm.optimal_sizes(np.array([0.5, 1.0]), 1), "g must not increase, but g[1] - g[0] = 0.5"),
        (lambda: tm.odds_geometric_weights(0), "steps = 0, it must be an integer >= 1"),
        (lambda: tm.tc_sizes(0, 4), "length = 0, it must be an integer >= 1"),
        (lambda: tm.dtc_sizes(4, 0), "steps = 0, it must be an integer >= 1"),
        (
            lambda: sizes_cost(np.ones(4), np.array([2, 1])),
            "sizes must be >= 0 and sum to L = 4, they sum to 3",
        ),
        (
            lambda: sizes_cost(np.ones(4), np.array([5, -1])),
            "sizes must be >= 0 and sum to L = 4, they sum to 4",
        ),
        (lambda: weights_cost(np.ones(4), np.array([0.5, 0.4])), "weights sum to 0.9, they must sum to 1"),
    ],
)
def test_refused(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


def test_the_librarys_own_curves_are_accepted():
    """The curve of a language with one text rises by 1e-31."""
    rng = RNG(0)
    one = tm.HMM(rng.dirichlet(np.ones(2)), rng.dirichlet(np.ones(2), 2), [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]], 4)
    assert tm.optimal_weights(one, 3).sum() == pytest.approx(1.0, abs=1e-15)
    assert tm.optimal_sizes(tm.information_curve(one), 3).sum() == 4


@pytest.mark.parametrize("bad", [np.array([1.0, np.nan]), np.array([np.inf, 1.0]), np.array([])])
def test_what_is_no_curve_is_refused(bad):
    for call, argument in ((tm.optimal_sizes, 1), (tm.optimal_weights, 1), (tm.reveal_curve, 0.5)):
        with pytest.raises(ValueError, match=r"^g"):
            call(bad, argument)
    with pytest.raises(ValueError, match="must lie in"):
        tm.reveal_curve(np.array([1.0, 0.5]), np.array([np.nan]))


def test_schedules_of_an_estimated_curve():
    """A noisy curve rises here and there; its interval holds the cost that the schedule has on the exact curve."""
    chain = tm.MarkovChain([[0.5, 0.5], [0.3, 0.7]], 12)
    g = tm.information_curve(chain)
    estimate = tm.estimate_information_curve(chain, 60, RNG(1), confidence=0.999)
    assert (np.diff(estimate.value) > 0).any()
    for steps in (1, 3, 5):
        sizes, weights = tm.optimal_sizes(estimate, steps), tm.optimal_weights(estimate, steps)
        for found, cost in ((sizes, sizes_cost), (weights, weights_cost)):
            assert isinstance(found, tm.EstimatedSchedule)
            assert (np.diff(found.curve) <= 0).all()
            assert found.kl.value == pytest.approx(cost(found.curve, found.schedule), abs=1e-12)
            assert found.kl.confidence == pytest.approx(1 - 12 * 0.001)
            assert 0.0 <= found.kl.low <= cost(g, found.schedule) <= found.kl.high
        assert sizes.schedule.tolist() == tm.optimal_sizes(sizes.curve, steps).tolist()
    wide = tm.estimate_information_curve(chain, 60, RNG(1), confidence=0.5)
    assert tm.optimal_sizes(wide, 3).kl.confidence == 0.0


def test_the_interval_of_an_estimated_schedule_excludes_a_wrong_curve():
    chain = tm.MarkovChain([[0.9, 0.1], [0.2, 0.8]], 4)
    estimate = tm.estimate_information_curve(chain, 200_000, RNG(4), confidence=1 - 1e-6)
    found, wrong = tm.optimal_sizes(estimate, 2), tm.information_curve(tm.MarkovChain([[0.7, 0.3], [0.3, 0.7]], 4))
    assert not found.kl.low <= sizes_cost(wrong, found.schedule) <= found.kl.high


CHAINS = {
    "slow": lambda: tm.MarkovChain([[0.97, 0.03], [0.02, 0.98]], 64),
    "three symbols": lambda: tm.MarkovChain([[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]], 64),
    "English bigrams": lambda: tm.corpus.language(2, 64),
}


@pytest.mark.parametrize("name", CHAINS)
def test_sizes_from_200_sequences_cost_what_the_best_sizes_cost(name):
    """Fifty seeds, L = 64: true cost within 3 % of the true optimum in the median, within 10 % at worst."""
    target = CHAINS[name]()
    g, excess = tm.information_curve(target), {4: [], 8: [], 16: []}
    for seed in range(50):
        estimate = tm.estimate_information_curve(target, 200, RNG(seed))
        for steps, found in excess.items():
            best = sizes_cost(g, tm.optimal_sizes(g, steps))
            found.append(sizes_cost(g, tm.optimal_sizes(estimate, steps).schedule) / best - 1)
    for steps, found in excess.items():
        assert np.median(found) <= 0.03, (steps, np.median(found))
        assert max(found) <= 0.10, (steps, max(found))
        assert min(found) >= -1e-9


def test_a_precise_estimate_is_not_smoothed_away():
    """Steps in a curve that is known to 1e-6 are kept: the smoothing stops where it would leave the intervals."""
    g = np.repeat([1.0, 0.5, 0.1], 8)
    sharp = tm.Estimate(g, g - 1e-6, g + 1e-6, 0.999)
    assert tm.optimal_sizes(sharp, 3).schedule.tolist() == tm.optimal_sizes(g, 3).tolist() == [8, 8, 8]
    np.testing.assert_allclose(tm.optimal_sizes(sharp, 3).curve, g, rtol=1e-12)
    blurred = tm.Estimate(g, g - 1.0, g + 1.0, 0.999)
    assert np.abs(tm.optimal_sizes(blurred, 3).curve - g).max() > 0.05
