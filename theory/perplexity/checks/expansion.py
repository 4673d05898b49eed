"""The written law in powers of 1/N: the dichotomy at a fixed length, and its form per token for chains."""

from functools import cache

import numpy as np
from flint import fmpq, fmpq_poly

import toy_models as tm
from theory.ledger.instances import all_hold
from theory.ledger.registry import Outcome, check, control, decide, tightness
from theory.perplexity.checks.instances import rational_repetition, written_law_agrees
from theory.perplexity.expansion import (
    chain_psi,
    clash_rate,
    has_product_support,
    possible_texts,
    psi,
    written_kl,
    written_polynomials,
)
from theory.perplexity.results import CHAIN_A, Results, uniform
from theory.perplexity.written import Dichotomy, dichotomy
from toy_models import exact
from toy_models.exact import LogSum, decide_at_most
from toy_models.exact import curves as ec

FLIP = [[0.7, 0.3], [0.3, 0.7]]
GOLDEN = [[0.5, 0.5], [1.0, 0.0]]


def dichotomy_laws(count: int) -> list[np.ndarray]:
    """Random laws, dense and sparse; parity, repetition and the golden mean chain; product supports of both kinds."""
    parity = np.full((2, 2, 2), fmpq(0), dtype=object)
    parity[np.indices((2, 2, 2)).sum(axis=0) % 2 == 0] = fmpq(1, 4)
    golden = exact.chain_pmf(["2/3", "1/3"], [["1/2", "1/2"], [1, 0]], 3)
    flat = np.full((3, 3), fmpq(0), dtype=object)  # support {0, 1} x {1, 2}, dependent
    flat[:2, 1:] = [[fmpq(1, 8), fmpq(3, 8)], [fmpq(3, 8), fmpq(1, 8)]]
    return [*ec.random_pmfs(42, count), parity, rational_repetition(2, 3), golden, flat]


@check("written-law-dichotomy", tier="rational")
def dichotomy_exact(results: Results) -> Outcome:
    """written-law-dichotomy: p(x) = q(x)(1 + psi(x)/N + ..) by the polynomial of p in 1/N, kappa_L, and its zeros.

    For every law: the two lowest coefficients are q and q psi; N SER has the limit kappa_L; kappa_L = 0 iff the support
    is a product, and then every coefficient of the SER is 0 and N^2 KL -> Var(psi)/2, met within C/N at N = 10^4.
    """
    verdicts = []
    for k, pmf in enumerate(dichotomy_laws(120 if results.profile == "full" else 24)):
        p, first, kappa = written_polynomials(pmf), psi(pmf), clash_rate(pmf)
        verdicts += [_same(p[x][0] == pmf[x] and p[x][1] == pmf[x] * first[x]) for x in p]
        valid = sum(p.values(), fmpq_poly())
        verdicts.append(_same(valid[0] == 1 and -valid[1] == kappa == -sum(pmf[x] * first[x] for x in p)))
        verdicts.append(_same((kappa == 0) == has_product_support(pmf)))
        if kappa == 0:
            verdicts.append(_same(valid == fmpq_poly([1])))
        verdicts.append(_limit(pmf, p, first, kappa))
        if k % 4 == 0:  # the polynomial at 1/N is the law of the sampler
            steps = 2 + k % 3
            written, _ = exact.law(pmf, exact.independent_stages([f"1/{steps}"] * steps))
            verdicts.append(_same(all(p[x](fmpq(1, steps)) == written[x] for x in p)))
            verdicts.append(written_law_agrees(pmf, uniform(steps), written))
    return all_hold(verdicts)


def _same(holds: bool) -> str:
    return "PROVED" if holds else "REFUTED"


def _limit(pmf, p, first, kappa, steps: int = 10**4) -> str:
    """|N KL - kappa| <= 50/N, or |N^2 KL - Var(psi)/2| <= 50/N when kappa = 0, decided at one large N."""
    kl = LogSum((pmf[x] / p[x](fmpq(1, steps)), pmf[x]) for x in p)
    limit = kappa if kappa != 0 else sum((pmf[x] * first[x] ** 2 for x in p), fmpq(0)) / 2
    gap = kl.scaled(steps if kappa != 0 else steps**2) - LogSum(constant=limit)
    allowed = LogSum(constant=fmpq(50, steps))
    return all_hold([decide_at_most(gap, allowed), decide_at_most(-gap, allowed)]).result


@tightness("written-law-dichotomy", tier="rational")
def dichotomy_two_tokens(results: Results) -> Outcome:
    """written-law-dichotomy: for two tokens p = (1 - 1/N) q + q_1 q_2/N, no further terms."""
    pmf = np.array([[fmpq(4, 10), fmpq(1, 10)], [fmpq(2, 10), fmpq(3, 10)]], dtype=object)
    p, rows, columns = written_polynomials(pmf), pmf.sum(axis=1), pmf.sum(axis=0)
    return all_hold([_same(p[x] == fmpq_poly([pmf[x], rows[x[0]] * columns[x[1]] - pmf[x]])) for x in p], 0.0)


@control("written-law-dichotomy", tier="rational")
def dichotomy_of_the_trajectory(results: Results) -> Outcome:
    """written-law-dichotomy with the trajectory's limit L (h(0) - h(1))/2 for N KL(q || p): false for full support."""
    pmf = exact.chain_pmf(["1/2", "1/2"], [["7/10", "3/10"], ["3/10", "7/10"]], 3)
    p, steps = written_polynomials(pmf), 10**4
    kl = LogSum((pmf[x] / p[x](fmpq(1, steps)), pmf[x]) for x in p).scaled(steps)
    half = ec.curve(pmf).at(ec.drop_row(3) * fmpq(1, 2))
    return all_hold([decide_at_most(half - kl, LogSum(constant=fmpq(50, steps)))])


@control("written-law-dichotomy", tier="rational")
def dichotomy_without_contexts(results: Results) -> Outcome:
    """written-law-dichotomy with contexts left out of kappa_L (T empty): parity would have kappa = 0, it has 3/4."""
    parity = dichotomy_laws(0)[0]
    return all_hold([_same(clash_rate(parity.sum(axis=2)) == clash_rate(parity))])


@cache
def growths() -> tuple[Dichotomy, ...]:
    """Three chains with impossible transitions and three without, N = 32, 64, 128."""
    steps = np.array([32, 64, 128])
    chains = (
        (CHAIN_A, 6),
        (GOLDEN, 7),
        ([[0.0, 1.0, 0.0], [0.5, 0.0, 0.5], [0.2, 0.3, 0.5]], 6),
        (FLIP, 7),
        ([[0.8, 0.2], [0.35, 0.65]], 7),
        ([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.3, 0.2, 0.5]], 5),
    )
    return tuple(dichotomy("", lambda n, p=p: tm.MarkovChain(p, n), length, steps) for p, length in chains)


@check("written-law-per-token", tier="float64")
def per_token(results: Results) -> Outcome:
    """written-law-per-token: per added token N KL -> kappa with clashes, N^2 KL -> sigma^2/2 without, on six chains.

    One extrapolation in 1/N from N = 64, 128 must come within one part in 500 of the limit read off psi; psi of a chain
    and the written law of the interval recursion are compared with the definitions at L = 4.
    """
    gaps = []
    for part in growths():
        scaled = part.written * part.steps**part.order
        gaps.append(abs((2 * scaled[-1] - scaled[-2]) / part.limit - 1))
    rows = [["7/10", "3/10", 0], [0, "6/10", "4/10"], ["1/2", 0, "1/2"]]
    pmf = exact.chain_pmf(["20/47", "15/47", "12/47"], rows, 4)
    twin = psi(pmf)
    x, _ = possible_texts(tm.MarkovChain(CHAIN_A, 4))
    by_chain = dict(zip(map(tuple, x.tolist()), chain_psi(tm.MarkovChain(CHAIN_A, 4), x), strict=True))
    same = max(abs(by_chain[key] - int(v.p) / int(v.q)) for key, v in twin.items())
    by_law = abs(written_kl(tm.MarkovChain(CHAIN_A, 4), 3) - tm.marginal_kl(tm.MarkovChain(CHAIN_A, 4), uniform(3)))
    note = "margin: largest relative gap to the limit after one extrapolation"
    return decide(max(gaps) < 0.002 and same < 1e-12 and by_law < 1e-12, len(gaps) + len(twin) + 1, max(gaps), note)


@control("written-law-per-token", tier="float64")
def per_token_like_the_trajectory(results: Results) -> Outcome:
    """written-law-per-token with the rate 1/N of the trajectory KL for chains of full support: N KL keeps falling."""
    parts = [part for part in growths() if part.order == 2]
    ratios = [part.written[-1] * part.steps[-1] / (part.written[0] * part.steps[0]) for part in parts]
    return decide(min(ratios) > 0.9, len(ratios), min(ratios))


@control("written-law-per-token", tier="float64")
def per_token_uniformly(results: Results) -> Outcome:
    """written-law-per-token uniformly over chains, N^2 KL/L <= 1 for two symbols: a slow chain is above."""
    slow = tm.MarkovChain([[0.99, 0.01], [0.01, 0.99]], 8)
    return decide(64**2 * written_kl(slow, 64) / 8 <= 1, 1)


@control("written-law-per-token", tier="float64")
def per_token_unconditional(results: Results) -> Outcome:
    """written-law-per-token with kappa of neighbours alone, both ends masked: pi(y) pi(z) over impossible steps."""
    chain = tm.MarkovChain(CHAIN_A, 2)
    law = chain.initial
    naive = float(law @ (chain.transition == 0) @ law)
    part = growths()[0]
    return decide(abs(part.written[-1] * part.steps[-1] / naive - 1) < 0.01, 1, naive - part.limit)


@tightness("written-law-per-token", tier="float64")
def per_token_met(results: Results) -> Outcome:
    """written-law-per-token: at N = 128 each of the six chains is within 1% of its limit, without extrapolation."""
    ratios = [part.written[-1] * part.steps[-1] ** part.order / part.limit for part in growths()]
    gap = max(abs(r - 1) for r in ratios)
    return decide(gap < 0.01, len(ratios), gap)
