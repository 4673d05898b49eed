"""Runs of a small network: what is drawn, what is measured, and the spread."""

from math import comb

import numpy as np
import torch

from theory.ledger.registry import Outcome, check, control, decide, not_claimed_tight
from theory.variance import definitions
from theory.variance.results import Results
from toy_models.networks.ensemble import SmallDenoiser, exact_loss_weights, variance_ratio
from toy_models.networks.losses import LossOptions, as_denoiser, draw_masks
from toy_models.targets import instances


@check("training-spread", tier="float64")
def excess_is_the_average_over_orders(results: Results) -> Outcome:
    """training-spread: the recorded loss is the mean over orders, and a row's weight is 1/(L k weights[k])."""
    target = instances.k1(3)
    model = SmallDenoiser(3, 3, 6, torch.Generator().manual_seed(2))
    losses = definitions.losses_of(target, as_denoiser(model, 3, 3))
    every = [losses.total[:, m] / (m.bit_count() * comb(3, m.bit_count())) for m in range(1, 8)]
    wanted = float(losses.probability @ np.sum(every, axis=0))
    states = torch.tensor(np.indices((4, 4, 4)).reshape(3, -1).T - 1)
    with torch.no_grad():
        found = -float((torch.log_softmax(model(states), -1) * exact_loss_weights(target)).sum())
    weights = [0.2, 0.5, 0.3]
    hidden, weight = draw_masks((200,), 3, LossOptions(size_weights=weights), torch.Generator().manual_seed(1))
    size = hidden[0].sum(dim=-1)
    drawn = float((weight * 3 * size * torch.tensor(weights)[size - 1] - 1).abs().max())
    return decide(abs(found - wanted) < 1e-5 and drawn < 1e-6, 201, abs(found - wanted), "margin: float32 sum, nats")


@check("training-spread", tier="sampled")
def sizes_reduce_run_to_run_spread(results: Results) -> Outcome:
    """training-spread: F interval at confidence 1 - 1e-6 of Var log(excess), sizes against uniform t, K1, L = 4."""
    sizes, times = (np.log(results.training.run(name).excess[:, -1]) for name in ("size, uniform k", "uniform"))
    ratio, low, high = variance_ratio(sizes, times, 1 - 1e-6)
    return decide(high < 1, results.training.runs, 1 - high, f"ratio {ratio:.3f}, interval [{low:.3f}, {high:.3f}]")


@control("training-spread", tier="sampled")
def halves_of_one_method_differ(results: Results) -> Outcome:
    """training-spread: two halves of the same runs must not be told apart."""
    values = np.log(results.training.run("size, uniform k").excess[:, -1])
    _, _, high = variance_ratio(values[::2], values[1::2], 1 - 1e-6)
    return decide(high < 1, len(values))


not_claimed_tight("training-spread", "an observation on one small network")
