"""One position, one symbol, one text, one block, one step, more steps than tokens: every public quantity there.

A target with one position or with a single possible text is written exactly by every sampler with exact marginals, so
every divergence is 0 and every likelihood is the target's own, whatever the rule.
"""

import numpy as np
import pytest

import toy_models as tm
from toy_models.quantities import lattice
from toy_models.validation import MASK

ATOL = 1e-13  # nats; sums of at most 2^4 terms of order one
LAW = np.array([0.2, 0.3, 0.5])
ONE = np.ones((1, 1))
CYCLE = np.array([[0.0, 1.0], [1.0, 0.0]])

TARGETS = {
    "L = 1, table": tm.Table(LAW),
    "L = 1, chain": tm.MarkovChain(np.tile(LAW, (3, 1)), 1),
    "L = 1, chain off its stationary law": tm.MarkovChain(CYCLE, 1, [0.3, 0.7]),
    "L = 1, unigram": tm.NGram(LAW, 1),
    "L = 1, bigram": tm.NGram(np.tile(LAW, (3, 1)), 1),
    "L = 1, HMM": tm.HMM([0.4, 0.6], [[0.5, 0.5], [0.1, 0.9]], [[0.1, 0.9], [0.7, 0.3]], 1),
    "L = 1, code": tm.LinearCode(np.array([[1]]), 3),
    "L = 1, one block": tm.Blocks(tm.Table(LAW), 1),
    "L = 1, words": tm.targets.WordList(np.array([[0], [2]]), 3),
    "V = 1, table": tm.Table(np.ones((1, 1, 1))),
    "V = 1, chain": tm.MarkovChain(ONE, 3),
    "V = 1, unigram": tm.NGram(np.ones(1), 3),
    "V = 1, trigram": tm.NGram(np.ones((1, 1, 1)), 3),
    "V = 1, HMM": tm.HMM([0.4, 0.6], [[0.5, 0.5], [0.1, 0.9]], np.ones((2, 1)), 3),
    "V = 1, blocks": tm.Blocks(tm.Table(np.ones((1, 1))), 2),
    "V = 1, L = 1": tm.MarkovChain(ONE, 1),
    "V = 1, words": tm.targets.WordList(np.array([[0, 0, 0]]), 1),
    "one text, table": tm.Table(np.eye(8)[5].reshape(2, 2, 2)),
    "one text, chain": tm.MarkovChain(CYCLE, 4, [1.0, 0.0]),
    "one text, HMM": tm.HMM([0.4, 0.6], [[0.5, 0.5], [0.1, 0.9]], [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]], 4),
    "one text, trigram": tm.NGram(np.eye(2)[[[0, 1], [0, 1]]], 4, np.array([[1.0, 0.0], [0.0, 0.0]])),
    "one text, blocks": tm.Blocks(tm.Table(np.eye(4)[1].reshape(2, 2)), 2),
    "one text, words": tm.targets.WordList(np.array([[0, 1, 1]]), 2),
}

RULES = {
    "N = 1": lambda length: tm.IndependentReveal([1.0]),
    "N = 7": lambda length: tm.IndependentReveal(np.full(7, 1 / 7)),
    "weights with zeros": lambda length: tm.IndependentReveal([0.0, 1.0, 0.0]),
    "shifted, N = 2": lambda length: tm.ShiftedReveal(2),
    "shifted, N = 9": lambda length: tm.ShiftedReveal(9),
    "all at once": lambda length: tm.RandomOrder([length]),
    "N > L": lambda length: tm.RandomOrder([0, *[1] * length, 0, 0]),
    "left to right": lambda length: tm.FixedOrder([[i] for i in range(length)]),
    "empty blocks": lambda length: tm.FixedOrder([[], list(range(length)), []]),
    "bisection": tm.bisection,
    "first hitting": tm.rules.first_hitting,
    "blocks of a random order": lambda length: tm.rules.Blockwise(length, tm.RandomOrder([length])),
    "top 1": lambda length: tm.TopK(1),
    "top 50 by margin": lambda length: tm.TopK(50, "margin"),
    "gamma = 0": lambda length: tm.EntropyBounded(0.0),
    "gamma = inf": lambda length: tm.EntropyBounded(np.inf),
    "threshold": lambda length: tm.Threshold(0.9),
    "blocks of 5": lambda length: tm.SemiAutoregressive(5, tm.TopK(1, "entropy")),
}

targets = pytest.mark.parametrize("name", TARGETS)
rules = pytest.mark.parametrize("rule", RULES)


def assert_equals(value, expected):
    """Finite, close, and no negative zero or negative rounding where 0 is meant."""
    value = np.asarray(value, dtype=float)
    np.testing.assert_allclose(value, expected, rtol=0, atol=ATOL)
    assert not np.signbit(value).any()


def entropy(target):
    q = np.exp(lattice.log_pmf(target))
    return float(-(q[q > 0] * np.log(q[q > 0])).sum())


WITH_CANDIDATES = {
    "drawn confidence": lambda length: tm.DrawnConfidence(1),
    "drawn confidence, sizes": lambda length: tm.DrawnConfidence([0, *[1] * length], ties="uniform"),
    "drawn confidence, gumbel": lambda length: tm.DrawnConfidence(50, gumbel=0.5),
    "drawn confidence, blocks of 5": lambda length: tm.DrawnConfidence(tm.rules.Factor(1.0), block=5),
    "grid": lambda length: tm.rules.GridReveal([0.5], "draw"),
    "grid, no call but the fill": lambda length: tm.rules.GridReveal([], "draw"),
    "remasking": lambda length: tm.rules.Remasking.rescaled(3, 0.5),
    "remembered confidence": lambda length: tm.rules.ConfidenceMemory([0.0, 0.5, 0.5, 1.0], [0.0, 0.8, 0.0]),
    "path planning": lambda length: tm.rules.PathPlanning(sorted({1, length})),
    "speculative": lambda length: tm.Speculative(9),
}


@targets
@pytest.mark.parametrize("rule", WITH_CANDIDATES)
def test_every_sampler_with_candidates_is_exact(name, rule):
    target, rule = TARGETS[name], WITH_CANDIDATES[rule](TARGETS[name].length)
    log_q, rng = lattice.log_pmf(target), np.random.default_rng(0)
    law = tm.sampler_law(target, rule)
    assert_equals(law.pmf.ravel(), np.exp(log_q))
    assert law.impossible == 0.0
    assert_equals(tm.marginal_kl(target, rule), 0.0)
    assert_equals(tm.sequence_error(target, rule), 0.0)
    x = lattice.sequences(target.vocab_size, target.length)
    np.testing.assert_allclose(tm.log_likelihood(target, rule, x), log_q, rtol=0, atol=ATOL)
    assert 1.0 - ATOL <= law.mean_steps <= 2 * target.length + ATOL  # a token masked again is written again
    runs = tm.sample(target, rule, 5, rng)
    assert np.isfinite(target.log_prob(runs.tokens)).all()
    assert not runs.impossible.any()


@targets
@rules
def test_every_sampler_is_exact(name, rule):
    target, rule = TARGETS[name], RULES[rule](TARGETS[name].length)
    log_q = lattice.log_pmf(target)
    law = tm.sampler_law(target, rule)
    assert_equals(law.pmf.ravel(), np.exp(log_q))
    assert law.impossible == 0.0
    assert_equals(tm.trajectory_kl(target, rule), 0.0)
    assert_equals(tm.marginal_kl(target, rule), 0.0)
    assert_equals(tm.sequence_error(target, rule), 0.0)
    assert_equals(tm.generative_cross_entropy(target, rule), entropy(target))
    x = lattice.sequences(target.vocab_size, target.length)
    np.testing.assert_allclose(tm.log_likelihood(target, rule, x), log_q, rtol=0, atol=ATOL)
    for under in ("q", "p"):
        calls = tm.expected_calls(target, rule, under=under)
        assert 1.0 - ATOL <= calls <= target.length + ATOL
    rng = np.random.default_rng(0)
    runs = tm.sample(target, rule, 5, rng)
    assert np.isfinite(target.log_prob(runs.tokens)).all()
    assert not runs.impossible.any()
    assert_equals(tm.quantities.estimate_sequence_error(target, rule, 5, rng).value, 0.0)
    assert np.isfinite(tm.quantities.estimate_generative_cross_entropy(target, rule, 5, rng).value)
    if hasattr(rule, "select"):
        assert_equals(tm.rules.evaluate_rule(target, rule).kl, 0.0)
        assert tm.rules.estimate_kl(target, rule, 5, rng).low <= ATOL
    else:
        found = tm.quantities.estimate_trajectory_kl(target, rule, 5, rng)
        assert_equals([found.value, found.low, found.high], 0.0)


@targets
def test_information(name):
    target = TARGETS[name]
    assert_equals(target.entropy(), entropy(target))
    g = tm.information_curve(target)
    assert g.shape == (target.length,)
    assert_equals(g.sum(), entropy(target))
    assert_equals(tm.total_correlation(target), 0.0)
    assert_equals(tm.dual_total_correlation(target), 0.0)
    assert_equals(tm.reveal_curve(g, np.array([0.0, 0.5, 1.0])), np.full(3, g[0]))
    estimate = tm.estimate_information_curve(target, 5, np.random.default_rng(0))
    assert np.isfinite([estimate.value, estimate.low, estimate.high]).all()
    subsets = tm.rules.subset_entropies(target)
    assert_equals(subsets[[0, -1]], [0.0, entropy(target)])
    uniform = tm.quantities.estimate_uniform_kl(target, [1, 2], 5, np.random.default_rng(0))
    assert_equals(uniform.value[0], 0.0)  # with two steps the weights 1/(1 - a) are noise already
    assert np.isfinite([uniform.value, uniform.low, uniform.high]).all()


@targets
@pytest.mark.parametrize("steps", [1, 2, 9])
def test_schedules(name, steps):
    target = TARGETS[name]
    for curve in (tm.information_curve(target), tm.estimate_information_curve(target, 5, np.random.default_rng(0))):
        found = tm.optimal_sizes(curve, steps), tm.optimal_weights(curve, steps)
        if isinstance(curve, tm.Estimate):
            assert all(f.kl.low <= f.kl.value <= f.kl.high for f in found)
            found = tuple(f.schedule for f in found)
        sizes, weights = found
        assert sizes.sum() == target.length
        assert len(sizes) == min(steps, target.length)
        assert len(weights) == steps
        assert_equals(weights.sum(), 1.0)
    assert_equals(tm.optimal_weights(target, steps).sum(), 1.0)
    for blind in (tm.tc_sizes, tm.dtc_sizes):
        assert blind(target.length, steps).sum() == target.length
    assert tm.LinearSchedule().sizes(steps, target.length).sum() == target.length
    assert_equals(tm.odds_geometric_weights(steps).sum(), 1.0)


@targets
def test_denoisers_that_change_nothing(name):
    target = TARGETS[name]
    y = lattice.states(target.vocab_size, target.length)
    exact = target.marginals(y, on_impossible="nan")
    for denoiser in (tm.Smoothed(target, 0.0), tm.Tempered(target, 1.0), tm.Windowed(target, target.length)):
        np.testing.assert_allclose(denoiser.marginals(y, on_impossible="nan"), exact, rtol=0, atol=ATOL)
        assert_equals(tm.learning_error(target, denoiser), 0.0)
        assert_equals(tm.learning_error(target, denoiser, "mean"), 0.0)
    alone = tm.ParentPointer(target, [MASK] * target.length)
    assert tm.learning_error(target, alone) <= ATOL or name.startswith("one text")


@targets
def test_policies_and_orders(name):
    target = TARGETS[name]
    policy = tm.optimal_policy(target, 0.5)
    assert_equals(policy.kl, 0.0)
    assert_equals(policy.mean_steps, 1.0)
    for denoiser in (None, tm.Smoothed(target, 0.0)):
        front = tm.rules.fixed_schedule_front(target, denoiser)
        assert len(front) == target.length
        assert_equals(front[0].loss, entropy(target))
    best = tm.best_order(target)
    assert_equals(best.loss, entropy(target))
    assert_equals(list(tm.order_losses(target).values()), np.full(len(tm.order_losses(target)), entropy(target)))
    assert_equals(tm.schedule_nelbo(target, None, np.ones(target.length)), entropy(target))


@targets
@pytest.mark.parametrize("masks", ["single", "independent-pair", "mirror"])
def test_variance(name, masks):
    found = tm.variance_decomposition(TARGETS[name], masks=masks)
    parts = np.array([found.pattern, found.rate, found.data])
    assert (parts >= -ATOL).all()
    assert found.total == pytest.approx(parts.sum(), abs=ATOL)


@pytest.mark.parametrize("name", [name for name, target in TARGETS.items() if isinstance(target, tm.MarkovChain)])
def test_chains(name):
    chain = TARGETS[name]
    table = tm.sequence_error_table(chain, 3, [1, chain.length])
    assert_equals(table.error[:, 1], 0.0)
    one = tm.chains.gap_sequence_error(chain, [1.0], [chain.length])
    assert_equals(one.error, 0.0)
    x = lattice.sequences(chain.vocab_size, chain.length)
    log_p = tm.chains.gap_log_likelihood(chain, 3, x).log_p
    np.testing.assert_allclose(log_p, np.repeat(chain.log_prob(x)[:, None], 3, axis=1), rtol=0, atol=ATOL)
    assert_equals(
        tm.chains.chain_reveal_curve(chain.transition, chain.initial, 0.5, chain.length), entropy(chain) / chain.length
    )


CERTIFIED = [name for name, target in TARGETS.items() if isinstance(target, tm.MarkovChain | tm.HMM | tm.NGram)]


@pytest.mark.parametrize("name", CERTIFIED)
def test_certified_curves(name):
    target, tolerance = TARGETS[name], 1e-6
    bounds = tm.reveal_curve_bounds(target, np.array([0.0, 0.5, 1.0]), tolerance)
    mean = entropy(target) / target.length
    assert (bounds.low <= mean + ATOL).all()
    assert (bounds.high >= mean - ATOL).all()
    low, high = tm.hidden_chains.entropy_bounds(target, tolerance)
    assert low - ATOL <= entropy(target) <= high + ATOL
    low, high = tm.hidden_chains.trajectory_kl_bounds(target, [0.5, 0.5], tolerance)
    assert low - ATOL <= 0.0 <= high + ATOL


@pytest.mark.parametrize("rule", ["N = 7", "shifted, N = 2", "all at once", "N > L", "bisection", "top 1"])
def test_one_block_is_its_block(rule):
    inner = tm.MarkovChain([[0.9, 0.1], [0.0, 1.0]], 4, [0.5, 0.5])
    block, rule = tm.Blocks(inner, 1), RULES[rule](4)
    for quantity in (tm.trajectory_kl, tm.marginal_kl, tm.sequence_error, tm.generative_cross_entropy):
        assert quantity(block, rule) == pytest.approx(quantity(inner, rule), abs=ATOL)
    np.testing.assert_allclose(tm.information_curve(block), tm.information_curve(inner), rtol=0, atol=ATOL)
    assert tm.total_correlation(block) == pytest.approx(tm.total_correlation(inner), abs=ATOL)


def test_smallest_arguments_of_the_rest():
    assert tm.bisection(1).blocks == ((0,),)
    assert tm.pairs(2, 2).length == 2
    assert tm.permutations(1).entropy() == 0.0
    assert_equals(tm.repetition(2, 1).entropy(), np.log(2))
    for schedule in (tm.LinearSchedule(), tm.CosineSchedule(), tm.SineSchedule(), tm.BetaSchedule(2.0, 3.0)):
        assert_equals(schedule.weights(1), [1.0])
        assert schedule.sizes(1, 1).tolist() == [1]
        assert schedule.sizes(5, 1).sum() == 1
    assert tm.plackett_luce([2.0]) == {(0,): 1.0}
