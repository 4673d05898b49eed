"""Entropy, cross-entropy and KL of written texts, each with an interval that holds at its confidence.

entropy        plug-in of all texts where they fit a table: bias at most log(1 + (K - 1)/n) (Paninski 2003), deviation
               by bounded differences (Antos and Kontoyiannis 2001). Else the cross-entropy under a chain fitted to one
               half, an upper bound, and the collision entropy, a lower one.
cross-entropy  E[-log q(x)]; inf once a written text is impossible. Bernstein's interval over the range of -log q.
"""

import math

import numpy as np
from jaxtyping import Float, Int
from scipy.special import entr

from toy_models.audit.binomial import share_intervals
from toy_models.audit.reference import TABLE, Reference, cell_counts
from toy_models.quantities.intervals import Estimate, bernstein_interval, exactly
from toy_models.targets.blocks import Blocks
from toy_models.targets.hmm import HMM
from toy_models.targets.markov import MarkovChain
from toy_models.targets.ngram import NGram
from toy_models.targets.protocol import Target
from toy_models.targets.table import Table


def interval(value: float, low: float, high: float, confidence: float) -> Estimate:
    return Estimate(np.asarray(value), np.asarray(min(low, value)), np.asarray(max(high, value)), confidence)


def entropy(codes: Int[np.ndarray, "size L"], symbols: int, confidence: float) -> Estimate:
    """H(p) in nats of rows of codes 0..symbols-1, whatever they stand for.

    >>> from toy_models.audit.estimates import entropy
    >>> found = entropy(np.zeros((100, 2), dtype=np.int64), 2, 0.99)
    >>> float(found.value), float(found.low)
    (0.0, 0.0)
    """
    n, length = codes.shape
    if symbols**length <= 16 * TABLE:
        power = symbols ** np.arange(length - 1, -1, -1)
        share = np.unique(codes @ power, return_counts=True)[1] / n
        found = float(entr(share).sum())
        reach = math.log(max(n, 2)) * math.sqrt(2 * math.log(2 / (1 - confidence)) / n)
        bias = math.log1p((symbols**length - 1) / n)
        corrected = min(found + (len(share) - 1) / (2 * n), length * math.log(symbols))
        return interval(
            corrected, max(0.0, found - reach), min(found + reach + bias, length * math.log(symbols)), confidence
        )
    half = n // 2
    if n - half < 2:
        return interval(length * math.log(symbols), 0.0, length * math.log(symbols), confidence)
    losses = chain_losses(codes[:half], codes[half:], symbols)
    worst = length * math.log(2 * (half * (length - 1) + symbols))
    above = bernstein_interval(losses, worst, confidence)
    same = int((codes[: 2 * half : 2] == codes[1 : 2 * half : 2]).all(axis=1).sum())
    collisions = share_intervals(np.array(same), half, (1 - confidence) / 2)[1]
    top = length * math.log(symbols)
    return interval(min(float(above.value), top), -math.log(float(collisions)), min(float(above.high), top), confidence)


def chain_losses(
    fitted: Int[np.ndarray, "n L"], asked: Int[np.ndarray, "m L"], symbols: int
) -> Float[np.ndarray, " m"]:
    """-log of the `asked` rows under a chain fitted to the `fitted` ones, half a count added to every cell."""
    first = np.bincount(fitted[:, 0], minlength=symbols) + 0.5
    steps = np.bincount((fitted[:, :-1] * symbols + fitted[:, 1:]).ravel(), minlength=symbols**2) + 0.5
    rows = steps.reshape(symbols, symbols)
    logs = np.log(rows / rows.sum(axis=1, keepdims=True))
    return -(np.log(first / first.sum())[asked[:, 0]] + logs[asked[:, :-1], asked[:, 1:]].sum(axis=1))


def cross_entropy(target: Target, texts: Int[np.ndarray, "possible L"], size: int, confidence: float) -> Estimate:
    """E[-log q(x)] in nats; texts are the possible ones of `size`. One other text makes it inf.

    The upper end is inf where a text of probability 0 exists and so cannot be excluded.

    >>> from toy_models.audit.estimates import cross_entropy
    >>> q = tm.Table(np.full((2, 2), 0.25))
    >>> found = cross_entropy(q, np.zeros((50, 2), dtype=np.int64), 50, 0.99)
    >>> [round(float(v / np.log(2)), 12) for v in (found.value, found.low, found.high)]
    [2.0, 2.0, 2.0]
    """
    if len(texts) < size:
        return exactly(math.inf, confidence)
    least, most, everywhere = loss_range(target)
    losses = -target.log_prob(texts)
    ceiling = min(most, 4.0 * (target.entropy() + 1.0))  # a bound from below may cut losses anywhere
    below = bernstein_interval(np.minimum(losses, ceiling), max(ceiling - least, 0.0), confidence)
    if not everywhere:
        return interval(float(losses.mean()), max(least, float(below.low)), math.inf, confidence)
    above = bernstein_interval(losses, most - least, confidence)
    return interval(float(losses.mean()), max(least, float(below.low)), min(float(above.high), most), confidence)


def loss_range(target: Target) -> tuple[float, float, bool]:
    """(least, most, everywhere): bounds on -log q over possible texts, and whether every text is possible.

    >>> from toy_models.audit.estimates import loss_range
    >>> loss_range(tm.MarkovChain([[0.5, 0.5], [0.5, 0.5]], 2)) == (0.0, 2 * np.log(2), True)
    True
    """
    if isinstance(target, Blocks):
        least, most, everywhere = loss_range(target.target)
        return target.repeats * least, target.repeats * most, everywhere
    if isinstance(target, Table):
        seen = target.pmf[target.pmf > 0]
        return -math.log(seen.max()) + 0.0, -math.log(seen.min()), len(seen) == target.pmf.size
    factors: list[tuple[np.ndarray, int]] = []
    if isinstance(target, MarkovChain):
        factors = [(target.initial, 1), (target.transition, target.length - 1)]
    elif isinstance(target, NGram):
        factors = [(np.asarray(target.initial), 1), (np.asarray(target.rows), target.length - target.order + 1)]
    elif isinstance(target, HMM):
        factors = [(target.initial, 1), (target.transition, target.length - 1), (target.emission, target.length)]
    if not factors:
        return 0.0, math.inf, False
    most = sum(-count * math.log(float(p[p > 0].min())) for p, count in factors)
    return 0.0, most, all((p > 0).all() for p, _ in factors)


def divergence(
    reference: Reference, texts: Int[np.ndarray, "possible L"], size: int, kl_low: float, confidence: float
) -> Estimate:
    """KL(q || p): `kl_low` is certified; the value is the plug-in with half a count where q is a table, else kl_low.

    The upper end is finite only where every possible text of a table was written.
    """
    if reference.weights is None:
        return interval(kl_low, kl_low, math.inf, confidence)
    q, k = reference.weights, cell_counts(reference.texts, texts)
    p = (k + 0.5) / (size + 0.5 * (len(q) + 1))
    value = max(kl_low, float((q * np.log(q / p)).sum()), 0.0)
    low = share_intervals(k, size, (1 - confidence) / (2 * len(q)))[0]
    high = float((q * np.log(q / low)).sum()) if (low > 0).all() else math.inf
    return interval(value, kl_low, high, confidence)
