"""Confidence intervals, once: what a sampled mean or share says about the exact value.

student_interval     mean of n values, asymptotic in n
simultaneous_interval    means of n vectors, all entries together (union bound)
bernstein_interval   mean of values in a known range, valid at every n (Maurer and Pontil 2009, arXiv 0907.3740, Thm 4)
clopper_pearson      a share, exact
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from toy_models.rounding import settle
from toy_models.validation import confidence_level, positive_int


@dataclass(frozen=True, eq=False)
class Estimate:
    """Sample means with a two-sided interval, each at the stated confidence.

    >>> estimate = tm.estimate_information_curve(tm.pairs(2, 4), 16, np.random.default_rng(0))
    >>> bool(np.all((estimate.low <= estimate.value) & (estimate.value <= estimate.high))), estimate.confidence
    (True, 0.99)
    """

    value: Float[np.ndarray, "..."]
    low: Float[np.ndarray, "..."]
    high: Float[np.ndarray, "..."]
    confidence: float

    def at(self, index) -> "Estimate":
        """The estimate of one entry."""
        value, low, high = (np.asarray(part[index]) for part in (self.value, self.low, self.high))
        return Estimate(value, low, high, self.confidence)

    def shifted(self, by: float) -> "Estimate":
        """The estimate of the same quantity plus a known constant; rounding below 0 is 0."""
        value, low, high = (settle(part + by, 1.0 + abs(by)) for part in (self.value, self.low, self.high))
        return Estimate(value, low, high, self.confidence)


def student_interval(values: Float[np.ndarray, "n ..."], confidence: float = 0.99, fitted: int = 1) -> Estimate:
    """Mean over axis 0 of n independent rows with Student's interval, `fitted` degrees of freedom spent on the fit.

    >>> interval = tm.quantities.student_interval(np.array([1.0, 2.0, 3.0]), confidence=0.5)
    >>> float(interval.value), round(float(interval.high - 2.0), 12)  # sqrt(2/3) sqrt(1/3)
    (2.0, 0.471404520791)
    """
    from scipy.stats import t as student

    n = len(values)
    quantile = student.ppf((1 + confidence_level(confidence)) / 2, n - fitted)
    mean = values.mean(axis=0)
    radius = quantile * values.std(axis=0, ddof=fitted) / np.sqrt(n)
    return Estimate(np.asarray(mean), np.asarray(mean - radius), np.asarray(mean + radius), confidence)


def simultaneous_interval(values: Float[np.ndarray, "n k"], confidence: float = 0.99) -> Estimate:
    """Means over axis 0 of n independent rows; all k intervals hold together, each at 1 - (1 - confidence) / k.

    >>> wide = tm.quantities.simultaneous_interval(np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]), confidence=0.5)
    >>> one = tm.quantities.student_interval(np.array([1.0, 2.0, 3.0]), confidence=0.75)
    >>> bool(wide.high[1] == one.high), wide.confidence
    (True, 0.5)
    """
    each = student_interval(values, 1.0 - (1.0 - confidence_level(confidence)) / values.shape[1])
    return Estimate(each.value, each.low, each.high, confidence)


def exactly(value, confidence: float = 0.99) -> Estimate:
    """A number without error in the form of an estimate.

    >>> float(exactly(2.0).low)
    2.0
    """
    known = np.asarray(value, dtype=np.float64)
    return Estimate(known, known, known, confidence)


def bernstein_interval(values: Float[np.ndarray, "n ..."], width: float, confidence: float) -> Estimate:
    """Mean over axis 0 of n independent rows in a range of the given width, each side at (1 - confidence) / 2.

    Radius sqrt(2 Var log(4/delta) / n) + 7 width log(4/delta) / (3 (n - 1)), delta = 1 - confidence.

    >>> interval = tm.quantities.bernstein_interval(np.ones(100), width=1.0, confidence=0.99)
    >>> float(interval.value), bool(interval.low < 1.0 < interval.high)
    (1.0, True)
    """
    n = len(values)
    spread = np.log(4.0 / (1.0 - confidence_level(confidence)))
    mean, variance = values.mean(axis=0), values.var(axis=0, ddof=1)
    radius = np.sqrt(2 * variance * spread / n) + 7 * width * spread / (3 * (n - 1))
    return Estimate(np.asarray(mean), np.asarray(mean - radius), np.asarray(mean + radius), confidence)


def clopper_pearson(successes: int, trials: int, confidence: float) -> Estimate:
    """The share successes / trials with its exact binomial interval (Clopper and Pearson 1934).

    >>> found = clopper_pearson(0, 10, 0.95)
    >>> float(found.low), bool(abs(found.high - (1 - 0.025 ** 0.1)) < 1e-15)
    (0.0, True)
    """
    from scipy.stats import beta

    trials, successes = positive_int("trials", trials), positive_int("successes", successes, 0)
    if successes > trials:
        raise ValueError(f"successes = {successes}, it must be at most trials = {trials}")
    tail = (1 - confidence_level(confidence)) / 2
    low = beta.ppf(tail, successes, trials - successes + 1) if successes else 0.0
    high = beta.ppf(1 - tail, successes + 1, trials - successes) if successes < trials else 1.0
    return Estimate(np.asarray(successes / trials), np.asarray(low), np.asarray(high), confidence)
