"""The law that texts are compared with: a full table where it fits, else texts drawn from it and exact marginals."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from toy_models.errors import IntractableError
from toy_models.quantities import lattice
from toy_models.quantities.law import sampler_law
from toy_models.quantities.sampling import sample
from toy_models.rules.protocol import Rule
from toy_models.targets.protocol import Target
from toy_models.validation import MASK

TABLE = 2**12  # texts of a law that is written down in full
DRAWN = 20_000  # texts drawn of a law that is not


@dataclass(frozen=True, eq=False)
class Reference:
    """A law on texts plus `rest`, the probability of writing none of the language's possible texts.

    weights: probabilities of `texts`, summing to 1 - rest; None: `texts` are independent draws, and `draws` of them
    were made, those that ended outside the language left out; the first `early` texts are those of the first half of
    the draws. letters: exact P(x_i = v), where known.
    """

    name: str
    texts: Int[np.ndarray, "texts L"]
    weights: Float[np.ndarray, " texts"] | None
    rest: float | None
    draws: int
    letters: Float[np.ndarray, "L V"] | None
    early: int = 0

    @property
    def exact(self) -> bool:
        return self.weights is not None

    def halves(self) -> "tuple[Reference, Reference]":
        """Two independent halves of the draws: questions are chosen on one, counted on the other. A table twice."""
        if self.exact:
            return self, self
        half = self.draws // 2
        first = replace(self, texts=self.texts[: self.early], draws=half)
        return first, replace(self, texts=self.texts[self.early :], draws=self.draws - half)


def tabulated(target: Target) -> bool:
    """Whether the law is small enough to be written down."""
    return target.vocab_size**target.length <= TABLE


def language(target: Target, size: int, rng: np.random.Generator) -> Reference:
    """The law q itself.

    >>> from toy_models.audit.reference import language
    >>> found = language(tm.repetition(2, 3), 10, np.random.default_rng(0))
    >>> found.texts.tolist(), found.weights.tolist(), found.rest
    ([[0, 0, 0], [1, 1, 1]], [0.5, 0.5], 0.0)
    """
    letters = target.marginals(np.full((1, target.length), MASK))[0]
    if tabulated(target):
        q = lattice.to_table(target).pmf.ravel()
        texts = lattice.sequences(target.vocab_size, target.length)
        return Reference("the language", texts[q > 0], q[q > 0], 0.0, 0, letters)
    draws = max(DRAWN, 2 * size)
    return Reference("the language", target.sample(draws, rng), None, 0.0, draws, letters, draws // 2)


def written_by(target: Target, rule: Rule, size: int, rng: np.random.Generator) -> Reference:
    """The law of `rule` with exact marginals, on the possible texts; all others, and stopped runs, are the rest.

    A sampler goes on where the library's run stops, at an impossible context; the text is impossible either way.

    >>> from toy_models.audit.reference import written_by
    >>> found = written_by(tm.repetition(2, 2), tm.RandomOrder([2]), 10, np.random.default_rng(0))
    >>> found.weights.tolist(), found.rest
    ([0.25, 0.25], 0.5)
    """
    name = f"the rule {type(rule).__name__}"
    if tabulated(target):
        try:
            p = sampler_law(target, rule).pmf.ravel()
        except IntractableError:
            p = None
        if p is not None:
            q = lattice.to_table(target).pmf.ravel()
            texts = lattice.sequences(target.vocab_size, target.length)[q > 0]
            weights = p[q > 0]
            return Reference(name, texts, weights, max(0.0, 1.0 - float(weights.sum())), 0, None)
    draws = max(DRAWN, 2 * size)
    runs = sample(target, rule, draws, rng)
    kept = ~runs.impossible
    kept[kept] = np.isfinite(target.log_prob(runs.tokens[kept]))
    return Reference(name, runs.tokens[kept], None, None, draws, None, int(kept[: draws // 2].sum()))


def cell_counts(cells: Int[np.ndarray, "cells L"], texts: Int[np.ndarray, "texts L"]) -> Int[np.ndarray, " cells"]:
    """How often each of the cells, in lexicographic order, is among the texts.

    >>> from toy_models.audit.reference import cell_counts
    >>> cell_counts(np.array([[0, 0], [1, 1]]), np.array([[1, 1], [1, 1]])).tolist()
    [0, 2]
    """
    base = int(max(cells.max(initial=0), texts.max(initial=0))) + 1
    power = base ** np.arange(cells.shape[1] - 1, -1, -1)
    return np.bincount(np.searchsorted(cells @ power, texts @ power), minlength=len(cells))
