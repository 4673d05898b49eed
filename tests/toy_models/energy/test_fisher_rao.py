"""Fisher information and divergences of paths: three paths agree for masks, and not for two other sources."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toy_models.energy.conditional_kinetic import point_mass
from toy_models.energy.fisher_rao import (
    binomial_path,
    chi_square,
    fisher_information,
    information_split,
    kullback_leibler,
    mask_value_dependent,
    mixture_kinetic,
    squared_hellinger,
    total_variation,
    uniform_mixture,
)
from toy_models.energy.kinetic import lattice_of, path_probabilities, path_slopes

fractions = st.fractions(Fraction(1, 50), Fraction(49, 50), max_denominator=50)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), fractions, fractions)
def test_marginal_conditional_and_binomial_agree(seed, now, later):
    weights = np.random.default_rng(seed).integers(0, 5, (2, 2, 2))
    weights[0, 1, 0] += 1
    pmf = np.vectorize(lambda w: Fraction(int(w), int(weights.sum())), otypes=[object])(weights)
    binomial = [binomial_path(3, a, Fraction(1))[0] for a in (now, later)]
    for law in (pmf, point_mass(pmf, (0, 1, 0))):
        lattice = lattice_of(law)
        p, r = (path_probabilities(lattice, a) for a in (now, later))
        assert total_variation(p, r) == total_variation(*binomial)
        assert chi_square(p, r) == chi_square(*binomial)
        assert fisher_information(p, path_slopes(lattice, now, Fraction(1))) == 3 / (now * (1 - now))
        assert kullback_leibler(p, r) == pytest.approx(kullback_leibler(*binomial), rel=1e-9, abs=1e-14)
        angle = np.arcsin(np.sqrt(float(later))) - np.arcsin(np.sqrt(float(now)))
        assert squared_hellinger(p, r) == pytest.approx(2 * (1 - np.cos(angle) ** 3), rel=1e-9, abs=1e-14)


def test_binomial_path_is_the_binomial_law():
    p, dp = binomial_path(4, 0.3, 2.0)
    np.testing.assert_allclose(p, [comb(4, m) * 0.3 ** (4 - m) * 0.7**m for m in range(5)])
    ahead, behind = (binomial_path(4, 0.3 + h, 2.0)[0] for h in (1e-6, -1e-6))
    np.testing.assert_allclose(dp, (ahead - behind) / 1e-6, rtol=1e-8)


PRINTED_FISHER = [
    (0.0, 0.3100),
    (0.1, 0.3211),
    (0.3, 0.3195),
    (0.5, 0.2891),
    (0.7, 0.2240),
    (0.9, 0.1018),
    (0.99, 0.0121),
]


@pytest.mark.parametrize(("kappa", "ratio"), PRINTED_FISHER)
def test_uniform_source(kappa, ratio):
    q = np.array([0.7, 0.2, 0.1])
    given_, marginal, variance = information_split(q, *uniform_mixture(q, kappa))
    assert marginal / given_ == pytest.approx(ratio, abs=5.01e-5)
    assert given_ == pytest.approx(marginal + variance, rel=1e-12)


@pytest.mark.parametrize(
    ("kappa", "ratio"), [(0.01, 0.5427), (0.1, 0.5604), (0.5, 0.5099), (0.9, 0.1829), (0.99, 0.0219)]
)
def test_uniform_source_kinetic(kappa, ratio):
    marginal, conditional = mixture_kinetic(np.array([0.7, 0.2, 0.1]), kappa)
    assert marginal / conditional == pytest.approx(ratio, abs=5.01e-5)


def test_uniform_source_rates_generate_the_path():
    """Sum over z of p(z) Q(z, x) minus outflow is dp/dkappa, for the rates behind mixture_kinetic."""
    q, kappa = np.array([0.7, 0.2, 0.1]), 0.4
    given_, slope = uniform_mixture(q, kappa)
    p = q @ given_
    q_rates = q[None, :] * given_.T / p[:, None] / (1 - kappa)  # Q(z, x) = P(x1 = x | z) / (1 - kappa)
    np.fill_diagonal(q_rates, 0)
    np.testing.assert_allclose(p @ q_rates - p * q_rates.sum(axis=1), q @ slope, atol=1e-15)
    cost = sum(p[z] / p[x] * q_rates[z, x] ** 2 for z in range(3) for x in range(3))
    assert cost == pytest.approx(mixture_kinetic(q, kappa)[0], rel=1e-13)


def test_variance_at_one_half():
    q = np.array([0.7, 0.2, 0.1])
    given_, marginal, variance = information_split(q, *uniform_mixture(q, 0.5))
    assert given_ == pytest.approx(2, abs=1e-14)
    assert marginal == pytest.approx(0.578164, abs=5.01e-7)
    assert variance == pytest.approx(1.421836, abs=5.01e-7)


def test_value_dependent_schedules():
    t = 0.4
    path = mask_value_dependent(np.array([t**1.5, t**3]), np.array([1.5 * t**0.5, 3 * t**2]))
    given_, marginal, variance = information_split(np.array([0.5, 0.5]), *path)
    assert marginal == pytest.approx(4.185173, abs=5.01e-7)
    assert given_ == pytest.approx(4.304253, abs=5.01e-7)
    assert given_ == pytest.approx(marginal + variance, rel=1e-13)


def test_chi_square_off_the_support_is_infinite():
    assert chi_square(np.array([0.5, 0.5]), np.array([1.0, 0.0])) == np.inf
    assert kullback_leibler(np.array([0.5, 0.5]), np.array([1.0, 0.0])) == np.inf
    assert chi_square(np.array([1.0, 0.0]), np.array([0.5, 0.5])) == 1
