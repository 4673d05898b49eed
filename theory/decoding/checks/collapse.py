"""Drawn confidence collapses: KL grows like the square of the length, and generative perplexity improves."""

from itertools import product
from math import comb

import numpy as np
from flint import fmpq

from theory.decoding.checks.drawn_confidence import CHAIN, kept_by_marginals, laws
from theory.decoding.drawn import chain_law, iid_kl, iid_law, kept, product_law, rare_counts, written_law
from theory.decoding.low_commits import (
    chain_confidence,
    edge_constant,
    euler,
    kl_lower_bound,
    least_conditional,
    least_confidence,
    low_commits,
    tail,
    transported,
)
from theory.decoding.results import Results
from theory.ledger.instances import instances
from theory.ledger.registry import Outcome, check, control, decide, tightness
from toy_models.exact import LogSum
from toy_models.exact import trajectories as exact

TIES = ("leftmost", "uniform")
COINS = ([fmpq(9, 10), fmpq(1, 10)], [fmpq(3, 5), fmpq(2, 5)], [fmpq(2, 3), fmpq(1, 3)])
DICE = ([fmpq(3, 5), fmpq(3, 10), fmpq(1, 10)], [fmpq(2, 5), fmpq(2, 5), fmpq(1, 5)])
FAST_CHAIN = (["7/9", "2/9"], [["4/5", "1/5"], ["7/10", "3/10"]])  # M = 14/23 > exp(-h) = .5916


def counts_of(law: dict, letter: list[fmpq]) -> list[fmpq]:
    """Law of the number of tokens that are not most likely."""
    length = len(next(iter(law)))
    found = [fmpq(0)] * (length + 1)
    for x, p in law.items():
        found[sum(letter[v] != max(letter) for v in x)] += p
    return found


def bernoulli_sum(e: fmpq, length: int) -> list[fmpq]:
    """Law of sum of independent Bernoulli(e^m), m = 1..L."""
    law = [fmpq(1)] + [fmpq(0)] * length
    for m in range(1, length + 1):
        law = [law[k] * (1 - e**m) + (law[k - 1] * e**m if k else 0) for k in range(length + 1)]
    return law


@check("drawn-confidence-collapse", tier="rational")
def less_likely_symbols_are_bernoulli(results: Results) -> Outcome:
    """i.i.d. tokens: the number of less likely symbols is sum of Bernoulli(e^m), leftmost and uniform ties."""
    found = []
    cases = [(letter, length) for letter in COINS for length in (2, 3, 5 if results.profile == "full" else 4)]
    for letter, length in [*cases, *((letter, 3) for letter in DICE)]:
        e = 1 - sum((p for p in letter if p == max(letter)), fmpq(0))
        law = product_law(*[letter] * length)
        for ties in TIES:
            p = written_law(law, lambda q, y, ties=ties: kept(q, y, ties))
            found.append(counts_of(p, letter) == bernoulli_sum(e, length))
    return decide(all(found), len(found), note="two and three symbols, L <= 5")


@check("drawn-confidence-collapse", tier="rational")
def tail_and_data_processing(results: Results) -> Outcome:
    """P(# >= k) <= e^{k(k+1)/2}/(e; e)_inf; KL(q || p) >= KL of the counts, equal for two symbols and uniform ties."""
    found = []
    for e, length in product((fmpq(1, 10), fmpq(2, 5), fmpq(1, 3), fmpq(4, 5)), (1, 4, 8, 12)):
        law = bernoulli_sum(e, length)
        found += [sum(law[k:], fmpq(0)) <= tail(e, k) for k in range(length + 1)]
    for letter, length in product((*COINS, DICE[0]), (2, 3, 4)):
        e = 1 - max(letter)
        law, binomial = (
            product_law(*[letter] * length),
            [comb(length, k) * e**k * (1 - e) ** (length - k) for k in range(length + 1)],
        )
        counts = LogSum((b / c, b) for b, c in zip(binomial, bernoulli_sum(e, length), strict=True))
        for ties in TIES:
            gap = exact.divergence(law.pmf, written_law(law, lambda q, y, ties=ties: kept(q, y, ties))) - counts
            found.append(gap.is_zero() if len(letter) == 2 and ties == "uniform" else gap.sign() >= 0)
    return decide(all(found), len(found), note="KL(q || p) against KL of the number of less likely symbols")


@check("drawn-confidence-collapse", tier="float64")
def grows_like_the_square(results: Results) -> Outcome:
    """Two symbols, uniform ties: KL/L^2 falls to e^2 log(1/e)/2 as L doubles; -E_p log q < H(q); H(p) <= H(#) + E#
    log L.
    """
    found, last = [], 0.0
    for e in (0.1, 0.4, 1 / 3):
        limit = e**2 * np.log(1 / e) / 2
        ratios = [iid_kl(e, length) / length**2 / limit for length in (128, 256, 512, 1024)]
        gaps = np.array(ratios) - 1
        found.append(bool((gaps[1:] / gaps[:-1] < 0.62).all() and (gaps > 0).all()))  # halves as L doubles
        last = max(last, float(gaps[-1]))
        for length in (8, 64, 512):
            own, written, cross = iid_law(e, length)
            counts = rare_counts(e, length)
            here = counts[counts > 0]
            bound = -(here * np.log(here)).sum() + (counts @ np.arange(length + 1)) * np.log(length)
            found += [cross < own, written < cross, written <= bound + 1e-12]
    return decide(all(found), len(found), last, "margin: KL/L^2 over its limit, minus 1, at L = 1024")


@check("drawn-confidence-collapse", tier="float64")
def general_lower_bound(results: Results) -> Outcome:
    """(1/2) log(1/e) [L(h - log 1/M)/log(M/p_min)]^2 + log (e; e)_inf - L h <= KL where h > log 1/M, chain and
    i.i.d.
    """
    margins = []
    for length in (2, 3, 4, 5, 6) if results.profile == "full" else (2, 3, 4):
        law = chain_law(*FAST_CHAIN, length)
        h = float(law.entropy()) / length
        kl = float(exact.divergence(law.pmf, written_law(law)))
        margins.append(kl - lower_bound(float(least_confidence(law)), float(least_conditional(law)), h, length))
    for e, length in product((0.1, 0.4), (16, 128, 1024)):
        h = -e * np.log(e) - (1 - e) * np.log1p(-e)
        margins.append(iid_kl(e, length) - lower_bound(1 - e, e, h, length))
    return decide(min(margins) >= 0, len(margins), min(margins), "margin: nats")


def lower_bound(level: float, least: float, h: float, length: int) -> float:
    """The bound of the statement, for entropy h per token; nan where it says nothing."""
    if h <= np.log(1 / level):
        return np.nan
    e = 1 - level
    infinite = np.log1p(-(e ** np.arange(1, 400))).sum()
    k = length * (h - np.log(1 / level)) / np.log(level / least)
    return float(0.5 * np.log(1 / e) * k**2 + infinite - length * h)


@tightness("drawn-confidence-collapse", tier="float64")
def bound_is_sharp_for_coins(results: Results) -> Outcome:
    """Two symbols, e = .4, L = 4096: the general bound is within 3 percent of KL, and KL/L^2 within 1 percent of
    its limit.
    """
    e, length = 0.4, 4096 if results.profile == "full" else 1024
    h = -e * np.log(e) - (1 - e) * np.log1p(-e)
    kl = iid_kl(e, length)
    share = lower_bound(1 - e, e, h, length) / kl
    limit = e**2 * np.log(1 / e) / 2 * length**2 / kl
    allowed = 0.97 if length == 4096 else 0.9
    return decide(share > allowed and limit > 0.99, 2, 1 - share, "margin: 1 - bound/KL")


@control("drawn-confidence-collapse", tier="rational")
def marginal_confidence_writes_few_rare_symbols(results: Results) -> Outcome:
    """The count law with the position chosen from the marginals: Bernoulli(e^m) too."""
    letter = COINS[0]
    p = written_law(product_law(*[letter] * 3), kept_by_marginals)
    return decide(counts_of(p, letter) == bernoulli_sum(fmpq(1, 10), 3), 1, note="chosen before the draw: binomial")


@control("drawn-confidence-collapse", tier="float64")
def without_the_half(results: Results) -> Outcome:
    """The neighbour: KL/L^2 >= e^2 log(1/e)."""
    e, length = 0.4, 1024
    return decide(iid_kl(e, length) / length**2 >= e**2 * np.log(1 / e), 1, note="e = .4, L = 1024")


@control("drawn-confidence-collapse", tier="float64")
def grows_linearly(results: Results) -> Outcome:
    """The neighbour: KL(q || p) <= L log 2 for two symbols, as for every sampler whose tokens are drawn at once."""
    return decide(iid_kl(0.4, 64) <= 64 * np.log(2), 1, iid_kl(0.4, 64), "e = .4, L = 64: KL against 44.4")


@control("drawn-confidence-collapse", tier="float64")
def perplexity_sees_it(results: Results) -> Outcome:
    """The neighbour: what is written has a generative perplexity above exp H(q)/L."""
    own, _, cross = iid_law(0.1, 64)
    return decide(cross >= own, 1, cross / 64, "e = .1, L = 64, per token")


@check("drawn-confidence-quadratic", tier="rational")
def never_more_than_quadratic(results: Results) -> Outcome:
    """p(x) >= p_min^{L(L+1)/2} and KL <= L(L+1)/2 log(1/p_min) - H(q) on random laws, zeros included, and chains."""
    found = []
    for law in [*laws(5, instances(results, 15, 90)), *(chain_law(*CHAIN, n) for n in (1, 3, 5))]:
        p, least = written_law(law), least_conditional(law)
        pairs = law.length * (law.length + 1) // 2
        found += [p[x] >= least**pairs for x in law.pmf]
        allowed = LogSum([(least, fmpq(-pairs))]) - law.entropy()
        found.append((allowed - exact.divergence(law.pmf, p)).sign() >= 0)
    return decide(all(found), len(found), note="(i)")


@check("drawn-confidence-quadratic", tier="rational")
def low_commits_are_rare(results: Results) -> Outcome:
    """p(x) <= e^{k(k+1)/2}/(e; e)_inf with k = k(x), and the bound on KL, on random laws and chains, M the largest
    allowed.
    """
    found, margins = [], []
    chains = [
        chain_law(*chain, n)
        for chain in (CHAIN, FAST_CHAIN)
        for n in (2, 4, *((6,) if results.profile == "full" else ()))
    ]
    for law in [*laws(6, instances(results, 15, 90), zeros=0.0), *chains]:
        level = least_confidence(law)
        p = written_law(law)
        found += [p[x] <= tail(1 - level, low_commits(law, x, level)) for x in law.pmf]
        gap = exact.divergence(law.pmf, p) - kl_lower_bound(law, level)
        found.append(gap.sign() >= 0)
        margins.append(float(gap))
    return decide(all(found), len(found), min(margins), "(ii); margin: nats")


@check("drawn-confidence-quadratic", tier="rational")
def chains_have_such_words(results: Results) -> Outcome:
    """(iii) for the chain (.7,.3),(.2,.8): M = 78/155 > 1/2 over all contexts; prod over a window <= C q(window);
    k(x) >= 1.
    """
    bridge = chain_confidence(*CHAIN, 12)
    constant = edge_constant(*CHAIN)
    length, window = (9, range(1, 8)) if results.profile == "full" else (7, range(1, 6))
    law = chain_law(*CHAIN, length)
    word = tuple(k % 2 for k in range(len(window)))
    around = [x for x in law.pmf if x[1:-1] == word]
    ratios = [transported(law, x, window) for x in around]
    level = bridge.value
    found = [level == fmpq(78, 155), level > fmpq(1, 2), *(float(r) <= constant for r in ratios)]
    found += [low_commits(law, x, level) >= 1 for x in around]
    alternating = {n: 0.6 * 0.06 ** ((n - 1) // 2) for n in range(3, 40)}  # q(abab..) at most, n tokens
    found.append(any(constant * q < float(level) ** n for n, q in alternating.items()))
    worst = max(map(float, ratios))
    return decide(all(found), len(found), constant - worst, f"C = {constant:.1f}, largest ratio met {worst:.3f}")


@check("drawn-confidence-quadratic", tier="float64")
def the_quadratic_is_seen(results: Results) -> Outcome:
    """The same chain, exact KL at L = 1, 2, ..: second differences from L = 3 on lie in (.25, .4)."""
    kl = [w.kl for w in results.collapse.drawn]
    second = np.diff(kl, 2)[1:]  # KL(L+1) - 2 KL(L) + KL(L-1), L = 3, 4, ..
    known = {2: 0.1218319575, 4: 1.1689902033, 6: 3.5075712506, 8: 7.1537916405}
    close = [abs(w.kl - known[w.length]) < 5e-10 for w in results.collapse.drawn if w.length in known]
    return decide(
        bool(((second > 0.25) & (second < 0.4)).all()) and all(close), len(second) + len(close), float(second.min())
    )


@tightness("drawn-confidence-quadratic", tier="float64")
def low_commits_are_sharp_for_coins(results: Results) -> Outcome:
    """(ii) for two symbols, M = pi: k(x) is the number of rare symbols; the bound is within 10 percent of KL at L =
    1024.
    """
    e, length = 0.4, 1024
    mean, second = e * length, e * (1 - e) * length + (e * length) ** 2
    h = -e * np.log(e) - (1 - e) * np.log1p(-e)
    bound = 0.5 * np.log(1 / e) * (second + mean) + float(np.log(float(euler(fmpq(2, 5))))) - length * h
    share = bound / iid_kl(e, length)
    return decide(0.9 < share <= 1, 1, 1 - share, "margin: 1 - bound/KL")


@control("drawn-confidence-quadratic", tier="rational")
def low_commits_twice_as_rare(results: Results) -> Outcome:
    """(ii) with e^{k(k+1)}: a text with k low commits twice as rare."""
    law = product_law(*[COINS[1]] * 4)
    e, p = fmpq(2, 5), written_law(law)
    found = [p[x] <= tail(e**2, low_commits(law, x, 1 - e)) for x in law.pmf]
    return decide(all(found), len(found), note="four coins of (.6, .4)")


@control("drawn-confidence-quadratic", tier="rational")
def every_chain_is_quadratic(results: Results) -> Outcome:
    """(iii) without M > 1/V: the uniform chain has KL > 0."""
    law = chain_law(["1/2", "1/2"], [["1/2", "1/2"], ["1/2", "1/2"]], 4)
    return decide(not exact.divergence(law.pmf, written_law(law)).is_zero(), 1, note="fair coins are written right")


@control("drawn-confidence-quadratic", tier="rational")
def level_above_the_least_confidence(results: Results) -> Outcome:
    """(ii) with a level above M: some mask then has no token that high, and the misses are not so rare."""
    law = chain_law(*CHAIN, 4)
    level = fmpq(9, 10)
    p = written_law(law)
    found = [p[x] <= tail(1 - level, low_commits(law, x, level)) for x in law.pmf]
    return decide(all(found), len(found), note="chain, level .9 in place of M = 21/40")
