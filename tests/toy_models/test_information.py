"""Information curves: routes against enumeration, dit, closed forms; estimates cover the exact curve."""

from math import log

import dit
import numpy as np
import pytest

import toy_models as tm
from toy_models.information import mean_subset_entropies, reveal_integral
from toy_models.lattice import subset_cross_entropies, to_table


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


def test_estimated_trajectory_kl(chain_a, rng):
    rule = tm.IndependentReveal([0.25] * 4)
    exact = tm.trajectory_kl(chain_a, rule)
    one = tm.estimate_trajectory_kl(chain_a, rule, 4000, rng, confidence=1 - 1e-6)
    many = tm.estimate_uniform_kl(chain_a, (1, 2, 4), 4000, rng, confidence=1 - 1e-6)
    assert one.low <= exact <= one.high
    for k, n in enumerate((1, 2, 4)):
        value = tm.trajectory_kl(chain_a, tm.IndependentReveal(np.full(n, 1 / n)))
        assert many.low[k] - 1e-12 <= value <= many.high[k] + 1e-12
    assert not many.low[2] <= tm.marginal_kl(chain_a, rule) <= many.high[2]


def test_bad_input(chain_a):
    with pytest.raises(ValueError, match="allowed"):
        tm.information_curve(chain_a, method="guess")
    with pytest.raises(ValueError, match=r"lie in \[0, 1\]"):
        tm.reveal_curve(np.ones(3), 1.5)
    with pytest.raises(tm.IntractableError, match="estimate_information_curve"):
        tm.information_curve(tm.zero_sum(2, 30))
    with pytest.raises(tm.IntractableError):
        mean_subset_entropies(tm.HMM([0.5, 0.5], np.eye(2), np.eye(2), 60))
    with pytest.raises(ValueError, match="confidence"):
        tm.estimate_information_curve(chain_a, 10, np.random.default_rng(0), confidence=1.0)
