"""Closed forms on the pair language."""

from math import comb, factorial

import numpy as np
from flint import fmpq

import toy_models as tm
from theory.ledger.instances import all_hold
from theory.ledger.registry import Outcome, check, control, decide, not_claimed_tight
from theory.sequence_error.checks.instances import minus_log, rational_pairs
from theory.sequence_error.results import Results
from toy_models import exact
from toy_models.exact import curves as ec
from toy_models.exact import decide_equal
from toy_models.targets.pair_language import pair_validity


@check("pair-independent-formula", tier="rational")
def pair_independent(results: Results) -> Outcome:
    """pair-independent-formula: 1 - SER = (1 - (1 - 1/K) sum Delta_j^2)^(L/2)."""
    rng, verdicts = np.random.default_rng(25), []
    for K, length in ((2, 2), (2, 4), (3, 2)):
        pmf = rational_pairs(K, length)
        for _ in range(4):
            weights = ec.random_weights(rng, 3)
            written, _ = exact.law(pmf, exact.independent_stages([f"{w.p}/{w.q}" for w in weights]))
            rho = sum((w * w for w in weights), fmpq(0))
            formula = (1 - (1 - fmpq(1, K)) * rho) ** (length // 2)
            verdicts.append("PROVED" if exact.support_mass(pmf, written) == formula else "REFUTED")
    return all_hold(verdicts)


@control("pair-independent-formula", tier="rational")
def pair_independent_without_k(results: Results) -> Outcome:
    """pair-independent-formula with every collision counted as an error."""
    pmf = rational_pairs(2, 4)
    written, _ = exact.law(pmf, exact.independent_stages(["1/3"] * 3))
    return decide(exact.support_mass(pmf, written) == fmpq(2, 3) ** 2, 1)


not_claimed_tight("pair-independent-formula", "an identity")


@check("pair-fixed-formula", tier="rational")
def pair_fixed(results: Results) -> Outcome:
    """pair-fixed-formula: 1 - SER = E[K^-M], against the rational law and the generating function of the page."""
    verdicts = []
    for K, length, sizes in (
        (2, 4, (2, 2)),
        (2, 4, (1, 3)),
        (2, 4, (3, 1)),
        (2, 4, (4,)),
        (3, 2, (1, 1)),
        (3, 2, (2,)),
    ):
        pmf = rational_pairs(K, length)
        written, _ = exact.law(pmf, exact.fixed_size_stages(sizes))
        formula = _generating_function(K, length, sizes)
        verdicts.append("PROVED" if exact.support_mass(pmf, written) == formula else "REFUTED")
        gap = abs(pair_validity(K, length, tm.RandomOrder(sizes)) - float(int(formula.p) / int(formula.q)))
        verdicts.append("PROVED" if gap < 1e-13 else "REFUTED")
    return all_hold(verdicts)


def _generating_function(K: int, length: int, sizes) -> fmpq:
    """(prod s_j!/L!) sum_R C(L/2, R) (-(1 - 1/K))^R R! (L - 2R)! [t^R] prod_j sum_r t^r / (r! (s_j - 2r)!)."""
    series = [fmpq(1)]
    for s in sizes:
        factor = [fmpq(1, factorial(r) * factorial(s - 2 * r)) for r in range(s // 2 + 1)]
        longer = [fmpq(0)] * (len(series) + len(factor) - 1)
        for i, a in enumerate(series):
            for j, b in enumerate(factor):
                longer[i + j] += a * b
        series = longer
    front = fmpq(1, factorial(length))
    for s in sizes:
        front *= factorial(s)
    total = fmpq(0)
    for r in range(min(len(series), length // 2 + 1)):
        sign = (-(1 - fmpq(1, K))) ** r
        total += comb(length // 2, r) * sign * factorial(r) * factorial(length - 2 * r) * series[r]
    return front * total


@control("pair-fixed-formula", tier="rational")
def pair_fixed_as_independent(results: Results) -> Outcome:
    """pair-fixed-formula replaced by the formula of independent reveal."""
    pmf = rational_pairs(2, 4)
    written, _ = exact.law(pmf, exact.fixed_size_stages([2, 2]))
    return decide(exact.support_mass(pmf, written) == (1 - fmpq(1, 2) * fmpq(1, 2)) ** 2, 1)


not_claimed_tight("pair-fixed-formula", "an identity")


@check("ter-easy-ser-hard", tier="rational")
def easy_and_hard(results: Results) -> Outcome:
    """ter-easy-ser-hard: SER = 1 - exp(-L * excess log TER) on the pair language, any schedule."""
    rng, verdicts = np.random.default_rng(26), []
    for K, length in ((2, 2), (2, 4), (3, 2)):
        pmf = rational_pairs(K, length)
        for _ in range(3):
            weights = ec.random_weights(rng, 3)
            written, _ = exact.law(pmf, exact.independent_stages([f"{w.p}/{w.q}" for w in weights]))
            verdicts.append(decide_equal(minus_log(exact.support_mass(pmf, written)), exact.kl(pmf, written)))
    return all_hold(verdicts)


@control("ter-easy-ser-hard", tier="rational")
def easy_and_hard_elsewhere(results: Results) -> Outcome:
    """ter-easy-ser-hard claimed for a language that is not uniform on its support."""
    pmf = exact.chain_pmf(["20/47", "15/47", "12/47"], [["7/10", "3/10", 0], [0, "6/10", "4/10"], ["1/2", 0, "1/2"]], 3)
    written, _ = exact.law(pmf, exact.independent_stages(["1/2"] * 2))
    return all_hold([decide_equal(minus_log(exact.support_mass(pmf, written)), exact.kl(pmf, written))])


not_claimed_tight("ter-easy-ser-hard", "an identity")
