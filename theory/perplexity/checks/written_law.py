"""The law of the written text against the law of text and order."""

from functools import cache
from itertools import product
from math import log

import numpy as np
from flint import fmpq

import toy_models as tm
from theory.ledger.instances import all_hold, instances
from theory.ledger.registry import Outcome, check, control, decide, not_claimed_tight, tightness
from theory.perplexity.checks.instances import written_law_agrees
from theory.perplexity.results import CHAIN_A, Results, uniform
from theory.perplexity.written import nested_code_excess, repetition_kl, written_bound
from toy_models import exact
from toy_models.exact import LogSum, decide_at_most, decide_equal
from toy_models.exact import curves as ec
from toy_models.targets.block_codes import code_block_kl


@check("marginal-below-trajectory", tier="rational")
def marginal_below_trajectory(results: Results) -> Outcome:
    """marginal-below-trajectory: E_tau KL - KL(q || p) = E_q KL(P(tau) || P_p(tau | x)), term by term."""
    rng, verdicts = np.random.default_rng(9), []
    for pmf in ec.random_pmfs(9, instances(results) // 15):
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
    for pmf in ec.random_pmfs(29, instances(results, 40, 400)):
        weights = ec.random_weights(rng, 2)
        written, _ = exact.law(pmf, exact.independent_stages(_fractions(weights)))
        path = ec.curve(pmf).at(ec.weights_row(pmf.ndim, weights))
        verdicts.append(decide_at_most(exact.kl(pmf, written), path))
        if len(verdicts) <= 24:
            rule = tm.IndependentReveal([float(w) for w in _fractions(weights)])
            verdicts.append(written_law_agrees(pmf, rule, written))
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
    """marginal-below-trajectory with equality claimed for random orders: chain A in three pairs, .394 against .269."""
    chain, rule = tm.MarkovChain(CHAIN_A, 6), tm.RandomOrder((2, 2, 2))
    written, path = tm.marginal_kl(chain, rule), tm.trajectory_kl(chain, rule)
    return decide(written > 0.99 * path, 1, written - path)


@check("marginal-upper-bound", tier="rational")
def marginal_upper_bound(results: Results) -> Outcome:
    """marginal-upper-bound: KL(q || p)/L <= u/(2(N-1)) + log(N/(N-1)) - 1/(2(N-1)), uniform schedule, N >= 2."""
    verdicts = []
    for k, pmf in enumerate(ec.random_pmfs(11, instances(results, 40, 400))):
        steps = 2 + k % (2 if pmf.ndim == 4 else 3)
        written, _ = exact.law(pmf, exact.independent_stages([f"1/{steps}"] * steps))
        bound = _exact_bound(ec.curve(pmf), steps)
        verdicts.append(decide_at_most(exact.kl(pmf, written), bound))
        drop = float(ec.curve(pmf).at(ec.drop_row(pmf.ndim))) / pmf.ndim
        verdicts.append(_same(abs(float(bound) / pmf.ndim - written_bound(drop, steps)) < 1e-12))
        if k < 8:
            verdicts.append(written_law_agrees(pmf, uniform(steps), written))
    return all_hold(verdicts)


def _same(holds: bool) -> str:
    return "PROVED" if holds else "REFUTED"


def _exact_bound(g: ec.Curve, steps: int) -> LogSum:
    """L times the bound, as a decided number."""
    length, half = len(g), fmpq(1, 2 * (steps - 1))
    extra = LogSum([(fmpq(steps, steps - 1), fmpq(length))], constant=-half * length)
    return g.at(ec.drop_row(length) * half) + extra


@check("marginal-upper-bound", tier="float64")
def marginal_upper_bound_where_it_is_close(results: Results) -> Outcome:
    """marginal-upper-bound on languages that come near it: long repetition and nested codes, both in closed form."""
    margins = []
    for K, length, steps in product((2, 16), (400, 4096), (2, 16, 64)):
        margins.append(1 - repetition_kl(K, length, steps) / length / written_bound(log(K), steps))
    for (m, K), steps in product(((4, 3), (16, 16), (256, 257)), (2, 3, 16)):
        margins.append(1 - nested_code_excess(m, K, steps) / written_bound((m - 1) * log(K), steps))
    words = tm.repetition(3, 4)
    agree = max(abs(tm.marginal_kl(words, uniform(n)) - repetition_kl(3, 4, n)) for n in (1, 2, 5))
    return decide(min(margins) >= 0 and agree < 1e-12, len(margins) + 3, min(margins), "margin: share left over")


@tightness("marginal-upper-bound", tier="float64")
def marginal_upper_bound_codes(results: Results) -> Outcome:
    """marginal-upper-bound: the nested code language reaches 85% of it (m = 256, N = 16)."""
    m, k, n = 256, 257, 16
    ratio = nested_code_excess(m, k, n) / written_bound((m - 1) * log(k), n)
    return decide(0.85 < ratio <= 1, 1, 1 - ratio)


@control("marginal-upper-bound", tier="float64")
def marginal_upper_bound_without_entropy(results: Results) -> Outcome:
    """marginal-upper-bound without log(N/(N-1)) - 1/(2(N-1)): repetition breaks it."""
    excess = repetition_kl(2, 400, 64) / 400 - log(2) / (2 * 63)
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


@cache
def _denoisers_compared() -> dict[str, tuple[float, float]]:
    """(KL(q || p)/L, (E_p[-log q] - H)/L) at N = 32 of the exact and the sharpened denoiser, L = 6."""
    chain = tm.MarkovChain([[0.85, 0.1, 0.05], [0.05, 0.85, 0.1], [0.1, 0.05, 0.85]], 6)
    found = {}
    for name, denoiser in (("exact", None), ("sharpened", tm.Tempered(chain, 1.5))):
        score = tm.generative_cross_entropy(chain, uniform(32), denoiser) - chain.entropy()
        found[name] = tm.marginal_kl(chain, uniform(32), denoiser) / 6, score / 6
    return found


@check("generative-perplexity-uncontrolled", tier="float64")
def generative_uncontrolled(results: Results) -> Outcome:
    """generative-perplexity-uncontrolled: a worse sampler scores better than the exact one, and better than text."""
    (excess, score), (worse, better) = _denoisers_compared().values()
    stated = ((excess, 0.0008), (worse, 0.0195), (score, 0.0305), (better, -0.1281))
    holds = worse > excess and better < min(0.0, score) and all(abs(a - b) < 5.1e-5 for a, b in stated)
    return decide(holds, 4, -better, "margin: nats per token below text")


@control("generative-perplexity-uncontrolled", tier="float64")
def generative_orders_samplers(results: Results) -> Outcome:
    """generative-perplexity-uncontrolled: a lower generative perplexity is claimed to mean a lower KL."""
    (excess, score), (worse, better) = _denoisers_compared().values()
    return decide((better < score) == (worse < excess), 1)


not_claimed_tight("generative-perplexity-uncontrolled", "an existence statement")
