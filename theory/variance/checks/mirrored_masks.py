"""Mirrored masks: the covariance of two losses and its sign."""

from fractions import Fraction
from functools import cache
from random import Random

import numpy as np
import sympy
import torch
from flint import arb, ctx

from theory.ledger.instances import instances
from theory.ledger.registry import Outcome, check, condition, control, decide, definition, not_claimed_tight, tightness
from theory.variance import definitions, exact
from theory.variance.checks.cases import ROUNDING
from theory.variance.results import Results
from toy_models import LinearCode, repetition, zero_sum
from toy_models.networks.losses import LossOptions, draw_masks
from toy_models.variance import decomposition as va
from toy_models.variance import mirror
from toy_models.variance.loss_moments import loss_moments, summed_losses


@check("mirror-additive", tier="symbolic")
def additive_correlation(results: Results) -> Outcome:
    """mirror-additive: rho of sum of c_i 1[i in M] is -min(t/(1-t), (1-t)/t)."""
    t, c1, c2 = sympy.symbols("t c1 c2", positive=True)
    variance = (c1**2 + c2**2) * t * (1 - t)
    below = (c1**2 + c2**2) * (0 - t * t) / variance + t / (1 - t)
    above = (c1**2 + c2**2) * ((2 * t - 1) - t * t) / variance + (1 - t) / t
    return decide(sympy.simplify(below) == 0 and sympy.simplify(above) == 0, 2, 0.0)


@check("mirror-additive", tier="rational")
def additive_by_enumeration(results: Results) -> Outcome:
    """mirror-additive over all pairs of masks, L = 1..4, random rational c_i: Cov = -r sum c_i^2 t (1 - t)."""
    generator, holds, count = Random(9), True, 0
    for length in (1, 2, 3, 4):
        for t in (Fraction(1, 5), Fraction(1, 2), Fraction(3, 4)):
            c = [Fraction(generator.randint(1, 20), 3) for _ in range(length)]
            s = [sum((v for i, v in enumerate(c) if m >> i & 1), Fraction(0)) for m in range(2**length)]
            spread = sum(v * v for v in c) * t * (1 - t)
            holds &= exact.mirrored_covariance(s, length, t) == -min(t / (1 - t), (1 - t) / t) * spread
            count += 1
    return decide(holds, count, 0.0)


@definition("mirror-additive", tier="float64")
def drawn_pairs_are_mirrored(results: Results) -> Outcome:
    """mirror-additive: the masks drawn for training are disjoint for t <= 1/2 and cover everything for t >= 1/2."""
    options = LossOptions(masks="mirror")
    (one, two), weight = draw_masks((400,), 5, options, torch.Generator().manual_seed(3))
    t = 1.0 / (5 * weight) * (1.0 - options.epsilon)  # the weight is 1/(L t p), p = 1/(1 - epsilon)
    disjoint, covering = ~(one & two).any(dim=-1), (one | two).all(dim=-1)
    law = [np.abs(definitions.pair_law(1, s, "mirror") - mirror.pair_law(s)).max() for s in (0.2, 0.5, 0.7)]
    holds = bool(torch.where(t <= 0.5, disjoint, covering).all()) and max(law) < 1e-15
    return decide(holds, 403, float(max(law)))


@control("mirror-additive", tier="rational")
def complements_are_mirrored(results: Results) -> Outcome:
    """mirror-additive for exact complements (rates t and 1 - t), whose correlation is -1 at every t."""
    t = Fraction(1, 4)
    covariance, variance = -t * (1 - t), t * (1 - t)
    return decide(covariance / variance == -min(t / (1 - t), (1 - t) / t), 1)


not_claimed_tight("mirror-additive", "an identity")


@check("mirror-fourier", tier="rational")
def fourier_reduction(results: Results) -> Outcome:
    """mirror-fourier on random rational losses, L = 1..4."""
    return _fourier(-1)


def _fourier(sign: int) -> Outcome:
    generator, holds, count = Random(2), True, 0
    for length in (1, 2, 3, 4):
        for t in (Fraction(1, 3), Fraction(1, 2), Fraction(4, 5)):
            s = exact.random_losses(generator, length)
            holds &= exact.fourier_covariance(s, length, t, sign) == exact.mirrored_covariance(s, length, t)
            count += 1
    return decide(holds, count, 0.0)


@definition("mirror-fourier", tier="float64")
def fourier_of_the_library(results: Results) -> Outcome:
    """mirror-fourier: covariance and levels of the library against the rational ones, which they must equal."""
    generator, gaps = Random(12), []
    for length, t in ((2, Fraction(1, 3)), (3, Fraction(4, 5)), (4, Fraction(1, 2))):
        s = exact.random_losses(generator, length)
        wanted, values = float(exact.mirrored_covariance(s, length, t)), np.array([[float(v) for v in s]])
        spread = float(exact.variance(s, exact.mask_law(length, t)))
        gaps += [abs(f(values, float(t))[0] / wanted - 1) for f in (mirror.pair_covariance, mirror.fourier_covariance)]
        gaps.append(abs(mirror.level_weights(values, float(t))[0, 1:].sum() / spread - 1))
    return decide(max(gaps) < ROUNDING, len(gaps), ROUNDING - max(gaps))


@control("mirror-fourier", tier="rational")
def fourier_with_positive_noise(results: Results) -> Outcome:
    """mirror-fourier with (+r)^k."""
    return _fourier(+1)


not_claimed_tight("mirror-fourier", "an identity")


@cache
def _harris(repeats: int) -> Outcome:
    """Cov <= 0 for random monotone losses: `repeats` for each of four lengths and three t."""
    generator, covariances = Random(3), []
    for length in (1, 2, 3, 4):
        for t in (Fraction(1, 5), Fraction(1, 2), Fraction(3, 4)):
            for _ in range(repeats):
                s = exact.monotone_losses(generator, length)
                covariances.append(exact.mirrored_covariance(s, length, t))
    return decide(max(covariances) <= 0, len(covariances), -float(max(covariances)))


@check("mirror-monotone", tier="rational")
def harris_sign(results: Results) -> Outcome:
    """mirror-monotone: Cov <= 0 for random monotone losses."""
    return _harris(instances(results, 4, 84))


@check("mirror-monotone", tier="float64")
def codes_are_monotone(results: Results) -> Outcome:
    """mirror-monotone: uniform laws on linear codes have monotone losses at the oracle, and Cov <= 0 for every x."""
    holds, worst, count = True, -np.inf, 0
    for target in (repetition(3, 4), zero_sum(2, 4), zero_sum(3, 3)):
        s = summed_losses(target)
        masks = np.arange(s.shape[1])
        for i in range(target.length):
            without = masks[(masks >> i & 1) == 0]
            holds &= bool((s[:, without | 1 << i] - s[:, without] >= -1e-12).all())
        for t in (0.25, 0.5, 0.7):
            worst = max(worst, float(mirror.pair_covariance(s, t).max()))
        count += 1
    return decide(holds and worst <= 1e-12, count, -worst, "margin: least |Cov|, nats^2")


@check("mirror-monotone", tier="rational")
def every_small_code(results: Results) -> Outcome:
    """mirror-monotone: all 119 codes over GF(2), L <= 4, and GF(3), L <= 3: S by ranks is monotone and Cov <= 0."""
    covariances, monotone, count = [], True, 0
    for p, length in ((2, 1), (2, 2), (2, 3), (2, 4), (3, 1), (3, 2), (3, 3)):
        for code in exact.codes(p, length):
            s = exact.code_losses(code, p, length)
            masks = range(2**length)
            monotone &= all(s[m] <= s[m | 1 << i] for m in masks for i in range(length))
            covariances += [exact.mirrored_covariance(s, length, t) for t in (Fraction(1, 3), Fraction(1, 2))]
            count += 1
    return decide(monotone and max(covariances) <= 0 and count == 119, count, -float(max(covariances)))


@definition("mirror-monotone", tier="float64")
def losses_of_codes_are_ranks(results: Results) -> Outcome:
    """mirror-monotone: S(x, M) of the library, from conditionals, = log K sum of ranks, every x of 36 codes."""
    gaps = []
    for p, length in ((2, 3), (3, 3), (2, 4)):
        for code in list(exact.codes(p, length))[-12:]:
            target = LinearCode(np.array(code), p)
            s = summed_losses(target)
            wanted = np.log(p) * np.array([float(v) for v in exact.code_losses(code, p, length)])
            gaps.append(float(np.abs(s - wanted).max()))
    return decide(max(gaps) < 1e-12, len(gaps), max(gaps))


@tightness("mirror-monotone", tier="rational")
def harris_is_approached(results: Results) -> Outcome:
    """mirror-monotone: S = 1[M = all] at t = 1/2 has rho = -1/(2^L - 1), enumerated: -1/63 at L = 6."""
    t, length = Fraction(1, 2), 6
    s, mean = [Fraction(m == 2**length - 1) for m in range(2**length)], t**length
    rho = exact.mirrored_covariance(s, length, t) / (mean - mean**2)
    return decide(rho == Fraction(-1, 63), 1, float(-rho), "margin: |rho|")


@control("mirror-monotone", tier="rational")
def harris_without_monotonicity(results: Results) -> Outcome:
    """mirror-monotone for losses that peak at half-masked contexts."""
    s = [Fraction(m.bit_count() == 2) for m in range(16)]
    return decide(exact.mirrored_covariance(s, 4, Fraction(1, 2)) <= 0, 1)


@check("mirror-never-hurts", tier="enclosed")
def mirror_on_the_anti_copy(results: Results) -> Outcome:
    """mirror-never-hurts: Cov = b^2/4 - b s/4 - s^2/16 at t = 1/2 for the anti-copy denoiser, delta = 1/20."""
    ctx.prec = 100
    b, s = arb(20).log(), 2 * arb(2).log()
    covariance = b * b / 4 - b * s / 4 - s * s / 16
    if covariance > 0:
        return Outcome("REFUTED", 1, None, f"anti-copy: Cov = {float(covariance.mid()):.4f} > 0, rho(1/2) = +0.693")
    return Outcome("PROVED" if covariance <= 0 else "UNDECIDED", 1)


@condition("mirror-never-hurts", tier="rational")
def mirror_with_monotone_losses(results: Results) -> Outcome:
    """mirror-never-hurts under monotone S: the Harris inequality."""
    return _harris(instances(results, 4, 84))


@condition("mirror-never-hurts", tier="float64")
def anti_copy_numbers(results: Results) -> Outcome:
    """mirror-never-hurts: covariance at the anti-copy, its threshold 2^-(1 + sqrt 2), and .673, .337, .469."""

    def covariance(delta):
        return mirror.pair_covariance(summed_losses(mirror.copy_law(), mirror.AntiCopy(delta)), 0.5)

    gaps, edge = [], 2.0 ** -(1 + np.sqrt(2))
    for delta in (0.05, 0.15, 0.2):
        b, s = -np.log(delta), 2 * np.log(2)
        gaps.append(np.abs(covariance(delta) - (b * b / 4 - b * s / 4 - s * s / 16)).max())
    signs = covariance(0.999 * edge)[0] > 0 > covariance(1.001 * edge)[0]
    moments = loss_moments(mirror.copy_law(), mirror.AntiCopy(0.05), pairs=True).average
    noise = [4 * va.decompose(moments, None, 0.45, m, 0.95).pattern for m in ("single", "independent-pair", "mirror")]
    printed = np.abs(np.array(noise) - (0.673, 0.337, 0.469)).max() < 6e-4
    note = f"pattern noise, sum over tokens: {np.round(noise, 4)}"
    return decide(bool(max(gaps) < ROUNDING and signs and printed), 6, None, note)


@control("mirror-never-hurts", tier="float64")
def mirror_on_a_clipped_range(results: Results) -> Outcome:
    """mirror-never-hurts for the anti-copy denoiser with t in [0.45, 0.95]: A above that of two independent masks."""
    moments = loss_moments(mirror.copy_law(), mirror.AntiCopy(0.05), pairs=True).average
    pair, mirrored = (va.decompose(moments, None, 0.45, m, 0.95).pattern for m in ("independent-pair", "mirror"))
    return decide(mirrored <= pair, 1, mirrored - pair, f"{pair:.3f} against {mirrored:.3f} per token")


not_claimed_tight("mirror-never-hurts", "a statement about a sign; see mirror-monotone")
