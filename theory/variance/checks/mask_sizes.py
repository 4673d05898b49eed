"""Beyond the papers: drawing the size of the mask in place of a time, and training runs."""

import numpy as np

from theory.ledger.registry import Outcome, check, control, decide, not_claimed_tight, sharper, tightness
from theory.variance.checks.cases import ROUNDING, TABLES, competitors
from theory.variance.instances import EPSILON
from theory.variance.results import Results
from toy_models.networks.ensemble import variance_ratio
from toy_models.variance import decomposition as va
from toy_models.variance import densities, p_pots


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


@check("training-spread", tier="sampled")
def sizes_reduce_run_to_run_spread(results: Results) -> Outcome:
    """training-spread: F interval at confidence 1 - 1e-6 of Var log(excess), sizes against uniform t, same calls."""
    sizes, times = (np.log(results.training.run(name).excess[:, -1]) for name in ("size, uniform k", "uniform"))
    ratio, low, high = variance_ratio(sizes, times, 1 - 1e-6)
    return decide(high < 1, results.training.runs, 1 - high, f"ratio {ratio:.3f}, interval [{low:.3f}, {high:.3f}]")


@control("training-spread", tier="sampled")
def halves_of_one_method_differ(results: Results) -> Outcome:
    """training-spread: two halves of the same runs must not be told apart."""
    values = np.log(results.training.run("size, uniform k").excess[:, -1])
    _, _, high = variance_ratio(values[::2], values[1::2], 1 - 1e-6)
    return decide(high < 1, len(values))


not_claimed_tight("training-spread", "an observation on one small network")
