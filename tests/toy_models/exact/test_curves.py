"""Rational curve identities against the float library and against enumeration of orders."""

from itertools import permutations

import numpy as np
import pytest
from flint import fmpq
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import laws

import toy_models as tm
from toy_models import exact
from toy_models.exact import curves as ec
from toy_models.quantities.trajectory_kl import curve_kl

few = settings(max_examples=20)


def twin(pmf):
    return tm.Table(exact.to_float(pmf))


@few
@given(laws())
def test_curve_and_correlations(pmf):
    g, target = ec.curve(pmf), twin(pmf)
    np.testing.assert_allclose([float(v) for v in g], tm.information_curve(target), atol=1e-12)
    assert exact.decide_equal(g.at(ec.entropy_row(pmf.ndim)), exact.entropy(pmf)) == "PROVED"
    tc, dtc = g.at(ec.tc_row(pmf.ndim)), g.at(ec.dtc_row(pmf.ndim))
    assert float(tc) == pytest.approx(tm.total_correlation(target), abs=1e-12)
    assert float(dtc) == pytest.approx(tm.dual_total_correlation(target), abs=1e-12)
    for a in (fmpq(0), fmpq(1, 3), fmpq(1)):
        assert float(g.at(ec.reveal_row(pmf.ndim, a))) == pytest.approx(
            float(tm.reveal_curve(tm.information_curve(target), float(a))), abs=1e-12
        )


@few
@given(laws(), st.integers(0, 2**31))
def test_costs_of_schedules(pmf, seed):
    rng = np.random.default_rng(seed)
    g, curve = ec.curve(pmf), tm.information_curve(twin(pmf))
    cut, weights = ec.random_sizes(rng, pmf.ndim), ec.random_weights(rng, 3)
    assert sum(cut) == pmf.ndim
    assert min(cut) > 0
    assert sum(weights, fmpq(0)) == 1
    found = float(g.at(ec.sizes_row(cut)))
    assert found == pytest.approx(curve_kl(curve, tm.RandomOrder(tuple(cut))), abs=1e-12)
    rule = tm.IndependentReveal([int(w.p) / int(w.q) for w in weights])
    assert float(g.at(ec.weights_row(pmf.ndim, weights))) == pytest.approx(curve_kl(curve, rule), abs=1e-12)
    for steps in (2, 3, 5):
        wanted = curve_kl(curve, tm.ShiftedReveal(steps))
        assert float(g.at(ec.shifted_grid_row(pmf.ndim, steps))) == pytest.approx(wanted, abs=1e-12)


def test_reading_the_curve_late_is_cheaper():
    """The control with shift = 1 differs from the cost wherever the curve falls."""
    g = ec.curve(exact.chain_pmf(["1/2", "1/2"], [["9/10", "1/10"], ["1/10", "9/10"]], 3))
    weights = [fmpq(1, 2), fmpq(1, 2)]
    assert g.at_most(ec.weights_row(3, weights), ec.weights_row(3, weights, shift=1)) == "REFUTED"


@few
@given(laws(), st.integers(0, 2**31))
def test_path_law_is_the_fixed_order_law(pmf, seed):
    steps = np.random.default_rng(seed).integers(0, 3, size=pmf.ndim).tolist()
    blocks = tuple(tuple(i for i, s in enumerate(steps) if s == j) for j in sorted(set(steps)))
    written = tm.sampler_law(twin(pmf), tm.FixedOrder(blocks)).pmf
    seen = exact.to_float(pmf) > 0
    np.testing.assert_allclose(exact.to_float(ec.path_law(pmf, steps))[seen], written[seen], rtol=1e-12, atol=1e-15)
    both = exact.kl(pmf, ec.path_law(pmf, steps))
    assert exact.decide_equal(both, ec.total_correlation_of(exact.subset_entropies(pmf), steps)) == "PROVED"


def test_mean_path_kl_of_a_learned_denoiser():
    """Against the float route; the marginals are arbitrary positive rationals."""
    rng = np.random.default_rng(1)
    pmf = ec.random_pmf(rng, 2, 3)
    model = ec.random_denoiser(rng, 2, 3)
    assert model((-1, 0, -1)) is model((-1, 0, -1))

    class Denoiser:
        vocab_size, length = 2, 3

        def marginals(self, y, on_impossible="raise"):
            rows = [model(tuple(int(t) for t in row)) for row in y]
            one_hot = np.eye(2)
            return np.array(
                [
                    [one_hot[t] if t >= 0 else [int(p.p) / int(p.q) for p in row[i]] for i, t in enumerate(state)]
                    for state, row in zip(y, rows, strict=True)
                ]
            )

    weights = [fmpq(1, 3), fmpq(2, 3)]
    wanted = tm.trajectory_kl(twin(pmf), tm.IndependentReveal([1 / 3, 2 / 3]), Denoiser())
    assert float(ec.mean_path_kl(pmf, weights, model)) == pytest.approx(wanted, abs=1e-12)


def test_random_instances_repeat_and_vary():
    first, second = list(ec.random_pmfs(3, 12)), list(ec.random_pmfs(3, 12))
    assert all((a == b).all() for a, b in zip(first, second, strict=True))
    assert {p.shape for p in first} == {(2,) * 2, (2,) * 3, (3,) * 2, (2,) * 4}
    assert all(p.sum() == 1 for p in first)
    assert any((p == 0).any() for p in first)


def test_orders_average_to_the_sizes_formula():
    pmf = ec.random_pmf(np.random.default_rng(2), 2, 3)
    mean, orders = exact.LogSum(), list(permutations((0, 0, 1)))
    entropies = exact.subset_entropies(pmf)
    for steps in orders:
        mean = mean + ec.total_correlation_of(entropies, steps).scaled(fmpq(1, len(orders)))
    assert exact.decide_equal(mean, ec.curve(pmf).at(ec.sizes_row([2, 1]))) == "PROVED"
