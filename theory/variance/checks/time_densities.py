"""Densities of the noise time: P-POTS, EPR and schedules."""

from itertools import pairwise

import numpy as np
import sympy

from theory.ledger.registry import (
    Outcome,
    check,
    condition,
    control,
    correction,
    decide,
    definition,
    not_claimed_tight,
    tightness,
)
from theory.variance import definitions
from theory.variance.checks.cases import ROUNDING, TABLES, competitors, small
from theory.variance.instances import EPSILON
from theory.variance.results import Results
from toy_models import Table
from toy_models.variance import decomposition as va
from toy_models.variance import densities, epr, p_pots, released_sampler, strats
from toy_models.variance.loss_moments import loss_moments


@check("ppots-optimal", tier="float64")
def ppots_is_the_minimum(results: Results) -> Outcome:
    """ppots-optimal: the closed form of the minimum, and no competitor below it."""
    gap, worst, count = np.inf, 0.0, 0
    for name in TABLES:
        moments, best = results.instances[name].moments, results.instances[name].methods["P-POTS"].parts
        t, w = densities.quadrature(EPSILON, 1.0)
        closed = float(w @ np.sqrt(moments.second_moment(t))) ** 2 - best.mean**2
        worst = max(worst, abs(best.total - closed))
        for density in competitors(12, moments):
            gap = min(gap, va.decompose(moments, density, EPSILON).total - best.total)
            count += 1
    return decide(worst < 1e-12 and gap >= 0, count, gap, f"closed form within 1e-12; smallest gap {gap:.2e} nats^2")


@tightness("ppots-optimal", tier="symbolic")
def ppots_closed_forms(results: Results) -> Outcome:
    """ppots-optimal at L = 1: the minimum is 3 c^2, attained by the schedule with masked fraction s^2."""
    c, t = sympy.symbols("c t", positive=True)
    m2 = c**2 / t
    minimum = sympy.integrate(sympy.sqrt(m2), (t, 0, 1)) ** 2 - c**2
    density = 1 / (2 * sympy.sqrt(t))
    attained = sympy.integrate(m2 / density, (t, 0, 1)) - c**2
    return decide(bool(sympy.simplify(minimum - 3 * c**2) == 0 and sympy.simplify(attained - minimum) == 0), 1, 0.0)


@tightness("ppots-optimal", tier="float64")
def additive_closed_form(results: Results) -> Outcome:
    """ppots-optimal for an additive loss: the closed form of the minimum against the integral of sqrt(m2)."""
    c = np.array([0.3, 0.7, 1.1, 0.2])
    s = float((c**2).sum()) / 16
    t, w = definitions.nodes(1e-16, 1.0)
    minimum = float(w @ np.sqrt(c.mean() ** 2 - s + s / t)) ** 2 - c.mean() ** 2
    gap = abs(densities.additive_optimum(c) - minimum)
    return decide(
        gap < 1e-7, 1, gap, f"minimum {minimum:.6f}; the cut at 1e-16 leaves 2 sqrt(s) 1e-8 of the integral out"
    )


@control("ppots-optimal", tier="float64")
def ppots_without_the_root(results: Results) -> Outcome:
    """ppots-optimal with p proportional to m2 itself."""
    moments = results.instances["K1 oracle"].moments
    density = densities.proportional(moments.second_moment, EPSILON, 1.0, "no root")
    total = va.decompose(moments, density, EPSILON).total
    return decide(total <= results.instances["K1 oracle"].methods["P-POTS"].parts.total, 1, note=f"total {total:.4f}")


@check("ppots-estimator-optimal", tier="float64")
def published_density_attains_the_minimum(results: Results) -> Outcome:
    """ppots-estimator-optimal: the published (E g)^2 + E v against E[g^2 + v]."""
    excess = [_excess_of_published(results, n) for n in TABLES]
    note = f"it leaves out Var_x g; variance above the minimum by {min(excess):.2e} to {max(excess):.2e} (relative)"
    return decide(max(excess) < 1e-9, len(excess), max(excess), note)


def _excess_of_published(results: Results, name: str) -> float:
    table = results.instances[name].methods
    return table["P-POTS, published p"].parts.total / table["P-POTS"].parts.total - 1


@condition("ppots-estimator-optimal", tier="float64")
def published_density_is_close(results: Results) -> Outcome:
    """ppots-estimator-optimal up to .0027 % to .036 % of the variance on the six reference cases."""
    excess = [_excess_of_published(results, n) for n in TABLES]
    printed = abs(min(excess) - 2.7e-5) < 5e-7 and abs(max(excess) - 3.6e-4) < 5e-6
    return decide(bool(printed), len(excess), min(excess), "relative excess .0027 % to .036 %, as printed")


@tightness("ppots-estimator-optimal", tier="float64")
def published_density_is_optimal_without_spread(results: Results) -> Outcome:
    """ppots-estimator-optimal holds with equality where g does not depend on x: a uniform law."""
    moments = loss_moments(Table(np.full((2, 2, 2), 0.125))).average
    totals = [
        va.decompose(moments, p_pots.optimal(moments, EPSILON, objective=o), EPSILON).total
        for o in ("total", "published")
    ]
    return decide(abs(totals[1] / totals[0] - 1) < 1e-12, 1, abs(totals[1] / totals[0] - 1))


@control("ppots-estimator-optimal", tier="float64")
def plain_g_is_close(results: Results) -> Outcome:
    """ppots-estimator-optimal with v left out altogether: p proportional to E_x g."""
    moments = results.instances["K1 oracle"].moments
    density = densities.proportional(lambda t: np.sqrt(moments.square_of_mean(t)), EPSILON, 1.0, "g only")
    ratio = va.decompose(moments, density, EPSILON).total / results.instances["K1 oracle"].methods["P-POTS"].parts.total
    return decide(ratio - 1 < 4e-4, 1, ratio - 1)


@check("epr-diverges", tier="float64")
def bounded_density_diverges(results: Results) -> Outcome:
    """epr-diverges: with p bounded at 0 the total grows by E sum c_i^2 / (L^2 p(0)) per unit of ln(1/eps)."""
    moments = results.instances["K1 oracle"].moments
    parameters = np.array([0.3, 1.0, 0.4, 0.1, 2.0, 2.0, 2.0])
    totals, height = [], 0.0
    t = np.array([0.2, 0.5, 0.9])
    literal = 0.3 * t**2.0 + 0.4 * (1 - t) ** 2.0 + (1.0 * np.exp(0.1 * t**2.0)) ** 2
    same = np.abs(epr.epr(np.array([0.3, 0.4, 1.0, 0.1, 2.0, 2.0, 2.0]), t) ** 2 - literal).max() < 1e-14
    for epsilon in (1e-7, 1e-8):
        density = densities.proportional(lambda t: epr.epr(parameters, t), epsilon, 1.0, "EPR")
        totals.append(va.decompose(moments, density, epsilon).total)
        height = float(density.pdf(np.array([epsilon]))[0])
    slope = (totals[1] - totals[0]) / np.log(10)
    error = abs(slope / (moments.second[1] / 16 / height) - 1)
    fitted = abs(results.curves.epr_total - 1.2036) < 5e-4
    note = f"relative error of the slope; the fitted curve has variance {results.curves.epr_total:.4f} on K1"
    return decide(bool(error < 1e-4 and same and fitted), 1, error, note)


@check("epr-diverges", tier="float64")
def optimal_density_has_a_limit(results: Results) -> Outcome:
    """epr-diverges, second half: p* sqrt(t) tends to a positive number and the total at p* to a limit, six cases.

    From t = 1e-7 to 1e-6 p* sqrt(t) moves by less than 1e-5 of itself; steps of the total shrink by sqrt 10 each.
    """
    flat, ratios = [], []
    for name in TABLES:
        moments = results.instances[name].moments
        t = np.array([1e-7, 1e-6])
        height = p_pots.optimal(moments, 1e-8).pdf(t) * np.sqrt(t)
        flat.append(abs(height[1] / height[0] - 1) if height[0] > 0 else np.inf)
        totals = [va.decompose(moments, "optimal", e).total for e in (1e-4, 1e-5, 1e-6)]
        ratios.append(abs((totals[2] - totals[1]) / (totals[1] - totals[0]) * np.sqrt(10) - 1))
    return decide(max(flat) < 1e-5 and max(ratios) < 0.02, 2 * len(flat), max(ratios))


@control("epr-diverges", tier="float64")
def optimal_density_diverges(results: Results) -> Outcome:
    """epr-diverges for p*, which is of order t^(-1/2): the total converges."""
    moments = results.instances["K1 oracle"].moments
    totals = [va.decompose(moments, "optimal", e).total for e in (1e-6, 1e-7, 1e-8)]
    return decide(abs((totals[2] - totals[1]) / (totals[1] - totals[0]) - 1) < 0.5, 1)


not_claimed_tight("epr-diverges", "an asymptotic identity")


@check("released-sampler-unbiased", tier="float64")
def released_sampler_mean(results: Results) -> Outcome:
    """released-sampler-unbiased on K1 oracle, T = 30 and 70."""
    moments, parts = results.instances["K1 oracle"].moments, results.instances["K1 oracle"].methods["uniform"].parts
    truth = parts.mean / (1 - EPSILON)
    bias = {t: released_sampler.released_sampler_mean(moments, t) / truth - 1 for t in (30, 70)}
    return decide(
        max(map(abs, bias.values())) < 1e-9, 2, None, f"bias {bias[30]:.1%} at T = 30, {bias[70]:.1%} at T = 70"
    )


@correction("released-sampler-unbiased", tier="float64")
def released_mean_is_the_truncated_integral(results: Results) -> Outcome:
    """released-sampler-unbiased, corrected: the mean is that of the sampler's definition, and within .05 % the integral
    over [1/T, 1 - 1/T], which lacks 6.7 % at T = 30 and 2.9 % at T = 70."""
    losses, moments = small()
    gap = max(
        abs(definitions.released_mean(losses, t, EPSILON) - released_sampler.released_sampler_mean(moments, t))
        for t in (5, 30)
    )
    k1, grids = results.instances["K1 oracle"].moments, (30, 70)
    full = strats.mean_between(k1, EPSILON, 1.0) / (1 - EPSILON)
    drawn, inside = (
        np.array([f(k1, t) / full for t in grids])
        for f in (released_sampler.released_sampler_mean, released_sampler.truncated_grid_mean)
    )
    holds = gap < ROUNDING and np.abs(drawn - inside).max() < 5e-4 and np.abs(1 - drawn - (0.0672, 0.0288)).max() < 5e-5
    note = (
        f"lost: {1 - drawn[0]:.2%} at T = 30, {1 - drawn[1]:.2%} at T = 70; cells against truncation {drawn - inside}"
    )
    return decide(bool(holds), 4, ROUNDING - gap, note)


def _histogram_bias(results: Results, first: int) -> float:
    """Relative bias of E[l / p], t drawn from the histogram of p* and weighted by it, its cells from `first` on."""
    moments = results.instances["K1 oracle"].moments
    cells = p_pots.optimal(moments, EPSILON).histogram(30)
    edges = np.array([cells.low, *cells.breaks, cells.high])
    mass = cells.pdf((edges[1:] + edges[:-1]) / 2) * np.diff(edges)
    inner = [strats.mean_between(moments, a, b) for a, b in pairwise(edges)]
    mean = float(mass[first:] @ (np.array(inner) / mass)[first:])
    return mean / results.instances["K1 oracle"].methods["uniform"].parts.mean - 1


@correction("released-sampler-unbiased", tier="float64")
def full_range_histogram_is_unbiased(results: Results) -> Outcome:
    """released-sampler-unbiased, corrected: a whole-range histogram, sampled and weighted alike, is unbiased."""
    bias = _histogram_bias(results, 0)
    return decide(abs(bias) < 1e-9, 1, abs(bias))


@control("released-sampler-unbiased", tier="float64")
def first_cell_left_out(results: Results) -> Outcome:
    """released-sampler-unbiased: the same histogram without its first cell would be unbiased too."""
    bias = _histogram_bias(results, 1)
    return decide(abs(bias) < 1e-9, 1, abs(bias), f"bias {bias:.1%}")


not_claimed_tight("released-sampler-unbiased", "refuted by exact values")


@check("schedule-is-density", tier="float64")
def schedules_are_densities(results: Results) -> Outcome:
    """schedule-is-density: 1 - s^c by Beta functions against t ~ ds/dm; infinite at c = 1, least at c = 1.664 on K1."""
    moments, worst, epsilon = results.instances["K1 oracle"].moments, 0.0, 1e-16
    for c in (1.5, 2.0, 3.0):  # cutting t at epsilon costs epsilon^(1/c) of the mass and epsilon^(1 - 1/c) of the tail
        by_density = va.decompose(moments, densities.power(c, epsilon), epsilon).total
        cut = epsilon ** (1 / c) + epsilon ** (1 - 1 / c)
        worst = max(worst, abs(by_density / densities.power_variance(moments, c) - 1) / cut)
    best = results.curves.best_exponent
    inside = np.isinf(densities.power_variance(moments, 1.0)) and abs(best - 1.664) < 5.1e-4
    return decide(
        worst < 2 and inside, 3, worst, f"best exponent {best:.4f} on K1 oracle; margin: gap over that of the cut"
    )


@definition("schedule-is-density", tier="float64")
def quantiles_invert_the_mass(results: Results) -> Outcome:
    """schedule-is-density: times drawn from a density follow it: the mass below quantile(s) is s, named densities."""
    named = [densities.uniform(EPSILON), *(densities.power(c, EPSILON) for c in (1.0, 1.5, 2.0, 3.0))]
    edges = np.array([EPSILON, 0.1, 0.4, 1.0])
    named.append(densities.from_cells(edges, np.array([0.5, 0.2, 0.3]), "three cells"))
    gaps = []
    for density in named:
        assert density.quantile is not None
        for s in (0.0, 0.1, 0.5, 0.9, 1.0):
            end = float(density.quantile(s))
            inside = tuple(b for b in density.breaks if b < end)
            t, w = definitions.nodes(density.low, max(end, density.low * (1 + 1e-15)), inside)
            gaps.append(abs(float(w @ density.pdf(t)) - s))
    return decide(max(gaps) < 1e-10, len(gaps), max(gaps))


@control("schedule-is-density", tier="float64")
def every_schedule_has_the_same_variance(results: Results) -> Outcome:
    """schedule-is-density: the mean does not depend on the schedule, the variance does."""
    totals = results.curves.total_of_exponent
    return decide(bool(np.ptp(totals) < 1e-9), len(totals))


not_claimed_tight("schedule-is-density", "an identity")
