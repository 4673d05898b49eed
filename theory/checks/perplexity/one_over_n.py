"""The 1/N law of the token error: Feng et al., Thm 4.2, and what holds for every language."""

from math import log

import numpy as np
from flint import fmpq

import toy_models as tm
from theory import exact_curves as ec
from theory.checks.common import all_hold, instances
from theory.checks.perplexity.instances import rational_repetition
from theory.perplexity import Results, languages, published_steps, sufficient_steps, uniform
from theory.registry import (
    Outcome,
    check,
    control,
    decide,
    not_claimed_tight,
    sharper,
    tightness,
)
from toy_models import controls, exact
from toy_models.exact import decide_at_most
from toy_models.quantities import curve_kl


@check("feng-thm-4-2", tier="float64")
def feng_published(results: Results) -> Outcome:
    """feng-thm-4-2: 2-gram languages with N = (n-1)/epsilon^n steps lose at most 4 epsilon log|V| per token."""
    margins = []
    for part in results.collapses:
        g = tm.information_curve(languages(results.corpus)[part.language](64))
        for epsilon in (0.5, 0.25, 0.1, 0.07):
            excess = curve_kl(g, uniform(published_steps(2, epsilon))) / len(g)
            margins.append(1 - excess / (4 * epsilon * log(part.vocab_size)))
    return decide(min(margins) >= 0, len(margins), min(margins), "margin: share of 4 epsilon log|V| left over")


@sharper("feng-thm-4-2", tier="rational")
def feng_sharpened(results: Results) -> Outcome:
    """feng-thm-4-2 sharpened: every law, every length, N = ceil(1/(4 epsilon)) steps."""
    rng, verdicts = np.random.default_rng(4), []
    for pmf in ec.random_pmfs(4, instances(results)):
        epsilon = fmpq(int(rng.integers(1, 10)), 20)
        steps = sufficient_steps(float(epsilon.p) / float(epsilon.q))
        bound = exact.log_sum.log(pmf.shape[0]).scaled(4 * epsilon * pmf.ndim)
        verdicts.append(decide_at_most(ec.curve(pmf).at(ec.uniform_row(pmf.ndim, steps)), bound))
    return all_hold(verdicts)


@tightness("feng-thm-4-2", tier="float64")
def feng_sharpened_is_tight(results: Results) -> Outcome:
    """feng-thm-4-2: repetition reaches 99% of 4 epsilon log|V| with N = 1/(4 epsilon) steps at L = 4096."""
    ratio = curve_kl(tm.information_curve(tm.repetition(16, 4096)), uniform(16)) / 4096 / (log(16) / 16)
    return decide(0.99 <= ratio <= 1, 1, 1 - ratio)


@control("feng-thm-4-2", tier="float64")
def feng_half_the_steps(results: Results) -> Outcome:
    """feng-thm-4-2 with N = ceil(1/(8 epsilon)): repetition breaks it."""
    excess = curve_kl(tm.information_curve(tm.repetition(16, 4096)), uniform(sufficient_steps(2 * 0.025))) / 4096
    return decide(excess <= 4 * 0.025 * log(16), 1, 1 - excess / (4 * 0.025 * log(16)))


@control("feng-thm-4-2", tier="float64")
def feng_context_blind(results: Results) -> Outcome:
    """feng-thm-4-2 for a context-blind denoiser: the excess does not fall with N."""
    chain = tm.MarkovChain([[0.95, 0.05], [0.05, 0.95]], 8)
    excess = tm.trajectory_kl(chain, uniform(50), controls.context_blind(chain)) / 8
    return decide(excess <= 4 * 0.005 * log(2), 1, None, "N = 50 would serve epsilon = 0.005")


@check("ter-every-language", tier="rational")
def ter_every_language(results: Results) -> Outcome:
    """ter-every-language: E_tau KL <= (TC + DTC)/N on random laws, uniform independent reveal."""
    verdicts = []
    for k, pmf in enumerate(ec.random_pmfs(5, instances(results))):
        steps, length = 1 + k % 7, pmf.ndim
        verdicts.append(ec.curve(pmf).at_most(ec.uniform_row(length, steps), ec.drop_row(length) * fmpq(1, steps)))
    return all_hold(verdicts)


@tightness("ter-every-language", tier="float64")
def ter_repetition(results: Results) -> Outcome:
    """ter-every-language: repetition at L = 4096, N = 16 reaches 0.996 of (h(0) - h(1))/N."""
    g = tm.information_curve(tm.repetition(3, 4096))
    ratio = curve_kl(g, uniform(16)) / 4096 / ((g[0] - g[-1]) / 16)
    return decide(0.995 < ratio <= 1, 1, 1 - ratio)


@control("ter-every-language", tier="rational")
def ter_half(results: Results) -> Outcome:
    """ter-every-language with half the constant for the fixed uniform grid."""
    pmf = rational_repetition(2, 4)
    return all_hold([ec.curve(pmf).at_most(ec.uniform_row(4, 2), ec.drop_row(4) * fmpq(1, 4))])


@control("ter-every-language", tier="float64")
def ter_swapped_rows(results: Results) -> Outcome:
    """ter-every-language for a denoiser with swapped rows."""
    chain = tm.MarkovChain([[0.9, 0.1], [0.2, 0.8]], 6)
    bound = (tm.total_correlation(chain) + tm.dual_total_correlation(chain)) / 40
    return decide(tm.marginal_kl(chain, uniform(40), controls.swapped_rows(chain)) <= bound, 1)


@check("one-over-n-law", tier="float64")
def one_over_n(results: Results) -> Outcome:
    """one-over-n-law: N E KL / L -> (h(0) - h(1))/2; the slope of log E KL on log N is -1, not -1/n."""
    part = results.collapses[0]
    steps, row = np.array(part.steps), part.excess[-1]
    late = steps >= 32
    slope = np.polyfit(np.log(steps[late]), np.log(row[late]), 1)[0]
    limit = row[-1] * steps[-1] / (part.drop / 2)
    return decide(
        abs(slope + 1) < 0.01 and abs(limit - 1) < 0.01, int(late.sum()), abs(slope + 1), "margin: |slope + 1|"
    )


@control("one-over-n-law", tier="float64")
def one_over_root_n(results: Results) -> Outcome:
    """one-over-n-law with the exponent 1/2 of the published step count for n = 2."""
    part = results.collapses[0]
    steps = np.array(part.steps)
    late = steps >= 32
    slope = np.polyfit(np.log(steps[late]), np.log(part.excess[-1][late]), 1)[0]
    return decide(abs(slope + 0.5) < 0.05, int(late.sum()), abs(slope + 0.5))


not_claimed_tight("one-over-n-law", "an asymptotic equality, measured as a slope")
