"""The best fixed schedule against every ordered partition, and its KL against the exact law."""

from itertools import combinations

import numpy as np
import pytest

import toy_models as tm
from toy_models.learned_order.losses import best_order_of
from toy_models.learned_order.subset_losses import local_losses, mean_cross_entropies
from toy_models.quantities.lattice import to_table
from toy_models.rules.fixed_schedule import (
    chain_partition_loss,
    entropy_increments,
    fixed_schedule_front,
    fixed_schedule_front_of,
    schedule_loss,
    subset_entropies,
)
from toy_models.targets.instances import k1


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


def random_losses(seed: int, length: int) -> np.ndarray:
    hidden = (np.arange(2**length)[:, None] >> np.arange(length) & 1) == 0
    return np.where(hidden, np.random.default_rng(seed).random((2**length, length)), 0.0)


def kls(target, steps=None):
    return [best.loss - target.entropy() for best in fixed_schedule_front(target, steps=steps)]


TABLES = {
    "unstructured": random_losses(0, 4),
    "another": random_losses(1, 4),
    "oracle": mean_cross_entropies(random_table(3, 4)),
    "parity": entropy_increments(subset_entropies(tm.zero_sum(2, 4))),
    "tempered": mean_cross_entropies(k1(4), tm.Tempered(k1(4), 0.5)),
}


@pytest.mark.parametrize("name", TABLES)
def test_best_of_all_ordered_partitions(name):
    table, everything = TABLES[name], list(ordered_partitions((0, 1, 2, 3)))
    assert len(everything) == 75  # the Fubini number
    front = fixed_schedule_front_of(table)
    for steps, found in enumerate(front, start=1):
        losses = [schedule_loss(table, tm.FixedOrder(blocks)) for blocks in everything if len(blocks) == steps]
        assert found.loss == pytest.approx(min(losses), abs=1e-11)
        assert schedule_loss(table, found.rule) == pytest.approx(found.loss, abs=1e-13)
        assert len(found.rule.blocks) == steps
        assert fixed_schedule_front_of(table, steps)[-1].rule == found.rule
    assert len(front) == 4
    assert front[-1].loss == pytest.approx(best_order_of(table).loss, abs=1e-11)


@pytest.mark.parametrize("denoiser", [None, tm.Smoothed(random_table(3, 4), 0.1)])
def test_the_loss_is_that_of_the_exact_law(denoiser):
    table = random_table(3, 4)
    for best in fixed_schedule_front(table, denoiser):
        law = tm.sampler_law(denoiser or table, best.rule)
        assert -float((table.pmf * np.log(law.pmf)).sum()) == pytest.approx(best.loss, abs=1e-12)
        assert tm.trajectory_kl(table, best.rule, denoiser) + table.entropy() == pytest.approx(best.loss, abs=1e-12)


def test_the_oracle_as_a_denoiser_gives_the_same_losses():
    table = random_table(3, 4)
    exact, smoothed = fixed_schedule_front(table), fixed_schedule_front(table, tm.Smoothed(table, 0.0))
    np.testing.assert_allclose([b.loss for b in exact], [b.loss for b in smoothed], atol=1e-12, rtol=0)


def test_a_loss_that_is_infinite_whatever_the_schedule():
    table = np.where(random_losses(0, 3) > 0, np.inf, 0.0)
    for steps, found in enumerate(fixed_schedule_front_of(table), start=1):
        assert found.loss == np.inf
        assert len(found.rule.blocks) == steps


def test_subset_entropies_by_definition():
    table = random_table(3, 3)
    entropy = subset_entropies(table)
    for subset in range(8):
        inside = [i for i in range(3) if subset >> i & 1]
        marginal = table.pmf.sum(axis=tuple(i for i in range(3) if i not in inside)).ravel()
        assert entropy[subset] == pytest.approx(-(marginal * np.log(marginal)).sum(), abs=1e-13)


def test_increments_are_the_cross_entropies_of_the_oracle():
    found = entropy_increments(subset_entropies(random_table(3, 4)))
    np.testing.assert_allclose(found, mean_cross_entropies(random_table(3, 4)), atol=1e-13, rtol=0)


def test_word_list_entropies_are_those_of_the_table():
    words = np.unique(np.random.default_rng(2).integers(0, 3, (7, 4)), axis=0)
    pmf = np.zeros((3,) * 4)
    pmf[tuple(words.T)] = 1 / len(words)
    np.testing.assert_allclose(
        subset_entropies(tm.targets.WordList(words, 3)), subset_entropies(tm.Table(pmf)), atol=1e-13
    )


def test_policies_are_at_least_as_good():
    table = random_table(3, 4)
    for step_cost in (0.02, 0.1, 0.3):
        fixed = min(kl + step_cost * steps for steps, kl in enumerate(kls(table), start=1))
        assert tm.optimal_policy(table, step_cost).cost <= fixed + 1e-12


def test_known_schedules():
    repetition = tm.repetition(3, 5)
    assert fixed_schedule_front(repetition, steps=2)[1].rule.blocks[0] == (0,)
    assert kls(repetition, 2) == pytest.approx([4 * np.log(3), 0.0], abs=1e-12)
    assert kls(to_table(tm.zero_sum(2, 4))) == pytest.approx([np.log(2), 0.0, 0.0, 0.0], abs=1e-12)


def test_chain_partition_closed_form_and_control():
    denoiser = tm.ParentPointer(k1(6), (-1, 0, 1, 2, 3, 4))
    values = local_losses(k1(6), denoiser).values
    information = (values[:, 0] - values[:, 1])[1:]
    found = fixed_schedule_front(k1(6), denoiser)
    for steps in range(1, 7):
        assert found[steps - 1].loss == pytest.approx(chain_partition_loss(values[:, 0], information, steps), abs=1e-12)
    assert abs(found[1].loss - chain_partition_loss(values[:, 0], information, 3)) > 0.1


def test_bad_input():
    with pytest.raises(ValueError, match=r"table has shape \(6, 3\)"):
        fixed_schedule_front_of(np.zeros((6, 3)))
    with pytest.raises(ValueError, match="steps = 0"):
        fixed_schedule_front(tm.pairs(2, 4), steps=0)
    with pytest.raises(ValueError, match="steps = 5, allowed: 1 to L = 4"):
        fixed_schedule_front(tm.pairs(2, 4), steps=5)
    with pytest.raises(ValueError, match="steps = 5, allowed: 1 to L = 4"):
        fixed_schedule_front_of(random_losses(0, 4), 5)
    with pytest.raises(ValueError, match=r"denoiser\.length = 2"):
        fixed_schedule_front(tm.pairs(2, 4), tm.pairs(2, 2))
    with pytest.raises(tm.IntractableError, match="L = 19"):
        fixed_schedule_front(tm.repetition(2, 19))
