"""The 1/N law of the trajectory KL: Feng et al., Thm 4.2, and what holds for every language."""

from itertools import product
from math import log

import numpy as np
from flint import fmpq

import toy_models as tm
from theory.ledger.instances import all_hold
from theory.ledger.registry import Outcome, check, control, decide, not_claimed_tight, sharper, tightness
from theory.perplexity.checks.instances import library_agrees
from theory.perplexity.rays import at_most_for_every_language, ray_values
from theory.perplexity.results import Results, published_steps, sufficient_steps, uniform
from theory.perplexity.written import enough_for_the_written_law, nested_code_excess
from toy_models.exact import curves as ec
from toy_models.exact import decide_equal
from toy_models.schedules.optimal import weights_cost
from toy_models.targets import controls


@check("feng-thm-4-2", tier="float64")
def feng_published(results: Results) -> Outcome:
    """feng-thm-4-2: the written law of 2-, 3-, 4-grams loses at most epsilon_learning + 4 epsilon log|V| per token."""
    margins, length = [], 5
    for order, epsilon in ((2, 0.5), (2, 0.25), (3, 0.5), (4, 0.5)):
        target = _sparse_ngram(order, length)
        for denoiser in (None, tm.Smoothed(target, 0.02)):
            learning = 0.0 if denoiser is None else tm.learning_error(target, denoiser)
            excess = tm.marginal_kl(target, uniform(published_steps(order, epsilon)), denoiser) / length
            margins.append(1 - (excess - learning) / (4 * epsilon * log(2)))
    return decide(min(margins) >= 0, len(margins), min(margins), "margin: share of 4 epsilon log|V| left over")


def _sparse_ngram(order: int, length: int) -> tm.NGram:
    """A binary n-gram in which a run of n - 1 ones must end."""
    conditional = np.random.default_rng(order).dirichlet(np.ones(2), size=2 ** (order - 1)).reshape((2,) * order)
    conditional[(1,) * (order - 1)] = [1.0, 0.0]
    return tm.NGram(conditional, length)


@sharper("feng-thm-4-2", tier="rational")
def feng_sharpened(results: Results) -> Outcome:
    """feng-thm-4-2 sharpened: N = ceil(1/(4 epsilon)) slots keep the trajectory KL, every language of length <= 10."""
    verdicts = []
    for length, k in product(range(2, 11), range(1, 10)):
        epsilon = fmpq(k, 20)
        row = ec.uniform_row(length, sufficient_steps(k / 20))
        verdicts.append(at_most_for_every_language(row, ec.unit_row(length, 0) * (4 * epsilon * length)))
        verdicts.append(library_agrees(uniform(sufficient_steps(k / 20)), row))
    return all_hold(verdicts)  # g(0) <= log|V|


@tightness("feng-thm-4-2", tier="float64")
def feng_sharpened_is_tight(results: Results) -> Outcome:
    """feng-thm-4-2: with 1 + ceil((1 + 1/log V)/(8 epsilon)) slots the written law of nested codes reaches 80%."""
    m, k, epsilon = 256, 257, 1 / 120
    steps = enough_for_the_written_law(epsilon, k ** (m - 1))
    ratio = nested_code_excess(m, k, steps) / (4 * epsilon * (m - 1) * log(k))
    return decide(0.8 <= ratio <= 1, 1, 1 - ratio)


@control("feng-thm-4-2", tier="float64")
def feng_half_the_steps(results: Results) -> Outcome:
    """feng-thm-4-2 with N = 0.9/(8 epsilon) slots: the written law of nested codes (256 tokens a block) breaks it."""
    m, k, steps = 256, 257, 9
    epsilon = 0.9 / (8 * steps)
    excess = nested_code_excess(m, k, steps)
    return decide(excess <= 4 * epsilon * (m - 1) * log(k), 1, 1 - excess / (4 * epsilon * (m - 1) * log(k)))


@control("feng-thm-4-2", tier="float64")
def feng_context_blind(results: Results) -> Outcome:
    """feng-thm-4-2 for a context-blind denoiser, its learning error left out: the written law does not improve."""
    chain = tm.MarkovChain([[0.95, 0.05], [0.05, 0.95]], 6)
    excess = tm.marginal_kl(chain, uniform(50), controls.context_blind(chain)) / 6
    return decide(excess <= 4 * 0.005 * log(2), 1, None, "N = 50 would serve epsilon = 0.005")


@check("ter-every-language", tier="rational")
def ter_every_language(results: Results) -> Outcome:
    """ter-every-language: E_tau KL <= (TC + DTC)/N for every language of length <= 12, N <= 12; library and paths."""
    verdicts = []
    for length, steps in product(range(2, 13), range(1, 13)):
        row = ec.uniform_row(length, steps)
        verdicts.append(at_most_for_every_language(row, ec.drop_row(length) * fmpq(1, steps)))
        verdicts.append(library_agrees(uniform(steps), row))
    for k, pmf in enumerate(ec.random_pmfs(5, 6)):
        steps = 2 + k % 2
        by_paths = ec.mean_path_kl(pmf, [fmpq(1, steps)] * steps)
        verdicts.append(decide_equal(by_paths, ec.curve(pmf).at(ec.uniform_row(pmf.ndim, steps))))
    return all_hold(verdicts)


@tightness("ter-every-language", tier="float64")
def ter_repetition(results: Results) -> Outcome:
    """ter-every-language: repetition at L = 4096, N = 16 reaches 0.996 of (h(0) - h(1))/N."""
    g = tm.information_curve(tm.repetition(3, 4096))
    ratio = weights_cost(g, uniform(16).weights) / 4096 / ((g[0] - g[-1]) / 16)
    return decide(0.995 < ratio <= 1, 1, 1 - ratio)


@control("ter-every-language", tier="rational")
def ter_half(results: Results) -> Outcome:
    """ter-every-language with 7/8 of the constant for the fixed uniform grid: repetition at L = 40, N = 2."""
    return all_hold([at_most_for_every_language(ec.uniform_row(40, 2), ec.drop_row(40) * fmpq(7, 16))])


@control("ter-every-language", tier="float64")
def ter_swapped_rows(results: Results) -> Outcome:
    """ter-every-language for a denoiser with swapped rows."""
    chain = tm.MarkovChain([[0.9, 0.1], [0.2, 0.8]], 6)
    bound = (tm.total_correlation(chain) + tm.dual_total_correlation(chain)) / 40
    return decide(tm.trajectory_kl(chain, uniform(40), controls.swapped_rows(chain)) <= bound, 1)


@check("one-over-n-law", tier="rational")
def one_over_n(results: Results) -> Outcome:
    """one-over-n-law: |N E KL/L - u/2| <= (L-1) u/(4N), u = h(0) - h(1), for every language of length <= 10."""
    verdicts = []
    for length, steps in product(range(2, 11), (1, 2, 5, 16, 64, 256)):
        gap = ec.uniform_row(length, steps) * fmpq(steps) - ec.drop_row(length) * fmpq(1, 2)
        allowed = ec.drop_row(length) * fmpq(length - 1, 4 * steps)
        verdicts += [at_most_for_every_language(gap, allowed), at_most_for_every_language(-gap, allowed)]
        if steps <= 16:
            verdicts.append(library_agrees(uniform(steps), ec.uniform_row(length, steps)))
    return all_hold(verdicts)


@control("one-over-n-law", tier="rational")
def one_over_n_without_half(results: Results) -> Outcome:
    """one-over-n-law with the limit u in place of u/2: at N = 4096 no language of length 6 is within 1% of it."""
    cost = ray_values(ec.uniform_row(6, 4096))[:-1]
    return decide(all(abs(4096 * c / 6 - 1) < fmpq(1, 100) for c in cost), len(cost))


@control("one-over-n-law", tier="rational")
def one_over_root_n(results: Results) -> Outcome:
    """one-over-n-law with the exponent 1/2 of the published step count for n = 2: sqrt(N) E KL keeps falling."""
    cost = [ray_values(ec.uniform_row(6, n))[0] * fmpq(root) for n, root in ((64, 8), (4096, 64))]
    return decide(abs(cost[1] / cost[0] - 1) < fmpq(1, 20), 1)


not_claimed_tight("one-over-n-law", "an asymptotic equality with its error")
