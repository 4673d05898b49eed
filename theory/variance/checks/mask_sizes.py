"""Beyond the papers: drawing the size of the mask in place of a time, and what that is worth at other lengths."""

from fractions import Fraction
from itertools import pairwise
from math import log

import numpy as np
from flint import arb, ctx, fmpq

from theory.ledger.registry import Outcome, check, control, decide, definition, sharper, tightness
from theory.variance import definitions
from theory.variance import pairs as pair_language
from theory.variance.checks.cases import ROUNDING, TABLES, competitors, small
from theory.variance.instances import EPSILON, all_methods
from theory.variance.results import Results
from toy_models import pairs
from toy_models.variance import decomposition as va
from toy_models.variance import densities, p_pots
from toy_models.variance.loss_moments import loss_moments

PER_CALL = {  # K1, exact denoiser, epsilon = 1e-3, as the page prints it
    "uniform": 1.769,
    "P-POTS": 1.077,
    "size, uniform k": 0.209,
    "size, optimal k": 0.208,
    "size, stratified k": 0.166,
}


@check("sizes-beat-times", tier="float64")
def sizes_dominate(results: Results) -> Outcome:
    """sizes-beat-times: averaging the weight over t given M never raises the variance, for every density tried."""
    worst, count = np.inf, 0
    for name in TABLES:
        moments = results.instances[name].moments
        for density in [densities.uniform(EPSILON), p_pots.optimal(moments, EPSILON), *competitors(6, moments)]:
            by_time = va.decompose(moments, density, EPSILON)
            by_size = va.sizes_from_times(moments, density, EPSILON)
            if abs(by_size.mean - by_time.mean) > 1e-12:
                return decide(False, count, note="means differ")
            worst, count = min(worst, by_time.total - by_size.total), count + 1
    return decide(worst >= 0, count, worst, "margin: least gain in nats^2")


@check("sizes-beat-times", tier="float64")
def sizes_are_the_definition(results: Results) -> Outcome:
    """sizes-beat-times: both size estimators against the variance over every x, size and set of that size."""
    losses, moments = small()
    best = va.optimal_size_weights(moments)
    gaps = [
        definitions.size_parts(losses, best, m).gap(va.size_decomposition(moments, best, m))
        for m in ("single", "mirror")
    ]
    for density in (densities.uniform(EPSILON), p_pots.optimal(moments, EPSILON), densities.power(3.0, EPSILON)):
        averaged = definitions.averaged_over_time(losses, density.pdf, EPSILON)
        gaps.append(abs(averaged - va.sizes_from_times(moments, density, EPSILON).total))
    return decide(max(gaps) < ROUNDING, len(gaps), ROUNDING - max(gaps))


@sharper("sizes-beat-times", tier="float64")
def best_law_of_sizes(results: Results) -> Outcome:
    """sizes-beat-times: weights ~ sqrt(E[S^2 | k])/k attain the least variance over laws of k, and ~ sd(S | k)/k the
    least of a stratified k; 1.769, 1.077, .209, .208 and .166 on K1."""
    losses, moments = small()
    length, rng, margin, gaps = losses.length, np.random.default_rng(3), np.inf, []
    for stratified in (False, True):
        spread = []
        for k in range(1, length + 1):
            s = losses.total[:, [m for m in range(2**length) if m.bit_count() == k]]
            centre = float(losses.probability @ s.mean(axis=1)) if stratified else 0.0
            spread.append(np.sqrt(float(losses.probability @ ((s - centre) ** 2).mean(axis=1))) / k)
        least = (sum(spread) / length) ** 2
        for weights in (va.optimal_size_weights(moments, stratified=stratified), *rng.dirichlet(np.ones(length), 20)):
            found = definitions.size_parts(losses, weights)
            gaps.append(found.total - found.between - least if stratified else found.total + found.mean**2 - least)
        margin = min(margin, *gaps[-20:])
    exact = max(abs(gaps[0]), abs(gaps[21])) < ROUNDING
    names = ("uniform", "P-POTS", "size, uniform k", "size, optimal k", "size, stratified k")
    table = results.instances["K1 oracle"].methods
    printed = (
        max(abs(table[n].per_call - v) for n, v in zip(names, (1.769, 1.077, 0.209, 0.208, 0.166), strict=True))
        < 5.1e-4
    )
    return decide(bool(exact and margin > 0 and printed), 47, margin, "margin: least excess of 20 other laws of k")


@tightness("sizes-beat-times", tier="float64")
def log_uniform_time_loses_nothing(results: Results) -> Outcome:
    """sizes-beat-times with equality at p ~ 1/t, where the weight 1/(L t p) is constant."""
    moments = results.instances["K1 oracle"].moments
    density = densities.proportional(lambda t: 1.0 / t, EPSILON, 1.0, "1/t")
    by_time, by_size = va.decompose(moments, density, EPSILON), va.sizes_from_times(moments, density, EPSILON)
    return decide(abs(by_time.total - by_size.total) < ROUNDING * by_time.total, 1, by_time.total - by_size.total)


@sharper("sizes-beat-times", tier="float64")
def sizes_stay_finite(results: Results) -> Outcome:
    """sizes-beat-times at epsilon = 0: uniform k has finite variance, below the best density of t at epsilon = 1e-8."""
    gains = []
    for name in TABLES:
        moments = results.instances[name].moments
        gains.append(va.decompose(moments, "optimal", 1e-8).total - va.size_decomposition(moments).total)
    return decide(min(gains) > 0, len(gains), min(gains), "margin: least gain in nats^2")


@control("sizes-beat-times", tier="float64")
def times_beat_sizes(results: Results) -> Outcome:
    """sizes-beat-times reversed."""
    case = results.instances["K1 oracle"].methods
    return decide(case["P-POTS"].per_call <= case["size, uniform k"].per_call, 1)


@check("neyman-beats-ppots", tier="float64")
def neyman_never_loses(results: Results) -> Outcome:
    """neyman-beats-ppots: (integral of sqrt(m2 - G^2))^2 <= (integral of sqrt(m2))^2 - (integral of G)^2."""
    gains = [
        c.methods["P-POTS"].per_call - c.methods["Neyman p, stratified"].per_call for c in results.instances.values()
    ]
    return decide(min(gains) >= 0, len(gains), min(gains), "margin: least gain of the variance per call")


@check("neyman-beats-ppots", tier="float64")
def neyman_closed_form(results: Results) -> Outcome:
    """neyman-beats-ppots: the variance per call at that density, fine strata, is (integral of sd(l | t))^2."""
    losses, moments = small()
    t, w = definitions.nodes(EPSILON, 1.0, (0.5,))  # the points of definitions.parts
    sd = np.sqrt(definitions.conditional(losses, t)[1])
    found = all_methods(moments)["Neyman p, stratified"].per_call
    total = float(w @ sd)
    drawn = definitions.parts(losses, lambda s: np.sqrt(definitions.conditional(losses, s)[1]) / total, EPSILON)
    gaps = [abs(found - total**2), abs(drawn.total - drawn.between - total**2)]
    return decide(max(gaps) < 1e-8, 2, 1e-8 - max(gaps), "two quadratures of a square root, panels 1 and .4 in ln t")


@control("neyman-beats-ppots", tier="float64")
def stratifying_uniform_suffices(results: Results) -> Outcome:
    """neyman-beats-ppots with stratified uniform t in place of the refitted density."""
    gains = [
        c.methods["P-POTS"].per_call - c.methods["uniform, stratified"].per_call for c in results.instances.values()
    ]
    return decide(min(gains) >= 0, len(gains), min(gains))


@tightness("neyman-beats-ppots", tier="float64")
def neyman_equals_ppots_for_zero_mean(results: Results) -> Outcome:
    """neyman-beats-ppots with equality where G = 0: the gradient of the tabular oracle."""
    table = results.gradients["table"]
    gap = abs(table["P-POTS"].per_call - table["Neyman p, stratified"].per_call)
    return decide(gap < 1e-12, 1, gap)


@check("sizes-at-length", tier="enclosed")
def uniform_sizes_lose_from_eighteen_on(results: Results) -> Outcome:
    """sizes-at-length: p* against uniform k on the pair language, L = 2..62 one by one; beyond, by p*(64) < 1/12."""
    ctx.prec = 120
    wins = [pair_language.best_time(n) < _ball(n) for n in range(18, 64, 2)]
    loses = [pair_language.best_time(n) > _ball(n) for n in range(2, 18, 2)]
    tail = pair_language.best_time(64) < arb(1) / 12
    proved = all(wins) and all(loses) and bool(tail)
    time, size = float(pair_language.best_time(18)), float(pair_language.uniform_size(18))
    note = f"p* {time:.5f} against uniform k {size:.5f} at L = 18"
    return Outcome("PROVED" if proved else "UNDECIDED", len(wins) + len(loses) + 1, None, note)


def _ball(length: int) -> arb:
    value = pair_language.uniform_size(length)
    return arb(fmpq(value.numerator, value.denominator))


@definition("sizes-at-length", tier="float64")
def pair_language_of_the_library(results: Results) -> Outcome:
    """sizes-at-length: the closed forms against the library at L = 4 and 6, epsilon = 1e-12."""
    gaps = []
    for length in (4, 6):
        moments, scale, k = loss_moments(pairs(2, length)).average, log(2) ** 2, np.arange(1, length + 1)
        roots = float((np.sqrt(va.size_second_moment(moments) / scale) / k).sum()) / length
        rows = [
            (va.size_decomposition(moments).total / scale, float(pair_language.uniform_size(length))),
            (roots**2 - 0.25, pair_language.best_size(length)),
            (va.decompose(moments, "optimal", 1e-12).total / scale, float(pair_language.best_time(length))),
            (va.decompose(moments, None, 1e-12).total / scale, 1 / 12 + 4 / (3 * length)),
        ]
        gaps += [abs(found - closed) for found, closed in rows]
    return decide(max(gaps) < 1e-10, len(gaps), max(gaps), "margin: largest gap in units of log^2 K")


@check("sizes-at-length", tier="float64")
def best_sizes_never_lose(results: Results) -> Outcome:
    """sizes-at-length: the best law of k stays below p* at L = 4 to 1024."""
    rows = [(pair_language.best_size(n), float(pair_language.best_time(n))) for n in (4, 16, 18, 64, 256, 1024)]
    ratio = max(a / b for a, b in rows)
    note = "; ".join(f"{a:.6f} against {b:.6f}" for a, b in rows)
    return decide(ratio < 1, len(rows), 1 - ratio, f"best law of k against p*: {note}")


@tightness("sizes-at-length", tier="rational")
def floor_of_uniform_sizes(results: Results) -> Outcome:
    """sizes-at-length: uniform k above 1/12 at every even L <= 256, within 1 % of it at 1024, where p* has left it."""
    excess = 12 * pair_language.uniform_size(1024) - 1
    above = all(12 * pair_language.uniform_size(n) > 1 for n in range(2, 258, 2))
    falls = [float(pair_language.best_time(n)) for n in (2, 4, 16, 64, 256, 1024, 4096)]
    holds = above and 0 < excess < Fraction(1, 100) and all(b < a for a, b in pairwise(falls)) and falls[-1] < 0.0012
    return decide(holds, 136, float(excess), "relative excess over Var_a h = 1/12")


@control("sizes-at-length", tier="rational")
def uniform_sizes_are_best_at_every_length(results: Results) -> Outcome:
    """sizes-at-length: 'draw the number of masks uniformly' recommended at L = 1024 too."""
    return decide(float(pair_language.uniform_size(1024)) <= float(pair_language.best_time(1024)), 1)
