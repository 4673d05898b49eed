"""Draw, then select: a candidate at every mask, and the candidates of best score are written.

The rule of LLaDA (low-confidence remasking, arXiv 2502.09992), of MaskGIT (arXiv 2202.04200) and of every sampler that
looks at the probability of the token it has drawn. With one token per call and ties by position its law is

    p(i, v | y) = pi_i(v) prod_{j != i} P((pi_j(V_j), j) after (pi_i(v), i)),

which is not pi_i(v) times a chance that ignores v: the written text is biased even though each call writes one token.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from toy_models.rules.drawn_law import push_best, push_plackett_luce, with_slack
from toy_models.rules.drawn_scores import Score, score_of
from toy_models.rules.proxies import array_module, ascending, by_rank, check_marginals, keep_ranks, rounding
from toy_models.rules.quotas import Quota, as_quota
from toy_models.rules.semi_autoregressive import current_block
from toy_models.validation import positive_int

CELLS = 2**21  # entries (states * L * V) that are scored at a time
TIES = ("leftmost", "uniform")


@dataclass(frozen=True)
class DrawnConfidence:
    """Draw V_i ~ pi_i^(1/temperature) at every mask, keep those of best score f(i, V_i, pi_i^(1/score_temperature)).

    keep: an integer, a sequence of sizes, or a quota (`Above`, `Factor`). score: probability | margin | entropy, or an
    object with scores and widths. ties: "leftmost", or "uniform", at random among scores equal up to rounding.
    gumbel > 0: positions chosen one after the other with weights exp(score / gumbel) (Plackett-Luce), by Gumbel noise.
    block: blocks of that many positions from left to right; sizes then start anew in each block. Temperature 0 draws
    the most likely token. The exact law costs one sum per outcome of a call; with gumbel, one per joint draw.

    >>> coins = tm.MarkovChain([[0.9, 0.1], [0.9, 0.1]], 2)  # independent, (aa, ab, ba, bb) = (.81, .09, .09, .01)
    >>> tm.sampler_law(coins, tm.DrawnConfidence(1)).pmf.ravel().round(12).tolist()
    [0.891, 0.09, 0.018, 0.001]
    """

    keep: int | Sequence[int] | Quota = 1
    temperature: float = 1.0
    score: str | Score = "probability"
    score_temperature: float = 1.0
    ties: str = "leftmost"
    gumbel: float = 0.0
    block: int | None = None

    def __post_init__(self):
        object.__setattr__(self, "keep", as_quota(self.keep))
        score_of(self.score)
        if self.ties not in TIES:
            raise ValueError(f"ties = {self.ties!r}, allowed: {', '.join(TIES)}")
        for name, low in (("temperature", 0), ("gumbel", 0), ("score_temperature", np.nextafter(0, 1))):
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) >= low):
                raise ValueError(f"{name} = {getattr(self, name)}, it must be a finite number {'>' if low else '>='} 0")
        if self.block is not None:
            object.__setattr__(self, "block", positive_int("block", self.block))
        if self.gumbel and np.isfinite(self.quota.bars(2)).any():
            raise ValueError(f"keep = {self.keep}, with gumbel > 0 it must be an integer or a sequence of sizes")

    @property
    def quota(self) -> Quota:
        """How many positions a call keeps."""
        return as_quota(self.keep)

    @property
    def scoring(self) -> Score:
        """What the candidates are ranked by."""
        return score_of(self.score)

    @property
    def randomised(self) -> bool:
        """Whether the selection needs noise: a number in (0, 1) for every position."""
        return self.gumbel > 0 or self.ties == "uniform"

    def require_length(self, length: int) -> None:
        """Raise unless the sizes, if there are any, sum to the length, or to the block."""
        sizes, span = getattr(self.keep, "sizes", None), min(self.block or length, length)
        if sizes is not None and (sum(sizes) != span or length % span):
            where = f"blocks of {span} positions and length {length}" if self.block else f"the length {length}"
            raise ValueError(f"sizes {sizes} sum to {sum(sizes)}, they must fit {where}")

    def candidates(self, marginals):
        """The law of the candidates, pi^(1/temperature)."""
        return tempered(marginals, self.temperature)

    def select(self, marginals, masked, drawn, noise=None):
        free = self._in_play(check_marginals(marginals, masked))
        xp = array_module(marginals)
        seen = tempered(marginals, self.score_temperature)
        scores = self.scoring.scores(seen)
        widths = self.scoring.widths(seen, scores)
        at = xp.where(free, drawn, xp.zeros_like(drawn))[..., None]
        scores, widths = (_at(values, at)[..., 0] for values in (scores, widths))
        if self.randomised and noise is None:
            raise ValueError("noise is None, a randomised selection needs a uniform number for every position")
        if self.gumbel:
            scores, widths = scores / self.gumbel - xp.log(-xp.log(noise)), xp.zeros_like(widths)
        order = ascending(-scores, widths, free, noise if self.ties == "uniform" and not self.gumbel else None)
        return keep_ranks(order, by_rank(scores, order) >= self._bars(free, scores), free)

    def push(
        self,
        mass: Float[np.ndarray, " states"],
        here: Int[np.ndarray, " n"],
        marginals: Float[np.ndarray, "n L V"],
        masked: Bool[np.ndarray, "n L"],
        increments: Int[np.ndarray, "L V"],
    ) -> None:
        """Move the mass of the states `here` to what one call writes; v at i adds increments[i, v] to the index."""
        rows = max(1, CELLS // max(1, marginals[0].size)) if len(here) else 1
        for start in range(0, len(here), rows):
            part = slice(start, start + rows)
            self._push(mass, here[part], marginals[part], masked[part], increments)

    def _push(self, mass, here, marginals, masked, increments) -> None:
        free, draw = self._in_play(masked), self.candidates(marginals)
        seen = tempered(marginals, self.score_temperature)
        scores = np.ascontiguousarray(self.scoring.scores(seen))
        counts = free.sum(axis=1)
        if self.gumbel:
            for r, state in enumerate(here):
                keep = int(np.isneginf(self.quota.bars(int(counts[r]))).sum())
                push_plackett_luce(mass, int(state), draw[r], scores[r] / self.gumbel, free[r], keep, increments)
            return
        total = mass[here]
        mass[here] = 0.0
        push_best(
            mass, here, total, draw, free, scores, self.scoring.widths(seen, scores), self.quota, self.ties, increments
        )

    def _in_play(self, masked):
        return masked if self.block is None else current_block(masked, self.block)

    def _bars(self, free, scores):
        """(batch, L): the bar of each rank, +inf beyond the masks in play."""
        xp, counts = array_module(scores), free.sum(1)
        counts = counts if xp is np else counts.cpu().numpy()
        bars = np.full(tuple(free.shape), np.inf)
        for m in np.unique(counts[counts > 0]):
            bars[counts == m, :m] = with_slack(self.quota.bars(int(m)))
        return bars if xp is np else xp.asarray(bars, dtype=scores.dtype).to(scores.device)


def tempered(marginals, temperature: float):
    """p^(1/temperature), renormalised; temperature 0: all on the first of the most likely tokens.

    >>> tm.rules.tempered(np.array([0.75, 0.25]), 0.5).round(12).tolist()  # (9, 1) / 10
    [0.9, 0.1]
    """
    if temperature == 1:
        return marginals
    xp = array_module(marginals)
    top = marginals.max(-1)[..., None] if xp is np else marginals.amax(-1)[..., None]
    if temperature == 0:
        best = marginals >= top * (1.0 - rounding(marginals))
        return xp.asarray(best & (best.cumsum(-1) == 1), dtype=marginals.dtype)
    powered = (marginals / top) ** (1.0 / temperature)
    return powered / powered.sum(-1)[..., None]


def _at(values, index):
    return np.take_along_axis(values, index, 2) if array_module(values) is np else values.gather(2, index)
