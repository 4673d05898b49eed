"""Stop at the end-of-text token: the law of the truncated text, of its length, and the calls that are saved."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from toy_models.quantities import lattice
from toy_models.quantities.law import Law, push_adaptive
from toy_models.quantities.sampling import Samples, write_call
from toy_models.rules.protocol import sees_contents
from toy_models.targets.protocol import Denoiser
from toy_models.validation import MASK, positive_int


@dataclass(frozen=True)
class StopAtEos:
    """A rule that works in blocks stops after the first block with an `eos`; what follows the first eos reads eos.

    rule: `SemiAutoregressive`, or `DrawnConfidence` with a block. The law is on texts in that canonical form, and
    `length_law` of it is the law of the length. Its KL from the language is infinite unless every text of the language
    ends that way.

    >>> rule = tm.rules.StopAtEos(1, tm.SemiAutoregressive(1, tm.TopK(1)))
    >>> law = tm.sampler_law(tm.MarkovChain([[0.5, 0.5], [0.5, 0.5]], 2), rule)
    >>> law.pmf.tolist(), law.mean_steps
    ([[0.25, 0.25], [0.0, 0.5]], 1.5)
    """

    eos: int
    rule: Any

    def __post_init__(self):
        positive_int("eos", self.eos, minimum=0)
        if not sees_contents(self.rule) or not getattr(self.rule, "block", None):
            raise ValueError(f"rule = {self.rule!r}, it must be SemiAutoregressive or DrawnConfidence with a block")

    def finished(self, y: Int[np.ndarray, "n L"]):
        """Whether an eos stands left of the block in work."""
        masked = y == MASK
        first = np.where(masked.any(axis=1), masked.argmax(axis=1), y.shape[1])
        start = first // self.rule.block * self.rule.block
        return ((y == self.eos) & (np.arange(y.shape[1]) < start[:, None])).any(axis=1) | ~masked.any(axis=1)

    def exact_law(self, denoiser: Denoiser) -> Law:
        vocab_size, length = denoiser.vocab_size, denoiser.length
        y = lattice.states(vocab_size, length)
        marginals = lattice.state_marginals(denoiser)
        mass, impossible, calls = push_adaptive(marginals, self.rule, vocab_size, length, self.finished(y))
        pmf = np.zeros((vocab_size,) * length)
        done = np.flatnonzero(mass)
        np.add.at(pmf, tuple(until_eos(y[done], self.eos).T), mass[done])
        return Law(pmf, impossible, calls)

    def draw(self, denoiser: Denoiser, size: int, rng: np.random.Generator) -> Samples:
        y = np.full((size, denoiser.length), MASK, dtype=np.int64)
        calls, stopped = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=bool)
        while True:
            rows = np.flatnonzero(~stopped & ~self.finished(y))
            if len(rows) == 0:
                break
            marginals = denoiser.marginals(y[rows], on_impossible="nan")
            dead = np.isnan(marginals).any(axis=(1, 2))
            stopped[rows[dead]] = True
            rows, marginals = rows[~dead], marginals[~dead]
            calls[rows] += 1
            y[rows] = write_call(self.rule, y[rows], marginals, rng)
        return Samples(np.where(stopped[:, None], y, until_eos(y, self.eos)), calls, stopped)


def until_eos(y: Int[np.ndarray, "n L"], eos: int) -> Int[np.ndarray, "n L"]:
    """Every position after the first eos reads eos.

    >>> tm.rules.until_eos(np.array([[0, 2, 1, -1], [0, 1, 0, 1]]), 2).tolist()
    [[0, 2, 2, 2], [0, 1, 0, 1]]
    """
    return np.where(np.maximum.accumulate(y == eos, axis=1), eos, y)


def length_law(pmf: Float[np.ndarray, "..."], eos: int) -> Float[np.ndarray, " lengths"]:
    """P(the first eos is at position j), j = 0..L-1, and P(no eos) last, of a law on texts.

    >>> tm.rules.length_law(np.full((2, 2), 0.25), 1).tolist()
    [0.5, 0.25, 0.25]
    """
    length, x = pmf.ndim, np.indices(pmf.shape).reshape(pmf.ndim, -1).T
    ends = x == eos
    first = np.where(ends.any(axis=1), ends.argmax(axis=1), length)
    return np.bincount(first, weights=pmf.ravel(), minlength=length + 1)
