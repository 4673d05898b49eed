"""The chain information curve against enumeration, closed forms and itself on other routes."""

import math
from fractions import Fraction
from math import comb

import numpy as np
import pytest

import toy_models as tm
from toy_models.chains.formula import chain_information_curve, chain_reveal_curve, subset_functional
from toy_models.quantities import lattice

CHAIN_A = np.array([[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]])
SYMMETRIC = np.array([[0.9, 0.1], [0.1, 0.9]])


def enumerated_curve(target) -> np.ndarray:
    """g[k] from H(X_i | X_T) of every set T."""
    table = lattice.subset_cross_entropies(target)
    total, count = np.zeros(target.length), np.zeros(target.length)
    for subset in range(2**target.length):
        size = subset.bit_count()
        for i in range(target.length):
            if not subset >> i & 1:
                total[size] += table[subset, i]
                count[size] += 1
    return total / count


def bernstein_sum(g: np.ndarray, a: float) -> float:
    free = len(g) - 1
    return sum(comb(free, k) * a**k * (1 - a) ** (free - k) * g[k] for k in range(len(g)))


def random_chain(rng: np.random.Generator, length: int, stationary: bool) -> tm.MarkovChain:
    size = int(rng.integers(2, 4))
    transition = rng.dirichlet(np.full(size, 0.4), size)
    transition[rng.integers(size)] = np.eye(size)[rng.integers(size)]
    initial = rng.dirichlet(np.full(size, 0.5))
    try:
        return tm.MarkovChain(transition, length, None if stationary else initial)
    except ValueError:  # no unique stationary law
        return tm.MarkovChain(transition, length, initial)


@pytest.mark.parametrize("stationary", [True, False])
def test_curve_of_random_chains_is_the_enumerated_one(stationary):
    rng = np.random.default_rng(5)
    for length in (1, 2, 3, 4, 6, 7):
        chain = random_chain(rng, length, stationary)
        exact = enumerated_curve(chain)
        np.testing.assert_allclose(chain_information_curve(chain), exact, rtol=0, atol=3e-15)
        for a in (0.0, 0.3, 1.0):
            h = chain_reveal_curve(chain.transition, chain.initial, a, length)
            assert abs(float(h) - bernstein_sum(exact, a)) < 3e-15


def test_control_without_the_two_sided_term_the_curve_is_wrong():
    length = 5
    chain = tm.MarkovChain(CHAIN_A, length)
    pi, exact = chain.initial, enumerated_curve(chain)
    one_sided = np.full(length, -float(pi @ np.log(pi)))
    for d in range(1, length):
        power = np.linalg.matrix_power(CHAIN_A, d)
        information = float(pi @ np.where(power > 0, power * np.log(np.maximum(power, 1e-300) / pi), 0.0).sum(axis=1))
        for k in range(1, length):
            weight = comb(length - 1 - d, k - 1) / comb(length - 1, k)
            one_sided[k] -= 2 * (length - d) / length * information * weight
    np.testing.assert_allclose(one_sided[:2], exact[:2], rtol=0, atol=1e-14)  # one revealed token makes no pair
    assert (exact[2:] - one_sided[2:]).min() > 0.01


def test_weights_of_the_functional_are_the_rational_binomials():
    length = 9
    for d in range(1, length):
        unit = np.zeros(length - 1)
        unit[d - 1] = 1.0
        weights = subset_functional(unit, length)
        for k in range(1, length):
            below = comb(length - 1, k)
            u = Fraction(comb(length - 1 - d, k - 1), below)
            v = Fraction(comb(length - 1 - d, k - 2), below) if k >= 2 and d >= 2 else Fraction(0)
            assert weights[k] == pytest.approx(float(2 * u - (d - 1) * v), rel=1e-14, abs=1e-15)


def test_binary_symmetric_numbers_at_length_64():
    chain = tm.MarkovChain(SYMMETRIC, 64)
    g = chain_information_curve(chain)
    entropy = float(g.sum())
    flip = -0.1 * math.log(0.1) - 0.9 * math.log(0.9)
    assert entropy == pytest.approx(math.log(2) + 63 * flip, abs=1e-12)
    assert entropy == pytest.approx(21.173375, abs=5e-7)
    assert 64 * g[0] - entropy == pytest.approx(23.188045, abs=5e-7)  # total correlation
    assert entropy - 64 * g[-1] == pytest.approx(9.439316, abs=5e-7)  # dual total correlation
    assert g[0] == pytest.approx(math.log(2), abs=1e-15)
    independent = {8: 2.18136, 16: 1.05537, 32: 0.51876, 64: 0.25714}
    fixed = {8: 1.93978, 16: 0.80333, 32: 0.26304, 64: 0.0}
    for steps, value in independent.items():
        h = chain_reveal_curve(SYMMETRIC, None, np.arange(steps) / steps, 64)
        assert 64 * h.mean() - entropy == pytest.approx(value, abs=5e-6)
        low, high = tm.hidden_chains.trajectory_kl_bounds(chain, np.full(steps, 1 / steps), 1e-9)
        assert low == high == pytest.approx(64 * h.mean() - entropy, abs=1e-11)
        assert 64 // steps * g[:: 64 // steps].sum() - entropy == pytest.approx(fixed[steps], abs=5e-6)
    sizes = np.array([4, 5, 6, 7, 8, 9, 11, 14])
    start = np.cumsum(sizes) - sizes
    assert float(sizes @ g[start]) - entropy == pytest.approx(1.6017, abs=5e-5)


def test_infinite_length_is_the_limit_with_error_of_order_one_over_length():
    a = np.array([0.1, 0.5, 0.9])
    limit = chain_reveal_curve(CHAIN_A, None, a)
    gaps = [np.abs(chain_reveal_curve(CHAIN_A, None, a, n) - limit).max() for n in (10**3, 10**4, 10**5)]
    assert gaps[0] / gaps[1] == pytest.approx(10, rel=1e-3)
    assert gaps[1] / gaps[2] == pytest.approx(10, rel=1e-3)
    np.testing.assert_array_equal(limit, chain_reveal_curve(CHAIN_A, np.array([1.0, 0.0, 0.0]), a))


@pytest.mark.parametrize("length", [4096, 100_000])
def test_long_curves_sum_to_the_entropy(length):
    rate = CHAIN_A @ np.ones(3)
    pi = tm.MarkovChain(CHAIN_A, 2).initial
    rows = -np.where(CHAIN_A > 0, CHAIN_A * np.log(np.maximum(CHAIN_A, 1e-300)), 0).sum(axis=1) / rate
    g = chain_information_curve(tm.MarkovChain(CHAIN_A, length))
    exact = -float(pi @ np.log(pi)) + (length - 1) * float(pi @ rows)
    assert math.fsum(g) == pytest.approx(exact, rel=1e-14)
    assert np.diff(g).max() <= 0


def test_chains_that_do_not_mix():
    swap = np.array([[0.0, 1.0], [1.0, 0.0]])
    g = chain_information_curve(tm.MarkovChain(swap, 5000))  # one revealed token settles all
    assert g[0] == pytest.approx(math.log(2), abs=1e-15)
    assert np.abs(g[1:]).max() < 1e-12
    frozen = tm.MarkovChain(np.eye(2), 6, np.array([0.25, 0.75]))
    np.testing.assert_allclose(chain_information_curve(frozen), enumerated_curve(frozen), rtol=0, atol=1e-15)
    with pytest.raises(tm.IntractableError, match="does not mix"):
        chain_reveal_curve(swap, None, 1e-9)


def test_independent_tokens_have_a_flat_curve():
    law = np.array([0.2, 0.3, 0.5])
    g = chain_information_curve(tm.MarkovChain(np.tile(law, (3, 1)), 50))
    np.testing.assert_allclose(g, -(law @ np.log(law)), rtol=0, atol=1e-15)


@pytest.mark.parametrize("a", [-0.1, 1.1, math.nan])
def test_fractions_outside_the_unit_interval_are_told(a):
    with pytest.raises(ValueError, match=r"a\[1\] = .* must lie in \[0, 1\]"):
        chain_reveal_curve(CHAIN_A, None, [0.5, a])


def test_a_length_that_is_no_positive_integer_is_told():
    with pytest.raises(ValueError, match="length = 0"):
        chain_reveal_curve(CHAIN_A, None, 0.5, 0)
