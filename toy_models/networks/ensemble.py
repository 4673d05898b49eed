"""Many training runs of one small masked diffusion model at once, for the run-to-run spread (needs torch).

The runs share their initial weights and differ only in data, times and masks, so their spread is training noise.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy.stats import f as f_law
from torch import Tensor, nn
from tqdm import tqdm

from toy_models.networks.losses import LossOptions, draw_masks, masked_loss
from toy_models.quantities import lattice
from toy_models.targets.protocol import Target
from toy_models.validation import MASK

WIDTH = 24  # hidden units of the small denoiser


class SmallDenoiser(nn.Module):
    """One hidden layer on one-hot tokens (mask included): logits (batch, L, V)."""

    def __init__(self, vocab_size: int, length: int, width: int, generator: torch.Generator):
        super().__init__()
        self.vocab_size, self.length = vocab_size, length
        inputs = length * (vocab_size + 1)
        self.hidden = nn.Parameter(torch.randn(inputs, width, generator=generator) / length**0.5)
        self.bias = nn.Parameter(torch.zeros(width))
        self.out = nn.Parameter(torch.randn(width, length * vocab_size, generator=generator) * 0.1 / width**0.5)
        self.out_bias = nn.Parameter(torch.zeros(length * vocab_size))

    def forward(self, y):
        symbols = torch.arange(MASK, self.vocab_size, device=y.device)
        flat = (y[..., None] == symbols).flatten(-2).to(self.hidden.dtype)  # (batch, L (V + 1))
        out = torch.tanh(flat @ self.hidden + self.bias) @ self.out + self.out_bias
        return out.unflatten(-1, (self.length, self.vocab_size))


@dataclass(frozen=True, eq=False)
class EnsembleRun:
    """steps[j], and excess[r, j] = order-averaged loss of run r minus H(X), nats per sequence, after steps[j]."""

    steps: np.ndarray
    excess: Float[np.ndarray, "runs steps"]


def exact_loss_weights(target: Target) -> Float[Tensor, "states L V"]:
    """w[y, i, v] with sum of w * (-log p(v | y)) = E over x and orders of the loss, nats per sequence."""
    y = lattice.states(target.vocab_size, target.length)
    context = lattice.state_probabilities(target)
    masked = y == MASK
    count = masked.sum(axis=1)
    from scipy.special import comb

    per_state = np.where(count > 0, context / np.maximum(count, 1) / comb(target.length, count), 0.0)
    marginals = np.nan_to_num(lattice.state_marginals(target))
    return torch.tensor(per_state[:, None, None] * masked[:, :, None] * marginals, dtype=torch.float32)


def train(
    target: Target,
    options: LossOptions,
    runs: int,
    steps: int,
    calls: int,
    generator: torch.Generator,
    learning_rate: float = 0.3,
    checkpoints: int = 6,
) -> EnsembleRun:
    """`runs` independent plain-SGD runs with `calls` network calls per step, as one batch over stacked parameters."""
    if calls % options.calls:
        raise ValueError(f"calls = {calls}, it must be a multiple of {options.calls} for masks = {options.masks!r}")
    model = SmallDenoiser(target.vocab_size, target.length, WIDTH, torch.Generator().manual_seed(0))
    weights = {name: p.detach().expand(runs, *p.shape).clone() for name, p in model.named_parameters()}
    pmf = torch.tensor(lattice.to_table(target).pmf.ravel())
    words = torch.tensor(lattice.sequences(target.vocab_size, target.length))
    rows = calls // options.calls

    def forward(params, y):
        return torch.func.functional_call(model, params, (y,))

    forward_runs = torch.func.vmap(forward, in_dims=(0, 0))
    forward_exact = torch.func.vmap(forward, in_dims=(0, None))
    every_state = torch.tensor(lattice.states(target.vocab_size, target.length))
    loss_weights, entropy = exact_loss_weights(target), target.entropy()

    def excess():
        with torch.no_grad():
            parts = [
                -(
                    torch.log_softmax(forward_exact({n: p[a] for n, p in weights.items()}, every_state), -1)
                    * loss_weights
                )
                .flatten(1)
                .sum(1)
                for a in torch.arange(runs).split(32)
            ]
        return torch.cat(parts).double().numpy() - entropy

    marks = sorted({round(steps * (j + 1) / checkpoints) for j in range(checkpoints)})
    saved = []
    for step in tqdm(
        range(1, steps + 1), desc=f"{runs} runs", leave=False, disable=None if runs * steps >= 20000 else True
    ):
        x = words[torch.multinomial(pmf, runs * rows, replacement=True, generator=generator)].reshape(runs, rows, -1)
        hidden, weight = draw_masks((runs, rows), target.length, options, generator)
        leaves = {n: p.requires_grad_() for n, p in weights.items()}
        total = sum(masked_loss(forward_runs(leaves, torch.where(h, MASK, x)), x, h) for h in hidden) / len(hidden)
        loss = (total * weight.float()).mean(dim=1).sum()  # runs touch disjoint parameters: one backward serves all
        gradients = torch.autograd.grad(loss, list(leaves.values()))
        weights = {n: (p - learning_rate * g).detach() for (n, p), g in zip(leaves.items(), gradients, strict=True)}
        if step in marks:
            saved.append(excess())
    return EnsembleRun(np.array(marks), np.stack(saved, axis=1))


def variance_ratio(
    sample: Float[np.ndarray, " n"], reference: Float[np.ndarray, " m"], confidence: float = 0.95
) -> tuple[float, float, float]:
    """Var(sample)/Var(reference) with its F interval (exact for normal samples)."""
    ratio = float(sample.var(ddof=1) / reference.var(ddof=1))
    tail = (1.0 - confidence) / 2
    n, m = len(sample) - 1, len(reference) - 1
    return ratio, ratio / float(f_law.ppf(1.0 - tail, n, m)), ratio / float(f_law.ppf(tail, n, m))
