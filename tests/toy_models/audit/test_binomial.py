"""Intervals, p-values and bounds of shares beside scipy's, brute force and simulation."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import binom, binomtest

import toy_models as tm
from toy_models.audit.binomial import (
    coin_divergence,
    least_change,
    least_divergence,
    least_partition_divergence,
    p_values,
    share_intervals,
)
from toy_models.quantities.intervals import clopper_pearson


def test_intervals_are_clopper_and_pearsons():
    for n in (1, 7, 400):
        counts = np.arange(0, n + 1, max(1, n // 7))
        low, high = share_intervals(counts, n, 0.005)
        for k, a, b in zip(counts, low, high, strict=True):
            one = clopper_pearson(int(k), n, 0.99)
            assert abs(a - one.low) < 1e-12
            assert abs(b - one.high) < 1e-12


def test_p_values_are_twice_the_smaller_tail():
    for n, q in ((1, 0.3), (12, 0.5), (90, 0.02)):
        counts = np.arange(n + 1)
        exact = np.minimum(1, 2 * np.minimum(binom.cdf(counts, n, q), binom.sf(counts - 1, n, q)))
        assert np.abs(p_values(counts, n, np.full(n + 1, q)) - exact).max() < 1e-12
    assert p_values(np.array([0, 5]), 5, np.array([0.0, 1.0])).tolist() == [1.0, 1.0]
    assert p_values(np.array([1, 4]), 5, np.array([0.0, 1.0])).tolist() == [0.0, 0.0]
    assert binomtest(5, 12, 0.5).pvalue <= p_values(np.array([5]), 12, np.array([0.5]))[0]


def test_divergence_of_two_coins():
    law = [np.array([0.3, 0.7]), np.array([0.6, 0.4])]
    exact = float((law[0] * np.log(law[0] / law[1])).sum())
    assert abs(float(coin_divergence(np.array(0.3), np.array(0.6))) - exact) < 1e-15
    assert np.isinf(coin_divergence(np.array(0.3), np.array(0.0)))
    assert np.isinf(coin_divergence(np.array(0.3), np.array(1.0)))
    assert float(coin_divergence(np.array(0.0), np.array(0.0))) == 0.0


def test_least_divergence_is_the_least_over_the_box(rng):
    for _ in range(50):
        q, p = np.sort(rng.random(2)), np.sort(rng.random(2))
        grid = coin_divergence(np.linspace(*q, 101)[:, None], np.linspace(*p, 101)[None])
        found = float(least_divergence(q[0], q[1], p[0], p[1]))
        assert found <= grid.min() + 1e-12
        assert grid.min() - found < 2e-2


def test_least_partition_divergence_is_the_least_over_the_box(rng):
    for _ in range(20):
        q, p = rng.dirichlet(np.ones(4)), rng.dirichlet(np.ones(4))
        low, high = np.maximum(p - 0.05, 0.01), np.minimum(p + 0.05, 1.0)
        found = least_partition_divergence(q, low, high)
        best = minimize(
            lambda x, q=q: float((q * np.log(q / x)).sum()),
            np.clip(p, low, high),
            bounds=list(zip(low, high, strict=True)),
            constraints={"type": "eq", "fun": lambda x: x.sum() - 1},
            options={"ftol": 1e-14, "maxiter": 1000},
        )
        assert found <= best.fun + 1e-7
        assert best.fun - found < 1e-5


def test_a_cell_that_is_never_written_costs_everything():
    assert least_partition_divergence(np.array([0.5, 0.5]), np.array([0.0, 1.0]), np.array([0.0, 1.0])) == np.inf
    assert least_partition_divergence(
        np.array([1.0, 0.0]), np.array([0.0, 0.5]), np.array([0.5, 0.5])
    ) == pytest.approx(np.log(2), abs=1e-9)


def test_least_change_is_found_as_often_as_it_says(rng):
    d = least_change(500, 0.001, 0.95)
    for change, least, most in ((d, 0.93, 0.97), (d / 3, 0.0, 0.3)):
        counts = rng.binomial(500, 0.5 + change, size=4000)
        share = (p_values(counts, 500, np.full(4000, 0.5)) <= 0.001).mean()
        assert least < share < most
    assert least_change(3, 1e-9, 0.99) == np.inf


def test_bounds_are_never_above_the_divergence_of_the_law(rng):
    """Data processing: partitions and coins of random laws."""
    for _ in range(20):
        q, p = rng.dirichlet(np.ones(8)), rng.dirichlet(np.ones(8))
        exact = float((q * np.log(q / p)).sum())
        cell = rng.integers(0, 3, 8)
        qs, ps = np.bincount(cell, q, 3), np.bincount(cell, p, 3)
        assert least_partition_divergence(qs, ps, ps + 1e-15) <= exact + 1e-9
        event = rng.random(8) < 0.5
        assert float(coin_divergence(q[event].sum(), p[event].sum())) <= exact + 1e-12


def test_the_package_needs_no_torch():
    import subprocess
    import sys

    code = "import sys, toy_models.audit.comparison, toy_models.audit.report; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
    assert tm.MASK == -1
