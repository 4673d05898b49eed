"""The data-aware search: exact KL on small targets, the fast curve against rationals, speed, refusals."""

import time
from fractions import Fraction
from math import comb

import numpy as np
import pytest

import toy_models as tm
from toy_models.energy.beta_search import (
    RULES,
    TAIL,
    BudgetRow,
    _bernstein,
    bernstein_values,
    beta_grid_kl,
    beta_knots,
    knot_kl,
    schedule_kl,
)
from toy_models.schedules.optimal import sizes_cost, weights_cost


@pytest.fixture(scope="module")
def long_curve():
    return tm.information_curve(tm.MarkovChain(np.array([[0.99, 0.01], [0.01, 0.99]]), 1024))


@pytest.mark.parametrize("length", [1, 2, 7, 300])
@pytest.mark.parametrize("a", [0.0, 1e-9, 0.003, 0.5, 0.97, 1 - 2.0**-53, 1.0])
def test_curve_against_rationals(length, a):
    g = np.random.default_rng(length).random(length)
    exact, x = Fraction(0), Fraction(a)
    for k in range(length):
        exact += comb(length - 1, k) * x**k * (1 - x) ** (length - 1 - k) * Fraction(float(g[k]))
    assert abs(Fraction(float(bernstein_values(g, np.array([a]))[0])) - exact) < Fraction(1, 10**14)


def test_compiled_plain_and_full_sums_agree(long_curve):
    a = np.random.default_rng(0).random(5000)
    many = bernstein_values(long_curve, a)
    plain = _bernstein(long_curve, a[:20])
    np.testing.assert_allclose(many[:20], plain, rtol=1e-14)
    np.testing.assert_allclose(many[:50], tm.reveal_curve(long_curve, a[:50]), atol=1e-12)
    assert TAIL < 1e-20


TARGETS = [
    tm.MarkovChain(np.array([[0.8, 0.2], [0.3, 0.7]]), 6),
    tm.repetition(2, 5),
    tm.zero_sum(2, 5),
    tm.Table(np.random.default_rng(3).dirichlet(np.ones(16)).reshape(2, 2, 2, 2)),
]


@pytest.mark.parametrize("target", TARGETS, ids=lambda t: type(t).__name__)
@pytest.mark.parametrize("schedule", [tm.LinearSchedule(), tm.BetaSchedule(0.9, 0.3)], ids=repr)
def test_kl_against_the_law_of_trajectories(target, schedule):
    g = tm.information_curve(target)
    independent = tm.trajectory_kl(target, tm.IndependentReveal(schedule.weights(3)))
    sizes = tuple(int(s) for s in schedule.sizes(3, target.length))
    assert schedule_kl(g, schedule, 3, "independent") == pytest.approx(independent, abs=1e-12)
    assert schedule_kl(g, schedule, 3, "sizes") == pytest.approx(
        tm.trajectory_kl(target, tm.RandomOrder(sizes)), abs=1e-12
    )


def test_grid_is_the_single_schedules(long_curve):
    a, b = np.array([0.3, 1.0]), np.array([0.5, 0.9, 2.0])
    for rule in RULES:
        grid = beta_grid_kl(long_curve, 16, rule, a, b)
        single = [[schedule_kl(long_curve, tm.BetaSchedule(x, y), 16, rule) for y in b] for x in a]
        np.testing.assert_allclose(grid, single, rtol=1e-12)


def test_a_pair_of_the_grid_costs_a_third_of_a_pair_alone(long_curve):
    """L = 1024, N = 16 and 64, both rules: CPU time per pair of the grid over that of schedule_kl, in one run."""

    def seconds(call) -> float:
        taken = []
        for _ in range(3):
            start = time.process_time()
            call()
            taken.append(time.process_time() - start)
        return min(taken)

    axis = np.geomspace(0.05, 4, 40)
    pairs = [tm.BetaSchedule(a, b) for a in axis[::10] for b in axis[::10]]
    for rule in RULES:
        for steps in (16, 64):
            beta_grid_kl(long_curve, steps, rule, axis[:4], axis[:4])  # compile
            grid = seconds(lambda steps=steps, rule=rule: beta_grid_kl(long_curve, steps, rule, axis, axis)) / 1600
            alone = seconds(
                lambda steps=steps, rule=rule: [schedule_kl(long_curve, s, steps, rule) for s in pairs]
            ) / len(pairs)
            assert grid < alone / 3, (rule, steps, grid, alone)


@pytest.mark.parametrize("rule", RULES)
def test_search_finds_a_local_minimum_between_optimum_and_grid(long_curve, rule):
    found = tm.energy.search_beta(long_curve, 16, rule, points=25)
    assert found.kl <= found.grid_kl.min()
    assert found.kl == pytest.approx(schedule_kl(long_curve, tm.BetaSchedule(found.a, found.b), 16, rule), rel=1e-12)
    if rule == "independent":
        optimum = weights_cost(long_curve, tm.optimal_weights(long_curve, 16))
        for da, db in ((1.01, 1), (1 / 1.01, 1), (1, 1.01), (1, 1 / 1.01)):
            assert schedule_kl(long_curve, tm.BetaSchedule(found.a * da, found.b * db), 16, rule) > found.kl
    else:
        optimum = sizes_cost(long_curve, tm.optimal_sizes(long_curve, 16))
    assert optimum <= found.kl <= 1.06 * optimum
    for schedule in (tm.LinearSchedule(), tm.SineSquaredSchedule()):
        assert found.kl < schedule_kl(long_curve, schedule, 16, rule)


def test_pairs_want_the_linear_schedule():
    """A straight information curve: linear is optimal, and the search returns to Beta(1/2, 1/2)."""
    g = tm.information_curve(tm.pairs(4, 64))
    found = tm.energy.search_beta(g, 8, "independent", points=20)
    assert (found.a, found.b) == (pytest.approx(0.5, abs=1e-3), pytest.approx(0.5, abs=1e-3))
    assert found.kl <= schedule_kl(g, tm.LinearSchedule(), 8, "independent")


def test_independent_tokens_cost_nothing():
    flat = np.full(50, 0.7)
    for rule in RULES:
        assert schedule_kl(flat, tm.CosineSchedule(), 5, rule) == pytest.approx(0, abs=1e-12)


def test_share_of_the_gain():
    row = BudgetRow("x", 4, "sizes", 3.0, 2.0, 1.5, 0.5, 0.5, 1.0)
    assert row.reached == 0.75
    assert BudgetRow("x", 4, "sizes", 1.0, 2.0, 1.0, 0.5, 0.5, 1.0).reached == 1.0


class TestRefusals:
    def test_rule(self, long_curve):
        with pytest.raises(ValueError, match="rule = 'blocks', allowed: independent, sizes"):
            schedule_kl(long_curve, tm.LinearSchedule(), 4, "blocks")

    @pytest.mark.parametrize("steps", [0, -3])
    def test_steps(self, long_curve, steps):
        with pytest.raises(ValueError, match="steps = "):
            tm.energy.search_beta(long_curve, steps)

    @pytest.mark.parametrize("a", [0.0, -1.0, np.nan])
    def test_parameters(self, a):
        with pytest.raises(ValueError, match="it must be a finite number > 0"):
            beta_knots(np.array([a]), np.array([1.0]), 4)

    @pytest.mark.parametrize("a", [-0.1, 1.1, np.nan])
    def test_fraction(self, a):
        with pytest.raises(ValueError, match=r"a reveal fraction lies in \[0, 1\]"):
            bernstein_values(np.ones(3), np.array([a]))

    def test_curve(self):
        with pytest.raises(ValueError, match=r"g\[1\] = nan"):
            knot_kl(np.array([1.0, np.nan]), np.array([0.0, 1.0]), "sizes")
        with pytest.raises(ValueError, match="length L >= 1"):
            knot_kl(np.array([]), np.array([0.0, 1.0]), "sizes")
