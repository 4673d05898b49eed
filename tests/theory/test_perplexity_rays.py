"""Extreme rays and minimax sizes, by enumeration and by rational linear algebra of another kind."""

from itertools import product

import numpy as np
import pytest
from flint import fmpq

import toy_models as tm
from theory.perplexity import rays
from toy_models.exact import curves as ec


def test_ray_values_are_costs_of_step_curves():
    row = ec.sizes_row([2, 1, 3])
    for k, value in enumerate(rays.ray_values(row), start=1):
        g = (np.arange(6) < k).astype(float)
        assert float(int(value.p) / int(value.q)) == pytest.approx(
            tm.schedules.sizes_cost(g, np.array([2, 1, 3])), abs=1e-14
        )
    assert rays.sizes_rays((2, 1, 3)) == [int(v.p) for v in rays.ray_values(row)[:-1]]


def test_decision_needs_every_ray():
    """A row that is negative on one step curve alone is refuted, and one that is zero everywhere proved."""
    for k, length in ((1, 4), (3, 4), (4, 4)):
        left = ec.unit_row(length, k - 1) - (ec.unit_row(length, k) if k < length else ec.unit_row(length, 0) * fmpq(0))
        assert rays.at_most_for_every_language(left, ec.unit_row(length, 0) * fmpq(0)) == "REFUTED"
        assert rays.at_most_for_every_language(left, left) == "PROVED"


@pytest.mark.parametrize("length", [1, 2, 5])
def test_compositions(length):
    found = list(rays.compositions(length))
    assert len(found) == len(set(found)) == 2 ** (length - 1)
    assert all(sum(c) == length and min(c) >= 1 for c in found)
    assert {c for c in found if len(c) <= 2} == set(rays.compositions(length, 2))


@pytest.mark.parametrize(("length", "steps"), [(3, 2), (4, 2), (5, 3), (6, 2)])
def test_minimax_certificates(length, steps):
    """No law over sizes on a grid beats the value, and the law of the languages makes every choice cost at least it."""
    best = rays.minimax_sizes(length, steps)
    assert sum(best.chances, fmpq(0)) == sum(best.languages, fmpq(0)) == 1
    for sizes in rays.compositions(length, steps):
        cost = sum((c * p for c, p in zip(rays.sizes_rays(sizes), best.languages, strict=True)), fmpq(0))
        assert cost >= best.value * length
    worst = [
        sum((fmpq(rays.sizes_rays(s)[k]) * p for s, p in zip(best.sizes, best.chances, strict=True)), fmpq(0))
        for k in range(length - 1)
    ]
    assert max(worst) == best.value * length


def test_shifted_row_by_definition_against_a_quadrature():
    for length, steps in product((2, 5), (2, 4)):
        g = np.sort(np.random.default_rng(length).random(length))[::-1]
        row = rays.shifted_row_by_definition(length, steps)
        value = sum(float(int(row[0, k].p) / int(row[0, k].q)) * g[k] for k in range(length))
        mixture = tm.ShiftedReveal(steps).mixture(length)
        assert value == pytest.approx(sum(w * tm.schedules.weights_cost(g, r.weights) for w, r in mixture))
