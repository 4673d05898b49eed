"""Cheapest fluxes: exact against float64, against non-negative least squares, and the known table."""

import numpy as np
import pytest
from flint import fmpq

from toy_models.energy.kinetic import kinetic_sum, lattice_of, path_probabilities, path_slopes, rates
from toy_models.energy.rate_optimality import EDGES, cheapest_directed, cheapest_flux, edges_of

ALPHA = 0.25
BASE = 1 / (ALPHA * (1 - ALPHA))


def least(pmf, kind):
    lattice = lattice_of(np.asarray(pmf, dtype=float))
    p, dp = path_probabilities(lattice, ALPHA), path_slopes(lattice, ALPHA, 1.0)
    return cheapest_flux(p, dp, *edges_of(lattice, kind)).value / BASE


def point(n):
    return np.eye(1, 2**n)[0].reshape((2,) * n)


TABLE = [
    (point(1), (1, 1, 1)),
    (point(2), (4, 4, 2)),
    (point(3), (12, 12, 3)),
    (np.full((2, 2), 0.25), (6, 6, 2)),
    ([[0.4, 0.1], [0.1, 0.4]], (6, 6, 2)),
    (np.diag([0.7, 0.3]), (6, 6, 2)),
    ([[0.5, 0.1], [0.15, 0.25]], (5.927, 5.912, 2)),
]


@pytest.mark.parametrize(("pmf", "values"), TABLE)
def test_table(pmf, values):
    np.testing.assert_allclose([least(pmf, kind) for kind in EDGES], values, atol=5.01e-4, rtol=0)


@pytest.mark.parametrize("kind", EDGES)
@pytest.mark.parametrize("weights", [[[10, 2], [3, 5]], [[7, 0], [0, 3]], [[144, 64, 81], [121, 49, 100], [121, 9, 1]]])
def test_exact_route_contains_the_float_route(kind, weights):
    weights = np.array(weights)
    exact = np.vectorize(lambda w: fmpq(int(w), int(weights.sum())), otypes=[object])(weights)
    lattice = lattice_of(exact)
    alpha = fmpq(1, 4)
    p, dp = path_probabilities(lattice, alpha), path_slopes(lattice, alpha, fmpq(1))
    found = cheapest_flux(p, dp, *edges_of(lattice, kind))
    assert float(found.value * alpha * (1 - alpha)) == pytest.approx(least(weights / weights.sum(), kind), rel=1e-11)
    model = kinetic_sum(lattice, p, rates(lattice, alpha, fmpq(1)))
    if kind != "all-pairs":
        assert found.value <= model
    else:
        assert found.value == 2 / (alpha * (1 - alpha))  # the Fisher information of two tokens


def test_more_edges_never_cost_more():
    rng = np.random.default_rng(0)
    for _ in range(5):
        pmf = rng.dirichlet(np.ones(9)).reshape(3, 3)
        values = [least(pmf, kind) for kind in EDGES]
        assert values[0] >= values[1] * (1 - 1e-12)
        assert values[1] > values[2]


@pytest.mark.parametrize("seed", range(4))
def test_non_negative_fluxes(seed):
    """Where no flux runs backwards both routes agree; where one does, the directed minimum is larger."""
    weights = np.random.default_rng(seed).dirichlet(np.full(4, 0.5)).reshape(2, 2)
    lattice = lattice_of(weights)
    p, dp = path_probabilities(lattice, ALPHA), path_slopes(lattice, ALPHA, 1.0)
    found = cheapest_flux(p, dp, lattice.source, lattice.target)
    directed = cheapest_directed(p, dp, lattice.source, lattice.target)
    if found.flux.min() >= 0:
        assert directed == pytest.approx(found.value, rel=1e-8)
    else:
        assert directed > found.value


def test_a_flux_that_runs_backwards_costs_more_when_forbidden():
    """Three states: 0 -> 1 -> 2 wanted, edges 0 -> 1, 0 -> 2, 2 -> 1 allowed one way only."""
    p, dp = np.array([0.5, 0.1, 0.4]), np.array([-1.0, 0.2, 0.8])
    source, target = np.array([0, 0, 1]), np.array([1, 2, 2])
    free = cheapest_flux(p, dp, source, target)
    assert free.flux.min() >= 0
    turned = cheapest_directed(p, dp, np.array([0, 0, 2]), np.array([1, 2, 1]))
    assert turned == pytest.approx(0.2**2 / 0.05 + 0.8**2 / 0.2, rel=1e-8)  # the third edge is unused
    assert turned > free.value


def test_refusals():
    lattice = lattice_of(np.array([0.5, 0.5]))
    with pytest.raises(ValueError, match="edges = 'all'"):
        edges_of(lattice, "all")
    with pytest.raises(ValueError, match="does not sum to 0 on a connected component"):
        cheapest_flux(np.array([0.5, 0.5]), np.array([1.0, 0.0]), np.array([0]), np.array([1]))
