"""Bellman's recursion against the list of all policies, against its own replay, and against the word-list route."""

from itertools import permutations

import numpy as np
import pytest

import toy_models as tm
from toy_models.quantities.lattice import to_table
from toy_models.rules.optimal_policy import MAX_ENTRIES, optimal_policy
from toy_models.rules.policy_front import optimal_front
from toy_models.rules.policy_search import all_policies, hull, pareto
from toy_models.rules.word_policy import optimal_word_policy

SHAPES = [(2, 1), (2, 2), (2, 3), (3, 2), (4, 2), (2, 3)]
STEP_COSTS = (0.01, 0.1, 0.5)


def tables():
    rng = np.random.default_rng(7)
    found = [tm.Table(rng.dirichlet(np.full(v**n, 0.4)).reshape((v,) * n)) for v, n in SHAPES]
    sparse = rng.dirichlet(np.full(8, 0.4)) * (rng.random(8) < 0.6)
    return [*found, tm.Table((sparse / sparse.sum()).reshape(2, 2, 2)), to_table(tm.zero_sum(2, 3))]


@pytest.mark.parametrize("step_cost", STEP_COSTS)
def test_no_policy_is_cheaper_and_one_is_as_cheap(step_cost):
    for table in tables():
        reached = all_policies(table)
        policy = optimal_policy(table, step_cost)
        assert policy.cost == pytest.approx((reached[:, 1] + step_cost * reached[:, 0]).min(), abs=1e-12)
        assert policy.value == pytest.approx(policy.cost, abs=1e-12)


@pytest.mark.parametrize("shape", [(2, 6), (3, 4), (5, 3)])
def test_the_policy_is_a_rule_with_the_promised_kl_and_calls(shape):
    v, n = shape
    table = tm.Table(np.random.default_rng(n).dirichlet(np.full(v**n, 0.3)).reshape((v,) * n))
    policy = optimal_policy(table, 0.2)
    law = tm.sampler_law(table, policy)
    assert float((table.pmf * np.log(table.pmf / law.pmf)).sum()) == pytest.approx(policy.kl, abs=1e-12)
    value = tm.rules.evaluate_rule(table, policy)
    assert (value.kl, value.calls) == pytest.approx((policy.kl, policy.mean_steps), abs=1e-12)
    assert 1 < policy.mean_steps < n


def test_limits_of_the_step_cost():
    table = tables()[2]
    assert optimal_policy(table, 0.0).kl == pytest.approx(0.0, abs=1e-14)
    dear = optimal_policy(table, 100.0)
    assert dear.mean_steps == pytest.approx(1.0, abs=1e-14)
    assert dear.kl == pytest.approx(tm.total_correlation(table), abs=1e-12)


def test_state_counts():
    code = tm.zero_sum(2, 4)
    policy = optimal_policy(code, 0.1)
    assert policy.states == 3**4
    assert policy.possible == 3**4 - 8  # all partial states fit except the eight words of odd parity
    assert policy.visited < policy.possible


def test_word_list_and_lattice_agree():
    words = np.array(list(permutations(range(4))))
    with_symmetry = tm.targets.WordList(words, 4, relabelling=True, moves=np.array(list(permutations(range(4)))))
    for step_cost in (0.05, 0.3, 1.0):
        expected = optimal_policy(tm.permutations(4), step_cost).cost
        for target in (with_symmetry, tm.targets.WordList(words, 4, relabelling=True), tm.targets.WordList(words, 4)):
            assert optimal_policy(target, step_cost).cost == pytest.approx(expected, abs=1e-12)
    assert optimal_policy(with_symmetry, 0.3).states == 4  # one per number of revealed tokens


def test_word_list_without_symmetry():
    rng = np.random.default_rng(3)
    words = np.unique(rng.integers(0, 3, (9, 4)), axis=0)
    pmf = np.zeros((3,) * 4)
    pmf[tuple(words.T)] = 1 / len(words)
    for step_cost in STEP_COSTS:
        policy = optimal_word_policy(tm.targets.WordList(words, 3), step_cost)
        assert policy.cost == pytest.approx(optimal_policy(tm.Table(pmf), step_cost).cost, abs=1e-12)
        assert policy.value == pytest.approx(policy.cost, abs=1e-12)
        value = tm.rules.evaluate_rule(tm.targets.WordList(words, 3), policy)
        assert (value.kl, value.calls) == pytest.approx((policy.kl, policy.mean_steps), abs=1e-12)


def test_sudoku_symmetries_change_nothing():
    grid = tm.targets.sudoku4()
    policy = optimal_policy(grid, 0.3)
    assert policy.kl == pytest.approx(0.1155245300933242, abs=1e-12)  # found without the moves, 662189 states
    assert policy.mean_steps == pytest.approx(41 / 12, abs=1e-12)
    value = tm.rules.evaluate_rule(grid, policy)
    assert (value.kl, value.calls) == pytest.approx((policy.kl, policy.mean_steps), abs=1e-11)


def test_front_is_the_hull_of_all_policies():
    missed = 0
    for table in tables():
        reached = all_policies(table)
        vertices, front = hull(reached), optimal_front(table)
        assert front.complete
        np.testing.assert_allclose(front.lower_bound(vertices[:, 0]), vertices[:, 1], atol=1e-5)
        assert (reached[:, 1] - front.lower_bound(reached[:, 0])).min() > -1e-12
        missed += int((pareto(reached)[:, 1] > front.lower_bound(pareto(reached)[:, 0]) + 1e-5).sum())
    assert missed > 0  # Pareto points above the hull exist and are not found


def test_front_interpolates():
    front = optimal_front(to_table(tm.zero_sum(2, 3)))
    assert front.calls == pytest.approx([1.0, 2.0])
    assert front.lower_bound(1.5) == pytest.approx(np.log(2) / 2, abs=1e-5)


@pytest.mark.parametrize("step_cost", [-0.1, float("nan"), float("inf")])
@pytest.mark.parametrize("target", [tm.zero_sum(2, 3), tm.targets.WordList(np.array([[0, 1], [1, 0]]), 2)])
def test_bad_step_cost(target, step_cost):
    with pytest.raises(ValueError, match=r"step_cost = .*finite number >= 0"):
        optimal_policy(target, step_cost)


def test_too_large_tells_count_and_limit():
    with pytest.raises(tm.IntractableError, match=rf"\(V\+2\)\^L = {4**15} state-action sums.*limit.*{MAX_ENTRIES}"):
        optimal_policy(tm.MarkovChain(np.array([[0.9, 0.1], [0.2, 0.8]]), 15), 0.1)
    words = tm.targets.WordList(np.concatenate([np.eye(19, dtype=int), 1 - np.eye(19, dtype=int)]), 2)
    with pytest.raises(tm.IntractableError, match=f"{3**19 * 38} additions"):
        optimal_policy(words, 0.1)
