"""Schedules that know only the budget or a correlation."""

from functools import cache
from itertools import product
from math import ceil, log

import numpy as np
from flint import fmpq

import toy_models as tm
from theory import exact_curves as ec
from theory.checks.common import all_hold, instances
from theory.checks.perplexity.instances import families, rational_repetition, tc_dtc
from theory.perplexity import Results
from theory.registry import (
    Outcome,
    check,
    control,
    decide,
    sharper,
    tightness,
)
from toy_models import exact
from toy_models.exact import LogSum, decide_at_most, decide_equal
from toy_models.optimal_schedules import _tc_sizes, odds_geometric_bound, sizes_cost, weights_cost


@check("ccl-thm-9", tier="float64")
def ccl_thm_9(results: Results) -> Outcome:
    """ccl-thm-9: the TC (DTC) construction has error <= epsilon within 2 + (1 + log n)(1 + ceil(TC/epsilon)) steps."""
    margins, few = [], True
    for g in families(64).values():
        tc, dtc = tc_dtc(g)
        for epsilon in (0.3, 1.0, 3.0, 10.0):
            for value, mirror in ((tc, False), (dtc, True)):
                zeta = 1 + ceil(value / epsilon)
                sizes = np.array(_tc_sizes(64, zeta) if zeta < 65 else [1] * 64)
                few = few and len(sizes) <= 2 + (1 + log(64)) * zeta
                margins.append(1 - sizes_cost(g, sizes[::-1] if mirror else sizes) / epsilon)
    return decide(few and min(margins) >= 0, len(margins), min(margins), "margin: share of epsilon left over")


@check("ccl-thm-9", tier="rational")
def ccl_thm_9_on_random_laws(results: Results) -> Outcome:
    """ccl-thm-9 with zeta = 1 + ceil(TC/epsilon): error <= TC/(zeta - 1) (DTC, mirrored), within 2 + (1 + log n) zeta.

    TC/(zeta - 1) is the least epsilon with this zeta, so the comparison needs no ceiling.
    """
    rng, verdicts = np.random.default_rng(30), []
    for k in range(instances(results)):
        vocab_size, length = ((2, 3), (3, 3), (2, 4), (2, 5))[k % 4]
        zeta, g = 2 + k // 4 % 2, ec.curve(ec.random_pmf(rng, vocab_size, length, (0.0, 0.3, 0.6)[k % 3]))
        sizes = _tc_sizes(length, zeta)
        verdicts.append(g.at_most(ec.sizes_row(sizes), ec.tc_row(length) * fmpq(1, zeta - 1)))
        verdicts.append(g.at_most(ec.sizes_row(sizes[::-1]), ec.dtc_row(length) * fmpq(1, zeta - 1)))
    for length, zeta in product((3, 4, 5), (2, 3)):
        extra = LogSum(constant=len(_tc_sizes(length, zeta)) - 2 - zeta)
        verdicts.append(decide_at_most(extra, exact.log_sum.log(length).scaled(zeta)))
    return all_hold(verdicts)


@tightness("ccl-thm-9", tier="float64")
def ccl_thm_9_tight(results: Results) -> Outcome:
    """ccl-thm-9: the error of an MDS code reaches half of some epsilon."""
    g = families(64)["MDS"]
    tc, _ = tc_dtc(g)
    ratios = [sizes_cost(g, np.array(_tc_sizes(64, 1 + ceil(tc / e)))) / e for e in np.geomspace(2, tc, 40)]
    return decide(0.5 <= max(ratios) <= 1, 40, 1 - max(ratios))


@control("ccl-thm-9", tier="float64")
def ccl_thm_9_swapped(results: Results) -> Outcome:
    """ccl-thm-9 with TC and DTC exchanged: the decreasing sizes chosen by DTC on repetition."""
    g = families(64)["repetition"]
    _, dtc = tc_dtc(g)
    return decide(sizes_cost(g, np.array(_tc_sizes(64, 1 + ceil(dtc / 1.0)))) <= 1.0, 1)


@check("li-cai-thm-1", tier="rational")
def li_cai(results: Results) -> Outcome:
    """li-cai-thm-1: E KL <= (2^ceil(log2 s_max) - 1)/L sum_i I(X_i; X_-i)."""
    return _li_cai(results, lambda s: 2 ** (s - 1).bit_length() - 1)


@sharper("li-cai-thm-1", tier="rational")
def li_cai_sharp(results: Results) -> Outcome:
    """li-cai-thm-1 with the factor s_max - 1."""
    return _li_cai(results, lambda s: s - 1)


def _li_cai(results: Results, factor) -> Outcome:
    verdicts = []
    for g, sizes in _li_cai_instances(instances(results)):
        bound = ec.drop_row(len(g)) * fmpq(factor(max(sizes)), len(g))
        verdicts.append(g.at_most(ec.sizes_row(sizes), bound))
    return all_hold(verdicts)


@cache
def _li_cai_instances(count: int) -> list[tuple[ec.Curve, list[int]]]:
    """Random curves with random sizes, the same for the statement, its sharper form and the control."""
    rng = np.random.default_rng(14)
    return [(ec.curve(pmf), ec.random_sizes(rng, pmf.ndim)) for pmf in ec.random_pmfs(14, count)]


@tightness("li-cai-thm-1", tier="rational")
def li_cai_equality(results: Results) -> Outcome:
    """li-cai-thm-1: repetition with s_1 = s_max reaches (s_max - 1)/L exactly."""
    g = ec.curve(rational_repetition(2, 4))
    return all_hold([decide_equal(g.at(ec.sizes_row([2, 1, 1])), g.at(ec.drop_row(4) * fmpq(1, 4)))], 0.0)


@control("li-cai-thm-1", tier="rational")
def li_cai_too_small(results: Results) -> Outcome:
    """li-cai-thm-1 with the factor s_max - 2."""
    return _li_cai(results, lambda s: max(s - 2, 0))


@check("odds-geometric", tier="float64")
def odds_geometric(results: Results) -> Outcome:
    """odds-geometric: E KL <= kappa min(TC, DTC) + delta (TC + DTC), a schedule that knows only N."""
    margins = []
    for g in families(256).values():
        tc, dtc = tc_dtc(g)
        for steps in (4, 8, 16, 32, 64):
            kappa, delta = odds_geometric_bound(steps)
            bound = kappa * min(tc, dtc) + delta * (tc + dtc)
            margins.append(1 - weights_cost(g, tm.odds_geometric_weights(steps)) / bound)
    return decide(min(margins) >= 0, len(margins), min(margins), "margin: share of the bound left over")


@tightness("odds-geometric", tier="float64")
def odds_geometric_tight(results: Results) -> Outcome:
    """odds-geometric: some MDS code reaches a quarter of the bound."""
    steps, ratios = 16, []
    kappa, delta = odds_geometric_bound(steps)
    for k in range(1, 1024, 8):
        g = np.where(np.arange(1024) < k, 1.0, 0.0)
        tc, dtc = tc_dtc(g)
        bound = kappa * min(tc, dtc) + delta * (tc + dtc)
        ratios.append(weights_cost(g, tm.odds_geometric_weights(steps)) / bound)
    return decide(0.25 < max(ratios) <= 1, len(ratios), 1 - max(ratios))


@control("odds-geometric", tier="float64")
def odds_geometric_uniform(results: Results) -> Outcome:
    """odds-geometric: the same bound claimed for the uniform grid (repetition, L = 1024, N = 64)."""
    g = tm.information_curve(tm.repetition(4, 1024))
    tc, dtc = tc_dtc(g)
    kappa, delta = odds_geometric_bound(64)
    return decide(weights_cost(g, np.full(64, 1 / 64)) <= kappa * min(tc, dtc) + delta * (tc + dtc), 1)
