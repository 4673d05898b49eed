"""ReMDM: ancestral sampling that masks written tokens again (Wang et al. 2025, arXiv 2503.00307)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from toy_models.quantities.law import Law
from toy_models.quantities.product_kernel import Step, hold, product_draw, product_law
from toy_models.quantities.sampling import Samples
from toy_models.targets.protocol import Denoiser
from toy_models.validation import MASK, positive_int, reals


@dataclass(frozen=True, eq=False)
class Remasking:
    """A token is masked again with probability sigma, a mask is written with (a' - (1 - sigma) a) / (1 - a).

    a and a' are the revealed fractions before and after the step.
    alphas: N + 1 fractions from 0 to 1, not decreasing; sigmas: one per step, 0 <= sigma <= min(1, (1 - a') / a), so
    that a fraction a' is revealed on average. sigma = 0 is ancestral sampling. Constructors: `capped`, `rescaled`,
    `looped`, `forward_backward`.

    >>> rule = tm.rules.Remasking.rescaled(4, 0.5)
    >>> rule.sigmas.round(4).tolist()
    [0.0, 0.5, 0.25, 0.0]
    """

    alphas: Float[np.ndarray, " M"]
    sigmas: Float[np.ndarray, " N"]

    def __init__(
        self, alphas: Float[np.ndarray, " M"] | Sequence[float], sigmas: Float[np.ndarray, " N"] | Sequence[float]
    ):
        alphas, sigmas = reals("alphas", alphas), reals("sigmas", sigmas)
        if len(alphas) != len(sigmas) + 1 or alphas[0] != 0 or alphas[-1] != 1 or (np.diff(alphas) < 0).any():
            raise ValueError(f"alphas = {alphas.tolist()}, they must rise from 0 to 1 and be one more than the sigmas")
        most = most_remasked(alphas)
        wrong = np.flatnonzero((sigmas < 0) | (sigmas > most * (1 + 1e-12)))
        if len(wrong):
            j = int(wrong[0])
            raise ValueError(
                f"sigmas[{j}] = {sigmas[j]}, it must lie in [0, min(1, (1 - a') / a)] = [0, {most[j]:.6g}]"
            )
        object.__setattr__(self, "alphas", alphas)
        object.__setattr__(self, "sigmas", sigmas)

    @classmethod
    def capped(cls, steps: int, cap: float) -> "Remasking":
        """sigma = min(cap, its largest value), uniform grid."""
        return cls(_grid(steps), np.minimum(cap, most_remasked(_grid(steps))))

    @classmethod
    def rescaled(cls, steps: int, eta: float) -> "Remasking":
        """sigma = eta times its largest value, uniform grid."""
        return cls(_grid(steps), eta * most_remasked(_grid(steps)))

    @classmethod
    def forward_backward(cls, steps: int) -> "Remasking":
        """sigma = (a' - a) / a: as much noise as a forward step adds; uniform grid."""
        alphas = _grid(steps)
        noise = np.divide(np.diff(alphas), alphas[:-1], out=np.zeros(steps), where=alphas[:-1] > 0)
        return cls(alphas, np.minimum(noise, most_remasked(alphas)))

    @classmethod
    def looped(cls, steps: int, hold_at: float, loops: int, cap: float) -> "Remasking":
        """A uniform grid of `steps` that stops at its point nearest to hold_at for `loops` steps of sigma = cap."""
        grid, loops = _grid(steps), positive_int("loops", loops)
        at = int(np.abs(grid - hold_at).argmin())
        alphas = np.concatenate([grid[:at], np.full(loops + 1, grid[at]), grid[at + 1 :]])
        looping = np.isin(np.arange(len(alphas) - 1), np.arange(at, at + loops))
        return cls(alphas, np.where(looping, np.minimum(cap, most_remasked(alphas)), 0.0))

    def steps(self) -> list[Step]:
        return [_step(a, b, float(s)) for (a, b), s in zip(pairwise(self.alphas), self.sigmas, strict=True)]

    def exact_law(self, denoiser: Denoiser) -> Law:
        return product_law(denoiser, self.steps())

    def draw(self, denoiser: Denoiser, size: int, rng: np.random.Generator) -> Samples:
        return product_draw(denoiser, self.steps(), size, rng)


def most_remasked(alphas: Float[np.ndarray, " M"]) -> Float[np.ndarray, " N"]:
    """min(1, (1 - a') / a) of each step, 0 where nothing is revealed yet.

    >>> tm.rules.most_remasked(np.array([0.0, 0.5, 0.75, 1.0])).round(4).tolist()
    [0.0, 0.5, 0.0]
    """
    before, after = alphas[:-1], alphas[1:]
    return np.minimum(1.0, np.divide(1.0 - after, before, out=np.zeros_like(before), where=before > 0))


def _grid(steps: int) -> Float[np.ndarray, " M"]:
    return np.arange(positive_int("steps", steps) + 1) / steps


def _step(before: float, after: float, sigma: float) -> Step:
    reveal = (after - (1.0 - sigma) * before) / (1.0 - before) if before < 1 else 0.0

    def rows(y, marginals):
        held = (1.0 - sigma) * hold(y, marginals.shape[2])
        held[..., 0] += sigma
        written = np.concatenate([np.full_like(marginals[..., :1], 1.0 - reveal), reveal * marginals], axis=2)
        return np.where((y == MASK)[..., None], written, held)

    return rows
