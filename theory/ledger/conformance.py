"""Definitions that many claims share: what the library returns for a target, a rule, an input, against the slow route.

Each function returns the gaps it measured (0 where the two routes agree, inf where one of them refuses, or does not
refuse what it must). A topic registers them as `definition` of a claim that rests on them.
"""

from collections.abc import Callable, Iterable
from itertools import combinations, product
from math import comb, log

import numpy as np
from scipy.stats import binomtest, chi2, t

import toy_models as tm
from theory.ledger.enumeration import conditionals, entropy, margin, replayed, sampler, words
from theory.ledger.every import RULES, TARGETS, WITH_LIKELIHOOD
from theory.ledger.refused import CASES
from toy_models.quantities.intervals import bernstein_interval, clopper_pearson
from toy_models.rules.kinds import DRAWN, SAMPLER, kind_of

ATOL = 1e-11  # a few thousand operations on numbers of order one, logarithms of probabilities among them
DRAWS, QUANTILE = 4000, 1 - 1e-6


def distance(found, wanted) -> float:
    """Largest |found - wanted|; inf where one of them is infinite or nan and the other is not, or the shapes differ."""
    a, b = np.asarray(found, dtype=np.float64), np.asarray(wanted, dtype=np.float64)
    if a.shape != b.shape:
        return np.inf
    finite = np.isfinite(a)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True) or not np.isfinite(b[finite]).all():
        return np.inf
    return float(np.abs(a[finite] - b[finite]).max(initial=0.0))


def misfit(counts: np.ndarray, law: np.ndarray) -> float:
    """0 if Pearson's statistic, rare cells together, is below its 1 - 1e-6 quantile and no cell of chance 0 was met."""
    wanted = law / law.sum() * counts.sum()
    if counts[law <= 0].any():
        return np.inf
    common = wanted >= 5
    n, e = (np.append(v[common], v[~common].sum()) for v in (counts, wanted))
    n, e = n[e > 0], e[e > 0]
    return 0.0 if ((n - e) ** 2 / e).sum() <= chi2.ppf(QUANTILE, max(len(e) - 1, 1)) else np.inf


def drawn_counts(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return np.bincount(np.ravel_multi_index(x.T, shape), minlength=int(np.prod(shape))).astype(float)


def target_gaps(names: Iterable[str]) -> list[float]:
    """Of each target: log q, entropy, every conditional, information curve, TC, DTC, draws, against sums over words."""
    gaps = []
    for target in (TARGETS[name] for name in names):
        law, length, size = words(target), target.length, target.vocab_size
        gaps += [abs(sum(law.values()) - 1), abs(target.entropy() - entropy(law))]
        y = np.array(list(product(range(-1, size), repeat=length)))
        wanted = [conditionals(law, context, size) for context in map(tuple, y.tolist())]
        for fill, number in (("nan", np.nan), ("uniform", 1 / size)):
            found = target.marginals(y, on_impossible=fill)
            filled = np.where((y >= 0)[..., None], np.eye(size)[y], number)
            gaps.append(distance(found, [f if w is None else w for f, w in zip(filled, wanted, strict=True)]))
        impossible = [row for row, w in enumerate(wanted) if w is None]
        try:
            target.marginals(y)
            refused: list[int] = []
        except tm.ImpossibleContext as refusal:
            refused = list(refusal.rows)
        gaps.append(0.0 if refused == impossible else np.inf)
        subset = {s: entropy(margin(law, s)) for k in range(length + 1) for s in combinations(range(length), k)}
        mean = [sum(v for s, v in subset.items() if len(s) == k) / comb(length, k) for k in range(length + 1)]
        gaps.append(distance(tm.information_curve(target), np.diff(mean)))
        table = tm.rules.subset_entropies(target)
        gaps.append(max(abs(table[sum(1 << i for i in s)] - value) for s, value in subset.items()))
        whole, alone = subset[tuple(range(length))], sum(subset[(i,)] for i in range(length))
        given = sum(whole - subset[tuple(j for j in range(length) if j != i)] for i in range(length))
        gaps += [abs(tm.total_correlation(target) - alone + whole)]
        gaps += [abs(tm.dual_total_correlation(target) - whole + given)]
        pmf = np.array(list(law.values()))
        x = target.sample(DRAWS, np.random.default_rng(7))
        gaps.append(misfit(drawn_counts(x, (size,) * length), pmf))
    return gaps


def rule_gaps(names: Iterable[str], where: Iterable[str]) -> list[float]:
    """Of each rule on each target and a smoothed denoiser: law, calls, SER, KLs, log p(x), draws, against the walk."""
    gaps = []
    for name, target in product(names, [TARGETS[w] for w in where]):
        rule, law = RULES[name](target), words(target)
        shape, x = (target.vocab_size,) * target.length, np.array(list(law))
        for denoiser in (None, tm.Smoothed(target, 0.2), tm.Windowed(target, 1)):
            made = tm.sampler_law(denoiser or target, rule)
            written, impossible, calls = sampler(denoiser or target, rule)
            p = np.array([written.get(w, 0.0) for w in law])
            gaps += [distance(made.pmf.ravel(), p), abs(made.impossible - impossible), abs(made.mean_steps - calls)]
            q = np.array(list(law.values()))
            with np.errstate(divide="ignore", invalid="ignore"):
                kl = float(np.where(q > 0, q * np.log(q / p), 0.0).sum())
                cross = (
                    np.inf if p[q == 0].any() else -float(np.where(p > 0, p * np.log(np.where(q > 0, q, 1)), 0).sum())
                )
                log_p = np.log(p)
            gaps.append(abs(tm.sequence_error(target, rule, denoiser) - impossible - p[q == 0].sum()))
            gaps.append(distance(tm.marginal_kl(target, rule, denoiser), kl))
            if impossible == 0:
                gaps.append(distance(tm.generative_cross_entropy(target, rule, denoiser), cross))
            if kind_of(rule) not in (DRAWN, SAMPLER):
                loss, along = replayed(target, denoiser or target, rule)
                gaps += [distance(tm.trajectory_kl(target, rule, denoiser), loss - target.entropy())]
                gaps += [abs(tm.expected_calls(target, rule, denoiser) - along)]
            gaps.append(abs(tm.expected_calls(target, rule, denoiser, under="p") - calls))
            if name in WITH_LIKELIHOOD:
                gaps.append(distance(tm.log_likelihood(denoiser or target, rule, x), log_p))
        runs = tm.sample(target, rule, DRAWS, np.random.default_rng(3))
        law_0 = tm.sampler_law(target, rule)
        gaps.append(misfit(drawn_counts(runs.tokens[~runs.impossible], shape), law_0.pmf.ravel()))
        spread = target.length * np.sqrt(np.log(2e6) / (2 * DRAWS))  # Hoeffding at 1e-6, calls lie in 0..L
        gaps.append(0.0 if abs(runs.steps.mean() - law_0.mean_steps) < spread else np.inf)
    return gaps


def interval_gaps() -> list[float]:
    """Student's, Clopper and Pearson's and the empirical Bernstein interval against scipy and their formulas."""
    values, gaps = np.random.default_rng(4).normal(size=(9, 2)), []
    for confidence in (0.5, 0.99):
        found = tm.quantities.student_interval(values, confidence)
        low, high = t.interval(confidence, 8, values.mean(axis=0), values.std(axis=0, ddof=1) / 3)
        gaps += [distance(found.low, low), distance(found.high, high), distance(found.value, values.mean(axis=0))]
        for successes in (0, 3, 10):
            found = clopper_pearson(successes, 10, confidence)
            exact = binomtest(successes, 10).proportion_ci(confidence, "exact")
            gaps += [abs(found.low - exact.low), abs(found.high - exact.high), abs(found.value - successes / 10)]
        found = bernstein_interval(values, 2.0, confidence)
        spread = log(4 / (1 - confidence))
        radius = np.sqrt(2 * values.var(axis=0, ddof=1) * spread / 9) + 14 * spread / 24
        gaps += [distance(found.high - found.value, radius), distance(found.value - found.low, radius)]
    return [float(gap) for gap in gaps]


def is_refused(call: Callable, words_of_it: Iterable[str] = ()) -> bool:
    """Whether the call raises one of our exceptions, whose message has these words.

    Where the shape checks are switched on, as in the tests, they may refuse first, in words of their own.
    """
    try:
        call()
    except (ValueError, TypeError, ArithmeticError) as problem:
        if type(problem).__module__.startswith(("jaxtyping", "beartype")):
            return True
        return all(word in str(problem) for word in words_of_it)
    return False


def is_accepted(call: Callable) -> bool:
    """Whether the call returns: the edge of what is allowed is allowed."""
    try:
        call()
    except Exception:
        return False
    return True


def refused_by_the_library() -> list[bool]:
    """For each input outside of the hypotheses, in refused.py: refused by the argument, the value, what is allowed."""
    with np.errstate(all="ignore"):
        return [is_refused(call, said) for call, said in CASES.values()]


def rises_to_one(schedule) -> float:
    """Gaps of alpha(0) = 0, alpha(1) = 1, rate = alpha'/(1 - alpha), weights and sizes as differences of alpha."""
    time, step = np.linspace(0.01, 0.99, 29), 1e-6
    a = np.asarray(schedule.alpha(time))
    gap = max(abs(float(schedule.alpha(np.array(0.0)))), abs(float(schedule.alpha(np.array(1.0))) - 1))
    slope = (schedule.alpha(time + step) - schedule.alpha(time - step)) / (2 * step)
    gap = max(
        gap, float(np.abs(schedule.rate(time) * (1 - a) / slope - 1).max()) * 1e-6 if (slope > 0).all() else np.inf
    )
    for n in (1, 3, 8):
        on_grid = np.asarray(schedule.alpha(np.arange(n + 1) / n))
        gap = max(gap, float(np.abs(schedule.weights(n) - np.diff(on_grid)).max()))
        gap = max(gap, float(np.abs(schedule.sizes(n, 13) - np.diff(np.rint(13 * on_grid))).max()))
    return gap if log(max(gap, 1e-300)) < 0 else np.inf
