"""Independent copies of a target, side by side."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from toy_models.targets.impossible import settle_impossible
from toy_models.targets.protocol import Target
from toy_models.validation import MASK, positive_int, tokens


@dataclass(frozen=True, eq=False)
class Blocks:
    """q(x) = product over the blocks of target(x_block); length = repeats * target.length."""

    target: Target
    repeats: int

    def __post_init__(self):
        object.__setattr__(self, "repeats", positive_int("repeats", self.repeats))

    @property
    def vocab_size(self) -> int:
        return self.target.vocab_size

    @property
    def length(self) -> int:
        return self.target.length * self.repeats

    def log_prob(self, x: Int[np.ndarray, "batch L"]) -> Float[np.ndarray, " batch"]:
        x = tokens(x, self.vocab_size, self.length, masks=False)
        return self.target.log_prob(self._split(x)).reshape(len(x), self.repeats).sum(axis=1)

    def marginals(self, y: Int[np.ndarray, "batch L"], on_impossible: str = "raise") -> Float[np.ndarray, "batch L V"]:
        y = tokens(y, self.vocab_size, self.length, masks=True)
        blocks = self._split(y)
        parts = self.target.marginals(blocks, on_impossible="nan")
        impossible = np.isnan(parts).any(axis=(1, 2))
        full = np.flatnonzero((blocks != MASK).all(axis=1))
        if len(full):
            impossible[full] = np.isneginf(self.target.log_prob(blocks[full]))
        result = parts.reshape(len(y), self.length, self.vocab_size)
        impossible = impossible.reshape(len(y), self.repeats).any(axis=1)
        return settle_impossible(result, y, impossible, on_impossible)

    def sample(self, size: int, rng: np.random.Generator) -> Int[np.ndarray, "size L"]:
        return self.target.sample(size * self.repeats, rng).reshape(size, self.length)

    def entropy(self) -> float:
        return self.repeats * self.target.entropy()

    def _split(self, x: Int[np.ndarray, "batch L"]) -> Int[np.ndarray, "parts block"]:
        return x.reshape(len(x) * self.repeats, self.target.length)
