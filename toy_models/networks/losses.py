"""Training losses of a torch masked diffusion model, with the options of variance.py (imported apart: needs torch).

A model is any callable tokens (batch, L) with MASK = -1 -> logits (batch, L, V). Losses are in nats per token and each
row is one draw of l = S(x, M) / (L t p(t)); their mean over the batch is the training loss.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from toy_models.targets.protocol import Target
from toy_models.validation import MASK, positive_int
from toy_models.variance import densities
from toy_models.variance.densities import Density
from toy_models.variance.loss_moments import Moments, loss_moments, support

MASKS = ("single", "independent-pair", "mirror")
COUPLINGS = ("independent", "stratified", "low-discrepancy")


@dataclass(frozen=True, eq=False)
class LossOptions:
    """How t and the masks are drawn.

    density: law of t; None is uniform on [epsilon, 1], others are used as histograms of `cells` cells (still unbiased).
    coupling: of the times of a batch. masks: one, or the mean of two of the same (x, t).
    size_weights: if given, no t: the number of masks is drawn from these L weights (sizes 1..L) and M uniformly.
    """

    density: Density | None = None
    coupling: str = "independent"
    masks: str = "single"
    size_weights: Sequence[float] | None = None
    epsilon: float = 1e-3
    cells: int = 256

    def __post_init__(self):
        for name, value, allowed in (("masks", self.masks, MASKS), ("coupling", self.coupling, COUPLINGS)):
            if value not in allowed:
                raise ValueError(f"{name} = {value!r}, allowed: {', '.join(map(repr, allowed))}")
        densities.check_interval(self.epsilon)
        if self.size_weights is not None:
            weights = np.asarray(self.size_weights, dtype=float)
            if weights.ndim != 1 or (weights <= 0).any() or abs(weights.sum() - 1.0) > 1e-6:
                raise ValueError(f"size_weights = {self.size_weights}, allowed: L positive numbers with sum 1")
            if self.masks != "single":
                raise ValueError(f'masks = {self.masks!r} with size_weights, allowed: "single"')

    @property
    def calls(self) -> int:
        """Network calls per row."""
        return 1 if self.masks == "single" else 2

    @cached_property
    def histogram(self) -> tuple[Tensor, Tensor]:
        """Edges and distribution function of the piecewise constant law of t."""
        if self.density is None:
            return torch.tensor([self.epsilon, 1.0], dtype=torch.float64), torch.tensor([0.0, 1.0], dtype=torch.float64)
        table = self.density.histogram(self.cells)
        edges = np.array([table.low, *table.breaks, table.high])
        mass = table.pdf((edges[1:] + edges[:-1]) / 2) * np.diff(edges)
        return torch.tensor(edges), torch.tensor(np.concatenate([[0.0], np.cumsum(mass)]) / mass.sum())


def draw_times(
    shape: tuple[int, ...], options: LossOptions, generator: torch.Generator
) -> tuple[Float[Tensor, "..."], Float[Tensor, "..."]]:
    """t and p(t), coupled along the last axis as options.coupling says. float64, on the generator's device."""
    device = generator.device
    size = shape[-1]
    if options.coupling == "low-discrepancy":
        noise = torch.rand(*shape[:-1], 1, generator=generator, device=device, dtype=torch.float64)
    else:
        noise = torch.rand(*shape, generator=generator, device=device, dtype=torch.float64)
    s = noise if options.coupling == "independent" else (torch.arange(size, device=device) + noise) / size
    edges, cdf = (a.to(device) for a in options.histogram)
    cell = torch.searchsorted(cdf, s.contiguous(), right=True).clamp(1, len(cdf) - 1) - 1
    height = (cdf[1:] - cdf[:-1]) / (edges[1:] - edges[:-1])
    return edges[cell] + (s - cdf[cell]) / height[cell], height[cell]


def draw_masks(
    shape: tuple[int, ...], length: int, options: LossOptions, generator: torch.Generator
) -> tuple[Bool[Tensor, "copies *shape L"], Float[Tensor, "*shape"]]:
    """Masks (one or two copies) and the weight 1/(L t p(t)) of each row; with size_weights 1/(L k weights[k])."""
    device = generator.device
    u = torch.rand(*shape, length, generator=generator, device=device, dtype=torch.float64)
    if options.size_weights is not None:
        weights = torch.tensor(options.size_weights, dtype=torch.float64, device=device)
        if len(weights) != length:
            raise ValueError(f"size_weights has {len(weights)} entries, the sequences have length {length}")
        flat = torch.multinomial(weights, int(np.prod(shape)), replacement=True, generator=generator)
        size = flat.reshape(shape) + 1
        hidden = u.argsort(dim=-1).argsort(dim=-1) < size[..., None]
        return hidden[None], 1.0 / (length * size * weights[size - 1])
    t, p = draw_times(shape, options, generator)
    hidden = [u < t[..., None]]
    if options.masks == "mirror":
        hidden.append(u > 1.0 - t[..., None])
    elif options.masks == "independent-pair":
        again = torch.rand(*shape, length, generator=generator, device=device, dtype=torch.float64)
        hidden.append(again < t[..., None])
    return torch.stack(hidden), 1.0 / (length * t * p)


def masked_loss(
    logits: Float[Tensor, "*shape L V"], x: Int[Tensor, "*shape L"], hidden: Bool[Tensor, "*shape L"]
) -> Float[Tensor, "*shape"]:
    """S(x, M) = sum over masked i of -log softmax(logits)[i, x_i]; logits in half precision are taken as float32."""
    wide = torch.promote_types(logits.dtype, torch.float32)  # autocast does this on CUDA alone
    chosen = torch.log_softmax(logits.to(wide), dim=-1).gather(-1, x[..., None])[..., 0]
    return -torch.where(hidden, chosen, 0.0).sum(dim=-1)


def training_losses(
    model: Callable, x: Int[Tensor, "batch L"], options: LossOptions, generator: torch.Generator
) -> Float[Tensor, " batch"]:
    """One unbiased draw of the loss per row of x; `.mean()` is the training loss."""
    hidden, weight = draw_masks((len(x),), x.shape[1], options, generator)
    total = torch.zeros(len(x), dtype=torch.float64, device=x.device)
    for copy in hidden:
        total = total + masked_loss(model(torch.where(copy, MASK, x)), x, copy)
    return total / len(hidden) * weight


@dataclass(frozen=True, eq=False)
class TorchDenoiser:
    """A torch model as a denoiser of the exact route: marginals are softmax(logits) in float64."""

    model: Callable
    vocab_size: int
    length: int

    def marginals(self, y: Int[np.ndarray, "batch L"], on_impossible: str = "raise") -> Float[np.ndarray, "batch L V"]:
        y = np.asarray(y)
        with torch.no_grad():
            result = torch.softmax(self.model(torch.tensor(y)).double(), dim=-1).numpy().copy()
        row, position = np.nonzero(y != MASK)
        result[row, position] = 0.0
        result[row, position, y[row, position]] = 1.0
        return result


def as_denoiser(model: Callable, vocab_size: int, length: int) -> TorchDenoiser:
    """Wrap a torch model so that tm.variance_decomposition can enumerate it."""
    return TorchDenoiser(model, positive_int("vocab_size", vocab_size), positive_int("length", length))


def gradient_moments(model: torch.nn.Module, target: Target) -> Moments:
    """Moments by mask size of dS/dparameters, all parameters shared: variances become traces. Small models: the
    gradients of all V^L 2^L losses are held at once.
    """
    from toy_models.variance.gradient_moments import vector_moments

    x = torch.tensor(support(target))
    masks = torch.arange(2**target.length)
    hidden = (masks[:, None] >> torch.arange(target.length)) & 1 == 1
    parameters = {name: p.detach() for name, p in model.named_parameters()}

    def loss(params, row, mask):
        logits = torch.func.functional_call(model, params, (torch.where(mask, MASK, row)[None],))
        return masked_loss(logits, row[None], mask[None])[0]

    per_mask = torch.func.vmap(torch.func.grad(loss), in_dims=(None, None, 0))
    gradients = torch.func.vmap(per_mask, in_dims=(None, 0, None))(parameters, x, hidden)
    flat = torch.cat([g.reshape(len(x), len(masks), -1) for g in gradients.values()], dim=2)
    return vector_moments(flat.double().numpy(), loss_moments(target).probability)
