"""The planted order: its pieces against independent routes, and what two short runs and three controls show."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import torch

import toy_models as tm
from toy_models.learned_order.losses import best_order_of, order_loss
from toy_models.learned_order.nelbo import nelbo_gradient, schedule_nelbo
from toy_models.learned_order.subset_losses import mean_cross_entropies
from toy_models.networks.model import Config
from toy_models.networks.planted import (
    ALONG,
    CASES,
    NATURAL,
    PLANS,
    SCRAMBLED,
    TRANSITION,
    case_target,
    chain_along,
    exact_descent,
    kendall,
    kept_edges,
    nelbo_of_table,
    parent_visibility,
    planted_parents,
    planted_runs,
    run_case,
)
from toy_models.networks.schedules import LearnedSchedule
from toy_models.networks.training import TrainOptions

CHAIN = tm.MarkovChain(np.array(TRANSITION), 5)
LOG_W = np.array([0.4, -1.0, 0.3, 0.9, -0.6])


def pointer_table(target, rho):
    return mean_cross_entropies(target, tm.ParentPointer(target, planted_parents(rho)))


@pytest.fixture(scope="module")
def runs():
    return planted_runs("smoke")


def test_kendall_counts_swaps():
    assert kendall(SCRAMBLED, SCRAMBLED) == 0
    assert kendall((0, 1, 2), (2, 1, 0)) == 3
    assert kendall((2, 0, 1), (0, 1, 2)) == 2
    for order in permutations(range(4)):
        assert kendall(order, (1, 3, 0, 2)) + kendall(order, (2, 0, 3, 1)) == 6


def test_chain_along_rho_is_the_natural_chain_relabelled():
    target = chain_along(np.array(TRANSITION), ALONG)
    x = CHAIN.sample(50, np.random.default_rng(0))
    moved = np.empty_like(x)
    moved[:, ALONG] = x
    np.testing.assert_allclose(target.log_prob(moved), CHAIN.log_prob(x), atol=1e-12)
    assert np.abs(target.log_prob(x) - CHAIN.log_prob(x)).max() > 1.0
    table, natural = pointer_table(target, ALONG), pointer_table(CHAIN, NATURAL)
    assert order_loss(table, ALONG) == pytest.approx(CHAIN.entropy(), abs=1e-12)
    for order in permutations(range(5)):
        relabelled = tuple(ALONG[i] for i in order)
        assert order_loss(table, relabelled) == pytest.approx(order_loss(natural, order), abs=1e-12)


def test_the_planted_order_is_the_unique_best():
    for case in CASES[:9]:
        target = case_target(case)
        table = pointer_table(target, case.rho)
        losses = sorted(order_loss(table, order) for order in permutations(range(5)))
        assert best_order_of(table).order == case.rho
        assert losses[1] - losses[0] > 0.1
    assert kept_edges(SCRAMBLED, (4, 0, 2, 1, 3)) == (True, False, True, True)


def test_nelbo_of_a_table_is_the_library_one():
    denoiser = tm.ParentPointer(CHAIN, planted_parents(SCRAMBLED))
    exact = schedule_nelbo(CHAIN, denoiser, np.exp(LOG_W))
    assert nelbo_of_table(pointer_table(CHAIN, SCRAMBLED), LOG_W) == pytest.approx(exact, abs=1e-12)


@pytest.mark.parametrize("edges", [False, True])
def test_one_exact_step_is_the_exact_gradient(edges):
    table, parents = pointer_table(CHAIN, SCRAMBLED), planted_parents(SCRAMBLED)
    schedule = LearnedSchedule(torch.tensor(LOG_W), 3.0, parents if edges else None)
    basis = schedule.basis.numpy()
    found = exact_descent(table, parents, schedule, TrainOptions(steps=1, warmup=0))
    slope = np.exp(LOG_W) * nelbo_gradient(table, np.exp(LOG_W)) / 5
    wanted = LOG_W - 3.0 * basis @ basis.T @ slope
    np.testing.assert_allclose(found, wanted - wanted.mean(), atol=1e-12)


def test_the_network_is_as_restricted_as_the_pointer():
    config = Config(3, 5, width=16, layers=1, visible=parent_visibility(planted_parents(SCRAMBLED)))
    seen = [[j for j in range(5) if config.visible[i][j]] for i in range(5)]
    assert seen == [[0], [0, 1], [2, 4], [2, 3], [1, 4]]


def test_every_run_is_consistent(runs):
    for run in runs:
        assert run.best <= min(run.loss, run.planted, run.nelbo, run.uniform)
        assert run.worst >= max(run.loss, run.reversed_loss, run.nelbo, run.uniform)
        assert run.planted > run.pointer  # the best that this visibility allows
        assert run.uniform > run.pointer_uniform
        assert run.pointer > run.entropy or run.case.rho == NATURAL
        assert run.path.shape == (PLANS["smoke"].options.steps + 1, 5)
        assert run.distance == kendall(run.order, run.case.rho)
        assert np.diff(run.log_weights[list(run.order)]).max() < 0


def test_a_natural_order_is_found(runs):
    natural = runs[0]
    assert natural.order == natural.exact_order == natural.best_order == NATURAL
    assert natural.reversed_loss > natural.loss + 1.5  # control: the weights sorted the wrong way
    assert natural.nelbo < natural.uniform - 0.5


def test_a_scrambled_order_is_missed_as_exact_descent_misses_it(runs):
    scrambled = runs[1]
    assert scrambled.kept == scrambled.exact_kept == (True, False, True, True)
    assert scrambled.best_order == SCRAMBLED
    assert scrambled.loss > scrambled.planted
    assert scrambled.reversed_loss > scrambled.loss + 0.5


def test_descent_on_edges_finds_it():
    plan = PLANS["smoke"]
    run = run_case(replace(CASES[5], parameters="edges"), plan.options, plan.schedule_rate, 0)
    assert run.order == run.exact_order == run.best_order == SCRAMBLED


def test_without_the_restriction_order_matters_by_errors_alone(runs):
    """Every order costs H(X) plus learning error; the same steps with the restriction leave five times the effect."""
    plan = PLANS["smoke"]
    free = run_case(CASES[-1], plan.options, plan.schedule_rate, 0)
    assert not free.case.restricted
    assert free.pointer == pytest.approx(free.entropy, abs=1e-12)
    assert free.pointer_uniform == pytest.approx(free.entropy, abs=1e-12)
    assert free.best > free.entropy
    assert 5 * (free.worst - free.best) < runs[0].worst - runs[0].best


def test_bad_profile():
    with pytest.raises(ValueError, match="profile = 'huge', allowed: smoke, full"):
        planted_runs("huge")
