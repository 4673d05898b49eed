"""Questions with the answer yes or no about a text, fixed before any written text is looked at.

letters      is letter i a v?
pairs        are letters i and j the pair (a, b)?                              (small alphabets and lengths)
levels       is a count, or -log q(x), at least t?    t: quantiles under the reference
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from toy_models.audit.reference import Reference
from toy_models.targets.protocol import Target

QUANTILES = (1 / 16, 1 / 4, 1 / 2, 3 / 4, 15 / 16)
MOST_PAIRS = 512  # events (i, j, a, b)
MOST_COUNTS = 64  # letters, and pairs of neighbours, that are counted


@dataclass(frozen=True, eq=False)
class Family:
    """Named events; ask(texts) -> (texts, events) bool."""

    names: tuple[str, ...]
    ask: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Statistics:
    """Named numbers of a text; measure(texts) -> (texts, statistics)."""

    names: tuple[str, ...]
    measure: Callable[[np.ndarray], np.ndarray]


def letters(target: Target) -> Family:
    """x_i = v for every position and letter.

    >>> from toy_models.audit.events import letters
    >>> family = letters(tm.repetition(2, 2))
    >>> family.names[1], family.ask(np.array([[1, 0]])).tolist()
    ('letter 0 is 1', [[False, True, True, False]])
    """
    vocab, length = target.vocab_size, target.length
    names = tuple(f"letter {i} is {v}" for i in range(length) for v in range(vocab))
    return Family(names, lambda x: (x[:, :, None] == np.arange(vocab)).reshape(len(x), length * vocab))


def pairs(target: Target) -> Family:
    """x_i = a and x_j = b, neighbours first, as long as there are at most MOST_PAIRS events."""
    vocab, length = target.vocab_size, target.length
    places = [(i, i + d) for d in range(1, length) for i in range(length - d)]
    places = places[: MOST_PAIRS // vocab**2]
    codes = np.arange(vocab**2)

    def ask(x: Int[np.ndarray, "texts L"]) -> Bool[np.ndarray, "texts events"]:
        found = [(x[:, i] * vocab + x[:, j])[:, None] == codes for i, j in places]
        return np.concatenate(found, axis=1) if found else np.zeros((len(x), 0), dtype=bool)

    names = tuple(f"letters {i} and {j} are {a} {b}" for i, j in places for a in range(vocab) for b in range(vocab))
    return Family(names, ask)


def statistics(target: Target, reference: Reference) -> Statistics:
    """-log q(x), repeated neighbours, and how often the commonest letters and pairs of neighbours come."""
    vocab = target.vocab_size
    counted = np.bincount(reference.texts.ravel(), _each(reference), minlength=vocab)
    chosen = np.sort(np.argsort(-counted, kind="stable")[:MOST_COUNTS])
    codes = reference.texts[:, :-1] * vocab + reference.texts[:, 1:]
    together = np.bincount(codes.ravel(), _each(reference, 1), minlength=vocab**2)
    both = np.argsort(-together, kind="stable")[: min(MOST_COUNTS, int((together > 0).sum()))]

    def measure(x: Int[np.ndarray, "texts L"]) -> Float[np.ndarray, "texts statistics"]:
        neighbours = x[:, :-1] * vocab + x[:, 1:]
        parts = [-target.log_prob(x), (x[:, 1:] == x[:, :-1]).sum(axis=1)]
        parts += [(x == v).sum(axis=1) for v in chosen]
        parts += [(neighbours == c).sum(axis=1) for c in both]
        return np.stack(parts, axis=1).astype(np.float64)

    names = ["-log q(x)", "the number of repeated neighbours"]
    names += [f"the number of letters {v}" for v in chosen]
    names += [f"the number of pairs {c // vocab} {c % vocab}" for c in both]
    return Statistics(tuple(names), measure)


def levels(found: Statistics, reference: Reference) -> Family:
    """A statistic of the text is at least t, at quantiles of the reference."""
    column, level = _cuts(found.measure(reference.texts), reference.weights)
    named = tuple(f"{found.names[c]} is at least {t:.6g}" for c, t in zip(column, level, strict=True))
    slack = 1e-9 * (1.0 + np.abs(level))  # equal sums in another order
    return Family(named, lambda x: found.measure(x)[:, column] >= level - slack)


def _each(reference: Reference, short: int = 0) -> Float[np.ndarray, " letters"] | None:
    if reference.weights is None:
        return None
    return np.repeat(reference.weights, reference.texts.shape[1] - short)


def _cuts(values: Float[np.ndarray, "texts statistics"], weights) -> tuple[np.ndarray, np.ndarray]:
    """(statistic, level) of every cut that leaves something on both sides, each once."""
    columns, found = [], []
    for c in range(values.shape[1]):
        order = np.argsort(values[:, c], kind="stable")
        mass = np.ones(len(values)) if weights is None else weights
        below = np.cumsum(mass[order]) / mass.sum()
        at = values[order[np.minimum(np.searchsorted(below, QUANTILES), len(values) - 1)], c]
        cuts = np.unique(at[at > values[:, c].min()])
        columns += [c] * len(cuts)
        found += cuts.tolist()
    return np.array(columns, dtype=np.int64), np.array(found)
