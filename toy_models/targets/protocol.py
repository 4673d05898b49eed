"""What every target and every denoiser offers. A target is its own oracle denoiser."""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int


@runtime_checkable
class Denoiser(Protocol):
    """Marginals of each masked token given the revealed ones."""

    @property
    def vocab_size(self) -> int: ...

    @property
    def length(self) -> int: ...

    def marginals(self, y: Int[np.ndarray, "batch L"], on_impossible: str = "raise") -> Float[np.ndarray, "batch L V"]:
        """p(x_i = v | revealed tokens of y), one-hot where revealed; MASK = -1 marks a masked token."""
        ...


@runtime_checkable
class Target(Denoiser, Protocol):
    """A law q on {0..V-1}^L with exact conditionals."""

    def log_prob(self, x: Int[np.ndarray, "batch L"]) -> Float[np.ndarray, " batch"]:
        """log q(x) in nats, -inf off the support."""
        ...

    def sample(self, size: int, rng: np.random.Generator) -> Int[np.ndarray, "size L"]: ...

    def entropy(self) -> float:
        """H(X) in nats per sequence."""
        ...
