"""The best fixed schedule against every ordered partition, and its KL against the exact law."""

from itertools import combinations

import numpy as np
import pytest

import toy_models as tm
from toy_models.quantities.lattice import to_table
from toy_models.rules.fixed_schedule import schedule_cost


def ordered_partitions(positions):
    if not positions:
        yield ()
    for size in range(1, len(positions) + 1):
        for block in combinations(positions, size):
            rest = tuple(i for i in positions if i not in block)
            for tail in ordered_partitions(rest):
                yield (block, *tail)


def random_table(v, n, seed=0):
    return tm.Table(np.random.default_rng(seed).dirichlet(np.full(v**n, 0.3)).reshape((v,) * n))


def test_there_are_75_ordered_partitions_of_four():
    assert len(list(ordered_partitions((0, 1, 2, 3)))) == 75


@pytest.mark.parametrize("table", [random_table(3, 4), random_table(2, 4, 1), to_table(tm.zero_sum(2, 4))])
def test_best_of_all_ordered_partitions(table):
    entropy = tm.rules.subset_entropies(table)
    everything = [tm.FixedOrder(blocks) for blocks in ordered_partitions((0, 1, 2, 3))]
    for steps, found in enumerate(tm.rules.fixed_schedule_front(entropy), start=1):
        least = min(schedule_cost(entropy, rule) for rule in everything if len(rule.blocks) <= steps)
        assert found.kl == pytest.approx(max(least, 0.0), abs=1e-12)
        assert len(found.rule.blocks) <= steps
        assert tm.rules.best_fixed_schedule(entropy, steps).rule == found.rule


def test_kl_is_that_of_the_exact_law():
    table = random_table(3, 4)
    for schedule in tm.rules.fixed_schedule_front(tm.rules.subset_entropies(table)):
        law = tm.sampler_law(table, schedule.rule)
        assert float((table.pmf * np.log(table.pmf / law.pmf)).sum()) == pytest.approx(schedule.kl, abs=1e-12)


def test_subset_entropies_by_definition():
    table = random_table(3, 3)
    entropy = tm.rules.subset_entropies(table)
    for subset in range(8):
        inside = [i for i in range(3) if subset >> i & 1]
        marginal = table.pmf.sum(axis=tuple(i for i in range(3) if i not in inside)).ravel()
        assert entropy[subset] == pytest.approx(-(marginal * np.log(marginal)).sum(), abs=1e-13)


def test_word_list_entropies_are_those_of_the_table():
    words = np.unique(np.random.default_rng(2).integers(0, 3, (7, 4)), axis=0)
    pmf = np.zeros((3,) * 4)
    pmf[tuple(words.T)] = 1 / len(words)
    np.testing.assert_allclose(
        tm.rules.subset_entropies(tm.targets.WordList(words, 3)), tm.rules.subset_entropies(tm.Table(pmf)), atol=1e-13
    )


def test_policies_are_at_least_as_good():
    table = random_table(3, 4)
    entropy = tm.rules.subset_entropies(table)
    for step_cost in (0.02, 0.1, 0.3):
        fixed = min(s.kl + step_cost * len(s.rule.blocks) for s in tm.rules.fixed_schedule_front(entropy))
        assert tm.optimal_policy(table, step_cost).cost <= fixed + 1e-12


def test_known_schedules():
    repetition = tm.rules.subset_entropies(tm.repetition(3, 5))
    assert tm.rules.best_fixed_schedule(repetition, 2).rule.blocks[0] == (0,)
    assert tm.rules.best_fixed_schedule(repetition, 2).kl == pytest.approx(0.0, abs=1e-13)
    assert tm.rules.best_fixed_schedule(repetition, 1).kl == pytest.approx(4 * np.log(3), abs=1e-12)


@pytest.mark.parametrize(
    ("entropy", "steps", "message"),
    [
        (np.zeros(6), 2, r"vector of 2\^L"),
        (np.array([0.5, 1.0]), 1, "the empty set"),
        (np.array([0.0, np.nan]), 1, "finite"),
        (np.zeros(4), 0, "steps = 0"),
    ],
)
def test_bad_input(entropy, steps, message):
    with pytest.raises(ValueError, match=message):
        tm.rules.best_fixed_schedule(entropy, steps)


def test_too_long():
    with pytest.raises(tm.IntractableError, match="L = 19"):
        tm.rules.best_fixed_schedule(np.zeros(2**19), 1)
