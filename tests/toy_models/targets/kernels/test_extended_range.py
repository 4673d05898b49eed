"""Numbers of any magnitude against rationals: each operation exact, or right to its last bit; recursions on 1e-200."""

from fractions import Fraction
from itertools import product

import numpy as np
import oracles
import pytest

from toy_models.quantities.lattice import states as every_context
from toy_models.targets.kernels import extended_range as er
from toy_models.targets.kernels.forward_backward import mask_first_likelihood

EDGES = (0.0, 2.0**-256, 1.5 * 2.0**-256, 0.1, 1.0, 3.0, 2.0**255, (2 - 2.0**-52) * 2.0**255)  # in range


def value(x, k) -> Fraction:
    return Fraction(float(x)) * Fraction(2) ** (512 * int(k))


@pytest.mark.parametrize("x", [0.0, 2.0**-512, 2.0**-300, 2.0**-257, *EDGES, 2.0**256, 1.5 * 2.0**400, 2.0**511])
@pytest.mark.parametrize("k", [-3, 0, 2])
def test_normal_keeps_the_number_and_brings_it_in_range(x, k):
    y, m = er.normal(x, k)
    assert value(y, m) == value(x, k)
    assert y == 0.0 or 2.0**-256 <= y < 2.0**256


@pytest.mark.parametrize("gap", [-3, -2, -1, 0, 1, 2, 3])
def test_sums_are_right_to_the_last_bit(gap):
    for x, y in product(EDGES, EDGES):
        z, m = er.add(x, 5, y, 5 + gap)
        exact = value(x, 5) + value(y, 5 + gap)
        assert abs(value(z, m) - exact) <= exact * Fraction(oracles.EPS)
        assert z == 0.0 or 2.0**-256 <= z < 2.0**256


@pytest.mark.parametrize("gap", [-2, -1, 0, 1])
def test_the_larger_of_two_numbers(gap):
    for x, y in product(EDGES, EDGES):
        assert value(*er.larger(x, 5, y, 5 + gap)) == max(value(x, 5), value(y, 5 + gap))


@pytest.mark.parametrize("drop", [0, 1, 2, 3])
def test_ratios_are_right_to_the_last_bit_or_too_small_for_one(drop):
    for x, peak in product(EDGES, EDGES[1:]):
        exact = value(x, -drop) / value(peak, 0)
        if exact <= 1:
            found = Fraction(er.ratio(x, 7 - drop, peak, 7))
            assert abs(found - exact) <= exact * Fraction(oracles.EPS) + Fraction(2) ** -1074


def test_split_takes_as_many_steps_as_a_number_needs():
    significand, exponent = er.split(np.array([[1.0, 0.0, 2.0**-256], [2.0**-257, 5e-324, 2.0**-769]]))
    np.testing.assert_array_equal(exponent, [[0, 0, 0], [-1, -2, -2]])
    np.testing.assert_array_equal(significand, [[1.0, 0.0, 2.0**-256], [2.0**255, 2.0**-50, 2.0**255]])


def pieces(*parameters):
    return [half for p in parameters for half in er.split(np.array(p, dtype=float))]


TINY = 1e-200
MODELS = {
    "switches": ([1, 0], [[1, TINY], [TINY, 1]], [[1, 0], [TINY, 1]]),
    "three states": (
        [TINY, 0.5, 0.5],
        [[0.5, 0, 0.5], [TINY, 0.5, 0.5], [0, TINY, 1]],
        [[1, 0], [0.25, 0.75], [TINY, 1]],
    ),
    "one state": ([1], [[1]], [[0.25, 0.75, 0]]),
    "zeros": ([1, 0], [[0, 1], [0.5, 0.5]], [[1, 0, 0], [0, 0.5, 0.5]]),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("length", [1, 4])
def test_hidden_markov_recursions_in_extended_range(name, length):
    initial, transition, emission = (np.array(p, dtype=float) for p in MODELS[name])
    law = oracles.hmm_law(initial, transition, emission, length)
    y = every_context(emission.shape[1], length)
    found, impossible = np.zeros((*y.shape, emission.shape[1])), np.zeros(len(y), dtype=bool)
    split, log_prob = pieces(initial, transition, mask_first_likelihood(emission)), np.zeros(len(y))
    er.hmm_marginals(*split, emission, y, impossible, found)
    er.hmm_log_prob(*split, y, log_prob)
    for row, context in enumerate(y):
        wanted = oracles.conditionals(law, tuple(context), emission.shape[1])
        assert impossible[row] == (wanted is None) == (log_prob[row] == -np.inf)
        if wanted is not None:
            np.testing.assert_allclose(found[row][context < 0], wanted[context < 0], rtol=1e-13, atol=1e-290)


def test_log_prob_of_numbers_beyond_float64():
    """n switches of probability 1e-200 that the tokens show: log q = n log 1e-200, in units of log 2 exactly."""
    tiny = 2.0**-700
    split = pieces([1, 0], [[1, tiny], [tiny, 1]], mask_first_likelihood(np.eye(2)))
    x = np.array([[0, 0, 0, 0, 0], [0, 1, 0, 1, 0], [0, 0, 1, 1, 0], [1, 0, 0, 0, 0]])
    found = np.zeros(4)
    er.hmm_log_prob(*split, x, found)
    np.testing.assert_allclose(found, [0.0, -2800 * np.log(2), -1400 * np.log(2), -np.inf], rtol=4 * oracles.EPS)
    er.hmm_log_prob(*pieces([tiny, 1], np.eye(2), mask_first_likelihood(np.eye(2))), x, found)
    np.testing.assert_allclose(found, [-700 * np.log(2), -np.inf, -np.inf, -np.inf], rtol=4 * oracles.EPS)


@pytest.mark.parametrize(
    ("vocab", "order", "length"), [(2, 2, 1), (2, 2, 4), (2, 3, 2), (2, 3, 4), (3, 3, 3), (2, 4, 5)]
)
@pytest.mark.parametrize("tiny", [0.0, 0.25, 1e-200])
def test_window_recursions_in_extended_range(vocab, order, length, tiny):
    rng = np.random.default_rng(vocab + 10 * order)
    conditional = rng.dirichlet(np.ones(vocab), (vocab,) * (order - 1))
    conditional[conditional < 0.25] = tiny
    initial = rng.dirichlet(np.ones(vocab ** (order - 1))).reshape((vocab,) * (order - 1))
    initial.flat[0] = tiny
    law = oracles.ngram_law(initial, conditional, length)
    y = every_context(vocab, length)
    found, impossible = np.zeros((*y.shape, vocab)), np.zeros(len(y), dtype=bool)
    rows = conditional.reshape(-1, vocab)
    er.ngram_marginals(*pieces(initial.ravel(), rows), order, y, impossible, found)
    for row, context in enumerate(y):
        wanted = oracles.conditionals(law, tuple(context), vocab)
        assert impossible[row] == (wanted is None)
        if wanted is not None:
            np.testing.assert_allclose(found[row][context < 0], wanted[context < 0], rtol=1e-13, atol=1e-290)
