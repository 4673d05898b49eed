"""Path, rates and state sums in rationals: consistency, constants, and the changes that break them."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import toy_models as tm
from toy_models.energy.conditional_kinetic import marginalised_rates, point_mass
from toy_models.energy.energies_by_state import energy_integrands, full_support_constants
from toy_models.energy.kinetic import (
    kinetic_constant,
    kinetic_sum,
    lattice_of,
    net_flow,
    path_probabilities,
    path_slopes,
    rates,
)
from toy_models.quantities.lattice import state_probabilities, states


def exact(weights) -> np.ndarray:
    weights = np.asarray(weights)
    total = int(weights.sum())
    return np.vectorize(lambda w: Fraction(int(w), total), otypes=[object])(weights)


@st.composite
def laws(draw, lowest: int):
    n, size = draw(st.sampled_from([(1, 2), (1, 3), (2, 2), (2, 3), (3, 2)]))
    weights = draw(st.lists(st.integers(lowest, 10**6), min_size=size**n, max_size=size**n).filter(any))
    return exact(np.array(weights, dtype=object).reshape((size,) * n))


alphas = st.fractions(Fraction(1, 1000), Fraction(999, 1000), max_denominator=1000)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(laws(0), alphas)
def test_rates_generate_the_path(pmf, alpha):
    lattice = lattice_of(pmf)
    p, slope = path_probabilities(lattice, alpha), Fraction(3, 7)
    assert p.sum() == 1
    assert path_slopes(lattice, alpha, slope).sum() == 0
    difference = net_flow(lattice, p, rates(lattice, alpha, slope)) - path_slopes(lattice, alpha, slope)
    assert (difference == 0).all()


@settings(max_examples=20, deadline=None, derandomize=True)
@given(laws(0), alphas)
def test_marginal_rates_are_posterior_means(pmf, alpha):
    lattice = lattice_of(pmf)
    assert (marginalised_rates(pmf, alpha, Fraction(2)) == rates(lattice, alpha, Fraction(2))).all()


@settings(max_examples=30, deadline=None, derandomize=True)
@given(laws(1), alphas)
def test_constants_on_full_support(pmf, alpha):
    at = energy_integrands(pmf, alpha, Fraction(5, 3))
    ratios = (at.kinetic / at.base, at.conditional / at.base, at.geodesic / at.base)
    assert ratios == full_support_constants(pmf.shape[0], pmf.ndim)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(laws(0), alphas)
def test_constants_on_any_support(pmf, alpha):
    at = energy_integrands(pmf, alpha, Fraction(5, 3))
    n = pmf.ndim
    by_subsets = 0
    for keep in product((False, True), repeat=n):
        axes = tuple(i for i in range(n) if not keep[i])
        by_subsets += len(axes) * sum(v != 0 for v in np.ravel(pmf.sum(axis=axes)))
    assert kinetic_constant(pmf) == by_subsets
    assert at.kinetic == by_subsets * at.base
    assert at.conditional == n * 2 ** (n - 1) * at.base
    full = full_support_constants(pmf.shape[0], n)[0]
    assert by_subsets <= full
    assert (by_subsets == full) == all(v != 0 for i in range(n) for v in np.ravel(pmf.sum(axis=i)))


@pytest.mark.parametrize(
    ("n", "size", "constants"), [(2, 2, (6, 4, 2)), (2, 3, (8, 4, 2)), (3, 2, (27, 12, 3)), (3, 3, (48, 12, 3))]
)
def test_printed_constants(n, size, constants):
    assert full_support_constants(size, n) == constants


def test_restricted_supports():
    repetition = np.zeros((2,) * 3, dtype=int)
    repetition[0, 0, 0] = repetition[1, 1, 1] = 1
    five = np.zeros((2,) * 5, dtype=int)
    five[(0,) * 5] = five[(1,) * 5] = 1
    parity = (np.indices((2,) * 3).sum(axis=0) % 2 == 0).astype(int)
    assert kinetic_constant(exact(repetition)) == 21
    assert kinetic_constant(exact(five)) == 155
    assert full_support_constants(2, 5)[0] == 405
    assert kinetic_constant(exact(parity)) == 27  # zeros of q itself do not matter


def test_weight_one_has_no_constant_ratio_from_two_tokens_on():
    pair = exact([[9, 1], [1, 9]])
    printed = {Fraction(1, 4): 0.58, Fraction(1, 2): 0.66, Fraction(3, 4): 0.74, Fraction(99, 100): 0.8168}
    for alpha, value in printed.items():
        at = energy_integrands(pair, alpha, Fraction(1), "one")
        assert float(at.kinetic / at.conditional) == pytest.approx(value, abs=5e-5)
    one = exact([7, 2, 1])
    ratios = {(lambda e: e.kinetic / e.conditional)(energy_integrands(one, a, Fraction(1), "one")) for a in printed}
    assert ratios == {sum(v * v for v in one)}  # a test with one token would not notice


def test_float_route_agrees_with_rationals():
    weights = np.random.default_rng(0).integers(1, 50, (3, 3))
    decided = energy_integrands(exact(weights), Fraction(3, 10), Fraction(1))
    found = tm.energy.energy_integrands(weights / weights.sum(), 0.3, 1.0)
    for name in ("kinetic", "conditional", "geodesic", "base"):
        assert getattr(found, name) == pytest.approx(float(getattr(decided, name)), rel=1e-13)


def test_probabilities_agree_with_the_sampler_lattice():
    pmf = np.random.default_rng(1).dirichlet(np.ones(8)).reshape(2, 2, 2)
    lattice = lattice_of(pmf)
    np.testing.assert_allclose(lattice.q, state_probabilities(tm.Table(pmf)), rtol=1e-14)
    np.testing.assert_array_equal(lattice.masks, (states(2, 3) < 0).sum(axis=1))


class TestRefusals:
    @pytest.mark.parametrize("alpha", [0.0, 1.0, -0.2, 1.5, float("nan")])
    def test_alpha(self, alpha):
        with pytest.raises(ValueError, match="the state sums need 0 < alpha < 1"):
            energy_integrands(np.array([0.5, 0.5]), alpha, 1.0)

    def test_too_many_states(self):
        with pytest.raises(tm.IntractableError, match=r"K = 2, n = 13.*use the closed forms"):
            lattice_of(np.full((2,) * 13, 2.0**-13))

    @pytest.mark.parametrize("pmf", [np.ones((2, 3)) / 6, np.array(1.0)])
    def test_shape(self, pmf):
        with pytest.raises(ValueError, match="pmf must have shape"):
            lattice_of(pmf)

    @pytest.mark.parametrize("pmf", [[0.5, 0.6], [1.5, -0.5]])
    def test_not_a_law(self, pmf):
        with pytest.raises(ValueError, match=r"pmf sums to .*, it must sum to 1|every entry must be finite and >= 0"):
            lattice_of(np.array(pmf))

    def test_weight(self):
        lattice = lattice_of(np.array([0.5, 0.5]))
        with pytest.raises(ValueError, match="weight = 'square', allowed"):
            kinetic_sum(lattice, path_probabilities(lattice, 0.5), rates(lattice, 0.5, 1.0), "square")


def test_point_mass_keeps_the_number_type():
    assert isinstance(point_mass(exact([1, 2]), (1,))[1], Fraction)
