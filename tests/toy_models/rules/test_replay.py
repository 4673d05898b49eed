"""Replay along data against the exact sampler law, rational twins, and the estimate at long lengths."""

import numpy as np
import pytest
from flint import fmpq

import toy_models as tm
from toy_models.exact import trajectories as exact
from toy_models.quantities.intervals import bernstein_interval
from toy_models.quantities.lattice import sequences

RULES = [
    tm.EntropyBounded(0.0),
    tm.EntropyBounded(0.4, "margin"),
    tm.EntropyBounded(2.0, "confidence"),
    tm.TopK(2, "margin"),
    tm.Threshold(0.6),
    tm.SemiAutoregressive(2, tm.EntropyBounded(0.5)),
]
TABLE = tm.Table(np.random.default_rng(0).dirichlet(np.full(81, 0.3)).reshape((3,) * 4))
MODELS = [None, tm.Smoothed(TABLE, 0.3), tm.Tempered(TABLE, 2.0)]


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("model", MODELS)
def test_replay_is_the_exact_law(rule, model):
    law = tm.sampler_law(model or TABLE, rule)
    x = sequences(3, 4)
    np.testing.assert_allclose(
        np.exp(tm.rules.replay_rule(TABLE, rule, x, model).log_likelihood), law.pmf.ravel(), atol=1e-13
    )
    value = tm.rules.evaluate_rule(TABLE, rule, model)
    assert value.kl == pytest.approx(float((TABLE.pmf * np.log(TABLE.pmf / law.pmf)).sum()), abs=1e-12)
    assert value.kl == pytest.approx(value.model_error + value.joint_dependence, abs=1e-12)
    if model is None:
        assert value.model_error == 0.0
        assert value.kl <= value.bound + 1e-12


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_other_routes_agree(rule):
    value = tm.rules.evaluate_rule(TABLE, rule, MODELS[1])
    assert tm.marginal_kl(TABLE, rule, MODELS[1]) == pytest.approx(value.kl, abs=1e-12)
    assert tm.trajectory_kl(TABLE, rule, MODELS[1]) == pytest.approx(value.kl, abs=1e-12)
    assert tm.expected_calls(TABLE, rule, MODELS[1]) == pytest.approx(value.calls, abs=1e-12)


def written_probability(model, choose, x) -> fmpq:
    """p(x) by replaying the rule along x."""
    y, p = (tm.MASK,) * len(x), fmpq(1)
    while tm.MASK in y:
        subset = choose(y)
        for i in subset:
            p *= model(y, i)[x[i]]
        y = exact.replace(y, subset, (x[i] for i in subset))
    return p


def test_rational_twin():
    rng = np.random.default_rng(5)
    law, model = exact.random_law(2, 4, rng), exact.random_model(2, 4, rng)
    for rule in RULES[:5]:
        choose = exact.choose_by(rule, model, 2)
        written = exact.propagate(model, choose, 2, 4)
        assert sum(written.values()) == 1
        assert all(written[x] == written_probability(model, choose, x) for x in written)
        error, dependence = exact.error_parts(law, model, choose)
        assert (exact.divergence(law.pmf, written) - error - dependence).is_zero()
        assert not (exact.divergence(law.pmf, written) - error).is_zero() or dependence.is_zero()


def test_rational_law_by_hand():
    law = exact.RationalLaw({(0, 0): fmpq(1, 2), (1, 1): fmpq(1, 4), (1, 0): fmpq(1, 4)}, 2, 2)
    assert law.marginal((-1, -1), 1) == [fmpq(3, 4), fmpq(1, 4)]
    assert law.marginal((1, -1), 1) == [fmpq(1, 2), fmpq(1, 2)]
    assert float(law.entropy()) == pytest.approx(1.5 * np.log(2), rel=1e-15)
    table = tm.Table(np.array([[0.5, 0.0], [0.25, 0.25]]))
    assert float(law.total_correlation((-1, -1), (0, 1))) == pytest.approx(tm.total_correlation(table), rel=1e-12)


def test_steps_and_calls():
    value = tm.rules.replay_rule(tm.pairs(2, 4), tm.EntropyBounded(0.1), np.array([[0, 2, 1, 3]]))
    assert value.step.tolist() == [[0, 1, 1, 2]]
    assert value.calls.tolist() == [3]
    assert value.multi_calls.tolist() == [1]
    np.testing.assert_allclose(value.entropy, 2 * np.log(2), rtol=1e-14)


def test_known_instances():
    determined = tm.Table(np.array([[[0.25, 0.25], [0, 0]], [[0, 0], [0.25, 0.25]]]))  # x2 = x1, x3 free
    value = tm.rules.evaluate_rule(determined, tm.EntropyBounded(0.0))
    assert (value.calls, value.kl) == pytest.approx((2.0, 0.0), abs=1e-14)
    copied = tm.Table(np.eye(2) / 2)
    skewed = tm.Table(np.outer([0.99, 0.01], [0.99, 0.01]))
    value = tm.rules.evaluate_rule(copied, tm.EntropyBounded(0.06), skewed)
    assert value.bound == pytest.approx(0.0560015, abs=1e-7)
    assert value.joint_dependence == pytest.approx(np.log(2), abs=1e-12)
    assert value.model_error == pytest.approx(3.2289262, abs=1e-7)


def test_estimate_holds_the_exact_value():
    chain = tm.MarkovChain(np.array([[0.9, 0.1], [0.2, 0.8]]), 8)
    rule = tm.EntropyBounded(0.6)
    truth = tm.rules.evaluate_rule(chain, rule).kl
    found = tm.rules.estimate_kl(chain, rule, 4000, np.random.default_rng(1), confidence=1 - 1e-6)
    assert found.low <= truth <= found.high
    wrong = tm.rules.evaluate_rule(chain, tm.EntropyBounded(2.0)).kl  # the interval has power
    assert not found.low <= wrong <= found.high


def test_estimate_reaches_lengths_enumeration_cannot():
    found = tm.rules.estimate_kl(
        tm.MarkovChain(np.array([[0.9, 0.1], [0.2, 0.8]]), 60), tm.EntropyBounded(0.6), 50, np.random.default_rng(1)
    )
    assert found.low < found.value < found.high
    assert found.confidence == 0.99


def test_bernstein_interval_by_hand():
    found = bernstein_interval(np.array([0.0, 1.0, 0.0, 1.0]), 1.0, 0.9)
    log_term = np.log(40)
    radius = np.sqrt(2 * (1 / 3) * log_term / 4) + 7 * log_term / 9
    assert (float(found.low), float(found.high)) == pytest.approx((0.5 - radius, 0.5 + radius), rel=1e-12)
    with pytest.raises(ValueError, match="confidence = 1"):
        bernstein_interval(np.zeros(3), 1.0, 1.0)


def test_bad_input():
    with pytest.raises(ValueError, match="must be adaptive"):
        tm.rules.replay_rule(TABLE, tm.FixedOrder(((0,), (1, 2, 3))), np.zeros((1, 4), dtype=int))
    with pytest.raises(ValueError, match=r"tokens\[0, 3\] = -1"):
        tm.rules.replay_rule(TABLE, RULES[0], np.array([[0, 0, 0, -1]]))
    with pytest.raises(ValueError, match="size = 1, it must be an integer >= 2"):
        tm.rules.estimate_kl(TABLE, RULES[0], 1, np.random.default_rng(0))
