"""Ancestral sampling as released: a grid of Bernoulli reveals that may not reach the end, and a final fill."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from toy_models.quantities.law import Law
from toy_models.quantities.product_kernel import Step, hold, product_draw, product_law
from toy_models.quantities.sampling import Samples
from toy_models.rules.drawn_confidence import tempered
from toy_models.targets.protocol import Denoiser
from toy_models.targets.truncated import gumbel_share
from toy_models.validation import MASK, nonnegative, positive_int, reals

FILLS = ("argmax", "draw")


@dataclass(frozen=True, eq=False)
class GridReveal:
    """Each position draws its call i.i.d., P(call = j) = weights[j]; what is left after N calls is filled in one more.

    The weights may sum to less than one: a grid that stops at t > 0 (MDLM's noise removal, DFM's max_t). fill:
    "argmax", the most likely token of each marginal, or "draw". bits: Gumbel noise from uniforms of that many bits, by
    which a call writes token v with probability `gumbel_share(r_j pi_i(v))` in place of r_j pi_i(v), r_j the hazard.
    With weights that sum to one and exact noise this is IndependentReveal.

    >>> law = tm.sampler_law(tm.repetition(2, 2), tm.rules.GridReveal([0.5]))  # the argmax of a fair letter is 0
    >>> law.pmf.tolist(), law.mean_steps
    ([[0.5625, 0.0625], [0.0625, 0.3125]], 1.5)
    """

    weights: Float[np.ndarray, " N"]
    fill: str = "argmax"
    bits: int | None = None

    def __init__(
        self, weights: Float[np.ndarray, " N"] | Sequence[float], fill: str = "argmax", bits: int | None = None
    ):
        weights = reals("weights", weights)
        if weights.ndim != 1:
            raise ValueError(f"weights must be a vector, got shape {weights.shape}")
        nonnegative("weights", weights)
        if weights.sum() > 1 + 1e-9:
            raise ValueError(f"weights sum to {weights.sum():.12g}, they must sum to at most 1")
        if fill not in FILLS:
            raise ValueError(f"fill = {fill!r}, allowed: {', '.join(FILLS)}")
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "fill", fill)
        object.__setattr__(self, "bits", bits if bits is None else positive_int("bits", bits))

    @property
    def hazards(self) -> Float[np.ndarray, " N"]:
        """r_j = weights[j] / (1 - what came before)."""
        left = 1.0 - (np.cumsum(self.weights) - self.weights)
        return np.minimum(np.divide(self.weights, left, out=np.zeros_like(left), where=left > 1e-12), 1.0)

    def steps(self) -> list[Step]:
        return [self._step(float(r)) for r in self.hazards if r > 0] + [self._filled]

    def _step(self, hazard: float) -> Step:
        def rows(y, marginals):
            write = hazard * marginals if self.bits is None else gumbel_share(hazard * marginals, self.bits)
            write = np.concatenate([1.0 - write.sum(axis=2, keepdims=True), write], axis=2).clip(0.0)
            return np.where((y == MASK)[..., None], write, hold(y, marginals.shape[2]))

        return rows

    def _filled(self, y, marginals):
        law = marginals if self.fill == "draw" else tempered(marginals, 0.0)
        written = np.concatenate([np.zeros_like(law[..., :1]), law], axis=2)
        return np.where((y == MASK)[..., None], written, hold(y, marginals.shape[2]))

    def exact_law(self, denoiser: Denoiser) -> Law:
        return product_law(denoiser, self.steps())

    def draw(self, denoiser: Denoiser, size: int, rng: np.random.Generator) -> Samples:
        return product_draw(denoiser, self.steps(), size, rng)
