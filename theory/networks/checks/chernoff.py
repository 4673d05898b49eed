"""A lower bound on the learning error from the orders of a denoiser."""

import numpy as np

import toy_models as tm
from theory.ledger.registry import Outcome, check, control, decide, tightness
from theory.networks.checks.network import ROUNDING
from theory.networks.chernoff import (
    best_pair,
    closest_law,
    random_denoiser,
    two_flips,
    whole_text,
    windows,
    worst_order,
)
from theory.networks.results import Results
from toy_models.quantities.chernoff import chernoff_information

OPTIMUM = 1e-6  # nats between the best weights and those that the descent ends at
CASES = ((2, 2, 12), (2, 3, 8), (3, 2, 8))  # (V, L, denoisers)
PAIRS_FAIL, SPREAD = 35, 267  # three bits: where pairs certify least, and where errors are spread most evenly


def bound(log_p: np.ndarray, length: int = 1) -> float:
    """The right side of the statement, over `length` tokens."""
    return chernoff_information(log_p).bound / length


@check("learning-error-chernoff", tier="float64")
def below_the_learning_error(results: Results) -> Outcome:
    """L eps_learning >= max_s KL(q || p_s) >= bound: random denoisers, random q and the closest q."""
    slacks = []
    for vocab, length, count in CASES:
        for seed in range(count):
            rng = np.random.default_rng([vocab, length, seed])
            denoiser = random_denoiser(rng, vocab, length)
            log_p = whole_text(denoiser)
            for q in (*rng.dirichlet(np.ones(vocab**length), 3), closest_law(log_p)):
                error = tm.learning_error(tm.Table(q.reshape((vocab,) * length)), denoiser, "max")
                worst = worst_order(q, log_p)
                slacks += [length * error - worst, worst - bound(log_p)]
    return decide(min(slacks) >= -ROUNDING, len(slacks), min(slacks), "margin: smallest slack in nats")


@check("learning-error-chernoff", tier="float64")
def windows_of_the_network(results: Results) -> Outcome:
    """The trained network: pairs of tokens below the learning curve at each m; windows of 2 and 3 below the maximum."""
    found = windows(results.small)
    slacks = [*(found.error - found.pair), *(found.epsilon - value for value in found.largest.values())]
    share = (found.pair / found.error).max()
    note = f"pairs find at most {share:.2f} of the mean learning error; margin in nats per token"
    return decide(min(slacks) >= -ROUNDING and bool((found.pair > 0).all()), len(slacks), min(slacks), note)


@check("learning-error-chernoff", tier="float64")
def nothing_for_the_exact_denoiser(results: Results) -> Outcome:
    """All orders of the exact denoiser write one law, so the bound is 0."""
    pmf = np.random.default_rng(3).dirichlet(np.ones(27)).reshape(3, 3, 3)
    targets = (tm.Table(pmf), tm.MarkovChain([[0.7, 0.3], [0.2, 0.8]], 3), tm.zero_sum(2, 3))
    values = [bound(whole_text(target)) for target in targets]
    return decide(max(values) < ROUNDING, len(values), max(values))


@tightness("learning-error-chernoff", tier="float64")
def two_flips_are_tight(results: Results) -> Outcome:
    """The closest law has max_s KL = bound (two flips, and random denoisers); on two flips L eps is L times as much."""
    log_p = whole_text(two_flips())
    q = closest_law(log_p)
    error = tm.learning_error(tm.Table(q.reshape(2, 2)), two_flips(), "max")
    gaps = [abs(bound(log_p) - 0.0101245166), abs(2 * error - 2 * bound(log_p))]
    for seed in range(6):
        log_p = whole_text(random_denoiser(np.random.default_rng(seed), 2, 3))
        gaps.append(abs(worst_order(closest_law(log_p), log_p) - bound(log_p)))
    return decide(max(gaps) < OPTIMUM, len(gaps), max(gaps), "margin: largest gap; the first step loses a factor L")


@control("learning-error-chernoff", tier="float64")
def weights_that_sum_to_two(results: Results) -> Outcome:
    """learning-error-chernoff with both exponents 1: max_s KL(q || p_s) >= -log sum p_1 p_2."""
    log_p = whole_text(two_flips())
    slack = worst_order(closest_law(log_p), log_p) + np.log(np.exp(log_p.sum(axis=0)).sum())
    return decide(bool(slack >= -ROUNDING), 1, slack)


@control("learning-error-chernoff", tier="float64")
def not_divided_by_the_length(results: Results) -> Outcome:
    """learning-error-chernoff without L: eps_learning >= bound, a denoiser of three bits whose errors are spread."""
    denoiser = random_denoiser(np.random.default_rng(SPREAD), 2, 3)
    log_p = whole_text(denoiser)
    error = tm.learning_error(tm.Table(closest_law(log_p).reshape(2, 2, 2)), denoiser, "max")
    return decide(error >= bound(log_p) - ROUNDING, 1, error - bound(log_p))


@control("learning-error-chernoff", tier="float64")
def two_orders_suffice(results: Results) -> Outcome:
    """learning-error-chernoff with two orders: their best pair would reach min_q max_s KL(q || p_s) over all six."""
    log_p = whole_text(random_denoiser(np.random.default_rng(PAIRS_FAIL), 2, 3))
    gap = worst_order(closest_law(log_p), log_p) - best_pair(log_p)
    return decide(gap <= OPTIMUM, 1, gap)
