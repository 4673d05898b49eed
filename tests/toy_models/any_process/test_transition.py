"""One any-process transition: exhaustive against the one-position maps, then each pinned ambiguity."""

from itertools import product

import numpy as np
import pytest

import toy_models as tm
from toy_models.any_process.transition import DELETE, HOLD, KEEP, REMASK, emit, emit_all, write
from toy_models.validation import MASK

SITES = tuple(product((MASK, 0, 1), (0, 1), product((0, 1), repeat=3)))


def step(x, actions):
    columns = list(zip(*actions, strict=True)) or [()] * 4
    return tuple(tm.any_process.apply(x, *columns).tolist())


@pytest.mark.parametrize("n", [0, 1, 2])
def test_every_input_is_a_concatenation_of_one_position_maps(n):
    count = 0
    for choice in product(SITES, repeat=n):
        x, actions = [s[0] for s in choice], [(s[1], *s[2]) for s in choice]
        pieces = tuple(v for token, a in zip(x, actions, strict=True) for v in emit(token, a))
        assert step(x, actions) == pieces == emit_all(x, actions)
        count += 1
    assert count == 48**n


def test_random_triples_obey_the_length_law():
    rng = np.random.default_rng(0)
    for _ in range(300):
        x = rng.integers(-1, 2, size=3)
        r, e, d = rng.integers(2, size=(3, 3))
        fired = (d == 1) & (x == MASK)
        new = tm.any_process.apply(x, rng.integers(2, size=3), r, e, d)
        assert len(new) == 3 - fired.sum() + e[~fired].sum()


def test_a_mask_is_unmasked_by_default_and_held_by_the_remask_bit():
    assert step((MASK, MASK), (write(1), HOLD)) == (1, MASK)


def test_a_fired_delete_wins_over_insert():
    assert step((MASK, 0), ((1, 0, 1, 1), KEEP)) == (0,)


def test_delete_reads_the_old_token_so_removal_takes_two_steps():
    first = step((0, 1), ((0, 1, 0, 1), KEEP))
    assert first == (MASK, 1)
    assert step(first, (DELETE, KEEP)) == (1,)


def test_insert_goes_behind_and_growth_doubles():
    assert step((0, 1), ((0, 0, 1, 0), KEEP)) == (0, MASK, 1)
    x = (MASK,)
    for t in range(1, 6):
        x = step(x, ((0, 1, 1, 0),) * len(x))
        assert x == (MASK,) * 2**t


def test_roles_can_swap_in_one_step():
    assert step((0, MASK), (REMASK, write(1))) == (MASK, 1)


def test_reveal_only_is_the_write_once_step():
    x = [MASK, 0, MASK, MASK]
    controls = tm.any_process.reveal_only(x, [1, 0, 0, 1])
    assert tm.any_process.apply(x, [1, 1, 1, 0], *controls).tolist() == [1, 0, MASK, 0]


def test_everything_can_be_deleted():
    assert tm.any_process.apply([MASK, MASK], [0, 0], [0, 0], [1, 1], [1, 1]).shape == (0,)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"tokens": [[0, 1]]}, r"tokens must have shape \(n,\), got \(1, 2\)"),
        ({"tokens": [0.0, 1.0]}, r"tokens\[0\] = 0.0 \(dtype float64\), allowed: integers"),
        ({"tokens": [0, -2]}, r"tokens\[1\] = -2, allowed"),
        ({"proposal": [0]}, r"proposal must have shape \(2,\), the shape of tokens, got \(1,\)"),
        ({"proposal": [0, MASK]}, r"proposal\[1\] = -1, .*holds no mask"),
        ({"remask": [0, 0, 0]}, r"remask must have shape \(2,\), the shape of tokens, got \(3,\)"),
        ({"insert": [[0, 0]]}, r"insert must have shape \(2,\), the shape of tokens, got \(1, 2\)"),
        ({"delete": [0, 2]}, r"delete\[1\] = 2, allowed: 0 or 1"),
    ],
)
def test_bad_input_names_the_argument(changed, message):
    good = {"tokens": [MASK, 1], "proposal": [0, 0], "remask": [0, 0], "insert": [0, 0], "delete": [0, 0]}
    with pytest.raises(ValueError, match=message):
        tm.any_process.apply(**{**good, **changed})
