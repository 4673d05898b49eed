"""Rules that never look at contents: a law over ordered partitions of the positions.

Such a rule is described exactly by `stages`. In one stage a set of s masked positions out of the m active ones is
revealed with probability weights[m, s], the same for every set of that size; the randomised grids are finite mixtures
of stage lists. `draw_steps` draws the partition itself: the step in which each position is revealed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from jaxtyping import Float, Int
from numpy.polynomial.legendre import leggauss

from toy_models.rules.protocol import Stage
from toy_models.validation import distribution, positive_int, reals


@dataclass(frozen=True, eq=False)
class IndependentReveal:
    """Each position draws its step i.i.d.: P(step = j) = weights[j]   (the sampler of Feng et al. 2025).

    >>> rule = tm.IndependentReveal([0.5, 0.5])
    >>> round(tm.sequence_error(tm.pairs(2, 2), rule), 12)  # both tokens in one step, and unequal: 1/2 * 1/2
    0.25
    """

    weights: Float[np.ndarray, " N"]

    def __init__(self, weights: Float[np.ndarray, " N"] | Sequence[float]):
        weights = reals("weights", weights)
        if weights.ndim != 1 or weights.size == 0:
            raise ValueError(f"weights must be a non-empty vector, got shape {weights.shape}")
        object.__setattr__(self, "weights", distribution("weights", weights))

    @property
    def steps(self) -> int:
        return len(self.weights)

    @property
    def hazards(self) -> Float[np.ndarray, " N"]:
        """r_j = Delta_j / (1 - a_{j-1}), the probability that a token still masked before step j is revealed in it."""
        remaining = np.cumsum(self.weights[::-1])[::-1]
        return np.divide(self.weights, remaining, out=np.zeros_like(remaining), where=remaining > 0)

    @property
    def survivals(self) -> Float[np.ndarray, " N"]:
        """1 - r_j; where r_j > 1/2 as (1 - a_j) / (1 - a_{j-1}), so that a later weight of 1e-20 still counts."""
        remaining = np.append(np.cumsum(self.weights[::-1])[::-1], 0.0)
        ratio = np.divide(remaining[1:], remaining[:-1], out=np.ones(self.steps), where=remaining[:-1] > 0)
        return np.where(self.hazards > 0.5, ratio, 1.0 - self.hazards)

    def stages(self, length: int) -> list[tuple[float, list[Stage]]]:
        return [(1.0, [_bernoulli_stage(r, k, length) for r, k in zip(self.hazards, self.survivals, strict=True)])]

    def draw_steps(self, size: int, length: int, rng: np.random.Generator) -> Int[np.ndarray, "size L"]:
        cdf = np.cumsum(self.weights)
        return np.searchsorted(cdf, rng.random((size, length)) * cdf[-1], side="right").astype(np.int64)

    def independent_parts(self, length: int) -> list[tuple[float, "IndependentReveal"]]:
        return [(1.0, self)]

    def expected_calls(self, length: int) -> float:
        """sum_j [1 - (1 - Delta_j)^L]."""
        with np.errstate(divide="ignore"):
            return float(-np.expm1(length * np.log1p(-np.minimum(self.weights, 1.0))).sum())


@dataclass(frozen=True)
class ShiftedReveal:
    """Independent reveal on a_k = (U + k - 1) / (N - 1), one uniform shift U per sequence, N = steps >= 2.

    Its trajectory KL is at most (TC + DTC) / (2 (N - 1)) for every target, N/(2(N-1)) of the uniform bound.

    >>> round(float(tm.trajectory_kl(tm.pairs(2, 2), tm.ShiftedReveal(3)) / np.log(2)), 12)  # P(both in one step)
    0.416666666667
    """

    steps: int

    def __post_init__(self):
        object.__setattr__(self, "steps", positive_int("steps", self.steps, minimum=2))

    def at_shift(self, shift: float) -> IndependentReveal:
        """The rule given U = shift."""
        inner = np.ones(self.steps - 2)
        return IndependentReveal(np.concatenate([[shift], inner, [1.0 - shift]]) / (self.steps - 1))

    def mixture(self, degree: int) -> list[tuple[float, IndependentReveal]]:
        """Gauss-Legendre mixture over U, exact for quantities polynomial in U of at most `degree`.

        The probability of any assignment of L positions to steps is such a polynomial with degree L.
        """
        nodes, weights = leggauss(degree // 2 + 1)
        return [(w / 2, self.at_shift((1 + u) / 2)) for u, w in zip(nodes, weights, strict=True)]

    def stages(self, length: int) -> list[tuple[float, list[Stage]]]:
        return [(w, rule.stages(length)[0][1]) for w, rule in self.mixture(length)]

    def draw_steps(self, size: int, length: int, rng: np.random.Generator) -> Int[np.ndarray, "size L"]:
        shift = rng.random((size, 1))
        position = rng.random((size, length)) * (self.steps - 1)
        return np.minimum(np.floor(position - shift).astype(np.int64) + 1, self.steps - 1)

    def independent_parts(self, length: int) -> list[tuple[float, IndependentReveal]]:
        return self.mixture(length)

    def expected_calls(self, length: int) -> float:
        return float(sum(w * rule.expected_calls(length) for w, rule in self.mixture(length)))


@dataclass(frozen=True)
class RandomOrder:
    """A uniformly random order, cut into steps of the given sizes: sizes[j] tokens in step j, summing to L.

    >>> round(tm.trajectory_kl(tm.zero_sum(2, 3), tm.RandomOrder([1, 2])), 12)  # log 2
    0.69314718056
    """

    sizes: Sequence[int]

    def __post_init__(self):
        sizes = tuple(positive_int(f"sizes[{j}]", s, minimum=0) for j, s in enumerate(self.sizes))
        if not sizes:
            raise ValueError("sizes must not be empty")
        object.__setattr__(self, "sizes", sizes)

    @property
    def steps(self) -> int:
        return len(self.sizes)

    def stages(self, length: int) -> list[tuple[float, list[Stage]]]:
        self.require_length(length)
        return [(1.0, [_fixed_size_stage(s, length) for s in self.sizes])]

    def draw_steps(self, size: int, length: int, rng: np.random.Generator) -> Int[np.ndarray, "size L"]:
        self.require_length(length)
        steps = np.repeat(np.arange(len(self.sizes)), self.sizes)
        return rng.permuted(np.broadcast_to(steps, (size, length)), axis=1)

    def expected_calls(self, length: int) -> float:
        self.require_length(length)
        return float(sum(size > 0 for size in self.sizes))

    def require_length(self, length: int) -> None:
        """Raise unless the sizes sum to the length."""
        if sum(self.sizes) != length:
            raise ValueError(f"sizes {self.sizes} sum to {sum(self.sizes)}, they must sum to the length {length}")


@dataclass(frozen=True)
class FixedOrder:
    """Blocks of positions, one block per step; the blocks are an ordered partition of 0..L-1.

    >>> round(tm.marginal_kl(tm.repetition(2, 3), tm.FixedOrder([[0], [1, 2]])), 12)  # the first token tells the others
    0.0
    """

    blocks: Sequence[Sequence[int]]

    def __post_init__(self):
        blocks = tuple(
            tuple(positive_int(f"blocks[{j}][{k}]", i, minimum=0) for k, i in enumerate(block))
            for j, block in enumerate(self.blocks)
        )
        flat = [i for block in blocks for i in block]
        if sorted(flat) != list(range(len(flat))) or not flat:
            raise ValueError(
                f"blocks {blocks} are no partition of 0..{max(len(flat) - 1, 0)}: each position exactly once"
            )
        object.__setattr__(self, "blocks", blocks)

    @property
    def steps(self) -> int:
        return len(self.blocks)

    def stages(self, length: int) -> list[tuple[float, list[Stage]]]:
        self.require_length(length)
        everything = np.eye(length + 1)
        return [(1.0, [Stage(np.isin(np.arange(length), block), everything) for block in self.blocks])]

    def draw_steps(self, size: int, length: int, rng: np.random.Generator) -> Int[np.ndarray, "size L"]:
        self.require_length(length)
        step = np.empty(length, dtype=np.int64)
        for j, block in enumerate(self.blocks):
            step[list(block)] = j
        return np.broadcast_to(step, (size, length))

    def expected_calls(self, length: int) -> float:
        self.require_length(length)
        return float(sum(len(block) > 0 for block in self.blocks))

    def require_length(self, length: int) -> None:
        """Raise unless the blocks cover the length."""
        covered = sum(len(block) for block in self.blocks)
        if covered != length:
            raise ValueError(f"blocks cover {covered} positions, the length is {length}")


def bisection(length: int) -> FixedOrder:
    """Middle, then quarters, ...: exact on every observed Markov chain in ceil(log2(L+1)) steps.

    >>> tm.bisection(7).blocks
    ((3,), (1, 5), (0, 2, 4, 6))
    """
    blocks, gaps = [], [(0, positive_int("length", length))]
    while gaps:
        middles = [(low + high) // 2 for low, high in gaps]
        blocks.append(tuple(middles))
        pieces = [piece for (low, high), m in zip(gaps, middles, strict=True) for piece in ((low, m), (m + 1, high))]
        gaps = [(low, high) for low, high in pieces if low < high]
    return FixedOrder(tuple(blocks))


def _bernoulli_stage(r: float, survival: float, length: int) -> Stage:
    weights = np.zeros((length + 1, length + 1))
    for m in range(length + 1):
        s = np.arange(m + 1)
        weights[m, : m + 1] = r**s * survival ** (m - s)
    return Stage(np.ones(length, dtype=bool), weights)


def _fixed_size_stage(size: int, length: int) -> Stage:
    weights = np.zeros((length + 1, length + 1))
    for m in range(size, length + 1):
        weights[m, size] = 1.0 / comb(m, size)
    return Stage(np.ones(length, dtype=bool), weights)
