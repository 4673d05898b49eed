"""Do texts have the reference's law? Every answer at one stated error alpha for all questions together.

A third of alpha each goes to

    simulated   where the law is a table: the largest |z| over all events, over the means of all statistics, and
                G = 2 sum k log(k / n q), against the same numbers of simulated samples (exact at any size)
    fixed       every event with its exact binomial interval, divided by their number (Bonferroni); among them: two rows
                are the same text, for neighbouring rows and for rows half the texts apart (are rows independent?)
    learned     partitions and scores chosen on one half of the texts and asked on the other

Fixed and learned events also bound KL(reference || written) from below: data processing.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import binom

from toy_models.audit import learned
from toy_models.audit.binomial import least_change, least_divergence, p_values, share_intervals
from toy_models.audit.events import Family, Statistics, letters, levels, pairs, statistics
from toy_models.audit.reference import Reference, cell_counts
from toy_models.targets.protocol import Target

REPEATS = 2  # simulated samples over the reciprocal of the least p-value that they must resolve
ROUNDING = 1e-12  # of an exact probability; and bounds below it are none
SAME = ("neighbouring rows are the same text", "rows half the texts apart are the same text")
MOST_REPEATS = 10**5  # simulated samples; an alpha that needs more is left to the other two
CHUNK = 2**24  # counts simulated at once


@dataclass(frozen=True)
class Difference:
    """One event whose share is not the law's: measured in [low, high], promised between the two of `promised`.

    p_value: after Bonferroni, over all events of its kind; kl: what the event alone proves.
    """

    event: str
    measured: float
    low: float
    high: float
    promised: tuple[float, float]
    p_value: float
    kl: float


@dataclass(frozen=True)
class Comparison:
    """kl_low: certified at 1 - alpha; differences: the worst first; simulated: p-value of the Monte Carlo test, which
    `farthest` puts in words.

    smallest: the least change of the probability of an asked event that would have been found with probability
    1 - alpha, at a promised probability of 1/2.
    """

    differs: bool
    kl_low: float
    differences: tuple[Difference, ...]
    simulated: float | None
    farthest: str
    events: int
    smallest: float


def compare(
    target: Target,
    reference: Reference,
    texts: Int[np.ndarray, "possible L"],
    size: int,
    alpha: float,
    rng: np.random.Generator,
) -> Comparison:
    """`texts`, in the order in which they were returned, are those of the `size` written texts that the language
    allows; the others are in no event.

    >>> from toy_models.audit.comparison import compare
    >>> from toy_models.audit.reference import language
    >>> q, rng = tm.repetition(2, 3), np.random.default_rng(0)
    >>> compare(q, language(q, 100, rng), np.zeros((100, 3), dtype=np.int64), 100, 0.01, rng).differs
    True
    """
    choosing, counting = reference.halves()
    measured = statistics(target, choosing)
    families = [letters(target), pairs(target), levels(measured, choosing)]
    if not reference.exact and reference.letters is None:
        families = families[2:]
    part = alpha / 3
    tests = sum(len(family.names) for family in families) + len(SAME)
    names, counts, q_low, q_high = _answers(families, counting, texts, part / tests)
    p = _two_sided(counts, size, q_low, q_high, part) * tests
    low, high = share_intervals(counts, size, part / (4 * tests))
    kl = least_divergence(q_low - ROUNDING, q_high + ROUNDING, low, high)
    found = [
        Difference(
            names[k],
            float(counts[k] / size),
            float(low[k]),
            float(high[k]),
            (float(q_low[k]), float(q_high[k])),
            float(min(p[k], 1.0)),
            float(kl[k]),
        )
        for k in np.lexsort((-kl, p))[:20]
        if p[k] <= part or kl[k] > ROUNDING
    ]
    found += _repeated(reference, texts, part, tests)
    smallest = _smallest(counting, size, part / tests, alpha)
    simulated, farthest = None, ""
    if reference.exact:
        if 3 * REPEATS / part <= MOST_REPEATS:
            simulated, farthest = _simulated(families, measured, reference, texts, size, part, rng)
        kl_learned = learned.by_table(reference, texts, size, part, rng)
    else:
        kl_learned = learned.by_scores(target, reference, texts, size, part, rng)
    kl_low = float(max(kl.max(initial=0.0), kl_learned))
    kl_low = kl_low if kl_low > ROUNDING else 0.0
    by_table = simulated is not None and simulated <= part
    return Comparison(bool(found) or by_table or kl_low > 0, kl_low, tuple(found), simulated, farthest, tests, smallest)


def _repeated(reference: Reference, texts: Int[np.ndarray, "possible L"], alpha: float, tests: int) -> list[Difference]:
    """Pairs of rows that are the same text: a share of sum q^2 where rows are independent draws of the law."""
    found = []
    half = len(texts) // 2
    if half == 0:
        return found
    for name, first, second in zip(
        SAME, (texts[: 2 * half : 2], texts[:half]), (texts[1 : 2 * half : 2], texts[half : 2 * half]), strict=True
    ):
        count = np.array([(first == second).all(axis=1).sum()])
        if reference.weights is not None:
            low = high = np.array([float((reference.weights**2).sum()) / float(reference.weights.sum()) ** 2])
        else:
            pairs_seen = len(reference.texts) // 2
            same = (reference.texts[: 2 * pairs_seen : 2] == reference.texts[1 : 2 * pairs_seen : 2]).all(axis=1).sum()
            low, high = share_intervals(np.array([same]), pairs_seen, alpha / (4 * tests))
        p = float(_two_sided(count, half, low, high, alpha)[0]) * tests
        if p <= alpha:
            ends = share_intervals(count, half, alpha / (4 * tests))
            due = (float(low[0]), float(high[0]))
            found.append(Difference(name, float(count[0]) / half, float(ends[0][0]), float(ends[1][0]), due, p, 0.0))
    return found


def _smallest(reference: Reference, size: int, alpha: float, missed: float) -> float:
    """A change that one question at error `alpha` misses with probability `missed` at most, the draws' own included."""
    if reference.exact:
        return least_change(size, alpha, 1.0 - missed)
    most = np.array([int(binom.isf(missed / 2, reference.draws, 0.5))])
    promised = float(share_intervals(most, reference.draws, alpha / 4)[1][0])
    return least_change(size, alpha / 2, 1.0 - missed / 2, promised)


def _answers(families: list[Family], reference: Reference, texts, alpha: float):
    """Names, counts among the texts, and bounds on the probability of every event under the reference.

    Each bound is missed with probability alpha / 4 at most, on either side.
    """
    names, counts, low, high = [], [], [], []
    for family in families:
        names += family.names
        counts.append(family.ask(texts).sum(axis=0))
        if family is families[0] and reference.letters is not None:
            exact = reference.letters.ravel()
            low, high = [*low, exact], [*high, exact]
        elif reference.weights is not None:
            exact = reference.weights @ family.ask(reference.texts)
            low, high = [*low, exact], [*high, exact]
        else:
            seen = family.ask(reference.texts).sum(axis=0)
            bounds = share_intervals(seen, reference.draws, alpha / 4)
            low, high = [*low, bounds[0]], [*high, bounds[1]]
    return names, np.concatenate(counts), np.concatenate(low), np.concatenate(high)


def _two_sided(counts, size: int, q_low, q_high, alpha: float) -> Float[np.ndarray, " events"]:
    """p-values where the promised share is known; elsewhere against the nearer end of its interval.

    The ends of a sampled reference fail with probability alpha / 2 in all; the tests then have the other half.
    """
    exact = q_low == q_high
    share = counts / size
    nearest = np.clip(share, q_low, q_high)
    p = np.minimum(p_values(counts, size, nearest), 1.0)
    inside = (share >= q_low) & (share <= q_high) & ~exact
    return np.where(inside, 1.0, np.where(exact, p, 2.0 * p))


def _simulated(
    families: list[Family], measured: Statistics, reference: Reference, texts, size: int, alpha: float, rng
) -> tuple[float, str]:
    """p-value of (largest |z| of an event, of a mean, G) against simulated samples; each of the three counts triple.

    Also the mean that is farthest from the law's, in words.
    """
    assert reference.weights is not None
    assert reference.rest is not None
    cells = np.append(reference.weights, reference.rest)
    cells = cells / cells.sum()
    counts = np.append(cell_counts(reference.texts, texts), size - len(texts)).astype(np.float64)
    asked = [family.ask(reference.texts).astype(np.float64) for family in families]
    values = measured.measure(reference.texts)
    questions = np.concatenate([*asked, values], axis=1)
    questions = np.vstack([questions, np.zeros((1, questions.shape[1]))])
    split = questions.shape[1] - values.shape[1]
    mean = cells @ questions
    spread = np.sqrt(np.maximum(cells @ (questions - mean) ** 2, 0.0) / size)
    kept = spread > ROUNDING * (1.0 + np.abs(mean))

    def z_scores(k: Float[np.ndarray, "samples cells"]) -> Float[np.ndarray, "samples questions"]:
        return np.where(kept, np.abs(k @ questions / size - mean) / np.where(kept, spread, 1.0), 0.0)

    def extremes(k: Float[np.ndarray, "samples cells"]) -> Float[np.ndarray, "samples three"]:
        z = z_scores(k)
        with np.errstate(divide="ignore", invalid="ignore"):
            g = 2 * np.where(k > 0, k * np.log(k / (size * cells)), 0.0).sum(axis=1)
        return np.stack([z[:, :split].max(axis=1), z[:, split:].max(axis=1), g], axis=1)

    here = extremes(counts[None])[0] * (1 - 1e-9)  # equal up to the order of a sum is equal
    repeats = int(np.ceil(3 * REPEATS / alpha))
    step = max(1, CHUNK // len(cells))
    further = np.zeros(3)
    for start in range(0, repeats, step):
        drawn = rng.multinomial(size, cells, size=min(step, repeats - start)).astype(np.float64)
        further += (extremes(drawn) >= here).sum(axis=0)
    worst = int(z_scores(counts[None])[0, split:].argmax())
    found, due = (counts @ questions / size)[split + worst], mean[split + worst]
    told = f"the mean of {measured.names[worst]} is {found:.5g}, {reference.name} has {due:.5g}"
    return float(min(1.0, 3 * (further.min() + 1) / (repeats + 1))), told
