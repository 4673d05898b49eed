"""Imperfect denoisers made from a target, and how far they are from it.

A denoiser is anything with vocab_size, length and marginals(y, on_impossible); a target is its own oracle denoiser.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from toy_models.door import require_pair
from toy_models.quantities import lattice
from toy_models.targets.kernels.impossible import reveal_one_hot, settle_impossible
from toy_models.targets.protocol import Denoiser, Target
from toy_models.validation import MASK, positive_int, tokens


@dataclass(frozen=True, eq=False)
class Smoothed:
    """(1 - weight) q(x_i | revealed) + weight / V."""

    target: Target
    weight: float

    def __post_init__(self):
        if not 0.0 <= self.weight <= 1.0:
            raise ValueError(f"weight = {self.weight}, it must lie in [0, 1]")

    @property
    def vocab_size(self) -> int:
        return self.target.vocab_size

    @property
    def length(self) -> int:
        return self.target.length

    def marginals(self, y: Int[np.ndarray, "batch L"], on_impossible: str = "raise") -> Float[np.ndarray, "batch L V"]:
        exact = self.target.marginals(y, on_impossible)
        return reveal_one_hot((1.0 - self.weight) * exact + self.weight / self.vocab_size, np.asarray(y))


@dataclass(frozen=True, eq=False)
class Tempered:
    """q(x_i | revealed)^power, renormalised; power = 1/temperature, so power > 1 sharpens."""

    target: Target
    power: float

    def __post_init__(self):
        if not (np.isfinite(self.power) and self.power > 0):
            raise ValueError(f"power = {self.power}, it must be a finite number > 0")

    @property
    def vocab_size(self) -> int:
        return self.target.vocab_size

    @property
    def length(self) -> int:
        return self.target.length

    def marginals(self, y: Int[np.ndarray, "batch L"], on_impossible: str = "raise") -> Float[np.ndarray, "batch L V"]:
        exact = self.target.marginals(y, on_impossible)
        powered = (exact / exact.max(axis=2, keepdims=True)) ** self.power  # a large power never empties a row
        return powered / powered.sum(axis=2, keepdims=True)


@dataclass(frozen=True, eq=False)
class ParentPointer:
    """q(x_i | x_a) when the one allowed parent a = parents[i] is revealed, else q(x_i); parents[i] = -1 for none."""

    target: Target
    parents: Sequence[int]

    def __post_init__(self):
        parents = tuple(positive_int(f"parents[{i}]", a, minimum=-1) for i, a in enumerate(self.parents))
        if len(parents) != self.target.length:
            raise ValueError(f"parents has {len(parents)} entries, the target has length {self.target.length}")
        for i, a in enumerate(parents):
            if not -1 <= a < len(parents) or a == i:
                raise ValueError(f"parents[{i}] = {a}, allowed: -1 or another position 0..{len(parents) - 1}")
        object.__setattr__(self, "parents", parents)

    @property
    def vocab_size(self) -> int:
        return self.target.vocab_size

    @property
    def length(self) -> int:
        return self.target.length

    @cached_property
    def given_parent(self) -> Float[np.ndarray, "L contexts V"]:
        """[i, 0] = q(x_i), [i, 1 + u] = q(x_i | x_parent(i) = u); nan where x_parent(i) = u is impossible."""
        vocab_size, length = self.vocab_size, self.length
        masked = np.full((1, length), MASK)
        table = np.empty((length, vocab_size + 1, vocab_size))
        table[:, 0] = self.target.marginals(masked)[0]
        table[:, 1:] = table[:, :1]
        for a in {p for p in self.parents if p >= 0}:
            y = np.repeat(masked, vocab_size, axis=0)
            y[:, a] = np.arange(vocab_size)
            given = self.target.marginals(y, on_impossible="nan")
            for i, parent in enumerate(self.parents):
                if parent == a:
                    table[i, 1:] = given[:, i]
        return table

    def marginals(self, y: Int[np.ndarray, "batch L"], on_impossible: str = "raise") -> Float[np.ndarray, "batch L V"]:
        y = tokens(y, self.vocab_size, self.length, masks=True)
        parents = np.array(self.parents)
        seen = np.where(parents >= 0, y[:, parents], MASK)
        result = reveal_one_hot(self.given_parent[np.arange(self.length), seen + 1], y)
        return settle_impossible(result, y, np.any(np.isnan(result), axis=(1, 2)), on_impossible)


@dataclass(frozen=True, eq=False)
class Windowed:
    """q(x_i | the revealed tokens at distance at most radius)."""

    target: Target
    radius: int

    def __post_init__(self):
        object.__setattr__(self, "radius", positive_int("radius", self.radius, minimum=0))

    @property
    def vocab_size(self) -> int:
        return self.target.vocab_size

    @property
    def length(self) -> int:
        return self.target.length

    def marginals(self, y: Int[np.ndarray, "batch L"], on_impossible: str = "raise") -> Float[np.ndarray, "batch L V"]:
        y = tokens(y, self.vocab_size, self.length, masks=True)
        position = np.arange(self.length)
        result = np.empty((*y.shape, self.vocab_size))
        for i in range(self.length):
            near = np.where(np.abs(position - i) <= self.radius, y, MASK)
            near[:, i] = MASK
            result[:, i] = self.target.marginals(near, on_impossible="nan")[:, i]
        impossible = (np.isnan(result).any(axis=2) & (y == MASK)).any(axis=1)
        return settle_impossible(reveal_one_hot(result, y), y, impossible, on_impossible)


def learning_error(target: Target, denoiser: Denoiser, reduce: str = "max") -> float:
    """Max, or mean, over revealed sets T, contexts x_T with q(x_T) > 0 and i not in T of KL(q(.|x_T) || p(.|x_T)).

    Nats per token. `max` is the epsilon_learning of Feng et al. 2025; `mean` weighs every pair (T, i) equally and
    x_T by q. inf when the denoiser rules out what the target allows, or refuses a possible context.
    Cost O((V+1)^L L V).
    """
    if reduce not in ("max", "mean"):
        raise ValueError(f'reduce = {reduce!r}, allowed: "max", "mean"')
    require_pair(target, denoiser)
    masked = lattice.states(target.vocab_size, target.length) == MASK
    weight = lattice.state_probabilities(target)
    p, q = lattice.state_marginals(denoiser), lattice.state_marginals(target)
    with np.errstate(divide="ignore", invalid="ignore"):
        kl = np.where(q > 0, q * np.log(q / np.where(np.isnan(p), 0.0, p)), 0.0).sum(axis=2)
    possible = masked & (weight > 0)[:, None]
    if reduce == "max":
        return float(max(kl[possible].max(), 0.0))
    pairs = target.length * 2 ** (target.length - 1)
    return float((np.where(possible, kl, 0.0) * weight[:, None]).sum() / pairs)
