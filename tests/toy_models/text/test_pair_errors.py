"""Sequence error of a text's pairs: every route against an exact or a certified one."""

import numpy as np
import pytest

import toy_models as tm
from toy_models.text import pair_errors
from toy_models.text.pair_errors import cut_of, route_of, sampled_error, uniform_errors, weights_error

THREE = np.array([[0.7, 0.3, 0], [0, 0.6, 0.4], [0.5, 0, 0.5]])


def test_measured_values_of_the_english_bigrams_lie_in_their_intervals():
    """27 letters, L = 40: against the route with a proved bound; a shifted value is outside."""
    chain = tm.corpus.language(2, 40)
    found, route = uniform_errors(chain, 4, 4)
    assert (route.how, route.cut) == ("measured", 4)
    proved = tm.sequence_error_table(chain, 4, [40], method="split", tolerance=1e-6)
    for error, exact in zip(found, proved.error[:, 0], strict=True):
        assert error.low - 1e-6 <= exact <= error.high + 1e-6
        assert error.high - error.low < 2e-3
    assert [error.slots for error in found] == [1, 2, 3, 4]


def test_long_texts_take_a_tail():
    chain = tm.MarkovChain(THREE, 400)
    assert route_of(chain, 10**4)[0] == "measured"
    found, route = [], pair_errors.Route("measured", cut_of(chain), 1e-3)
    for n in (1, 5):
        found.append(weights_error(chain, np.full(n, 1 / n), route, np.random.default_rng(0)))
    certified = tm.sequence_error_table(chain, 5, [400], method="certified")
    for error, n in zip(found, (1, 5), strict=True):
        assert error.value == pytest.approx(certified.error[n - 1, 0], abs=1e-4)
        assert error.calls == pytest.approx(n * (1 - (1 - 1 / n) ** 400))


def test_short_texts_and_slow_chains_are_exact():
    slow = tm.MarkovChain([[0.999, 0.001, 0.0], [0.0, 0.999, 0.001], [0.001, 0.0, 0.999]], 8)
    assert cut_of(slow) is None
    found, route = uniform_errors(slow, 3, 3)
    assert route.how == "exact"
    for n, error in enumerate(found, 1):
        exact = tm.sequence_error(slow, tm.IndependentReveal(np.full(n, 1 / n)))
        assert error.low == error.value == error.high == pytest.approx(exact, abs=1e-12)
    weights = np.array([0.2, 0.0, 0.8])
    found = weights_error(slow, weights, route, np.random.default_rng(0))
    assert found.value == pytest.approx(tm.sequence_error(slow, tm.IndependentReveal(weights)), abs=1e-12)


def test_large_alphabets_are_sampled():
    chain = tm.MarkovChain(np.random.default_rng(0).dirichlet(np.ones(200), 200), 32)
    assert route_of(chain, 8) == ("sampled", None)
    assert uniform_errors(chain, 8, 4)[0] == []


@pytest.mark.parametrize("rule", [tm.IndependentReveal([0.5, 0.5]), tm.TopK(2)])
def test_sampled_intervals_hold_the_exact_value(rule):
    """And a wrong sampler does not: one call instead of two."""
    chain = tm.MarkovChain(THREE, 6)
    found = sampled_error(chain, rule, np.random.default_rng(1))
    assert found.low <= tm.sequence_error(chain, rule) <= found.high
    assert found.how == "sampled"
    other = sampled_error(chain, tm.IndependentReveal([1.0]), np.random.default_rng(1))
    assert not other.low <= tm.sequence_error(chain, rule) <= other.high
