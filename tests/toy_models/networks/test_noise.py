"""Moments from sampled masks against all masks of a small network."""

import numpy as np
import pytest
import torch

import toy_models as tm
from toy_models import networks
from toy_models.networks.noise import WAYS, by_method
from toy_models.quantities import lattice
from toy_models.variance.decomposition import optimal_size_weights, size_decomposition
from toy_models.variance.loss_moments import loss_moments

CHAIN = tm.MarkovChain([[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]], 4)
GROUPS, ROWS = 12, 300


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    model = networks.Transformer(networks.Config(3, 4, width=16, layers=1), torch.Generator().manual_seed(1))
    with torch.no_grad():
        model.head.weight.normal_(std=0.3)
    return networks.Network(model.eval())


@pytest.fixture(scope="module")
def exact(network):
    return loss_moments(CHAIN, networks.tabulate(network), pairs=True).average


@pytest.fixture(scope="module")
def losses(network):
    x = torch.as_tensor(CHAIN.sample(GROUPS * ROWS, np.random.default_rng(2)))
    return networks.sampled_losses(network, x, torch.Generator().manual_seed(3))


def grouped(losses, quantity):
    """Mean over independent groups of rows, and six standard errors of it."""
    values = np.array([quantity(networks.sampled_moments(part)) for part in np.split(losses, GROUPS, axis=1)])
    return values.mean(axis=0), 6 * values.std(axis=0, ddof=1) / np.sqrt(GROUPS)


@pytest.mark.parametrize("name", WAYS)
def test_variance_of_every_way_to_draw_masks(exact, losses, name):
    weights = {masks: optimal_size_weights(exact, masks) for masks in ("single", "mirror")}
    wanted = by_method(exact, weights, name)
    mean, radius = grouped(losses, lambda m: by_method(m, weights, name).per_call)
    assert abs(mean - wanted.per_call) < radius
    assert radius < 0.2 * wanted.per_call


def test_the_three_parts(exact, losses):
    wanted = size_decomposition(exact)
    parts = ("pattern", "rate", "data")
    mean, radius = grouped(losses, lambda m: [getattr(size_decomposition(m), part) for part in parts])
    exactly = np.array([getattr(wanted, part) for part in parts])
    assert (np.abs(mean - exactly) < radius).all()
    biased, _ = grouped(losses[[0, 0, 2]], lambda m: [getattr(size_decomposition(m), part) for part in parts])
    assert (np.abs(biased - exactly) > radius).any()  # one mask taken twice: its noise passes for a difference of sizes


def test_masks_have_their_sizes(network):
    """With a denoiser that is uniform whatever it sees, S = k log 3 for every mask of k positions."""

    class Uniform:
        def laws(self, y):
            return torch.full((*y.shape, 3), 1 / 3, dtype=torch.float64)

    x = torch.as_tensor(lattice.sequences(3, 4)[:10])
    found = networks.sampled_losses(Uniform(), x, torch.Generator().manual_seed(0))
    np.testing.assert_allclose(found, np.broadcast_to(np.log(3) * np.arange(1, 5), found.shape), rtol=1e-12)


def test_intervals_hold_the_exact_values(exact, losses):
    parts, methods = networks.noise_by_method(losses, groups=GROUPS, confidence=1 - 1e-6)
    plain = size_decomposition(exact)
    for name, found in parts.items():
        assert found.low < getattr(plain, name) < found.high
    assert list(methods) == list(WAYS)
    assert methods["uniform sizes"].low < plain.per_call < methods["uniform sizes"].high
