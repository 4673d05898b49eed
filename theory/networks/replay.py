"""Training of a tiny network done again by hand: AdamW, the stated rates, clipping and averaging in numpy."""

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

import toy_models as tm
from theory.perplexity.results import CHAIN_A
from toy_models import networks
from toy_models.networks.losses import LossOptions, training_losses

STEPS = 12
OPTIONS = networks.TrainOptions(
    steps=STEPS, batch=8, rate=0.05, warmup=4, weight_decay=0.1, clip=0.3, ema=0.5, accumulate=2
)
EPSILON = 1e-8  # AdamW's


@dataclass(frozen=True, eq=False)
class Replay:
    """Largest |weight of the trained network - weight by hand|, as stated and with one part changed."""

    gap: float
    loss_gap: float  # largest |recorded loss - loss by hand|
    first_loss: float  # of the untrained network, which is uniform: log V
    changed: dict[str, float]
    clipped: int  # steps whose gradient was longer than the limit
    spread: float  # largest |averaged weight - last weight|


def replay(seed: int) -> Replay:
    """Train once, then follow the same data by hand."""
    target = tm.MarkovChain(CHAIN_A, 4)
    config = networks.Config(3, 4, width=8, layers=1, heads=2)
    trained = networks.train(config, partial(networks.stream, target), OPTIONS, seed, "cpu")
    wanted = flat(trained.model)
    losses, clipped, averaged, last = by_hand(target, config, seed)
    changed = {name: by_hand(target, config, seed, name)[2] for name in ("no clipping", "decay for its rest", "rate")}
    return Replay(
        float(np.abs(wanted - averaged).max()),
        float(np.abs(np.array(trained.losses) - losses).max()),
        trained.losses[0],
        {name: float(np.abs(wanted - other).max()) for name, other in changed.items()},
        clipped,
        float(np.abs(averaged - last).max()),
    )


def by_hand(target, config, seed: int, changed: str = "") -> tuple[np.ndarray, int, np.ndarray, np.ndarray]:
    """(losses, clipped steps, averaged weights, last weights); the gradient alone is taken from torch."""
    model = networks.Transformer(config, torch.Generator().manual_seed(seed)).double()
    generator = torch.Generator().manual_seed(1000003 * seed)
    draw, loss = networks.stream(target, generator), LossOptions(size_weights=[1.0 / config.length] * config.length)
    w = flat(model)
    averaged, first, second, losses, clipped = w.copy(), np.zeros_like(w), np.zeros_like(w), [], 0
    for t in range(STEPS):
        load(model, w)
        model.zero_grad()
        parts = [training_losses(model, draw(OPTIONS.batch), loss, generator).mean() for _ in range(OPTIONS.accumulate)]
        value = sum(parts[1:], parts[0]) / OPTIONS.accumulate
        value.backward()
        losses.append(float(value.detach()))
        gradient = np.concatenate([p.grad.numpy().ravel() for p in model.parameters() if p.grad is not None])
        norm = float(np.sqrt(gradient @ gradient))
        clipped += norm > OPTIONS.clip
        if changed != "no clipping":
            gradient = gradient * min(1.0, OPTIONS.clip / norm)
        rise, fall = (t + 1) / OPTIONS.warmup, (t - OPTIONS.warmup) / (STEPS - OPTIONS.warmup)
        rate = OPTIONS.rate * (rise if rise <= 1 else 0.01 + 0.99 * (1 + math.cos(math.pi * fall)) / 2)
        if changed == "rate":
            rate = OPTIONS.rate
        one, two = OPTIONS.betas
        first, second = one * first + (1 - one) * gradient, two * second + (1 - two) * gradient**2
        step = first / (1 - one ** (t + 1)) / (np.sqrt(second / (1 - two ** (t + 1))) + EPSILON)
        w = w - rate * (OPTIONS.weight_decay * w + step)
        d = min(OPTIONS.ema, (1 + t) / (10 + t))
        if changed == "decay for its rest":
            d = 1 - d
        averaged = d * averaged + (1 - d) * w
    return np.array(losses), clipped, averaged, w


def flat(model: torch.nn.Module) -> np.ndarray:
    return np.concatenate([p.detach().double().numpy().ravel() for p in model.parameters()])


def load(model: torch.nn.Module, weights: np.ndarray) -> None:
    with torch.no_grad():
        place = 0
        for p in model.parameters():
            p.copy_(torch.from_numpy(weights[place : place + p.numel()]).view_as(p))
            place += p.numel()
