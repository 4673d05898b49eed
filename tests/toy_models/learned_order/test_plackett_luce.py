"""Laws over orders: two routes per law, and what they refuse."""

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest

from toy_models.errors import IntractableError
from toy_models.learned_order.plackett_luce import (
    order_law_checked,
    pairwise,
    plackett_luce,
    positions_table,
    reverse_plackett_luce,
    reversed_law,
    uniform_orders,
)
from toy_models.learned_order.reveal_times import (
    NoisePowerSchedule,
    binned_order_law,
    order_law,
    pairwise_times,
    time_grid,
)
from toy_models.schedules.named import CosineSchedule, LinearSchedule, PowerSchedule, SineSchedule
from toy_models.schedules.protocol import Schedule


def test_plackett_luce_is_exact_on_fractions():
    law = plackett_luce([Fraction(4), Fraction(2), Fraction(1)])
    assert law[0, 1, 2] == Fraction(4, 7) * Fraction(2, 3)
    assert sum(law.values()) == 1
    assert pairwise(law)[0, 2] == pytest.approx(4 / 5, abs=1e-15)


@pytest.mark.parametrize("weights", [(3.0, 0.5, 2.0, 1.2), (0.05, 0.1, 3.0, 9.0)])
def test_power_schedules_give_plackett_luce(weights):
    found, wanted = order_law([NoisePowerSchedule(w) for w in weights]), plackett_luce(weights)
    assert max(abs(found[o] - wanted[o]) for o in wanted) < 1e-13
    reverse = order_law([PowerSchedule(w) for w in weights])
    mirrored = reverse_plackett_luce(weights)
    assert max(abs(reverse[o] - mirrored[o]) for o in mirrored) < 1e-13
    assert max(abs(reversed_law(wanted)[o] - found[o]) for o in wanted) > 0.05  # control: the ascending sort


@pytest.mark.parametrize("schedule", [LinearSchedule(), CosineSchedule(), SineSchedule(), PowerSchedule(0.4)])
def test_scalar_schedules_give_uniform_orders(schedule):
    law = order_law([schedule] * 3)
    assert max(abs(p - 1 / 6) for p in law.values()) < 1e-13
    assert law.keys() == uniform_orders(3).keys()


def test_pairwise_probabilities_match_the_order_law():
    made = [NoisePowerSchedule(2.5), PowerSchedule(2.0), SineSchedule(), LinearSchedule()]
    np.testing.assert_allclose(pairwise_times(made), pairwise(order_law(made)), atol=1e-13, rtol=0)


def test_binned_law_against_quadrature_and_by_hand():
    half = Fraction(1, 2)
    law = binned_order_law([[half, 0, half], [0, 1, 0], [half, 0, half]])
    assert law[0, 1, 2] == law[2, 1, 0] == Fraction(1, 4)
    masses = np.random.default_rng(0).dirichlet(np.ones(4), size=3)
    draws = np.random.default_rng(1)
    times = np.stack([draws.choice(4, size=200_000, p=row) for row in masses], axis=1) + draws.random((200_000, 3))
    found = (np.argsort(-times, axis=1) @ [9, 3, 1]).tolist()
    law = binned_order_law(masses.tolist())
    assert sum(law.values()) == pytest.approx(1.0, abs=1e-12)
    for order in permutations(range(3)):
        share = found.count(int(np.dot(order, [9, 3, 1]))) / len(found)
        assert abs(share - law[order]) < 5.4 * np.sqrt(law[order] * (1 - law[order]) / len(found))


def sample_plackett_luce(weights, size: int, rng: np.random.Generator) -> np.ndarray:
    """`size` orders by the exponential race E_l / w_l ascending (Efraimidis and Spirakis 2006)."""
    w = np.array(weights)
    return np.argsort(rng.exponential(size=(size, len(w))) / w, axis=1).astype(np.int64)


def sample_orders(schedules, size: int, rng: np.random.Generator, steps: int = 60) -> np.ndarray:
    """Algorithm 1 of Garg et al. 2025, sort descending: T_l = m_l^{-1}(u_l), by bisection in generation time."""
    u = rng.random((size, len(schedules)))
    low, high = np.zeros_like(u), np.ones_like(u)
    for _ in range(steps):
        middle = (low + high) / 2
        alpha = np.stack([schedule.alpha(middle[:, l]) for l, schedule in enumerate(schedules)], axis=1)
        below = alpha < u
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.argsort(low, axis=1).astype(np.int64)  # generation time ascending = noise time descending


@pytest.mark.parametrize("draw", ["race", "times"])
def test_samplers_have_the_law(draw):
    weights, size = (3.0, 0.5, 2.0), 100_000
    rng = np.random.default_rng(5)
    if draw == "race":
        orders = sample_plackett_luce(weights, size, rng)
    else:
        orders = sample_orders([NoisePowerSchedule(w) for w in weights], size, rng)
    codes, law = orders @ [9, 3, 1], plackett_luce(weights)
    gaps = {o: abs((codes == np.dot(o, [9, 3, 1])).mean() - p) / np.sqrt(p * (1 - p) / size) for o, p in law.items()}
    assert max(gaps.values()) < 5.4
    wrong = reversed_law(law)
    assert max(abs((codes == np.dot(o, [9, 3, 1])).mean() - p) for o, p in wrong.items()) > 0.05


def test_positions_table_is_doubly_stochastic():
    table = positions_table(plackett_luce((4.0, 2.0, 1.0, 0.5)))
    np.testing.assert_allclose(table.sum(axis=0), 1.0, atol=1e-12)
    np.testing.assert_allclose(table.sum(axis=1), 1.0, atol=1e-12)
    assert table[0, 0] == pytest.approx(4 / 7.5, abs=1e-15)


def test_cumulative_integration_is_exact_on_a_power():
    grid = time_grid()
    np.testing.assert_allclose(grid.cumulative(3 * grid.s**2), grid.s**3, atol=1e-14)


class HalfSchedule(Schedule):
    def alpha(self, t):
        return np.asarray(t) / 2

    def slope(self, t):
        return np.full_like(np.asarray(t, dtype=np.float64), 0.5)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"weights\[1\] = -2.*must be finite and > 0"):
        plackett_luce((1.0, -2.0))
    with pytest.raises(ValueError, match=r"weights\[0\] = 0"):
        plackett_luce((0, 1))
    with pytest.raises(ValueError, match="empty"):
        plackett_luce(())
    with pytest.raises(ValueError, match=r"schedules\[1\]: alpha runs from 0 to 0.5"):
        order_law([LinearSchedule(), HalfSchedule()])
    with pytest.raises(IntractableError, match=r"L = 9.*L <= 8"):
        plackett_luce([1.0] * 9)
    with pytest.raises(IntractableError, match="L <= 7"):
        order_law([LinearSchedule()] * 8)
    with pytest.raises(ValueError, match="not a permutation"):
        order_law_checked({(0, 0): 1.0})
    with pytest.raises(ValueError, match=r"sums to 0\.5"):
        order_law_checked({(0, 1): 0.5})
    with pytest.raises(ValueError, match=r"w = 0"):
        NoisePowerSchedule(0.0)
    with pytest.raises(ValueError, match=r"masses\[0\]"):
        binned_order_law([[0.5, 0.1], [0.5, 0.5]])
