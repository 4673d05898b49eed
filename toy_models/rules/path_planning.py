"""P2: every position is drawn anew in every call, and the best k_t of all positions stay (arXiv 2502.03540).

A written token competes again, so the walk is not monotone. What the network says at a written position decides the
rule: here the leave-one-out marginal q(x_i | the other written tokens), or the token itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from toy_models.quantities import lattice
from toy_models.quantities.law import Law
from toy_models.quantities.sampling import Samples, write_tokens
from toy_models.rules.drawn_law import push_best
from toy_models.rules.drawn_scores import Probability
from toy_models.rules.proxies import ascending, keep_ranks
from toy_models.rules.quotas import Count
from toy_models.targets.protocol import Denoiser
from toy_models.validation import MASK, positive_int


@dataclass(frozen=True)
class PathPlanning:
    """Call t draws a candidate at every position and keeps the k_t most probable ones; all others are masked.

    kept: k_1 < k_2 < ... < k_N = L. leave_one_out: written positions are redrawn given all others; else they keep
    their token with probability one, and the rule is DrawnConfidence. Ties by position.

    >>> coins = tm.MarkovChain([[0.9, 0.1], [0.9, 0.1]], 2)
    >>> tm.sampler_law(coins, tm.rules.PathPlanning([1, 2])).pmf.ravel().round(12).tolist()  # the last call redraws all
    [0.81, 0.09, 0.09, 0.01]
    """

    kept: Sequence[int]
    leave_one_out: bool = True

    def __post_init__(self):
        kept = tuple(positive_int(f"kept[{t}]", k) for t, k in enumerate(self.kept))
        if not kept or (np.diff(kept) <= 0).any():
            raise ValueError(f"kept = {kept}, the numbers must rise")
        object.__setattr__(self, "kept", kept)

    def require_length(self, length: int) -> None:
        """Raise unless the last call keeps every position."""
        if self.kept[-1] != length:
            raise ValueError(f"kept = {self.kept}, the last number must be the length {length}")

    def candidates(self, denoiser: Denoiser, y: Int[np.ndarray, "n L"]) -> Float[np.ndarray, "n L V"]:
        """The law of the candidate at every position; nan rows mark impossible contexts."""
        law = np.array(denoiser.marginals(y, on_impossible="nan"))
        for i in range(y.shape[1]) if self.leave_one_out else ():
            rows = np.flatnonzero(y[:, i] != MASK)
            without = y[rows].copy()
            without[:, i] = MASK
            given = denoiser.marginals(without, on_impossible="nan")[:, i]
            known = ~np.isnan(given).any(axis=1)
            law[rows[known], i] = given[known]
        return law

    def exact_law(self, denoiser: Denoiser) -> Law:
        vocab_size, length = denoiser.vocab_size, denoiser.length
        lattice.require_lattice(vocab_size, length, "the law of P2")
        y, increments = lattice.states(vocab_size, length), lattice.increments(vocab_size, length)
        mass = np.zeros(len(y))
        mass[0] = 1.0
        impossible = calls = 0.0
        for k in self.kept:
            here = np.flatnonzero(mass)
            law = self.candidates(denoiser, y[here])
            dead = np.isnan(law).any(axis=(1, 2))
            impossible += float(mass[here[dead]].sum())
            here, law = here[~dead], law[~dead]
            calls += float(mass[here].sum())
            following, score = np.zeros_like(mass), Probability()
            start, every = np.zeros(len(here), dtype=np.int64), np.ones(law.shape[:2], dtype=bool)
            push_best(
                following, start, mass[here], law, every, law, score.widths(law, law), Count(k), "leftmost", increments
            )
            mass = following
        pmf = mass.reshape((vocab_size + 1,) * length)[(slice(1, None),) * length]
        return Law(pmf.copy(), impossible, calls)

    def draw(self, denoiser: Denoiser, size: int, rng: np.random.Generator) -> Samples:
        y = np.full((size, denoiser.length), MASK, dtype=np.int64)
        calls, stopped = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=bool)
        for k in self.kept:
            law = self.candidates(denoiser, y)
            stopped |= np.isnan(law).any(axis=(1, 2))
            here = np.flatnonzero(~stopped)
            law, every = law[here], np.ones((len(here), denoiser.length), dtype=bool)
            drawn = write_tokens(y[here], law, every, rng)
            scores = np.take_along_axis(law, drawn[..., None], axis=2)[..., 0]
            order = ascending(-scores, Probability().widths(law, scores), every)
            chosen = keep_ranks(order, np.arange(denoiser.length) < np.full((len(here), 1), k), every)
            y[here] = np.where(chosen, drawn, MASK)
            calls[here] += 1
        return Samples(y, calls, stopped)
