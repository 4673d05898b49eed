"""A law given by its full table, the root of trust of every other target."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int
from scipy.special import entr

from toy_models.errors import IntractableError
from toy_models.rounding import settle
from toy_models.targets.kernels.impossible import reveal_one_hot, settle_impossible
from toy_models.targets.kernels.inverse_cdf import inverse_cdf
from toy_models.validation import distribution, reals, tokens

MAX_CELLS = 2**25  # (V+1)^L sums kept in memory: 256 MiB


@dataclass(frozen=True, eq=False)
class Table:
    """q(x) = pmf[x_1, ..., x_L].

    Marginals read the table of all sums over masked tokens, (V+1)^L numbers computed once by L sweeps.

    >>> tm.Table(np.array([[0.5, 0.0], [0.0, 0.5]])).marginals(np.array([[1, -1]]))[0, 1].tolist()
    [0.0, 1.0]
    """

    pmf: Float[np.ndarray, "..."]

    def __post_init__(self):
        pmf = reals("pmf", self.pmf)
        if pmf.ndim == 0 or len(set(pmf.shape)) != 1:
            raise ValueError(f"pmf must have shape (V,)*L, got {pmf.shape}")
        object.__setattr__(self, "pmf", distribution("pmf", pmf))

    @property
    def vocab_size(self) -> int:
        return len(self.pmf)

    @property
    def length(self) -> int:
        return self.pmf.ndim

    @cached_property
    def context_probabilities(self) -> Float[np.ndarray, "..."]:
        """q(revealed part) for every partially masked sequence, shape (V+1,)*L; index 0 is the mask, v+1 token v."""
        return context_probabilities(self.pmf)

    def log_prob(self, x: Int[np.ndarray, "batch L"]) -> Float[np.ndarray, " batch"]:
        x = tokens(x, self.vocab_size, self.length, masks=False)
        with np.errstate(divide="ignore"):
            return np.log(self.pmf[tuple(x.T)])

    def marginals(self, y: Int[np.ndarray, "batch L"], on_impossible: str = "raise") -> Float[np.ndarray, "batch L V"]:
        y = tokens(y, self.vocab_size, self.length, masks=True)
        sums, index = self.context_probabilities, tuple((y + 1).T)
        context = sums[index]
        result = np.empty((*y.shape, self.vocab_size))
        with np.errstate(invalid="ignore", divide="ignore"):
            for position in range(self.length):
                moved = np.moveaxis(sums, position, -1)[..., 1:]
                others = index[:position] + index[position + 1 :]
                result[:, position] = moved[others] / context[:, None]
        reveal_one_hot(result, y)
        return settle_impossible(result, y, context == 0.0, on_impossible)

    def sample(self, size: int, rng: np.random.Generator) -> Int[np.ndarray, "size L"]:
        flat = inverse_cdf(np.broadcast_to(self.pmf.ravel(), (1, self.pmf.size)), rng.random((size, 1)).T)[0]
        return np.stack(np.unravel_index(flat, self.pmf.shape), axis=1).astype(np.int64)

    def entropy(self) -> float:
        return float(settle(entr(self.pmf).sum(), 1.0))


def context_probabilities(pmf: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """Sums of `pmf` over every set of axes: shape (V,)*L -> (V+1,)*L with index 0 for "summed". O(L (V+1)^L)."""
    if (len(pmf) + 1) ** pmf.ndim > MAX_CELLS:
        raise IntractableError(
            "the masked states of a table",
            f"V = {len(pmf)}, L = {pmf.ndim}, hence (V+1)^L = {(len(pmf) + 1) ** pmf.ndim}",
            f"(V+1)^L <= {MAX_CELLS}",
            "use a structured target (MarkovChain, NGram, HMM, LinearCode, Blocks)",
        )
    sums = pmf
    for axis in range(pmf.ndim):
        sums = np.concatenate([sums.sum(axis=axis, keepdims=True), sums], axis=axis)
    return sums
