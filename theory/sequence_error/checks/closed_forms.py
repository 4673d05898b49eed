"""Likelihood by replay, and languages whose validity has a closed form."""

from math import factorial

import numpy as np
from flint import fmpq

import toy_models as tm
from theory.ledger.instances import all_hold
from theory.ledger.registry import Outcome, check, control, decide, not_claimed_tight
from theory.sequence_error.checks.instances import minus_log
from theory.sequence_error.results import Results
from toy_models import exact
from toy_models.exact import curves as ec
from toy_models.exact import decide_equal
from toy_models.quantities.lattice import sequences
from toy_models.quantities.likelihood import log_likelihood


@check("duel-likelihood", tier="float64")
def duel(results: Results) -> Outcome:
    """duel-likelihood: replaying a deterministic rule along x gives p(x); the values sum to one and match the law."""
    target = tm.MarkovChain([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.2, 0.3, 0.5]], 5, initial=[0.5, 0.3, 0.2])
    x, gaps = sequences(3, 5), []
    for rule in (tm.TopK(2), tm.TopK(1, "margin"), tm.SemiAutoregressive(3, tm.TopK(2, "entropy"))):
        replay = np.exp(log_likelihood(target, rule, x, method="replay"))
        gaps += [abs(replay.sum() - 1), np.abs(replay - tm.sampler_law(target, rule).pmf.ravel()).max()]
    return decide(max(gaps) < 1e-12, 3 * len(x), max(gaps), "margin: largest difference of probabilities")


@control("duel-likelihood", tier="float64")
def duel_on_random_order(results: Results) -> Outcome:
    """duel-likelihood for a random order: one replay is not the likelihood of the mixture."""
    target = tm.MarkovChain([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.2, 0.3, 0.5]], 4)
    x = sequences(3, 4)
    one = np.exp(log_likelihood(target, tm.FixedOrder(((0, 1), (2, 3))), x))
    return decide(bool(np.abs(one - tm.sampler_law(target, tm.RandomOrder((2, 2))).pmf.ravel()).max() < 1e-12), len(x))


not_claimed_tight("duel-likelihood", "an identity")


@check("shuffle-accuracy", tier="rational")
def shuffle_accuracy(results: Results) -> Outcome:
    """shuffle-accuracy: permutations of n items in blocks s_j: validity n!/prod m_j^s_j, the same for every order."""
    verdicts = []
    for n, sizes in ((3, (1, 2)), (3, (3,)), (4, (2, 2)), (4, (1, 1, 2))):
        pmf = _rational_permutations(n)
        written, _ = exact.law(pmf, exact.fixed_size_stages(sizes))
        formula, left = fmpq(factorial(n)), n
        for s in sizes:
            formula /= fmpq(left) ** s
            left -= s
        verdicts.append("PROVED" if exact.support_mass(pmf, written) == formula else "REFUTED")
        verdicts.append(decide_equal(exact.kl(pmf, written), minus_log(formula)))
        labels = np.repeat(np.arange(len(sizes)), sizes)
        for shift in range(n):
            steps = np.roll(labels, shift).tolist()
            path = ec.path_law(pmf, steps)
            verdicts.append("PROVED" if exact.support_mass(pmf, path) == formula else "REFUTED")
    return all_hold(verdicts, 0.0)


def _rational_permutations(n: int) -> np.ndarray:
    words = tm.permutations(n).pmf > 0
    pmf = np.full((n,) * n, fmpq(0), dtype=object)
    pmf[words] = fmpq(1, factorial(n))
    return pmf


@control("shuffle-accuracy", tier="rational")
def shuffle_without_shrinking(results: Results) -> Outcome:
    """shuffle-accuracy with n in place of the number m_j of items left."""
    pmf = _rational_permutations(4)
    written, _ = exact.law(pmf, exact.fixed_size_stages([2, 2]))
    return decide(exact.support_mass(pmf, written) == fmpq(24, 256), 1)


not_claimed_tight("shuffle-accuracy", "an identity")


@check("replace-accuracy", tier="rational")
def replace_accuracy(results: Results) -> Outcome:
    """replace-accuracy: exactly one of n positions is replaced; validity in blocks by the closed form."""
    verdicts = []
    for n, sizes in ((3, (3,)), (3, (1, 2)), (4, (2, 2)), (5, (2, 3)), (5, (1, 1, 3))):
        pmf = np.full((2,) * n, fmpq(0), dtype=object)
        for i in range(n):
            pmf[tuple(int(k == i) for k in range(n))] = fmpq(1, n)
        written, _ = exact.law(pmf, exact.fixed_size_stages(sizes))
        verdicts.append("PROVED" if exact.support_mass(pmf, written) == _replace(n, sizes) else "REFUTED")
    return all_hold(verdicts, 0.0)


def _replace(n: int, sizes) -> fmpq:
    """sum_j [prod_{l<j} (1 - 1/m_l)^{s_l}] (s_j/m_j) (1 - 1/m_j)^{s_j - 1}."""
    total, clear, left = fmpq(0), fmpq(1), n
    for s in sizes:
        miss = 1 - fmpq(1, left)
        total += clear * fmpq(s, left) * miss ** (s - 1)
        clear *= miss**s
        left -= s
    return total


@control("replace-accuracy", tier="rational")
def replace_accuracy_one_step(results: Results) -> Outcome:
    """replace-accuracy: the one-step value claimed for two steps."""
    pmf = np.full((2,) * 4, fmpq(0), dtype=object)
    for i in range(4):
        pmf[tuple(int(k == i) for k in range(4))] = fmpq(1, 4)
    written, _ = exact.law(pmf, exact.fixed_size_stages([2, 2]))
    return decide(exact.support_mass(pmf, written) == _replace(4, (4,)), 1)


not_claimed_tight("replace-accuracy", "an identity")


@check("block-validity", tier="rational")
def block_validity(results: Results) -> Outcome:
    """block-validity: repetition K sum_j [(Delta_j/K + 1 - a_j)^m - (1 - a_j)^m]; zero-sum 1/K + (1-1/K) m sum ..."""
    rng, verdicts = np.random.default_rng(28), []
    for K, m in ((2, 3), (3, 3), (2, 4)):
        weights = ec.random_weights(rng, 3)
        stages = exact.independent_stages([f"{w.p}/{w.q}" for w in weights])
        ends = [sum(weights[: j + 1], fmpq(0)) for j in range(3)]
        repeat = np.full((K,) * m, fmpq(0), dtype=object)
        for v in range(K):
            repeat[(v,) * m] = fmpq(1, K)
        zero = np.full((K,) * m, fmpq(0), dtype=object)
        zero[np.indices((K,) * m).sum(axis=0) % K == 0] = fmpq(1, K ** (m - 1))
        formula = K * sum(((w / K + 1 - a) ** m - (1 - a) ** m for w, a in zip(weights, ends, strict=True)), fmpq(0))
        before = [a - w for w, a in zip(weights, ends, strict=True)]
        last = sum((w * b ** (m - 1) for w, b in zip(weights, before, strict=True)), fmpq(0))
        for pmf, value in ((repeat, formula), (zero, fmpq(1, K) + (1 - fmpq(1, K)) * m * last)):
            mass = exact.support_mass(pmf, exact.law(pmf, stages)[0])
            verdicts.append("PROVED" if mass == value else "REFUTED")
    return all_hold(verdicts, 0.0)


@control("block-validity", tier="rational")
def block_validity_swapped(results: Results) -> Outcome:
    """block-validity with the two languages exchanged."""
    pmf = np.full((2,) * 3, fmpq(0), dtype=object)
    pmf[0, 0, 0] = pmf[1, 1, 1] = fmpq(1, 2)
    mass = exact.support_mass(pmf, exact.law(pmf, exact.independent_stages(["1/2", "1/2"]))[0])
    return decide(mass == fmpq(1, 2) + fmpq(1, 2) * 3 * fmpq(1, 8), 1)


not_claimed_tight("block-validity", "an identity")
