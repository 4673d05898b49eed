"""Events chosen on one half of the texts and asked on the other: what is chosen has not seen what it is tested on.

A table: texts are sorted by (share seen) / (probability) on the first half and cut into cells of equal probability.
Texts of the law: scores that compare the first half with half of the reference, letter by letter, pair by pair, are cut
at their quantiles. Each gives a lower bound on KL(reference || written); the bounds hold together at 1 - alpha.
"""

import numpy as np
from jaxtyping import Float, Int

from toy_models.audit.binomial import least_divergence, least_partition_divergence, share_intervals
from toy_models.audit.reference import Reference, cell_counts
from toy_models.targets.protocol import Target

PARTS = (2, 8, 64)  # cells of the partitions of a table
LAGS = (1, 2, 4)  # distances of the pairs that are compared
QUANTILES = (1 / 16, 1 / 4, 1 / 2, 3 / 4, 15 / 16)


def halves(
    texts: Int[np.ndarray, "possible L"], size: int, rng: np.random.Generator
) -> tuple[Int[np.ndarray, "first L"], Int[np.ndarray, "second L"], int]:
    """(texts to choose on, texts to ask, how many texts the second half has with those that are in no event)."""
    order = rng.permutation(size)
    first = order[: size // 2]
    possible = np.zeros(size, dtype=bool)
    possible[: len(texts)] = True
    return texts[first[possible[first]]], texts[(rest := order[size // 2 :])[possible[rest]]], size - size // 2


def by_table(
    reference: Reference, texts: Int[np.ndarray, "possible L"], size: int, alpha: float, rng: np.random.Generator
) -> float:
    """The best bound of the partitions of a law that is known in full."""
    assert reference.weights is not None
    assert reference.rest is not None
    first, second, asked = halves(texts, size, rng)
    q = reference.weights
    seen, count = cell_counts(reference.texts, first), cell_counts(reference.texts, second)
    prior = min(len(q), max(size // 8, 1))
    ratio = (seen + prior * q) / np.maximum(q, 1e-300) / (len(first) + prior)
    best = 0.0
    order = np.argsort(ratio, kind="stable")
    for parts in PARTS:
        cell = np.empty(len(q), dtype=np.int64)
        cell[order] = np.minimum((np.cumsum(q[order]) - q[order] / 2) / q.sum() * parts, parts - 1).astype(np.int64)
        k = np.append(np.bincount(cell, count, parts), asked - len(second)).astype(np.int64)
        mass = np.append(np.bincount(cell, q, parts), reference.rest)
        low, high = share_intervals(k, asked, alpha / (2 * len(PARTS) * len(k)))
        best = max(best, least_partition_divergence(mass, low, high))
    return best


def by_scores(
    target: Target,
    reference: Reference,
    texts: Int[np.ndarray, "possible L"],
    size: int,
    alpha: float,
    rng: np.random.Generator,
) -> float:
    """The best bound of the scores of a law that is known by its texts."""
    first, second, asked = halves(texts, size, rng)
    known, fresh, drawn = halves(reference.texts, reference.draws, rng)
    if len(first) == 0 or len(known) == 0:
        return 0.0
    tables = score_tables(target.vocab_size, first, known)
    best, count = 0.0, len(tables) * len(QUANTILES)
    for name, table in tables.items():
        levels = np.quantile(score(name, table, known, target.vocab_size), QUANTILES)
        here = score(name, table, second, target.vocab_size)[:, None] >= levels
        there = score(name, table, fresh, target.vocab_size)[:, None] >= levels
        p = share_intervals(here.sum(axis=0), asked, alpha / (4 * count))
        q = share_intervals(there.sum(axis=0), drawn, alpha / (4 * count))
        best = max(best, float(least_divergence(*q, *p).max()))
    return best


def score_tables(vocab: int, written: Int[np.ndarray, "n L"], law: Int[np.ndarray, "m L"]) -> dict[str, np.ndarray]:
    """log of (share in the written texts) / (share in the law's): letters at a position, letters, pairs at a lag."""
    length = written.shape[1]

    def ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        a, b = a + 0.5, b + 0.5
        return np.log(a / a.sum(axis=-1, keepdims=True)) - np.log(b / b.sum(axis=-1, keepdims=True))

    def placed(x: np.ndarray) -> np.ndarray:
        codes = (x + np.arange(length) * vocab).ravel()
        return np.bincount(codes, minlength=length * vocab).reshape(length, vocab)

    def paired(x: np.ndarray, lag: int) -> np.ndarray:
        codes = (x[:, :-lag] * vocab + x[:, lag:]).ravel()
        return np.bincount(codes, minlength=vocab**2).reshape(vocab, vocab)

    tables = {"placed": ratio(placed(written), placed(law))}
    tables["letters"] = ratio(placed(written).sum(axis=0), placed(law).sum(axis=0))
    for lag in LAGS:
        if lag < length:
            tables[f"lag {lag}"] = ratio(paired(written, lag), paired(law, lag))
    return tables


def score(name: str, table: Float[np.ndarray, "..."], x: Int[np.ndarray, "n L"], vocab: int) -> Float[np.ndarray, " n"]:
    """The sum of the table over the text."""
    if name == "placed":
        return table[np.arange(x.shape[1]), x].sum(axis=1)
    if name == "letters":
        return table[x].sum(axis=1)
    lag = int(name.split()[1])
    return table[x[:, :-lag], x[:, lag:]].sum(axis=1)
