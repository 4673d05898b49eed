"""The slot count that the written law needs: between 1/(8 epsilon) and 1 + ceil((1 + 1/log V)/(8 epsilon))."""

from math import log

import numpy as np
from flint import fmpq

import toy_models as tm
from theory.ledger.instances import all_hold, instances
from theory.ledger.registry import Outcome, check, control, decide, tightness
from theory.perplexity.checks.instances import written_law_agrees
from theory.perplexity.results import Results, uniform
from theory.perplexity.written import enough_for_the_written_law, nested_code_excess, repetition_kl
from toy_models import exact
from toy_models.exact import LogSum, decide_at_most
from toy_models.exact import curves as ec
from toy_models.schedules.optimal import weights_cost
from toy_models.targets import controls

COUNTS = {(27, 0.005): 34, (50257, 0.005): 29, (3, 0.005): 49, (27, 0.025): 8}
CODES = ((256, 257), (512, 521))  # (m, K) of the nested code language: blocks of m tokens, |V| = K^(m-1)


@check("ter-sharp-constant", tier="rational")
def sharp_constant_enough(results: Results) -> Outcome:
    """ter-sharp-constant, enough: KL(q || p) <= L (u + 1)/(2(N-1)) for the written law of random laws, N = 2, 3, 4."""
    verdicts = []
    for k, pmf in enumerate(ec.random_pmfs(41, instances(results, 32, 400))):
        steps = 2 + k % (2 if pmf.ndim == 4 else 3)
        written, _ = exact.law(pmf, exact.independent_stages([f"1/{steps}"] * steps))
        half = fmpq(1, 2 * (steps - 1))
        bound = ec.curve(pmf).at(ec.drop_row(pmf.ndim) * half) + LogSum(constant=half * pmf.ndim)
        verdicts.append(decide_at_most(exact.kl(pmf, written), bound))
        if k < 8:
            verdicts.append(written_law_agrees(pmf, uniform(steps), written))
    return all_hold(verdicts)


@check("ter-sharp-constant", tier="float64")
def sharp_constant_counts(results: Results) -> Outcome:
    """ter-sharp-constant, both halves: the count is the least that the bound allows, and N < 1/(8 epsilon) fails.

    Necessity by nested codes: KL/L = log V (1 - o(1))/(2N), above 4 epsilon log V at epsilon = 0.9/(8N).
    """
    verdicts = [enough_for_the_written_law(e, v) == n for (v, e), n in COUNTS.items()]
    for vocab_size in (2, 3, 27, 50257):
        for epsilon in (0.003, 0.005, 0.02, 0.1):
            steps, allowed = enough_for_the_written_law(epsilon, vocab_size), 4 * epsilon * log(vocab_size)
            bounds = [(log(vocab_size) + 1) / (2 * (n - 1)) for n in (steps, steps - 1) if n > 1]
            verdicts.append(bounds[0] <= allowed * (1 + 1e-12) and all(b > allowed for b in bounds[1:]))
    margins = []
    for m, K in CODES:
        log_v = (m - 1) * log(K)
        for steps in (2, 4, 8, 16):
            margins.append(nested_code_excess(m, K, steps) / (4 * 0.9 / (8 * steps) * log_v) - 1)
    verdicts += [repetition_kl(16, 4096, 5) / 4096 < 4 / 40 * log(16) < _trajectory_of_repetition()]
    note = "margin: how far the nested codes exceed 4 epsilon log V at N = 0.9/(8 epsilon), relative"
    return decide(all(verdicts) and min(margins) > 0, len(verdicts) + len(margins), min(margins), note)


def _trajectory_of_repetition() -> float:
    """E_tau KL/L at K = 16, L = 4096, N = 5: above 4 epsilon log V at epsilon = 1/40, the written law is below it."""
    return weights_cost(tm.information_curve(tm.repetition(16, 4096)), np.full(5, 0.2)) / 4096


@tightness("ter-sharp-constant", tier="float64")
def sharp_constant_reached(results: Results) -> Outcome:
    """ter-sharp-constant: nested codes reach 90% of (log V + 1)/(2(N-1)) at m = 512, N = 32."""
    m, K = CODES[1]
    ratio = nested_code_excess(m, K, 32) / (((m - 1) * log(K) + 1) / 62)
    return decide(0.9 <= ratio <= 1, 1, 1 - ratio)


@control("ter-sharp-constant", tier="float64")
def sharp_constant_four_fifths(results: Results) -> Outcome:
    """ter-sharp-constant with 4/5 of the sufficient count: the written law of nested codes exceeds 4 epsilon log V."""
    m, K = CODES[1]
    epsilon, log_v = 1 / 128, (m - 1) * log(K)
    steps = int(0.8 * enough_for_the_written_law(epsilon, K ** (m - 1)))
    excess = nested_code_excess(m, K, steps)
    return decide(excess <= 4 * epsilon * log_v, 1, 1 - excess / (4 * epsilon * log_v))


@control("ter-sharp-constant", tier="float64")
def sharp_constant_without_learning(results: Results) -> Outcome:
    """ter-sharp-constant for a denoiser with swapped rows, its learning error left out, on the written law."""
    chain, epsilon = tm.MarkovChain([[0.9, 0.1], [0.2, 0.8]], 5), 0.01
    steps = enough_for_the_written_law(epsilon, 2)
    excess = tm.marginal_kl(chain, uniform(steps), controls.swapped_rows(chain)) / 5
    return decide(excess <= 4 * epsilon * log(2), 1, 1 - excess / (4 * epsilon * log(2)))
