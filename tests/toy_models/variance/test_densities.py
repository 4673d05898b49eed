"""Densities of t: normalisation, sampling, the EPR fit, and what is refused."""

from itertools import pairwise

import numpy as np
import pytest

import toy_models as tm
from toy_models.targets import instances
from toy_models.variance import decomposition as va
from toy_models.variance import densities, epr, p_pots
from toy_models.variance.loss_moments import loss_moments

MOMENTS = loss_moments(instances.k1()).average
DENSITIES = [
    densities.uniform(1e-3),
    densities.power(2.0, 1e-3),
    p_pots.optimal(MOMENTS),
    p_pots.optimal(MOMENTS).histogram(40),
]


@pytest.mark.parametrize("k", [-1, 0, 1, 5, 12])
def test_quadrature_is_exact_for_powers(k):
    t, w = densities.quadrature(1e-6, 1.0, (0.5,))
    exact = -np.log(1e-6) if k == -1 else (1 - 1e-6 ** (k + 1)) / (k + 1)
    assert w @ t**k == pytest.approx(exact, rel=1e-13)


@pytest.mark.parametrize("density", DENSITIES, ids=lambda d: d.name)
def test_mean_does_not_depend_on_the_density(density):
    found = va.decompose(MOMENTS, density)
    plain = va.decompose(MOMENTS)
    assert found.mean == pytest.approx(plain.mean, abs=1e-14)
    assert found.data == pytest.approx(plain.data, abs=1e-15)


@pytest.mark.parametrize("density", [d for d in DENSITIES if d.quantile is not None], ids=lambda d: d.name)
@pytest.mark.parametrize("coupling", ["independent", "stratified", "low-discrepancy"])
def test_samples_have_the_density(density, coupling):
    size = 20_000
    t = np.sort(densities.sample_times(density, size, np.random.default_rng(1), coupling))
    cuts = density.quantile(np.linspace(0.05, 0.95, 19))
    empirical = np.searchsorted(t, cuts) / size
    radius = np.sqrt(np.log(2 * 19 / 1e-6) / (2 * size)) if coupling == "independent" else 2 / size  # Hoeffding
    assert np.abs(empirical - np.linspace(0.05, 0.95, 19)).max() < radius
    masses = [densities.quadrature(density.low, c, density.breaks) for c in cuts]
    np.testing.assert_allclose([w @ density.pdf(s) for s, w in masses], np.linspace(0.05, 0.95, 19), atol=1e-9)


def test_a_wrong_density_is_rejected_by_the_same_radius():
    t = densities.sample_times(densities.power(2.0), 20_000, np.random.default_rng(1))
    uniform = densities.uniform()
    empirical = np.array([(t < c).mean() for c in uniform.quantile(np.linspace(0.05, 0.95, 19))])
    assert np.abs(empirical - np.linspace(0.05, 0.95, 19)).max() > np.sqrt(np.log(2 * 19 / 1e-6) / 40_000)


def test_strata_hold_equal_numbers():
    t = densities.sample_times(densities.uniform(1e-3), 24, np.random.default_rng(0), "stratified", strata=4)
    counts, _ = np.histogram(t, bins=1e-3 + (1 - 1e-3) * np.linspace(0, 1, 5))
    assert counts.tolist() == [6, 6, 6, 6]


def test_histogram_keeps_the_mass_of_its_cells():
    density = p_pots.optimal(MOMENTS)
    cells = density.histogram(8)
    edges = np.array([cells.low, *cells.breaks, cells.high])
    for a, b in pairwise(edges):
        t, w = densities.quadrature(a, b)
        assert w @ cells.pdf(t) == pytest.approx(w @ density.pdf(t), rel=1e-12)


@pytest.mark.parametrize(
    ("target", "power", "uniform", "optimum", "expected"),
    [
        (instances.k1(), None, 1.773, 1.079, 1.206),
        (instances.k1(), 0.5, 1.409, 0.864, 0.975),
        (instances.k2(), None, 1.856, 1.084, 1.231),
    ],
)
def test_epr_fit_reproduces_the_published_recipe(target, power, uniform, optimum, expected):
    """Twenty starts on a 29-point grid; totals in the normalisation of the LLaDA code, 1/(1 - epsilon)^2."""
    epsilon = 1e-3
    moments = loss_moments(target, None if power is None else tm.Tempered(target, power)).average
    grid = np.arange(1, 30) / 30
    t = (1 - epsilon) * grid + epsilon
    fitted = epr.fit_epr(grid, np.sqrt(moments.second_moment(t) - moments.spread_of_mean(t)))
    density = densities.proportional(lambda s: epr.epr(fitted, (s - epsilon) / (1 - epsilon)), epsilon, 1.0, "EPR")
    totals = [va.decompose(moments, d).total / (1 - epsilon) ** 2 for d in (None, "optimal", density)]
    assert totals == pytest.approx([uniform, optimum, expected], abs=1e-3)


def test_epr_formula():
    value = epr.epr(np.array([1.0, 2.0, 3.0, 0.5, 1.0, 2.0, 2.0]), np.array([0.5]))
    assert value[0] == pytest.approx(np.sqrt(0.5 + 2 * 0.25 + 9 * np.exp(0.25)))


def test_objectives_are_minimised_by_their_own_density():
    for objective, part in (("total", "total"), ("pattern", "pattern"), ("rate", "rate")):
        names = ("total", "pattern", "rate")
        values = {n: getattr(va.decompose(MOMENTS, p_pots.optimal(MOMENTS, objective=n)), part) for n in names}
        assert min(values, key=values.get) == objective
    stratified = {
        n: (lambda d: d.total - d.rate_time_first)(va.decompose(MOMENTS, p_pots.optimal(MOMENTS, objective=n)))
        for n in ("total", "stratified")
    }
    assert stratified["stratified"] < stratified["total"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: densities.Density(0.1, 1.0, lambda t: 2 * np.ones_like(t), "double"), "integrates to 1.8.*divide"),
        (
            lambda: densities.Density(0.1, 1.0, lambda t: t - 0.5, "signed"),
            "'signed' is -0.39.* must be finite and >= 0",
        ),
        (lambda: densities.power(-1.0), "exponent = -1.0, it must be > 0"),
        (lambda: p_pots.optimal(MOMENTS, objective="all"), "objective = 'all', allowed: 'total'"),
        (lambda: densities.second_moment(MOMENTS, np.array([0.5]), "none"), "masks = 'none', allowed"),
        (lambda: densities.uniform(0.0), "epsilon = 0.0, allowed"),
        (lambda: densities.uniform().histogram(0), "cells = 0"),
        (lambda: _sample(p_pots.optimal(MOMENTS), 4), r"draw from density.histogram\(\)"),
        (lambda: _sample(densities.uniform(), 4, "sobol"), "coupling = 'sobol', allowed"),
        (lambda: _sample(densities.uniform(), 4, "stratified", 3), "strata = 3, it must divide size = 4"),
        (lambda: _sample(densities.uniform(), 0), "size = 0"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def _sample(density, size, *rest):
    return densities.sample_times(density, size, np.random.default_rng(0), *rest)
