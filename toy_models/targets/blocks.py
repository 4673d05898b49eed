"""Independent copies of a target, side by side."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from toy_models.rules.content_free import IndependentReveal, RandomOrder
from toy_models.rules.protocol import independent_parts
from toy_models.targets.kernels.impossible import settle_impossible
from toy_models.targets.protocol import Target
from toy_models.validation import MASK, positive_int, tokens


@dataclass(frozen=True, eq=False)
class Blocks:
    """q(x) = product over the blocks of target(x_block); length = repeats * target.length.

    >>> round(float(tm.Blocks(tm.zero_sum(2, 2), repeats=5).entropy() / np.log(2)), 12)  # one bit per block
    5.0
    """

    target: Target
    repeats: int

    def __post_init__(self):
        object.__setattr__(self, "repeats", positive_int("repeats", self.repeats))
        if isinstance(self.target, type) or not isinstance(self.target, Target):
            raise TypeError(f"target = {self.target!r}, it must be a target with log_prob, sample, entropy, marginals")

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
        impossible = np.any(np.isnan(parts), axis=(1, 2))
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

    def information_curve(self) -> Float[np.ndarray, " L"]:
        """A hypergeometric mixture of the block's curve."""
        from toy_models.quantities.information_curve import block_curve

        return block_curve(self)

    def total_correlation(self) -> float:
        from toy_models.quantities.total_correlation import total_correlation

        return self.repeats * total_correlation(self.target)

    def dual_total_correlation(self) -> float:
        from toy_models.quantities.dual_total_correlation import dual_total_correlation

        return self.repeats * dual_total_correlation(self.target)

    def exact_marginal_kl(self, rule) -> float | None:
        """Blocks are written independently under independent reveal: KLs add up."""
        from toy_models.quantities.token_error import marginal_kl

        return self.repeats * marginal_kl(self.target, rule) if isinstance(rule, IndependentReveal) else None

    def exact_sequence_error(self, rule) -> float | None:
        """Pairs in closed form; 1 - (1 - SER of a block)^repeats under independent reveal and its mixtures."""
        from toy_models.quantities.sequence_error import sequence_error
        from toy_models.targets.pair_language import is_pair_language, pair_validity

        if isinstance(rule, IndependentReveal | RandomOrder) and is_pair_language(self):
            return 1.0 - pair_validity(self.vocab_size // 2, self.length, rule)
        if isinstance(rule, IndependentReveal):
            return float(-np.expm1(self.repeats * np.log1p(-sequence_error(self.target, rule))))
        parts = independent_parts(rule, self.length)
        return None if parts is None else float(sum(w * sequence_error(self, part) for w, part in parts))

    def exact_log_likelihood(self, rule, x: Int[np.ndarray, "batch L"]) -> Float[np.ndarray, " batch"] | None:
        """log p(x) of the oracle under independent reveal and its mixtures, block by block."""
        from toy_models.quantities.likelihood import block_log_likelihood, mix_log_likelihoods

        return mix_log_likelihoods(lambda part, rows: block_log_likelihood(self, part, rows), rule, self.length, x)

    def _split(self, x: Int[np.ndarray, "batch L"]) -> Int[np.ndarray, "parts block"]:
        return x.reshape(len(x) * self.repeats, self.target.length)
