"""Exact laws of stochastic programs against direct enumeration of runs."""

from fractions import Fraction as F

import numpy as np
import pytest

import toy_models as tm
from toy_models.any_process.programs import sure
from toy_models.any_process.transition import DELETE, REMASK, write
from toy_models.validation import MASK


def three_way(x):
    """A mask becomes 0 or 1, or goes, then the program stops."""
    if MASK not in x:
        return None
    site = ((F(1, 2), write(0)), (F(1, 3), write(1)), (F(1, 6), DELETE))
    return [site if v == MASK else sure((0, 0, 0, 0)) for v in x]


def retry(x):
    """A mask becomes 1 with probability 1/3, else 0, and a 0 is remasked; at most a geometric number of rounds."""
    if x == (1,):
        return None
    return [((F(1, 3), write(1)), (F(2, 3), write(0)))] if x == (MASK,) else [sure(REMASK)]


def test_independent_sites_give_a_product_law():
    law = tm.any_process.program_law(three_way, (MASK, MASK))
    assert law.final[0, 1] == F(1, 6)
    assert law.final[()] == F(1, 36)
    assert law.final[0,] == F(1, 6)
    assert sum(law.final.values()) == 1
    assert (law.mean_steps, law.longest, law.cut) == (1, 1, 0)


def test_context_limit_moves_mass_to_cut():
    law = tm.any_process.program_law(three_way, (MASK, MASK), max_context=1)
    assert law.cut == F(25, 36)
    assert sum(law.final.values()) + law.cut == 1


def test_next_law_agrees_with_sampled_runs():
    rng = np.random.default_rng(0)
    draws = [tm.any_process.run(three_way, (MASK, 1, MASK), rng).final for _ in range(4000)]
    law = tm.any_process.next_law((MASK, 1, MASK), three_way)
    assert set(draws) <= set(law)
    share = draws.count((0, 1, 0)) / 4000
    assert abs(share - 1 / 4) < 0.0344  # 5 standard errors: alpha < 1e-6
    assert not abs(draws.count((0, 1, 1)) / 4000 - 1 / 4) < 0.0344  # a wrong weight is seen


def test_a_loop_is_refused_and_summed_by_visits():
    with pytest.raises(tm.any_process.StepLimit, match="mass still runs"):
        tm.any_process.program_law(retry, (MASK,), max_steps=20)
    kernel = {(MASK,): {(MASK,): F(2, 3), (1,): F(1, 3)}, (1,): {}}
    assert tm.any_process.visits(kernel.__getitem__, (MASK,), sum) == {(MASK,): 3, (1,): 1}
    with pytest.raises(ValueError, match=r"moves from \(1,\)"):
        tm.any_process.visits({(MASK,): {(1,): F(1)}, (1,): {(MASK,): F(1)}}.__getitem__, (MASK,), sum)


def test_support_is_what_can_be_reached():
    assert tm.any_process.support(three_way, (MASK,), 5) == {(MASK,), (0,), (1,), ()}
