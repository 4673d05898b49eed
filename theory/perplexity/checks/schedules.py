"""Schedules that know only the budget or a correlation."""

from math import ceil

import numpy as np
from flint import fmpq
from scipy.stats import binom

import toy_models as tm
from theory.ledger.instances import all_hold
from theory.ledger.registry import Outcome, check, control, decide, sharper, tightness
from theory.perplexity.checks.instances import families, library_agrees, rational_repetition, tc_dtc
from theory.perplexity.rays import at_most_for_every_language, compositions, ray_values, sizes_rays
from theory.perplexity.results import Results
from toy_models import exact
from toy_models.exact import LogSum, decide_at_most, decide_equal
from toy_models.exact import curves as ec
from toy_models.schedules.budget import odds_geometric_bound, shrinking_sizes
from toy_models.schedules.optimal import sizes_cost, weights_cost


@check("ccl-thm-9", tier="rational")
def ccl_thm_9(results: Results) -> Outcome:
    """ccl-thm-9: error <= TC/(zeta - 1) (DTC, mirrored) within 2 + (1 + log n) zeta steps, every language, every zeta.

    zeta = 1 + ceil(TC/epsilon), so TC/(zeta - 1) is the least epsilon with this zeta; n <= 40 (79 on the full profile).
    """
    verdicts = []
    for length in range(2, 80 if results.profile == "full" else 41):
        for zeta in range(2, length + 1):
            sizes = shrinking_sizes(length, zeta)
            left = length - np.cumsum([0, *sizes[:-1]])
            verdicts.append(_same(sizes == [max(m // zeta, 1) for m in left.tolist()] and sum(sizes) == length))
            for part, rays in ((sizes, range(length - 1, 0, -1)), (sizes[::-1], range(1, length))):  # TC, DTC of ray k
                cost = sizes_rays(part)
                holds = all(c * (zeta - 1) <= value for c, value in zip(cost, rays, strict=True))
                verdicts.append("PROVED" if holds else "REFUTED")
            extra = LogSum(constant=len(sizes) - 2 - zeta)
            verdicts.append(decide_at_most(extra, exact.log_sum.log(length).scaled(zeta)))
        row, rule = ec.sizes_row(sizes), tm.RandomOrder(sizes)
        verdicts += [library_agrees(rule, row), _same(sizes_rays(sizes) == ray_values(row)[:-1])]
    return all_hold(verdicts)


def _same(holds: bool) -> str:
    return "PROVED" if holds else "REFUTED"


@tightness("ccl-thm-9", tier="float64")
def ccl_thm_9_tight(results: Results) -> Outcome:
    """ccl-thm-9: the error of an MDS code reaches half of some epsilon."""
    g = families(64)["MDS"]
    tc, _ = tc_dtc(g)
    ratios = [sizes_cost(g, np.array(shrinking_sizes(64, 1 + ceil(tc / e)))) / e for e in np.geomspace(2, tc, 40)]
    return decide(0.5 <= max(ratios) <= 1, 40, 1 - max(ratios))


@control("ccl-thm-9", tier="float64")
def ccl_thm_9_swapped(results: Results) -> Outcome:
    """ccl-thm-9 with TC and DTC exchanged: the decreasing sizes chosen by DTC on repetition."""
    g = families(64)["repetition"]
    _, dtc = tc_dtc(g)
    return decide(sizes_cost(g, np.array(shrinking_sizes(64, 1 + ceil(dtc / 1.0)))) <= 1.0, 1)


@check("li-cai-thm-1", tier="rational")
def li_cai(results: Results) -> Outcome:
    """li-cai-thm-1: E KL <= (2^ceil(log2 s_max) - 1)/L sum_i I(X_i; X_-i)."""
    return _li_cai(results, lambda s: 2 ** (s - 1).bit_length() - 1)


@sharper("li-cai-thm-1", tier="rational")
def li_cai_sharp(results: Results) -> Outcome:
    """li-cai-thm-1 with the factor s_max - 1."""
    return _li_cai(results, lambda s: s - 1)


def _li_cai(results: Results, factor) -> Outcome:
    """All sizes of length <= 9, every language; the unrefined sizes are compared with the library."""
    verdicts = []
    for length in range(2, 10):
        for sizes in compositions(length):
            row = ec.sizes_row(sizes)
            bound = ec.drop_row(length) * fmpq(factor(max(sizes)), length)
            verdicts.append(at_most_for_every_language(row, bound))
            if len(sizes) <= 3:
                verdicts.append(library_agrees(tm.RandomOrder(sizes), row))
    return all_hold(verdicts)


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
    """odds-geometric: E KL <= kappa B + (TC + DTC)/N^2 for every language of length 16, 64 and 128, N = 3, .., 32.

    B = L int a (1-a) (-h') is k (L-k)/(L+1) on the ray k. kappa is what the cuts do: inner steps multiply the odds
    by 1 + kappa, end steps have width 1/N^2; the library's bound states the same numbers.
    """
    margins, same = [], []
    for steps in (3, 4, 8, 16, 32):
        weights = tm.odds_geometric_weights(steps)
        kappa, delta = odds_geometric_bound(steps)
        cuts = np.cumsum(weights)[:-1]
        odds = cuts / (1 - cuts)
        same += [abs(odds[1:] / odds[:-1] / (1 + kappa) - 1).max(), abs(weights[[0, -1]] * steps**2 - 1).max()]
        same.append(abs(delta * steps**2 - 1))
        margins.append(1 - max(_odds_ratio(length, steps) for length in (16, 64, 128)))
    holds = min(margins) >= 0 and max(same) < 1e-10
    return decide(holds, 3 * len(margins), min(margins), "margin: share of the bound left over")


@check("odds-geometric", tier="rational")
def odds_geometric_harmonic(results: Results) -> Outcome:
    """odds-geometric: B <= TC DTC/(TC + DTC) <= min(TC, DTC) on random curves, with equality for no [L, k] ray."""
    rng, verdicts = np.random.default_rng(16), []
    for length in range(2, 12):
        drops = [fmpq(int(d), 10) for d in rng.integers(0, 10, size=length - 1) + np.eye(length - 1, dtype=int)[0]]
        tc = sum((d * (length - k) for k, d in enumerate(drops, start=1)), fmpq(0))
        dtc = sum((d * k for k, d in enumerate(drops, start=1)), fmpq(0))
        b = sum((d * fmpq(k * (length - k), length + 1) for k, d in enumerate(drops, start=1)), fmpq(0))
        verdicts.append(_same(b < tc * dtc / (tc + dtc) <= min(tc, dtc)))
    return all_hold(verdicts)


def _odds_ratio(length: int, steps: int) -> float:
    """max over the rays k of E KL/(kappa k (L-k)/(L+1) + L/N^2)."""
    kappa, delta = odds_geometric_bound(steps)
    weights, place = tm.odds_geometric_weights(steps), np.arange(length)
    k = place[1:]
    cost = np.array([weights_cost((place < ray).astype(float), weights) for ray in k])
    return float((cost / (kappa * k * (length - k) / (length + 1) + delta * length)).max())


@tightness("odds-geometric", tier="float64")
def odds_geometric_tight(results: Results) -> Outcome:
    """odds-geometric: an MDS code that concentrates just right of an early cut reaches 93% of it, L = 2 10^6, N = 64.

    h(a) of the ray k is a binomial tail, P(Bin(L - 1, a) < k).
    """
    length, k, steps = 2 * 10**6, 165_078, 64
    weights = tm.odds_geometric_weights(steps)
    kappa, delta = odds_geometric_bound(steps)
    cost = length * float(weights @ binom.cdf(k - 1, length - 1, np.cumsum(weights) - weights)) - k
    ratio = cost / (kappa * k * (length - k) / (length + 1) + delta * length)
    return decide(0.93 < ratio <= 1, 1, 1 - ratio)


@control("odds-geometric", tier="float64")
def odds_geometric_uniform(results: Results) -> Outcome:
    """odds-geometric: the same bound claimed for the uniform grid (repetition, L = 1024, N = 64)."""
    g = tm.information_curve(tm.repetition(4, 1024))
    tc, dtc = tc_dtc(g)
    kappa, delta = odds_geometric_bound(64)
    return decide(weights_cost(g, np.full(64, 1 / 64)) <= kappa * min(tc, dtc) + delta * (tc + dtc), 1)
