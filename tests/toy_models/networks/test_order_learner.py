"""The learner: its losses against the exact ones, what it finds, and where it fails."""

import numpy as np
import pytest
import torch

from theory.learned_order.instances import planted
from toy_models.learned_order.flow import edge_flow_time, edge_gram, flow, growth_exponents, is_sink, slope
from toy_models.learned_order.nelbo import nelbo_gradient, schedule_nelbo
from toy_models.learned_order.subset_losses import mean_cross_entropies
from toy_models.networks.order_learner import initial_log_weights, learn, learn_edges, parent_pointer_loss, subset_loss
from toy_models.targets.denoisers import ParentPointer, Tempered
from toy_models.targets.instances import k1

ORDER = (2, 0, 4, 1, 3)


def planted_loss(order, target):
    parents, information, entropy = planted(target, np.array([order]))
    return torch.tensor(parents), parent_pointer_loss(torch.tensor(parents), torch.tensor(information), entropy)


def test_losses_and_gradients_match_the_exact_ones():
    s = np.log([3.0, 0.5, 2.0, 1.2])
    denoiser = Tempered(k1(), 0.5)
    table = mean_cross_entropies(k1(), denoiser)
    row = torch.tensor(s[None]).requires_grad_(True)
    value = subset_loss(table)(row)
    value.sum().backward()
    assert float(value.detach()[0]) == pytest.approx(schedule_nelbo(k1(), denoiser, np.exp(s)), abs=1e-13)
    np.testing.assert_allclose(row.grad.numpy()[0], np.exp(s) * nelbo_gradient(table, np.exp(s)), atol=1e-14)
    parents, loss = planted_loss(ORDER, k1(5))
    s5 = np.array([[0.3, -1.0, 0.7, 0.1, 2.0]])
    exact = schedule_nelbo(k1(5), ParentPointer(k1(5), parents[0].tolist()), np.exp(s5[0]))
    assert float(loss(torch.tensor(s5))[0]) == pytest.approx(exact, abs=1e-12)


def test_equal_weights_find_the_chain_and_miss_the_planted_order():
    for order, found in (((0, 1, 2, 3, 4), (0, 1, 2, 3, 4)), (ORDER, (4, 2, 1, 0, 3))):
        _, loss = planted_loss(order, k1(5))
        run = learn(loss, torch.zeros(1, 5, dtype=torch.float64), 250, rate=8.0)
        assert tuple(run.orders[0].tolist()) == found
        assert (np.diff(run.path_losses[:, 0]) < 0).all()


def test_edge_differences_find_it_from_every_start():
    parents, loss = planted_loss(ORDER, k1(5))
    for start in ("equal", "near", "spread"):
        s = initial_log_weights(start, 1, 5, torch.Generator().manual_seed(3))
        run = learn_edges(loss, parents, s, 400, rate=0.1, optimiser="adam")
        assert tuple(run.orders[0].tolist()) == ORDER
        np.testing.assert_allclose(run.path[0], s.numpy(), atol=1e-12)  # the start is the start


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="start = 'far', allowed"):
        initial_log_weights("far", 1, 3, torch.Generator())
    with pytest.raises(ValueError, match="optimiser = 'lbfgs', allowed"):
        learn(subset_loss(np.zeros((8, 3))), torch.zeros(1, 3, dtype=torch.float64), 1, 0.1, "lbfgs")
    cycle, start = torch.tensor([[1, 2, 0]]), torch.zeros(1, 3, dtype=torch.float64)
    loss = subset_loss(np.zeros((8, 3)))
    with pytest.raises(ValueError, match="has a cycle"):
        learn_edges(loss, cycle, start, 1, 0.1)


def test_flow_ends_at_a_wrong_order_exactly_beyond_two_neighbours():
    tau = np.linspace(20.0, 40.0, 5)
    d = flow(np.full(4, 0.2), np.array([3.0, -6.0, 3.0, 3.0]), tau)
    growth = np.polyfit(tau, np.log(slope(d[:, 1])) + tau, 1)[0]
    pattern = np.array([True, False, True, True])
    assert growth == pytest.approx(growth_exponents(pattern)[1], abs=1e-6) == -0.5
    assert is_sink(pattern)
    assert not is_sink(np.array([True, False, True]))
    escaped = flow(np.full(3, 0.2), np.array([3.0, -6.0, 3.0]), np.array([1.0, 60.0]))
    assert (escaped[-1] > 0).all()


def test_flow_in_small_steps_and_edge_time():
    information, d = np.array([0.2, 0.5]), np.array([-1.0, 0.5])
    wanted = flow(information, d, np.array([0.0, np.log(4.0)]))[-1]
    k = edge_gram(2)
    for _ in range(4000):
        d = d + 1e-3 * k @ (information * slope(d))
    np.testing.assert_allclose(d, wanted, atol=2e-4)
    assert edge_flow_time(-2.0, 0.0, 0.5) == pytest.approx((4.0 + 2.0 * np.sinh(2.0)) / 0.5, rel=1e-14)
