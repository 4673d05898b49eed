"""The published estimate converges to sqrt((E g)^2 + E v), not to the root of the full second moment."""

import numpy as np
import pytest

import toy_models as tm
from toy_models.targets import instances
from toy_models.variance.loss_moments import loss_moments
from toy_models.variance.released_sampler import published_estimate


def test_it_converges_to_the_root_without_the_spread_between_sequences():
    law = np.zeros((2, 2))
    law[0, 0], law[1, 1], law[0, 1], law[1, 0] = 0.90, 0.08, 0.01, 0.01
    target = tm.Table(law)
    grid, found = published_estimate(target, np.random.default_rng(0), sequences=4000, times=5, masks=40)
    t = 0.999 * grid + 0.001
    moments = loss_moments(target).average
    without = np.sqrt(moments.second_moment(t) - moments.spread_of_mean(t))
    full = np.sqrt(moments.second_moment(t))
    without, full = (root / np.trapezoid(root, grid) for root in (without, full))
    assert np.abs(full / without - 1).max() > 0.05
    assert np.abs(found / without - 1).max() < 0.025


def test_default_sizes_give_a_normalised_scatter():
    grid, found = published_estimate(instances.k1(), np.random.default_rng(1), tm.Tempered(instances.k1(), 0.5))
    assert grid.shape == (69,)
    assert np.trapezoid(found, grid) == pytest.approx(1.0)
    assert (found > 0).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"masks": 1}, "masks = 1"),
        ({"times": 2}, "times = 2"),
        ({"sequences": 0}, "sequences = 0"),
        ({"epsilon": 0.0}, "epsilon"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        published_estimate(instances.k1(), np.random.default_rng(0), **arguments)
