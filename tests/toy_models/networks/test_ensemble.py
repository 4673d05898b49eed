"""The ensemble of runs against single runs, and its exact evaluation."""

import numpy as np
import pytest
import torch

from toy_models.networks.ensemble import SmallDenoiser, exact_loss_weights, train, variance_ratio
from toy_models.networks.losses import LossOptions, as_denoiser
from toy_models.quantities.lattice import states
from toy_models.targets import instances
from toy_models.variance import decomposition as va
from toy_models.variance.loss_moments import loss_moments


def test_exact_loss_is_the_order_averaged_loss():
    target = instances.k1(3)
    model = SmallDenoiser(3, 3, 5, torch.Generator().manual_seed(2))
    with torch.no_grad():
        log_p = torch.log_softmax(model(torch.tensor(states(3, 3))).double(), -1)
    found = -float((exact_loss_weights(target).double() * log_p).sum())
    expected = 3 * va.size_decomposition(loss_moments(target, as_denoiser(model, 3, 3)).average).mean
    assert found == pytest.approx(expected, rel=1e-6)


def test_training_lowers_the_loss_and_is_repeatable():
    options = LossOptions(size_weights=[1 / 3] * 3)
    runs = [
        train(instances.k1(3), options, 4, 40, 8, torch.Generator().manual_seed(s), checkpoints=2) for s in (0, 0, 1)
    ]
    assert runs[0].steps.tolist() == [20, 40]
    np.testing.assert_array_equal(runs[0].excess, runs[1].excess)
    assert not np.array_equal(runs[0].excess, runs[2].excess)
    assert (runs[0].excess[:, 1] < runs[0].excess[:, 0]).all()
    assert (runs[0].excess > 0).all()


def test_equal_compute_is_enforced():
    with pytest.raises(ValueError, match="calls = 7, it must be a multiple of 2 for masks = 'mirror'"):
        train(instances.k1(2), LossOptions(masks="mirror"), 2, 2, 7, torch.Generator().manual_seed(0))


def test_variance_ratio_covers_the_truth_and_rejects_a_wrong_one():
    rng = np.random.default_rng(0)
    ratio, low, high = variance_ratio(rng.normal(0, 2, 400), rng.normal(0, 1, 300), 1 - 1e-6)
    assert low < 4 < high
    assert low < ratio < high
    assert not low < 1 < high
