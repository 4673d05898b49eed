"""The minimax grid: its value, its weights, and the wait at each fraction."""

from itertools import pairwise

import numpy as np
import pytest

import toy_models as tm
from toy_models.schedules import minimax_value, minimax_weights, uniform_renewals


def test_renewals_by_their_equation():
    """m(s) = 1 + integral of m over [s - 1, s], by Gauss-Legendre between the integers."""
    x, w = np.polynomial.legendre.leggauss(30)
    for s in (0.0, 0.4, 1.0, 2.3, 5.7):
        marks = sorted({max(s - 1, 0.0), s, *(float(k) for k in range(6) if max(s - 1, 0) < k < s)})
        total = 1.0
        for a, b in pairwise(marks):
            points = (a + b) / 2 + (b - a) / 2 * x
            total += (b - a) / 2 * float(w @ [uniform_renewals(float(y)) for y in points])
        assert uniform_renewals(s) == pytest.approx(total, rel=1e-12)
    assert uniform_renewals(-0.1) == 0.0


def test_renewals_by_sampling():
    rng = np.random.default_rng(5)
    sums = np.cumsum(rng.random((20_000, 20)), axis=1)
    counts = 1 + (sums <= 3.0).sum(axis=1)
    assert counts.mean() == pytest.approx(uniform_renewals(3.0), abs=5 * counts.std() / np.sqrt(len(counts)))


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 16])
def test_weights_are_a_law_and_one_step_is_all(steps):
    for shift in (0.0, 0.3, 1.0):
        weights = minimax_weights(steps, shift)
        assert len(weights) == steps
        assert weights.min() >= 0
        assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert 1 / (2 * steps) < minimax_value(steps) <= 1.0


def test_no_fraction_waits_longer_than_the_value():
    shifts = (np.arange(2000) + 0.5) / 2000
    ends = np.array([np.cumsum(minimax_weights(4, u)) for u in shifts])
    ends[:, -1] = 1.0
    waits = [(ends[np.arange(2000), np.argmax(ends > a, axis=1)] - a).mean() for a in np.linspace(0, 0.99, 50)]
    assert max(waits) < minimax_value(4) + 5e-4
    assert max(waits) > minimax_value(4) - 5e-4


def test_repetition_pays_less_than_under_the_shifted_grid():
    g = tm.information_curve(tm.repetition(2, 256))
    cost = np.mean([tm.schedules.weights_cost(g, minimax_weights(3, (k + 0.5) / 200)) for k in range(200)])
    assert cost < tm.quantities.curve_kl(g, tm.ShiftedReveal(3))


def test_refusals():
    with pytest.raises(ValueError, match=r"shift = 1.5, it must lie in \[0, 1\]"):
        minimax_weights(3, 1.5)
    with pytest.raises(ValueError, match="steps = 17, allowed: 1 to 16"):
        minimax_value(17)
    with pytest.raises(ValueError, match="steps"):
        minimax_weights(0, 0.5)
