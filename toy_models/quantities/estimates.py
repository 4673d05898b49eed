"""Sampled quantities with their intervals. Nothing here is ever used silently for an exact one."""

import numpy as np
from jaxtyping import Float, Int
from numpy.random import Generator

from toy_models.door import require_generator, require_pair, require_rule, require_target
from toy_models.quantities.entropy import entropy_of_rows
from toy_models.quantities.intervals import Estimate, student_interval
from toy_models.quantities.sampling import sample
from toy_models.rules.kinds import CONTENT_FREE
from toy_models.rules.protocol import Rule, steps_of
from toy_models.targets.protocol import Denoiser, Target
from toy_models.validation import MASK, confidence_level, positive_int


def estimate_trajectory_kl(
    target: Target, rule: Rule, size: int, rng: Generator, confidence: float = 0.99, entropy: float | None = None
) -> Estimate:
    """E_tau KL(q || p_tau) of the oracle under a content-free rule: mean of sum_i H(x_i | context of its step) - H(X).

    One sequence and one order per sample; entropies of exact marginals replace log-losses. Student interval, asymptotic
    in `size` (a sum over L tokens is close to normal). `entropy` saves recomputing H(X).

    >>> rng, rule = np.random.default_rng(0), tm.RandomOrder([2])
    >>> round(float(tm.quantities.estimate_trajectory_kl(tm.repetition(2, 2), rule, 8, rng).value / np.log(2)), 12)
    1.0
    """
    require_target(target)
    rule = require_rule(rule, target.length, (CONTENT_FREE,))
    positive_int("size", size, 2)
    confidence_level(confidence)
    require_generator(rng)
    x = target.sample(size, rng)
    total = entropy_at_reveal(target, x, steps_of(rule, size, target.length, rng))
    return student_interval(total, confidence).shifted(-(target.entropy() if entropy is None else entropy))


def entropy_at_reveal(
    target: Target, x: Int[np.ndarray, "batch L"], step: Int[np.ndarray, "batch L"]
) -> Float[np.ndarray, " batch"]:
    """sum over i of H(X_i | the tokens of x revealed before step[i]), per row; its mean over x ~ q is H(X) + KL.

    >>> x, step = np.array([[0, 0]]), np.array([[0, 1]])
    >>> (tm.quantities.entropy_at_reveal(tm.repetition(2, 2), x, step) / np.log(2)).round(12).tolist()
    [1.0]
    """
    total = np.zeros(len(x))
    for j in np.unique(step):
        rows = np.flatnonzero((step == j).any(axis=1))
        marginals = target.marginals(np.where(step[rows] < j, x[rows], MASK))
        total[rows] += np.where(step[rows] == j, entropy_of_rows(marginals), 0.0).sum(axis=1)
    return total


def estimate_uniform_kl(
    target: Target, steps, size: int, rng: Generator, confidence: float = 0.99, entropy: float | None = None
) -> Estimate:
    """E_tau KL of uniform independent reveal for several N at once, each dividing the largest one.

    One sequence and one uniform U_i per position and sample: position i counts as revealed at a when U_i < a, so all
    reveal fractions k/N_max share a sample, and a masked position weighs 1/(1 - a). The control variate
    is -log q(x), whose mean H(X) is known. Student interval, asymptotic.

    >>> estimate = tm.quantities.estimate_uniform_kl(tm.repetition(2, 2), [1], 8, np.random.default_rng(0))
    >>> (estimate.value / np.log(2)).round(12).tolist()  # TC, in one step
    [1.0]
    """
    require_target(target)
    require_generator(rng)
    steps = [positive_int(f"steps[{k}]", n) for k, n in enumerate(steps)]
    if not steps:
        raise ValueError("steps must not be empty")
    finest = max(steps)
    if any(finest % n for n in steps):
        raise ValueError(f"steps = {steps}, each must divide the largest one, {finest}")
    positive_int("size", size, 3)
    confidence_level(confidence)
    x, u = target.sample(size, rng), rng.random((size, target.length))
    level = np.empty((size, finest))
    for k in range(finest):
        masked = u >= k / finest
        marginals = target.marginals(np.where(masked, MASK, x))
        level[:, k] = (entropy_of_rows(marginals) * masked).sum(axis=1) / (1 - k / finest)
    total = np.stack([level[:, :: finest // n].mean(axis=1) for n in steps], axis=1)
    known = target.entropy() if entropy is None else entropy
    surprise = -target.log_prob(x) - known
    slope = surprise @ (total - total.mean(axis=0)) / max(float(surprise @ surprise), 1e-300)
    corrected = total - surprise[:, None] * slope
    return student_interval(corrected, confidence, fitted=2).shifted(-known)


def estimate_generative_cross_entropy(
    target: Target, rule: Rule, size: int, rng: Generator, confidence: float = 0.99, denoiser: Denoiser | None = None
) -> Estimate:
    """E_{x~p}[-log q(x)] from `size` runs: what papers plot as generative perplexity. Student interval, asymptotic.

    One written sequence off the support proves that the value is inf: value, low and high are then inf.

    >>> rng, rule = np.random.default_rng(0), tm.bisection(4)
    >>> estimate = tm.quantities.estimate_generative_cross_entropy(tm.repetition(2, 4), rule, 16, rng)
    >>> round(float(estimate.value / np.log(2)), 12)  # each valid text costs one bit
    1.0
    """
    model = require_pair(target, denoiser)
    positive_int("size", size, 2)
    confidence_level(confidence)
    runs = sample(model, rule, size, rng)
    loss = np.full(size, np.inf)
    loss[~runs.impossible] = -target.log_prob(runs.tokens[~runs.impossible])
    if np.isinf(loss).any():
        endless = np.asarray(np.inf)
        return Estimate(endless, endless, endless, confidence)
    return student_interval(loss, confidence)
