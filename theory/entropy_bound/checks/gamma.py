"""What gamma promises, and with whose entropies."""

from itertools import product

import numpy as np
from flint import fmpq

import toy_models as tm
from theory.entropy_bound.checks.instances import ROUNDING, SIZES, copies, largest, laws, oracle
from theory.entropy_bound.results import PROXIES, Results
from theory.ledger.instances import instances
from theory.ledger.registry import Outcome, check, condition, control, decide, not_claimed_tight, tightness
from toy_models.exact import LogSum
from toy_models.exact import trajectories as exact


@check("eb-kl-gamma", tier="rational")
def kl_is_at_most_gamma_per_multi_call(results: Results) -> Outcome:
    """KL <= gamma E[calls that reveal two or more], decided exactly for three proxies and four gamma per law."""
    found = []
    for law in laws(7, instances(results, 12, 84)):
        for proxy, gamma in product(PROXIES, (fmpq(0), fmpq(1, 3), fmpq(1), fmpq(2))):
            choose = exact.choose_by(tm.EntropyBounded(float(gamma), proxy), oracle(law), law.vocab_size)
            _, dependence = exact.error_parts(law, oracle(law), choose)
            multi = sum((w for _, s, w in exact.visits(law, choose) if len(s) >= 2), fmpq(0))
            found.append((LogSum((), gamma * multi) - dependence).sign() >= 0)
    return decide(all(found), len(found), note="KL <= gamma * E[calls that reveal two or more]")


@check("eb-kl-gamma", tier="float64")
def kl_along_every_sweep(results: Results) -> Outcome:
    """KL <= E sum of bounds <= gamma E[multi] and E[multi] <= floor(L/2) along every EB sweep."""
    margins = []
    for case in results.cases:
        for curve in case.curves:
            if curve.family.startswith("EB"):
                finite = np.isfinite(curve.parameter)
                allowed = (curve.parameter * curve.multi)[finite]
                margins += [(curve.bound - curve.kl).min(), (allowed - curve.bound[finite]).min()]
                margins.append((case.length // 2 - curve.multi).min())
    return decide(
        min(margins) >= -ROUNDING, len(margins), note="KL <= E sum of bounds <= gamma E[multi] <= gamma floor(L/2)"
    )


@tightness("eb-kl-gamma", tier="float64")
def pairs_are_tight(results: Results) -> Outcome:
    """m pairs of K values at gamma = log K, K = 2..10 and 27, any proxy: KL = gamma m and m calls reveal two tokens."""
    gaps = []
    for size, count in [*product(range(2, 11), (1, 2)), (2, 3), (3, 3), (5, 3), (27, 1)]:
        target, gamma = tm.pairs(size, 2 * count), np.log(size)
        for proxy in PROXIES:
            value = tm.rules.evaluate_rule(target, tm.EntropyBounded(gamma, proxy))
            gaps.append(abs(value.kl - gamma * count) + abs(value.multi_calls - count))
    return decide(max(gaps) < ROUNDING, len(gaps), max(gaps), "gamma = log K on pairs: KL = gamma floor(L/2)")


@control("eb-kl-gamma", tier="float64")
def kl_is_at_most_gamma(results: Results) -> Outcome:
    """The factor E[calls] dropped: KL <= gamma for a whole run."""
    value = tm.rules.evaluate_rule(tm.pairs(2, 6), tm.EntropyBounded(np.log(2)))
    return decide(value.kl <= np.log(2) + ROUNDING, 1, value.kl, "three pairs, gamma = log 2: KL = 3 log 2")


@control("eb-kl-gamma", tier="float64")
def kl_bound_for_a_wrong_model(results: Results) -> Outcome:
    """The bound for a smoothed or sharpened model: KL <= gamma E[calls]."""
    found = [bool((d.kl <= d.gamma * d.calls + ROUNDING).all()) for d in results.decompositions]
    return decide(all(found), len(found), note="with a smoothed or sharpened model the bound fails")


@check("eb-gamma-zero", tier="rational")
def gamma_zero_is_one_token_per_call(results: Results) -> Outcome:
    """At gamma = 0 three tokens take three calls, decided on x2 = x1, x3 free."""
    pmf = {(a, a, b): fmpq(1, 4) for a in range(2) for b in range(2)}
    law = exact.RationalLaw(pmf, 2, 3)
    choose = exact.choose_by(tm.EntropyBounded(0.0), oracle(law), 2)
    calls = sum((w for _, _, w in exact.visits(law, choose)), fmpq(0))
    return decide(
        calls == 3, 1, note=f"x2 = x1, x3 free: {calls} calls for three tokens, the determined one rides along"
    )


@condition("eb-gamma-zero", tier="rational")
def gamma_zero_with_positive_entropies(results: Results) -> Outcome:
    """At gamma = 0 a call reveals one token if the law has full support; else all determined tokens and one more.

    Three proxies; the KL is zero either way.
    """
    found = []
    rng = np.random.default_rng(8)
    for k in range(9):
        law = exact.random_law(*SIZES[k % 3], rng, zeros=0.0)
        for proxy in PROXIES:
            choose = exact.choose_by(tm.EntropyBounded(0.0, proxy), oracle(law), law.vocab_size)
            found += [len(s) == 1 for _, s, _ in exact.visits(law, choose)]
    for law, proxy in product([*laws(9, 12), copies(3)], PROXIES):
        choose = exact.choose_by(tm.EntropyBounded(0.0, proxy), oracle(law), law.vocab_size)
        found.append(exact.error_parts(law, oracle(law), choose)[1].is_zero())
        for y, subset, _ in exact.visits(law, choose):
            determined = {i for i in exact.masked(y) if max(law.marginal(y, i)) == 1}
            more = min(len(exact.masked(y)) - len(determined), 1)
            found.append(determined <= set(subset) and len(subset) == len(determined) + more)
    return decide(all(found), len(found), note="one per call when no masked token is determined; always zero error")


@control("eb-gamma-zero", tier="rational")
def determined_tokens_end_a_run(results: Results) -> Outcome:
    """At gamma = 0 the determined tokens would come alone, without one more."""
    law = copies(3)
    choose = exact.choose_by(tm.EntropyBounded(0.0), oracle(law), 2)
    sizes = [len(subset) for _, subset, _ in exact.visits(law, choose)]
    return decide(max(sizes) == 1, len(sizes), note="three copies: one token, then two")


@control("eb-gamma-zero", tier="rational")
def small_gamma_has_no_error(results: Results) -> Outcome:
    """gamma = 1/2 would be as free of error as gamma = 0: joint dependence zero on every law."""
    found = []
    for law in laws(9, 12):
        choose = exact.choose_by(tm.EntropyBounded(0.5), oracle(law), law.vocab_size)
        found.append(exact.error_parts(law, oracle(law), choose)[1].is_zero())
    return decide(all(found), len(found), note="gamma = 0.5")


not_claimed_tight("eb-gamma-zero", "an identity")


def overconfident(y, i) -> list[fmpq]:
    return [fmpq(99, 100), fmpq(1, 100)]


@check("eb-model-entropies", tier="rational")
def model_criterion_bounds_the_data(results: Results) -> Outcome:
    """sum H(p_l) - max H(p_l) >= TC of the data, with the marginals of an overconfident model of a copied bit."""
    criterion = exact.entropy_of(overconfident(None, 0))  # two equal entropies: sum - max is one of them
    tc = copies(2).total_correlation((tm.MASK,) * 2, (0, 1))
    note = (
        f"for this reading: a copied fair bit, model (.99, .01), criterion {float(criterion):.4f}, TC {float(tc):.4f}"
    )
    return decide((criterion - tc).sign() >= 0, 1, float(criterion - tc), note)


@condition("eb-model-entropies", tier="rational")
def exact_criterion_bounds_the_data(results: Results) -> Outcome:
    """sum H_l - max H_l >= TC(U | y) at every visit, with the marginals of q itself."""
    found = []
    for law in laws(10, instances(results, 20, 200)):
        choose = exact.choose_by(tm.EntropyBounded(0.6), oracle(law), law.vocab_size)
        for y, subset, _ in exact.visits(law, choose):
            alone = [exact.entropy_of(law.marginal(y, i)) for i in subset]
            bound = sum(alone, LogSum()) - alone[largest(alone)]
            found.append((bound - law.total_correlation(y, subset)).sign() >= 0)
    return decide(all(found), len(found), note="with q's own marginals")


@control("eb-model-entropies", tier="rational")
def overconfidence_costs_nothing_else(results: Results) -> Outcome:
    """The overconfident model would have no model error: the first part of the KL zero."""
    law = copies(2)
    error, _ = exact.error_parts(law, overconfident, lambda y: exact.masked(y))
    return decide(error.is_zero(), 1, float(error), f"model error {float(error):.3f} nats pays for it")


not_claimed_tight("eb-model-entropies", "refuted as stated; with exact marginals it is the bound, tight for copies")


@check("eb-binary-proxies", tier="rational")
def proxies_agree_on_two_symbols(results: Results) -> Outcome:
    """V = 2: confidence, margin and negative entropy order every pair of rational laws (p, 1-p) alike."""
    cells = instances(results, 24, 32)
    grid = [fmpq(k, cells) for k in range(cells + 1)]
    form = {p: exact.entropy_of([p, 1 - p]) for p in grid}
    found = []
    for a, b in product(grid, repeat=2):
        confidence = (max(a, 1 - a) > max(b, 1 - b)) - (max(a, 1 - a) < max(b, 1 - b))
        margin = (abs(2 * a - 1) > abs(2 * b - 1)) - (abs(2 * a - 1) < abs(2 * b - 1))
        found.append(confidence == margin == (form[b] - form[a]).sign())
    return decide(all(found), len(found), note="the order is that of |p - 1/2|")


@control("eb-binary-proxies", tier="rational")
def proxies_agree_on_three_symbols(results: Results) -> Outcome:
    """V = 3: confidence and negative entropy would order (1/2, 1/2, 0) and (3/5, 1/5, 1/5) alike."""
    a, b = [fmpq(1, 2), fmpq(1, 2), fmpq(0)], [fmpq(3, 5), fmpq(1, 5), fmpq(1, 5)]
    entropy = (exact.entropy_of(b) - exact.entropy_of(a)).sign() > 0
    return decide(
        (a[0] > b[0]) == entropy, 1, note="(1/2, 1/2, 0) has less entropy and less confidence than (3/5, 1/5, 1/5)"
    )


not_claimed_tight("eb-binary-proxies", "an equivalence of orders")
