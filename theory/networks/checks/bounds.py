"""Bounds from the largest learning error, on a trained network."""

import numpy as np

import toy_models as tm
from theory.ledger.registry import Outcome, check, control, decide, tightness
from theory.networks.checks.network import ROUNDING
from theory.networks.results import Results
from theory.networks.small import open_costs
from theory.perplexity.results import uniform


def kl_bound(length: int, budget: float, steps, largest: float):
    """(TC + DTC)/N + L epsilon_learning, for the checks and their instances of equality alike."""
    return budget / steps + length * largest


@check("network-kl-from-max", tier="float64")
def kl_from_max(results: Results) -> Outcome:
    """network-kl-from-max: trajectory KL of the network <= (TC + DTC)/N + L epsilon_learning, epsilon the maximum."""
    small = results.small
    bound = kl_bound(6, small.budget, small.steps, small.largest)
    g = tm.information_curve(small.target)
    budget = abs(small.budget - 6 * (g[0] - g[-1])) < ROUNDING  # TC + DTC = L (g[0] - g[L-1])
    slack = bound - small.network_kl
    ratio = small.network_kl / bound
    note = f"left side is {ratio.min():.2f} to {ratio.max():.2f} of the right; margin in nats per sequence"
    return decide(bool(budget and (slack >= -ROUNDING).all()), len(slack), slack.min(), note)


@tightness("network-kl-from-max", tier="float64")
def kl_from_max_tight(results: Results) -> Outcome:
    """Independent tokens and one wrong law at every context: equality."""
    target = tm.MarkovChain([[0.7, 0.3], [0.7, 0.3]], 4)
    denoiser = tm.Smoothed(target, 0.2)
    bound = kl_bound(4, 0.0, 3, tm.learning_error(target, denoiser, "max"))
    gap = abs(tm.trajectory_kl(target, uniform(3), denoiser) - bound)
    return decide(gap < 1e-12, 1, gap)


@control("network-kl-from-max", tier="float64")
def kl_from_mean(results: Results) -> Outcome:
    """network-kl-from-max with the mean over orders for the maximum: some order costs more than the mean order."""
    revealed, open_cost = open_costs(results.small)
    count = revealed.sum(axis=1)
    sets = revealed @ (1 << np.arange(6))
    table = np.stack([np.bincount(sets, weights=open_cost[:, i], minlength=64) for i in range(6)], axis=1)
    worst = np.zeros(64)  # the costliest way from each revealed set to the end
    for T in range(62, -1, -1):
        worst[T] = max(table[T, i] + worst[T | 1 << i] for i in range(6) if not T >> i & 1)
    sizes = np.array([bin(T).count("1") for T in range(64)])
    mean = sum(table[sizes == k].sum() / ((6 - k) * (sizes == k).sum()) for k in range(6))
    return decide(bool(worst[0] <= mean + ROUNDING), int(count.size), worst[0] - mean)


@check("network-ser-from-max", tier="float64")
def ser_from_max(results: Results) -> Outcome:
    """network-ser-from-max: SER <= 1 - exp(-L epsilon_learning - (TC + DTC)/N)."""
    small = results.small
    bound = -np.expm1(-kl_bound(6, small.budget, small.steps, small.largest))
    slack = bound - small.network_error
    through_kl = -np.expm1(-small.network_kl) - small.network_error
    note = f"at N = {small.steps[-1]}: SER {small.network_error[-1]:.3f}, bound {bound[-1]:.3f}; margin: smallest slack"
    holds = min(slack.min(), through_kl.min()) >= -ROUNDING
    return decide(bool(holds), 2 * len(slack), slack.min(), note)


@tightness("network-ser-from-max", tier="float64")
def ser_from_max_tight(results: Results) -> Outcome:
    """One token, uniform on two of three symbols, a tenth of the mass on the third: equality."""
    target = tm.Table(np.array([0.5, 0.5, 0.0]))
    denoiser = tm.Smoothed(target, 0.3)
    bound = -np.expm1(-kl_bound(1, 0.0, 1, tm.learning_error(target, denoiser, "max")))
    gap = abs(tm.sequence_error(target, uniform(1), denoiser) - bound)
    return decide(gap < 1e-12, 1, gap)


@control("network-ser-from-max", tier="float64")
def ser_without_learning(results: Results) -> Outcome:
    """network-ser-from-max without epsilon_learning: one token at a time would then never err."""
    small = results.small
    error = tm.sequence_error(small.target, tm.FixedOrder(tuple((i,) for i in range(6))), small.network)
    return decide(error <= ROUNDING, 1, error)
