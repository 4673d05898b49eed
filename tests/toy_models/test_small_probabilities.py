"""Probabilities that float64 cannot multiply: logarithms are kept, or the limit is named."""

import re

import numpy as np
import pytest

import toy_models as tm
from toy_models.quantities import lattice

FLIP = [[1e-200, 1.0], [1.0, 1e-200]]  # every text is possible, most of them with probability under 1e-308
STEEP = np.array([[1.14e-38, 2.9e-83, 1.0], [1.0, 4.5e-91, 1.6e-112], [1.1e-125, 5.9e-177, 1.0]])


@pytest.mark.parametrize("power", [70.0, 100.0, 200.0, 1000.0])
def test_low_temperatures(power):
    """At power 100 the marginal KL was inf, from power 200 on the learning error too."""
    chain = tm.MarkovChain([[0.9, 0.1], [0.2, 0.8]], 5)
    model, rule = tm.Tempered(chain, power), tm.TopK(1)
    x = lattice.sequences(2, 5)
    log_q = chain.log_prob(x)
    wanted = float(np.exp(log_q) @ (log_q - tm.log_likelihood(model, rule, x)))
    assert tm.marginal_kl(chain, rule, model) == pytest.approx(wanted, rel=1e-12)
    assert tm.trajectory_kl(chain, rule, model) == pytest.approx(wanted, rel=1e-12)
    assert tm.rules.evaluate_rule(chain, rule, model).kl == pytest.approx(wanted, rel=1e-12)
    if power == 100.0:
        assert wanted == pytest.approx(116.4948, abs=1e-4)
    random_order = tm.RandomOrder([2, 3])
    assert np.isfinite(tm.marginal_kl(chain, random_order, model))
    assert tm.marginal_kl(chain, random_order, model) <= tm.trajectory_kl(chain, random_order, model)
    # the worst context: one neighbour known; log-odds are multiplied by the power
    worst = max(
        float(np.exp(a) @ (a - b))
        for a, b in zip(lattice.state_log_marginals(chain)[0], lattice.state_log_marginals(model)[0], strict=True)
    )
    assert worst <= tm.learning_error(chain, model) < np.inf


@pytest.mark.parametrize("chain", [tm.MarkovChain(FLIP, 4), tm.NGram(np.array(FLIP), 4)], ids=["chain", "n-gram"])
def test_support_is_what_log_prob_says(chain):
    """The sequence error of one step was 0.5: texts of probability 1e-400 counted as impossible."""
    rule = tm.IndependentReveal([1.0])
    assert tm.sequence_error(chain, rule) == 0.0
    uniform = np.log(16.0)
    assert tm.marginal_kl(chain, rule) == pytest.approx(uniform - np.log(2.0), rel=1e-12)
    log_q = chain.log_prob(lattice.sequences(2, 4))
    assert tm.generative_cross_entropy(chain, rule) == pytest.approx(-log_q.mean(), rel=1e-12)
    assert tm.information_curve(chain).sum() == pytest.approx(np.log(2.0), rel=1e-12)


def test_likelihoods_that_were_infinite():
    chain = tm.MarkovChain(STEEP, 4, [3.9e-144, 1.0, 2e-124])
    rule, x = tm.IndependentReveal([4.5e-32, 1.0, 4.4e-16]), lattice.sequences(3, 4)
    log_p = tm.log_likelihood(chain, rule, x)
    assert np.isfinite(log_p).all()
    assert (log_p <= 0.0).all()
    assert np.logaddexp.reduce(log_p) == pytest.approx(0.0, abs=1e-12)
    with pytest.raises(tm.IntractableError, match=re.escape("transitions >= 1e-80")):
        tm.log_likelihood(chain, rule, x, "own")
    longer = tm.MarkovChain(STEEP, 9, [3.9e-144, 1.0, 2e-124])
    some = np.array([[0, 0, 1, 2, 1, 1, 0, 2, 2]])
    assert np.isfinite(tm.log_likelihood(longer, rule, some)).all()  # the gap recursion hands over to the subsets


def test_the_gap_recursion_refuses_overflow():
    """A text that the chain all but forbids and independent tokens would write: the scaled values pass 1e308."""
    chain = tm.MarkovChain([[1e-7, 1 - 1e-7], [1 - 1e-7, 1e-7]], 120)
    x = np.zeros((1, 120), dtype=np.int64)
    with pytest.raises(tm.IntractableError, match="gap recursion"):
        tm.chains.gap_log_likelihood(chain, 2, x)


def test_later_steps_of_tiny_weight_still_count():
    """1 - r was 0 after a weight of 1 - 1e-20; pairs (0, 0), (1, 1): only separate steps forbid the text (0, 1)."""
    target = tm.Table(np.eye(2) / 2)
    log_p = tm.log_likelihood(target, tm.IndependentReveal([1.0, 1e-20]), np.array([[0, 0], [0, 1]]))
    np.testing.assert_allclose(log_p, np.log([0.25, 0.25]), rtol=1e-14)
    spread = tm.IndependentReveal([1e-200, 1.0])
    assert spread.survivals.tolist() == [1.0, 0.0]
    skewed = tm.Table(np.array([[1e-300, 0.5], [0.5, 0.0]]))
    x = np.array([[1, 1]])  # impossible, written only when both positions fall in the same step
    expected = np.log(0.25)
    assert tm.log_likelihood(skewed, spread, x)[0] == pytest.approx(expected, rel=1e-12)


def test_tempered_rows_of_1e_155():
    rows = np.array([[1e-155, 1.0], [1.0, 1e-155]])
    chain = tm.MarkovChain(rows, 3)
    for power in (0.5, 2.0, 3.0):
        model = tm.Tempered(chain, power)
        values = [tm.trajectory_kl(chain, tm.TopK(1), model), tm.marginal_kl(chain, tm.RandomOrder([1, 2]), model)]
        assert np.isfinite(values).all()


@pytest.mark.parametrize(
    "model",
    [
        lambda t: t,
        lambda t: tm.Smoothed(t, 0.0),
        lambda t: tm.Smoothed(t, 0.25),
        lambda t: tm.Tempered(t, 1.5),
        lambda t: tm.ParentPointer(t, [-1, 0, 1]),
        lambda t: tm.Windowed(t, 1),
    ],
)
def test_log_marginals_are_the_logarithms_of_marginals(model, rng):
    for target in (tm.Table(rng.dirichlet(np.ones(27)).reshape(3, 3, 3)), tm.MarkovChain(np.eye(3)[[1, 2, 0]], 3)):
        model_of = model(target)
        y = lattice.states(3, 3)
        with np.errstate(divide="ignore"):
            wanted = np.log(model_of.marginals(y, on_impossible="nan"))
        np.testing.assert_allclose(lattice.log_marginals(model_of, y), wanted, rtol=0, atol=1e-13)
