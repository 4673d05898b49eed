"""Runs, their limits, the rule notation and traces."""

import numpy as np
import pytest

import toy_models as tm
from toy_models.any_process.programs import stay, sure
from toy_models.any_process.rewriting import parse
from toy_models.any_process.transition import DELETE, HOLD, KEEP, REMASK, write
from toy_models.validation import MASK


def blink(x):
    """A token is remasked and written again, for ever."""
    return [sure(write(0)) if v == MASK else sure(REMASK) for v in x]


def grow(x):
    return [sure((0, 0, 1, 0)) if v != MASK else sure(write(0)) for v in x]


def test_left_to_right_takes_n_plus_one_steps():
    def ar(x):
        if len(x) == 6 and x[-1] != MASK:
            return None
        last = (0, 0, 1, 0) if x[-1] != MASK else write(len(x), insert=len(x) < 6)
        return [stay(v) for v in x[:-1]] + [sure(last)]

    done = tm.any_process.run(ar, (0,))
    assert done.final == (0, 2, 3, 4, 5, 6)
    assert (done.steps, done.peak) == (6, 6)


def test_a_fixed_point_ends_the_run_uncounted():
    done = tm.any_process.run(lambda x: [stay(v) for v in x], (0, MASK))
    assert (done.steps, done.final) == (0, (0, MASK))


def test_cycle_step_and_context_limits_carry_the_trace():
    with pytest.raises(tm.any_process.ProgramCycle, match="step 2 returns") as cycle:
        tm.any_process.run(blink, (0, 0))
    assert cycle.value.trace == ((0, 0), (MASK, MASK), (0, 0))
    with pytest.raises(tm.any_process.StepLimit, match="max_steps = 3") as steps:
        tm.any_process.run(grow, (0,), max_steps=3)
    assert len(steps.value.trace) == 4
    assert "0 _ 0" in str(steps.value)
    with pytest.raises(tm.any_process.ContextLimit, match="max_context = 4") as context:
        tm.any_process.run(grow, (0,), max_context=4)
    assert context.value.trace[-1] == (0, MASK, 0, 0, MASK)
    assert issubclass(tm.any_process.ContextLimit, tm.any_process.ProgramError)


def test_a_random_program_may_revisit_and_needs_a_generator():
    def coin(x):
        return None if x == (1,) else [((0.5, write(0)), (0.5, write(1)))] if x == (MASK,) else [sure(REMASK)]

    with pytest.raises(ValueError, match="rng = None"):
        tm.any_process.run(coin, (MASK,))
    runs = [tm.any_process.run(coin, (MASK,), np.random.default_rng(s)) for s in range(20)]
    assert {r.final for r in runs} == {(1,)}
    assert max(r.steps for r in runs) > 1


def test_a_program_must_give_one_site_per_position():
    with pytest.raises(ValueError, match="1 sites for a sequence of 2"):
        tm.any_process.run(lambda x: [stay(x[0])], (0, 1))


def test_rules_read_blocks_codes_and_inserts():
    assert parse("01<", "M1 -> x.") == ((MASK, 1), (DELETE, KEEP))
    assert parse("01<", "MM -> .0+") == ((MASK, MASK), (HOLD, (0, 0, 1, 0)))
    rules = tm.any_process.Rules("ab", ["a -> .+", "M -> b"], first=0, stride=1)
    with pytest.raises(tm.any_process.StepLimit) as limit:
        tm.any_process.run(rules, rules.encode("ab"), max_steps=2)
    assert [rules.decode(x) for x in limit.value.trace] == ["ab", "aMb", "aMbb"]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("01 - M.", "must read 'block -> codes'"),
        ("01 -> M", "one code per symbol"),
        ("02 -> M.", "uses '2'"),
        ("01 -> x.", "needs a mask"),
        ("M1 -> 7.", "has code '7'"),
        ("M1 -> x+.", "cannot insert"),
    ],
)
def test_bad_rules_name_the_rule(rule, message):
    with pytest.raises(ValueError, match=message):
        parse("01", rule)


def test_trace_grid_and_text():
    states = ((0, MASK), (0, 1, 1))
    assert tm.any_process.grid(states).tolist() == [[0, -1, -2], [0, 1, 1]]
    assert tm.any_process.render(states, {0: "<"}) == "   0 |   2 | < _\n   1 |   3 | < 1 1"
