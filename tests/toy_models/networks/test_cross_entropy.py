"""The curves of a network against enumeration: coverage, bounds, best sizes, replayed rules, Chernoff bounds."""

from functools import partial
from itertools import permutations, product
from math import comb

import numpy as np
import pytest

import toy_models as tm
from toy_models import networks
from toy_models.networks.cross_entropy import scores
from toy_models.quantities import lattice
from toy_models.quantities.sampled_curve import SampledCurve
from toy_models.rules.replay import replay_rule

L, V = 6, 3
ROUNDING = 1e-12  # with nothing revealed all texts see one context, so the interval of e[0] has no width
TARGET = tm.MarkovChain([[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]], L)


@pytest.fixture(scope="module")
def network():
    """A trained network, looked up in its own table of all 4^6 states."""
    config = networks.Config(V, L, width=24, layers=2)
    options = networks.TrainOptions(steps=120, batch=64)
    live = networks.train(config, partial(networks.stream, TARGET), options, 0, "cpu").model
    return networks.tabulate(networks.NetworkDenoiser(live, -1, range(V), L))


@pytest.fixture(scope="module")
def exact(network):
    """c[k] and e[k] by plain sums over texts and sets."""
    x = lattice.sequences(V, L)
    q = np.exp(TARGET.log_prob(x))
    c, e = np.zeros(L), np.zeros(L)
    for bits in range(2**L - 1):
        shown = np.array([bits >> i & 1 for i in range(L)], dtype=bool)
        k = int(shown.sum())
        p = network.marginals(np.where(shown, x, -1))
        loss = -np.log(np.take_along_axis(p, x[:, :, None], axis=2)[..., 0])
        own = -(p * np.log(np.where(p > 0, p, 1.0))).sum(axis=2)
        weight = comb(L, k) * (L - k)
        c[k] += q @ loss[:, ~shown].sum(axis=1) / weight
        e[k] += q @ own[:, ~shown].sum(axis=1) / weight
    return c, e


def test_the_curve_is_the_information_curve_plus_the_learning_error(network, exact):
    excess = exact[0] - tm.information_curve(TARGET)
    assert (excess > 0).all()
    for sizes in ([6], [2, 2, 2], [1, 2, 3]):
        kl = tm.trajectory_kl(TARGET, tm.RandomOrder(sizes), network)
        assert SampledCurve(exact[0][None]).cost(np.array(sizes)).value * L - TARGET.entropy() == pytest.approx(kl)


def test_the_band_covers_the_whole_curve_in_97_of_100_estimates(network, exact):
    """One network, 200 seeds, simultaneous bands at 99 %: the exact curve lies inside in at least 194."""
    inside = np.zeros(2, dtype=int)
    costs = 0
    sizes = [np.array([3, 3]), np.array([1, 2, 3])]
    for seed in range(200):
        rng = np.random.default_rng(seed)
        found = networks.two_curves(network, TARGET.sample(200, rng), sizes, rng)
        for n, (curve, truth) in enumerate(zip((found.cross_entropy, found.entropy), exact, strict=True)):
            band = curve.band
            inside[n] += bool(((band.low - ROUNDING <= truth) & (truth <= band.high + ROUNDING)).all())
        true = SampledCurve(exact[0][None])
        costs += all(e.low <= true.cost(s).value <= e.high for e, s in zip(found.nelbo, sizes, strict=True))
    assert inside.min() >= 194, inside
    assert costs >= 190, costs


def test_a_band_that_is_too_narrow_fails(network, exact):
    """The test above can fail: half as wide a band covers less often."""
    inside = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        found = networks.two_curves(network, TARGET.sample(200, rng), [], rng)
        band = found.cross_entropy.band
        half = (band.high - band.low) / 4
        inside += bool((np.abs(band.value - exact[0]) <= half).all())
    assert inside < 0.97 * 60


def test_one_order_of_a_text_and_fixed_orders_are_exact(network):
    rng = np.random.default_rng(3)
    x = TARGET.sample(5, rng)
    found = networks.two_curves(network, x, [], rng)
    for r, row in enumerate(x):
        total, y = 0.0, np.full((1, L), -1)
        for i in np.argsort(found.order[r]):
            total -= np.log(network.marginals(y)[0, i, row[i]])
            y[0, i] = row[i]
        assert found.one_order[r] == pytest.approx(total / L)
    left = networks.fixed_order(network, x, np.arange(L))
    np.testing.assert_allclose(left, -tm.log_likelihood(network, tm.FixedOrder([[i] for i in range(L)]), x) / L)
    exact_target = networks.fixed_order(TARGET, x, np.arange(L)[::-1])
    np.testing.assert_allclose(exact_target, -TARGET.log_prob(x) / L)  # no order matters to the exact denoiser


def test_best_sizes_and_what_they_cost_held_out(network, exact):
    rng = np.random.default_rng(0)
    found = networks.two_curves(network, TARGET.sample(400, rng), [], rng)
    true = SampledCurve(exact[0][None])
    every = [s for s in product(range(1, L + 1), repeat=3) if sum(s) == L]
    best = min(float(true.cost(np.array(s)).value) for s in every)
    assert float(true.cost(found.best_sizes(3)).value) <= best * 1.01
    held_out = found.best_cost(3)
    assert held_out.low <= float(true.cost(found.best_sizes(3)).value) * 1.01
    assert held_out.high >= best
    assert abs(found.overconfidence.value - (exact[0] - exact[1]).mean()) < 0.02


@pytest.mark.parametrize(
    "rule", [tm.EntropyBounded(0.4), tm.Threshold(0.7), tm.TopK(2), tm.SemiAutoregressive(3, tm.TopK(2))]
)
def test_replayed_rules_against_the_replay_of_targets(network, rule):
    x = TARGET.sample(40, np.random.default_rng(0))
    ours, theirs = networks.replay(network, rule, x), replay_rule(TARGET, rule, x, network)
    np.testing.assert_array_equal(ours.calls, theirs.calls)
    np.testing.assert_allclose(ours.log_likelihood, theirs.log_likelihood)
    assert ours.against(ours).value == 0
    np.testing.assert_allclose(ours.log_likelihood, tm.log_likelihood(network, rule, x))


def test_replay_looks_once_and_in_pieces(monkeypatch):
    model = networks.Transformer(networks.Config(V, L, width=16, layers=1))
    denoiser = networks.NetworkDenoiser(model, -1, range(V), L)
    x = TARGET.sample(20, np.random.default_rng(0))
    whole = networks.replay(denoiser, tm.TopK(2), x)
    np.testing.assert_allclose(whole.log_likelihood, -L * np.log(V), rtol=1e-6)  # an untrained network is uniform
    for cells in (L * V * 7, 1):  # seven texts at a time; one text does not fit: float32
        monkeypatch.setattr("toy_models.networks.replayed.CELLS", cells)
        part = networks.replay(denoiser, tm.TopK(2), x)
        np.testing.assert_array_equal(part.calls, whole.calls)
        np.testing.assert_allclose(part.log_likelihood, whole.log_likelihood, rtol=1e-6)


def test_chernoff_bound_below_the_learning_error_of_every_law(network):
    """L eps >= max_s KL(q || p_s) >= bound, for the law it was trained on and for random ones."""
    laws = tm.quantities.order_laws(network, np.full(L, -1), np.array([1, 4]))
    p = np.exp(laws)
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    found = tm.quantities.chernoff_information(laws)
    assert found.bound > 0
    rng = np.random.default_rng(0)
    for q in rng.dirichlet(np.ones(V * V), 200):
        assert max((q * np.log(q / row)).sum() for row in p) >= found.bound
    rows = TARGET.sample(16, rng)
    bound = networks.learning_error_bound(network, rows, rng, windows=16)
    assert 0 < bound.largest <= tm.learning_error(TARGET, network, "max")
    assert networks.learning_error_bound(TARGET, rows, rng, windows=8).largest == pytest.approx(0.0, abs=1e-12)


def test_order_laws_by_walking(network):
    y = np.array([0, -1, -1, -1, -1, 2])
    window = np.array([1, 2, 4])
    laws = tm.quantities.order_laws(network, y, window)
    texts = lattice.sequences(V, 3)
    for s, order in enumerate(permutations(range(3))):
        for n in (0, 5, 26):
            state, total = y.copy(), 0.0
            for i in order:
                total += np.log(network.marginals(state[None])[0, window[i], texts[n, i]])
                state[window[i]] = texts[n, i]
            assert laws[s, n] == pytest.approx(total)


def test_refusals(network):
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="the number of rows of data = 3, it must be an integer >= 4"):
        networks.two_curves(network, TARGET.sample(3, rng), [], rng)
    with pytest.raises(ValueError, match=r"tokens\[0, 0\] = 3, allowed: 0..2"):
        networks.two_curves(network, np.full((4, L), 3), [], rng)
    with pytest.raises(ValueError, match="sizes must be >= 0 and sum to L = 6, they sum to 5"):
        networks.two_curves(network, TARGET.sample(4, rng), [np.array([2, 3])], rng)
    with pytest.raises(ValueError, match="is content-free, it must be adaptive"):
        networks.replay(network, tm.RandomOrder([6]), TARGET.sample(4, rng))
    with pytest.raises(tm.IntractableError, match="take a shorter window"):
        tm.quantities.order_laws(network, np.full(L, -1), np.arange(6))
    with pytest.raises(ValueError, match=r"size = 7, allowed: 2..6, the length"):
        networks.learning_error_bound(network, TARGET.sample(4, rng), rng, size=7)


def test_scores_of_any_denoiser(network):
    y = np.array([[0, -1, -1, 2, 0, 0]])
    x = np.array([[0, 1, 2, 2, 0, 0]])
    log_p, entropy = scores(tm.Smoothed(TARGET, 0.3), y, x)
    p = tm.Smoothed(TARGET, 0.3).marginals(y)
    assert log_p[0, 1] == pytest.approx(np.log(p[0, 1, 1]))
    assert entropy[0, 2] == pytest.approx(-(p[0, 2] * np.log(p[0, 2])).sum())
    assert log_p[0, 0] == entropy[0, 3] == 0
