"""Information curves: routes against enumeration, dit, closed forms; estimates cover the exact curve."""

from math import log

import dit
import numpy as np
import pytest
from scipy.special import betainc

import toy_models as tm
from toy_models.quantities.information_curve import mean_subset_entropies, reveal_integral
from toy_models.quantities.intervals import bernstein_interval
from toy_models.quantities.lattice import subset_cross_entropies, to_table


@pytest.mark.parametrize(
    "target",
    [
        tm.pairs(2, 6),
        tm.zero_sum(3, 5),
        tm.repetition(3, 5),
        tm.LinearCode(np.array([[1, 0, 1, 1, 0], [0, 1, 1, 0, 1]]), 2),
    ],
    ids=("pairs", "zero-sum", "repetition", "code"),
)
def test_routes_agree_with_enumeration(target):
    np.testing.assert_allclose(
        tm.information_curve(target), tm.information_curve(to_table(target), "enumeration"), atol=1e-12
    )


def test_enumeration_against_the_definition(hmm_b):
    """g[k] is the plain average of H(X_i | X_S) over sets and positions."""
    loss = subset_cross_entropies(hmm_b)
    length = hmm_b.length
    for k, value in enumerate(tm.information_curve(hmm_b)):
        pairs = [(s, i) for s in range(2**length) if s.bit_count() == k for i in range(length) if not s >> i & 1]
        assert value == pytest.approx(np.mean([loss[s, i] for s, i in pairs]), abs=1e-13)


def test_total_correlations_against_dit(chain_a):
    target = to_table(tm.MarkovChain(chain_a.transition, 4))
    words = ["".join(map(str, w)) for w in np.argwhere(target.pmf > 0)]
    other = dit.Distribution(words, target.pmf[target.pmf > 0].tolist())
    assert tm.total_correlation(target) == pytest.approx(dit.multivariate.total_correlation(other) * log(2), abs=1e-9)
    assert tm.dual_total_correlation(target) == pytest.approx(
        dit.multivariate.dual_total_correlation(other) * log(2), abs=1e-9
    )


def test_closed_forms():
    k = np.arange(8)
    np.testing.assert_allclose(tm.information_curve(tm.pairs(4, 8)), log(4) * (1 - k / 7), atol=1e-13)
    np.testing.assert_allclose(tm.information_curve(tm.zero_sum(2, 8)), np.where(k < 7, log(2), 0), atol=1e-13)
    np.testing.assert_allclose(tm.information_curve(tm.repetition(5, 8)), np.where(k == 0, log(5), 0), atol=1e-12)


def test_reveal_curve_is_the_bernstein_form(chain_a, rng):
    g = tm.information_curve(chain_a)
    a = 0.37
    draws = (rng.random((200_000, 5)) < a).sum(axis=1)
    assert float(tm.reveal_curve(g, a)) == pytest.approx(g[draws].mean(), abs=2e-3)
    assert float(tm.reveal_curve(g, 0.0)) == g[0]
    assert float(tm.reveal_curve(g, 1.0)) == g[-1]
    fine = np.linspace(0, 1, 20001)
    h = tm.reveal_curve(g, fine)
    assert float(reveal_integral(g, 1.0)) == pytest.approx(np.trapezoid(h, fine), abs=1e-8)
    assert float(reveal_integral(g, 1.0)) == pytest.approx(chain_a.entropy() / 6, abs=1e-12)


@pytest.mark.parametrize("a", [0.0, 0.2, 0.7, 1.0])
def test_reveal_integral_by_incomplete_betas(a):
    """int_0^a C(L-1, k) s^k (1-s)^(L-1-k) ds = I_a(k+1, L-k) / L."""
    g, k = np.array([1.3, 0.9, 0.9, 0.2, 0.0]), np.arange(5)
    assert float(reveal_integral(g, a)) == pytest.approx(float(betainc(k + 1, 5 - k, a) @ g / 5), abs=1e-14)


@pytest.mark.parametrize("target", [tm.pairs(2, 6), tm.Blocks(tm.zero_sum(2, 3), 2)], ids=("pairs", "parities"))
def test_total_correlations_of_blocks_add_up(target):
    table = to_table(target)
    assert tm.total_correlation(target) == pytest.approx(tm.total_correlation(table), abs=1e-12)
    assert tm.dual_total_correlation(target) == pytest.approx(tm.dual_total_correlation(table), abs=1e-12)
    assert tm.total_correlation(target) > 0.5


def test_total_correlations_are_integrals(hmm_b):
    """TC = L int (1-a)(-h'), DTC = L int a(-h')."""
    g = tm.information_curve(hmm_b)
    a = np.linspace(0, 1, 4001)
    slope = np.gradient(tm.reveal_curve(g, a), a)
    assert tm.total_correlation(hmm_b) == pytest.approx(-6 * np.trapezoid((1 - a) * slope, a), abs=1e-5)
    assert tm.dual_total_correlation(hmm_b) == pytest.approx(-6 * np.trapezoid(a * slope, a), abs=1e-5)


def test_estimates_cover_and_a_wrong_curve_is_rejected(chain_a, rng):
    found = tm.estimate_information_curve(chain_a, 3000, rng, confidence=1 - 1e-6)
    g = tm.information_curve(chain_a)
    assert ((found.low <= g) & (g <= found.high)).all()
    wrong = np.roll(g, 1)
    assert ((wrong < found.low) | (wrong > found.high)).any()


def test_estimates_of_a_repetition_leave_nothing_to_chance(rng):
    """Its masked marginals are uniform before the first token and certain after it, whatever is drawn."""
    found = tm.estimate_information_curve(tm.repetition(3, 5), 2, rng)
    np.testing.assert_allclose(found.value, tm.information_curve(tm.repetition(3, 5)), atol=1e-15)
    some = tm.estimate_information_curve(tm.repetition(3, 5), 4, rng, confidence=0.5, revealed=(2, 0))
    np.testing.assert_allclose(some.value, [0.0, log(3)], atol=1e-15)
    assert (found.confidence, some.confidence) == (0.99, 0.5)
    radius = 7 * log(3) * log(4 / 0.5) / (3 * 3)
    np.testing.assert_allclose([some.low, some.high], [some.value - radius, some.value + radius], rtol=1e-14)


def test_bernstein_interval_by_hand():
    """Maurer and Pontil, both sides: sqrt(2 V log(4/delta) / n) + 7 w log(4/delta) / (3 (n - 1)), V over n - 1."""
    values = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 4.0]])
    found, spread = bernstein_interval(values, 4.0, 0.9), log(4 / 0.1)
    variance = np.array([1.0, 3.0])
    radius = np.sqrt(2 * variance * spread / 3) + 7 * 4.0 * spread / 6
    np.testing.assert_allclose(found.value, [1.0, 2.0], rtol=1e-15)
    np.testing.assert_allclose(found.high - found.value, radius, rtol=1e-12)
    np.testing.assert_allclose(found.value - found.low, radius, rtol=1e-12)


def test_estimated_trajectory_kl(chain_a, rng):
    rule = tm.IndependentReveal([0.25] * 4)
    exact = tm.trajectory_kl(chain_a, rule)
    one = tm.quantities.estimate_trajectory_kl(chain_a, rule, 4000, rng, confidence=1 - 1e-6)
    many = tm.quantities.estimate_uniform_kl(chain_a, (1, 2, 4), 4000, rng, confidence=1 - 1e-6)
    assert one.low <= exact <= one.high
    for k, n in enumerate((1, 2, 4)):
        value = tm.trajectory_kl(chain_a, tm.IndependentReveal(np.full(n, 1 / n)))
        assert many.low[k] - 1e-12 <= value <= many.high[k] + 1e-12
    assert not many.low[2] <= tm.marginal_kl(chain_a, rule) <= many.high[2]


def test_the_longest_code_allowed_is_served(monkeypatch):
    monkeypatch.setattr("toy_models.quantities.information_curve.MAX_CODE_LENGTH", 5)
    np.testing.assert_allclose(tm.information_curve(tm.zero_sum(2, 5)), [log(2)] * 4 + [0.0], atol=1e-13)
    with pytest.raises(tm.IntractableError, match="L <= 5"):
        tm.information_curve(tm.zero_sum(2, 6))


def test_bad_input(chain_a):
    with pytest.raises(ValueError, match="allowed"):
        tm.information_curve(chain_a, method="guess")
    for outside in (1.5, -0.5, np.array([0.0, 1.0 + 1e-9]), np.array([-1e-9, 1.0])):
        with pytest.raises(ValueError, match=r"lie in \[0, 1\]"):
            tm.reveal_curve(np.ones(3), outside)
    assert tm.reveal_curve(np.ones(3), np.zeros((2, 0))).shape == (2, 0)
    with pytest.raises(tm.IntractableError, match=r"L = 21, .*L <= 20.*estimate_information_curve"):
        tm.information_curve(tm.zero_sum(2, 21))
    with pytest.raises(tm.IntractableError):
        mean_subset_entropies(tm.HMM([0.5, 0.5], np.eye(2), np.eye(2), 60))
    for confidence in (0.0, 1.0):
        with pytest.raises(ValueError, match=f"confidence = {confidence}, it must lie strictly between 0 and 1"):
            tm.estimate_information_curve(chain_a, 10, np.random.default_rng(0), confidence=confidence)
    with pytest.raises(ValueError, match="size = 1, it must be an integer >= 2"):
        tm.estimate_information_curve(chain_a, 1, np.random.default_rng(0))


@pytest.mark.parametrize("revealed", [[-1], [4], [1.7], [True], []])
def test_numbers_of_revealed_tokens_are_neither_cut_nor_wrapped(revealed):
    chain = tm.MarkovChain([[0.7, 0.3], [0.4, 0.6]], 4)
    with pytest.raises(ValueError, match="revealed"):
        tm.estimate_information_curve(chain, 10, np.random.default_rng(0), revealed=revealed)
