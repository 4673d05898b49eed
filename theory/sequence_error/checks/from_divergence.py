"""Sequence error from divergence: Feng et al., Thm 4.3, with explicit constants."""

from itertools import product
from math import log

import numpy as np
from flint import fmpq

import toy_models as tm
from theory.ledger.instances import all_hold, instances
from theory.ledger.registry import Outcome, check, control, decide, tightness
from theory.perplexity.checks.instances import written_law_agrees
from theory.perplexity.results import CHAIN_A, uniform
from theory.sequence_error.checks.instances import minus_log, rational_pairs
from theory.sequence_error.results import Results
from toy_models import exact
from toy_models.exact import LogSum, decide_at_most, decide_equal
from toy_models.exact import curves as ec
from toy_models.quantities.lattice import to_table


@check("ser-from-kl", tier="rational")
def ser_from_kl(results: Results) -> Outcome:
    """ser-from-kl: -log(1 - SER) <= KL(q || p), sparse random targets; the library's SER and KL agree."""
    verdicts = []
    for k, pmf in enumerate(ec.random_pmfs(21, instances(results, 60, 400))):
        steps = 1 + k % 3
        written, _ = exact.law(pmf, exact.independent_stages([f"1/{steps}"] * steps))
        verdicts.append(decide_at_most(minus_log(exact.support_mass(pmf, written)), exact.kl(pmf, written)))
        if k < 24:
            verdicts += [written_law_agrees(pmf, uniform(steps), written), _mass_is_kept(pmf)]
    return all_hold(verdicts)


def _mass_is_kept(pmf: np.ndarray) -> str:
    """What an adaptive rule writes and what stops at an impossible context add up to one, and SER is the rest."""
    target, rule = tm.Table(exact.to_float(pmf)), tm.TopK(2)
    law = tm.sampler_law(target, rule)
    valid = law.pmf[target.pmf > 0].sum()
    gaps = abs(law.pmf.sum() + law.impossible - 1), abs(tm.sequence_error(target, rule) - 1 + valid)
    return "PROVED" if max(gaps) < 1e-12 else "REFUTED"


@tightness("ser-from-kl", tier="rational")
def ser_from_kl_equality(results: Results) -> Outcome:
    """ser-from-kl: equality for the pair language, where q is uniform and p constant on its support."""
    pmf = rational_pairs(2, 4)
    written, _ = exact.law(pmf, exact.independent_stages(["1/3"] * 3))
    return all_hold([decide_equal(minus_log(exact.support_mass(pmf, written)), exact.kl(pmf, written))], 0.0)


@control("ser-from-kl", tier="rational")
def ser_from_half_kl(results: Results) -> Outcome:
    """ser-from-kl with half the divergence."""
    pmf = rational_pairs(2, 4)
    written, _ = exact.law(pmf, exact.independent_stages(["1/3"] * 3))
    half = exact.kl(pmf, written).scaled(fmpq(1, 2))
    return all_hold([decide_at_most(minus_log(exact.support_mass(pmf, written)), half)])


@check("feng-thm-4-3", tier="float64")
def feng_explicit(results: Results) -> Outcome:
    """feng-thm-4-3, explicit: SER <= 1 - exp(-L epsilon - (TC + DTC)/N) for HMMs and imperfect denoisers.

    Repetition in one step comes near: -log(1 - SER) is (1 - 1/L) of the bound there.
    """
    rng, margins = np.random.default_rng(22), []
    for target in (*(to_table(_sparse_hmm(rng, 5)) for _ in range(6)), to_table(tm.repetition(2, 5))):
        t = tm.total_correlation(target) + tm.dual_total_correlation(target)
        for weight in (0.0, 0.01, 0.1):
            denoiser = tm.Smoothed(target, weight)
            epsilon = tm.learning_error(target, denoiser)
            for steps in (1, 4, 40):
                bound = -np.expm1(-5 * epsilon - t / steps)
                margins.append(bound - tm.sequence_error(target, uniform(steps), denoiser))
    return decide(min(margins) >= 0, len(margins), min(margins), "margin: probability")


def _sparse_hmm(rng: np.random.Generator, length: int) -> tm.HMM:
    emission = rng.dirichlet(np.ones(3), size=2) * np.array([[1, 1, 0], [0, 1, 1]])
    return tm.HMM(
        rng.dirichlet(np.ones(2)), rng.dirichlet(np.ones(2), size=2), emission / emission.sum(1, keepdims=True), length
    )


@check("feng-thm-4-3", tier="rational")
def feng_explicit_on_random_laws(results: Results) -> Outcome:
    """feng-thm-4-3, explicit, random laws and smoothed denoisers: -log(1 - SER) <= L epsilon + (TC + DTC)/N, decided.

    epsilon is the largest KL over contexts; the context is picked in float64, and any context gives a lower bound.
    """
    verdicts = []
    for k in range(instances(results, 60, 400)):
        rng = np.random.default_rng((32, k))
        pmf = ec.random_pmf(rng, *((2, 2), (2, 3), (3, 2))[k % 3], zeros=0.4)
        steps, weight, length = 1 + k % 4, fmpq(1 + k % 5, 40), pmf.ndim
        model, epsilon = smoothed_oracle(pmf, weight)
        written, _ = exact.law(pmf, exact.independent_stages([f"1/{steps}"] * steps), model)
        bound = epsilon.scaled(length) + ec.curve(pmf).at(ec.drop_row(length) * fmpq(1, steps))
        verdicts.append(decide_at_most(minus_log(exact.support_mass(pmf, written)), bound))
    return all_hold(verdicts)


def smoothed_oracle(pmf: np.ndarray, weight: fmpq):
    """(marginals (1 - weight) q + weight/V, their largest KL(q || p) over contexts of positive probability)."""
    known, size, worst = exact.rational_law.oracle_marginals(pmf), pmf.shape[0], (0.0, LogSum())

    def marginals(state):
        given = known(state)
        if given is None:  # a context that q rules out
            return [None if t >= 0 else [fmpq(1, size)] * size for t in state]
        return [None if row is None else [(1 - weight) * p + weight / size for p in row] for row in given]

    for state in product(range(-1, size), repeat=pmf.ndim):
        given = known(state)
        if given is not None:
            for q, p in zip(given, marginals(state), strict=True):
                if q is not None and p is not None:
                    value = sum(float(a) * log(float(a / b)) for a, b in zip(q, p, strict=True) if a != 0)
                    if value > worst[0]:
                        worst = value, LogSum((a / b, a) for a, b in zip(q, p, strict=True) if a != 0)
    return marginals, worst[1]


@tightness("feng-thm-4-3", tier="float64")
def feng_explicit_is_close(results: Results) -> Outcome:
    """feng-thm-4-3: in one step repetition of L = 8 tokens has -log(1 - SER) = 7/8 of the bound; pairs of K = 2 have
    36% of it at N = 20000, where no language has more than about one half."""
    words, pairs = tm.repetition(2, 8), tm.pairs(2, 512)
    one = -np.log1p(-tm.sequence_error(words, uniform(1))) / (8 * log(2))
    many = -np.log1p(-tm.sequence_error(pairs, uniform(20000))) / (512 * log(2) / 20000)
    return decide(abs(one - 7 / 8) < 1e-12 and 0.35 < many < 0.5, 2, 1 - one)


@control("feng-thm-4-3", tier="float64")
def feng_without_length(results: Results) -> Outcome:
    """feng-thm-4-3 with epsilon in place of L epsilon."""
    target = tm.MarkovChain(CHAIN_A, 7)
    denoiser = tm.Smoothed(target, 0.05)
    epsilon = tm.learning_error(target, denoiser)
    steps = tm.FixedOrder(tuple((i,) for i in range(7)))
    return decide(tm.sequence_error(target, steps, denoiser) <= -np.expm1(-epsilon), 1)


@control("feng-thm-4-3", tier="float64")
def feng_without_steps(results: Results) -> Outcome:
    """feng-thm-4-3 without the term in N."""
    target = tm.MarkovChain(CHAIN_A, 6)
    return decide(tm.sequence_error(target, uniform(2)) <= 0.0, 1)
