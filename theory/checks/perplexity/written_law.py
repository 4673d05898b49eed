"""The law of the written text against the law of text and order."""

from itertools import product
from math import log

import numpy as np
from flint import fmpq

import toy_models as tm
from theory import exact_curves as ec
from theory.checks.common import all_hold, instances
from theory.perplexity import Results, uniform
from theory.registry import (
    Outcome,
    check,
    control,
    decide,
    not_claimed_tight,
    tightness,
)
from toy_models import exact
from toy_models.exact import LogSum, decide_at_most, decide_equal
from toy_models.targets.block_codes import code_block_kl


@check("marginal-below-trajectory", tier="rational")
def marginal_below_trajectory(results: Results) -> Outcome:
    """marginal-below-trajectory: E_tau KL - KL(q || p) = E_q KL(P(tau) || P_p(tau | x)), term by term."""
    rng, verdicts = np.random.default_rng(9), []
    for pmf in ec.random_pmfs(9, instances(results) // 20):
        if pmf.ndim == 4:
            continue
        weights = ec.random_weights(rng, 2)
        written, _ = exact.law(pmf, exact.independent_stages(_fractions(weights)))
        gap = ec.mean_path_kl(pmf, weights) - exact.kl(pmf, written)
        verdicts.append(decide_equal(gap, _posterior_kl(pmf, weights, written)))
    return all_hold(verdicts)


@check("marginal-below-trajectory", tier="rational")
def marginal_at_most_trajectory(results: Results) -> Outcome:
    """marginal-below-trajectory: KL(q || p) <= E_tau KL(q || p_tau) on random laws, the right side by the curve."""
    rng, verdicts = np.random.default_rng(29), []
    for pmf in ec.random_pmfs(29, instances(results)):
        weights = ec.random_weights(rng, 2)
        written, _ = exact.law(pmf, exact.independent_stages(_fractions(weights)))
        path = ec.curve(pmf).at(ec.weights_row(pmf.ndim, weights))
        verdicts.append(decide_at_most(exact.kl(pmf, written), path))
    return all_hold(verdicts)


def _fractions(weights):
    from fractions import Fraction

    return [Fraction(int(w.p), int(w.q)) for w in weights]


def _posterior_kl(pmf, weights, written) -> LogSum:
    """E_q KL(P(tau) || P_p(tau | x)), P_p(tau | x) = P(tau) p_tau(x)/p(x)."""
    terms = []
    for steps in product(range(len(weights)), repeat=pmf.ndim):
        chance = fmpq(1)
        for s in steps:
            chance *= weights[s]
        path = ec.path_law(pmf, steps)
        for x in product(range(pmf.shape[0]), repeat=pmf.ndim):
            if pmf[x] != 0:
                terms.append((written[x] / path[x], pmf[x] * chance))
    return LogSum(terms)


@tightness("marginal-below-trajectory", tier="rational")
def marginal_equals_trajectory_at_one_step(results: Results) -> Outcome:
    """marginal-below-trajectory: equality with a single step, where there is one order."""
    verdicts = []
    for pmf in ec.random_pmfs(10, 20):
        written, _ = exact.law(pmf, exact.fixed_size_stages([pmf.ndim]))
        verdicts.append(decide_equal(exact.kl(pmf, written), ec.curve(pmf).at(ec.sizes_row([pmf.ndim]))))
    return all_hold(verdicts, 0.0)


@control("marginal-below-trajectory", tier="float64")
def marginal_claimed_equal(results: Results) -> Outcome:
    """marginal-below-trajectory with equality claimed for random orders (chain A: .394 against .269)."""
    part = results.marginals[0]
    return decide(bool(np.allclose(part.marginal, part.trajectory, rtol=1e-3)), len(part.steps))


@check("marginal-upper-bound", tier="rational")
def marginal_upper_bound(results: Results) -> Outcome:
    """marginal-upper-bound: KL(q || p)/L <= u/(2(N-1)) + log(N/(N-1)) - 1/(2(N-1)), uniform schedule, N >= 2."""
    verdicts = []
    for k, pmf in enumerate(ec.random_pmfs(11, instances(results))):
        steps = 2 + k % (2 if pmf.ndim == 4 else 3)
        written, _ = exact.law(pmf, exact.independent_stages([f"1/{steps}"] * steps))
        half = fmpq(1, 2 * (steps - 1))
        drop = ec.curve(pmf).at(ec.drop_row(pmf.ndim) * half)
        extra = LogSum([(fmpq(steps, steps - 1), fmpq(pmf.ndim))], constant=-half * pmf.ndim)
        verdicts.append(decide_at_most(exact.kl(pmf, written), drop + extra))
    return all_hold(verdicts)


@tightness("marginal-upper-bound", tier="float64")
def marginal_upper_bound_codes(results: Results) -> Outcome:
    """marginal-upper-bound: the nested code language reaches 80% of it (m = 256, N = 16)."""
    m, k, n = 256, 257, 16
    value = code_block_kl(m, k, n) / m
    bound = (m - 1) * log(k) / (2 * (n - 1)) + log(n / (n - 1)) - 1 / (2 * (n - 1))
    return decide(0.8 < value / bound <= 1, 1, 1 - value / bound)


@control("marginal-upper-bound", tier="float64")
def marginal_upper_bound_without_entropy(results: Results) -> Outcome:
    """marginal-upper-bound without log(N/(N-1)) - 1/(2(N-1)): repetition breaks it."""
    steps, length = 64, 400
    later = 1 - np.arange(1, steps + 1) / steps  # P(a token is written after step j)
    valid = 2 * float(((1 / (2 * steps) + later) ** length - later**length).sum())
    excess = -log(valid) / length - log(2) / (2 * (steps - 1))
    return decide(excess <= 0, 1, -excess)


@check("marginal-grows-with-vocabulary", tier="float64")
def marginal_grows(results: Results) -> Outcome:
    """marginal-grows-with-vocabulary: N KL/L >= log|V| (m-N)/(2(m-1)); the block law agrees with enumeration."""
    gaps = [
        n * code_block_kl(m, k, n) / m - (m - 1) * log(k) * (m - n) / (2 * (m - 1))
        for m, k in ((4, 3), (8, 7), (16, 16), (64, 64), (256, 257))
        for n in (2, 3, 8, 16)
        if n <= m
    ]
    words = _nested_code_table()
    agree = max(abs(tm.marginal_kl(words, uniform(n)) - code_block_kl(3, 3, n)) for n in (1, 2, 3))
    return decide(min(gaps) >= 0 and agree < 1e-12, len(gaps) + 3, min(gaps), "margin: N times nats per token")


def _nested_code_table():
    """m = 3, K = 3: symbols (u, v), u a repetition word, v a zero-sum word."""
    pmf = np.zeros((9, 9, 9))
    for u, a, b in product(range(3), repeat=3):
        pmf[3 * u + a, 3 * u + b, 3 * u + (-a - b) % 3] = 1 / 27
    return tm.Table(pmf)


@tightness("marginal-grows-with-vocabulary", tier="float64")
def marginal_growth_sharp(results: Results) -> Outcome:
    """marginal-grows-with-vocabulary: the lower bound is within 10% of the exact value at m = 256, N = 2."""
    exact_value = 2 * code_block_kl(256, 257, 2) / 256
    bound = 255 * log(257) * 254 / 510
    return decide(0.9 < bound / exact_value <= 1, 1, 1 - bound / exact_value)


@control("marginal-grows-with-vocabulary", tier="float64")
def absolute_constant(results: Results) -> Outcome:
    """marginal-grows-with-vocabulary: an absolute constant, N KL/L <= 2 for every language."""
    worst = max(2 * code_block_kl(m, k, 2) / m for m, k in ((4, 3), (16, 16), (64, 64)))
    return decide(worst <= 2, 3, 2 - worst)


@check("generative-perplexity-uncontrolled", tier="float64")
def generative_uncontrolled(results: Results) -> Outcome:
    """generative-perplexity-uncontrolled: a worse sampler scores better than the exact one, and better than text."""
    part, last = results.generative, -1
    exact_row, sharp_row = part.samplers.index("exact"), part.samplers.index("sharpened (power 1.5)")
    worse = part.excess[sharp_row, last] > part.excess[exact_row, last]
    better = part.generative[sharp_row, last] < min(0.0, part.generative[exact_row, last])
    return decide(
        bool(worse and better), 1, float(-part.generative[sharp_row, last]), "margin: nats per token below text"
    )


@control("generative-perplexity-uncontrolled", tier="float64")
def generative_orders_samplers(results: Results) -> Outcome:
    """generative-perplexity-uncontrolled: a lower generative perplexity is claimed to mean a lower KL."""
    part = results.generative
    agree = np.argsort(part.generative[:, -1]) == np.argsort(part.excess[:, -1])
    return decide(bool(agree.all()), len(agree))


not_claimed_tight("generative-perplexity-uncontrolled", "an existence statement")
