"""ReMDM with a memory: what was written with little confidence is masked again more often (arXiv 2503.00307).

The state is (y, c): c_i is the probability that token i had when it was written. It is no function of y, so the law is
a walk over pairs, not over the lattice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int

from toy_models.errors import IntractableError
from toy_models.quantities.law import Law
from toy_models.quantities.product_kernel import draw_digits
from toy_models.quantities.sampling import Samples
from toy_models.rules.remasking import Remasking
from toy_models.targets.protocol import Denoiser
from toy_models.validation import MASK

MAX_PAIRS = 2**18  # pairs of a text and its confidences held at a time

State = tuple[tuple[int, ...], tuple[float, ...]]


@dataclass(frozen=True, eq=False)
class ConfidenceMemory:
    """Token i is masked again w.p. sigma exp(-c_i) / sum over written j of exp(-c_j), a mask written w.p. (a'-a)/(1-a).

    alphas and sigmas as in `Remasking`. The exact law holds every pair of a text and its confidences: small L and few
    steps.

    >>> rule = tm.rules.ConfidenceMemory([0.0, 0.5, 1.0], [0.0, 0.0])  # nothing is remasked: ancestral sampling
    >>> tm.sampler_law(tm.repetition(2, 2), rule).pmf.tolist()
    [[0.375, 0.125], [0.125, 0.375]]
    """

    alphas: Float[np.ndarray, " M"]
    sigmas: Float[np.ndarray, " N"]

    def __init__(
        self, alphas: Float[np.ndarray, " M"] | Sequence[float], sigmas: Float[np.ndarray, " N"] | Sequence[float]
    ):
        checked = Remasking(alphas, sigmas)
        object.__setattr__(self, "alphas", checked.alphas)
        object.__setattr__(self, "sigmas", checked.sigmas)

    def exact_law(self, denoiser: Denoiser) -> Law:
        length, vocab_size = denoiser.length, denoiser.vocab_size
        mass: dict[State, float] = {((MASK,) * length, (0.0,) * length): 1.0}
        impossible = calls = 0.0
        for (a, b), sigma in zip(pairwise(self.alphas), self.sigmas, strict=True):
            if len(mass) > MAX_PAIRS:
                raise IntractableError(
                    "the law of a remembered confidence",
                    f"{len(mass)} pairs of a text and its confidences",
                    f"pairs <= {MAX_PAIRS}",
                    "take fewer steps or use sample and the estimate_ functions",
                )
            following: dict[State, float] = {}
            y = np.array([state[0] for state in mass])
            marginals = denoiser.marginals(y, on_impossible="nan")
            rows = _rows(y, np.array([state[1] for state in mass]), marginals, a, b, float(sigma))
            for ((text, memory), p), law, row in zip(mass.items(), marginals, rows, strict=True):
                if np.isnan(law).any():
                    impossible += p
                    continue
                calls += p * (1.0 - np.prod([row[i, 0] for i in range(length) if text[i] == MASK]))
                for state, share in _outcomes(text, memory, law, row):
                    following[state] = following.get(state, 0.0) + p * share
            mass = following
        pmf = np.zeros((vocab_size,) * length)
        for (text, _), p in mass.items():
            pmf[text] += p
        return Law(pmf, float(impossible), float(calls))

    def draw(self, denoiser: Denoiser, size: int, rng: np.random.Generator) -> Samples:
        y = np.full((size, denoiser.length), MASK, dtype=np.int64)
        memory, calls, stopped = np.zeros(y.shape), np.zeros(size, dtype=np.int64), np.zeros(size, dtype=bool)
        for (a, b), sigma in zip(pairwise(self.alphas), self.sigmas, strict=True):
            marginals = denoiser.marginals(y, on_impossible="nan")
            stopped |= np.isnan(marginals).any(axis=(1, 2))
            here = np.flatnonzero(~stopped)
            before = y[here]
            after = draw_digits(_rows(before, memory[here], marginals[here], a, b, float(sigma)), rng)
            fresh = (before == MASK) & (after != MASK)
            given = np.take_along_axis(marginals[here], np.where(fresh, after, 0)[..., None], axis=2)[..., 0]
            calls[here] += fresh.any(axis=1)
            memory[here] = np.where(fresh, given, memory[here])
            y[here] = after
        return Samples(y, calls, stopped)


def _rows(
    y: Int[np.ndarray, "n L"],
    memory: Float[np.ndarray, "n L"],
    marginals: Float[np.ndarray, "n L V"],
    before: float,
    after: float,
    sigma: float,
) -> Float[np.ndarray, "n L D"]:
    """The law of the next digit at each position; digit 0 is the mask."""
    weight = np.where(y == MASK, 0.0, np.exp(-memory))
    remask = sigma * weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-300)
    reveal = (after - before) / (1.0 - before) if before < 1 else 0.0
    held = (1.0 - remask)[..., None] * np.eye(marginals.shape[2] + 1)[y + 1]
    held[..., 0] += remask
    written = np.concatenate([np.full_like(marginals[..., :1], 1.0 - reveal), reveal * marginals], axis=2)
    return np.where((y == MASK)[..., None], written, held)


def _outcomes(text, memory, law, row) -> Iterator[tuple[State, float]]:
    """Every next pair and its chance, position by position."""
    parts: list[tuple[tuple[int, ...], tuple[float, ...], float]] = [((), (), 1.0)]
    for i, token in enumerate(text):
        options = []
        for digit in np.flatnonzero(row[i] > 0):
            kept = 0.0 if digit == 0 else memory[i] if token != MASK else float(law[i, digit - 1])
            options.append((int(digit) - 1, kept, float(row[i, digit])))
        parts = [((*head, v), (*known, c), p * w) for head, known, p in parts for v, c, w in options]
    for head, known, p in parts:
        yield (head, known), p
