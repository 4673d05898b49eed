"""Any-subset speculative decoding: draft in parallel, accept by the exact joint, and the law is the language's own.

Guo and Ermon 2025 (arXiv 2504.20456), Campbell et al. 2025 (arXiv 2510.03929). A round drafts the first k masks from
their marginals pi_i(. | y) in one call; a second call gives q(x_i | y, drafts before i) for all of them. The draft at i
is accepted with probability min(1, q/pi); the first refused one is drawn from (q - pi)^+ instead: the round ends.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from toy_models.quantities import lattice
from toy_models.quantities.law import Law
from toy_models.quantities.sampling import Samples
from toy_models.targets.protocol import Denoiser
from toy_models.validation import MASK, positive_int


@dataclass(frozen=True)
class Speculative:
    """Rounds of `draft` masks from left to right; two calls a round, one where a single mask is left.

    Lossless: token i is written with min(pi, q) + (q - pi)^+ = q, so the law is that of left-to-right sampling. The
    first draft is always accepted (q = pi) and the second position always written, so L tokens take at most L calls.

    >>> law = tm.sampler_law(tm.repetition(2, 4), tm.Speculative(4))
    >>> float(law.pmf[0, 0, 0, 0]), float(law.pmf[0, 1, 0, 0]), law.mean_steps
    (0.5, 0.0, 3.25)
    """

    draft: int

    def __post_init__(self):
        object.__setattr__(self, "draft", positive_int("draft", self.draft))

    def exact_law(self, denoiser: Denoiser) -> Law:
        """By walking over the accepted prefixes of every round. O((V+1)^L V^draft)."""
        vocab_size, length = denoiser.vocab_size, denoiser.length
        marginals = lattice.state_marginals(denoiser)
        y, increments = lattice.states(vocab_size, length), lattice.increments(vocab_size, length)
        dead = np.asarray(np.isnan(marginals).any(axis=(1, 2)))
        mass = np.zeros(len(y))
        mass[0] = 1.0
        impossible = calls = 0.0
        for state in np.argsort(-(y == MASK).sum(axis=1), kind="stable"):
            window = np.flatnonzero(y[state] == MASK)[: self.draft]
            if mass[state] == 0.0 or len(window) == 0:
                continue
            if dead[state]:
                impossible += mass[state]
                continue
            calls += mass[state] * min(len(window), 2)
            accepted = {int(state): float(mass[state])}
            for i in window:
                following: dict[int, float] = {}
                for context, p in accepted.items():
                    if dead[context]:
                        impossible += p
                        continue
                    both, more = _split(marginals[state, i], marginals[context, i])
                    mass[context + increments[i]] += p * more
                    for v in np.flatnonzero(both):
                        following[context + int(increments[i, v])] = p * float(both[v])
                accepted = following
            for context, p in accepted.items():
                mass[context] += p
            mass[state] = 0.0
        pmf = mass.reshape((vocab_size + 1,) * length)[(slice(1, None),) * length]
        return Law(pmf.copy(), float(impossible), float(calls))

    def draw(self, denoiser: Denoiser, size: int, rng: np.random.Generator) -> Samples:
        length = denoiser.length
        y = np.full((size, length), MASK, dtype=np.int64)
        calls, stopped = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=bool)
        going = np.arange(size)
        while len(going):
            base = denoiser.marginals(y[going], on_impossible="nan")
            masked = y[going] == MASK
            ranks = np.where(masked, np.cumsum(masked, axis=1), 0)  # 1, 2, ... from the left
            calls[going] += np.minimum(ranks.max(axis=1), min(self.draft, 2))
            open_rows = np.ones(len(going), dtype=bool)  # the round goes on
            for rank in range(1, self.draft + 1):
                rows = np.flatnonzero(open_rows & (ranks == rank).any(axis=1))
                if len(rows) == 0:
                    break
                position = (ranks[rows] == rank).argmax(axis=1)
                exact = denoiser.marginals(y[going[rows]], on_impossible="nan")[np.arange(len(rows)), position]
                alive = ~np.isnan(exact).any(axis=1) & ~np.isnan(base[rows, position]).any(axis=1)
                stopped[going[rows[~alive]]] = True
                open_rows[rows[~alive]] = False
                rows, position, exact = rows[alive], position[alive], exact[alive]
                token, accepted = _verify(base[rows, position], exact, rng)
                y[going[rows], position] = token
                open_rows[rows[~accepted]] = False
            going = going[~stopped[going]]
            going = going[(y[going] == MASK).any(axis=1)]
        return Samples(y, calls, stopped)


def _split(drafted: Float[np.ndarray, " V"], exact: Float[np.ndarray, " V"]):
    """(min(pi, q), (q - pi)^+)."""
    return np.minimum(drafted, exact), np.maximum(exact - drafted, 0.0)


def _verify(
    drafted: Float[np.ndarray, "n V"], exact: Float[np.ndarray, "n V"], rng: np.random.Generator
) -> tuple[Int[np.ndarray, " n"], np.ndarray]:
    """Tokens that leave the verifier, and whether the draft was accepted."""
    draft = _draw(drafted, rng)
    own = np.arange(len(draft))
    accepted = rng.random(len(draft)) * drafted[own, draft] < exact[own, draft]
    rest = np.where(accepted[:, None], exact, np.maximum(exact - drafted, 0.0))
    return np.where(accepted, draft, _draw(rest, rng)), accepted


def _draw(law: Float[np.ndarray, "n V"], rng: np.random.Generator) -> Int[np.ndarray, " n"]:
    cdf = np.cumsum(law, axis=1)
    return (cdf <= rng.random((len(law), 1)) * cdf[:, -1:]).sum(axis=1)
