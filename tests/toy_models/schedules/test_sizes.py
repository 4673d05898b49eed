"""Integer size schedules against their definition in tensors, and the witnesses of their first and last calls."""

from fractions import Fraction

import pytest
import torch

import toy_models as tm
from toy_models import schedules

EVERY = [schedules.even_split_sizes, schedules.floor_sizes, schedules.rounded_sizes]


@pytest.mark.parametrize("make", EVERY, ids=lambda f: f.__name__)
def test_every_mask_is_written_once(make):
    for masks in (1, 2, 5, 8, 33):
        for steps in (1, 2, 3, 8, 40):
            sizes = make(masks, steps)
            assert sizes.sum() == masks
            assert (sizes >= 0).all()
            assert len(sizes) <= steps


@pytest.mark.parametrize(
    ("masks", "steps", "even", "rounded"),
    [(4, 3, [2, 1, 1], [1, 1, 2]), (6, 4, [2, 2, 1, 1], [2, 1, 2, 1]), (5, 2, [3, 2], [2, 3]), (7, 2, [4, 3], [4, 3])],
)
def test_two_releases_differ(masks, steps, even, rounded):
    assert schedules.even_split_sizes(masks, steps).tolist() == even
    assert schedules.rounded_sizes(masks, steps).tolist() == rounded


def test_one_per_call_where_steps_are_masks():
    for masks in (2, 6, 100, 512):
        assert (schedules.even_split_sizes(masks, masks) == 1).all()
        assert (schedules.rounded_sizes(masks, masks) == 1).all()


def test_floor_is_off_by_one_call():
    assert schedules.masks_left(schedules.floor_sizes(6, 6), 6).tolist() == [6, 6, 5, 4, 3, 2, 0]
    for masks in (128, 256, 512, 768):
        sizes = schedules.floor_sizes(masks, masks)
        assert (sizes == 0).sum() == 1
        assert (sizes[0], sizes[-1]) == (0, 2)


@pytest.mark.parametrize(
    ("masks", "steps", "empty", "first", "last"), [(512, 256, 0, 1, 3), (256, 512, 257, 0, 2), (512, 1024, 514, 0, 3)]
)
def test_floor_at_released_lengths(masks, steps, empty, first, last):
    sizes = schedules.floor_sizes(masks, steps)
    assert ((sizes == 0).sum(), sizes[0], sizes[-1]) == (empty, first, last)


def test_a_smaller_eps_does_not_cure_it():
    """In float32 a call near the end still falls short; in exact arithmetic with eps = 0 every size is one."""
    sizes = schedules.floor_sizes(512, 512, 1e-9)
    assert (sizes == 0).sum() == 1
    assert sizes[-1] == 2
    left, exact = 512, []
    for j in range(512, 0, -1):
        exact.append(int(left * (1 - Fraction(j - 1, 512) / Fraction(j, 512))))
        left -= exact[-1]
    assert exact == [1] * 512


def test_floor_against_tensors():
    for masks, steps, eps in ((6, 6, 1e-3), (512, 256, 1e-3), (100, 37, 1e-3), (256, 512, 1e-3), (64, 64, 1e-2)):
        times, left, sizes = torch.linspace(1, eps, steps + 1), torch.tensor(masks), []
        for i in range(steps):
            t, s = times[i], times[i + 1]
            sizes.append(int(left * (1 - s / t)) if i < steps - 1 else int(left))
            left = left - sizes[-1]
        assert schedules.floor_sizes(masks, steps, eps).tolist() == sizes


def test_growing_and_budget():
    assert schedules.growing_sizes(1).tolist() == [1]
    assert schedules.growing_sizes(10).tolist() == [1, 2, 3, 4]
    assert schedules.growing_sizes(5, ratio=1.0).tolist() == [1] * 5
    assert schedules.growing_sizes(10, 4).tolist() == [1, 2, 3, 4]
    assert schedules.growing_sizes(7, 5).sum() == 7
    sizes = schedules.even_split_sizes(8, 8)
    assert schedules.masks_left(sizes[:5], 8)[-1] == 3
    assert schedules.within_budget(sizes, 5).tolist() == [1, 1, 1, 1, 4]
    assert schedules.within_budget(sizes, 50).tolist() == sizes.tolist()


def test_rounded_random_order_by_hand():
    """[1, 1, 2] against one per call: only the last pair is written blindly."""
    target = tm.repetition(2, 4)
    assert tm.marginal_kl(target, tm.RandomOrder(schedules.rounded_sizes(4, 3).tolist())) < 1e-14
    chain = tm.MarkovChain([[0.7, 0.3], [0.2, 0.8]], 4)
    by_release = [tm.marginal_kl(chain, tm.RandomOrder(make(4, 3).tolist())) for make in EVERY]
    assert by_release[2] < by_release[0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: schedules.floor_sizes(4, 4, 1.0), "eps = 1.0, it must lie in"),
        (lambda: schedules.even_split_sizes(0, 4), "masks = 0, it must be an integer >= 1"),
        (lambda: schedules.growing_sizes(4, ratio=0.5), "ratio = 0.5, it must be"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()
