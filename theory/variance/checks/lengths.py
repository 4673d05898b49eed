"""Noise against length: chains, exactly, through the gaps between visible tokens."""

from fractions import Fraction
from functools import cache
from math import log

import numpy as np

import toy_models as tm
from theory.ledger.registry import Outcome, check, control, decide, definition, tightness
from theory.variance import definitions
from theory.variance.checks.cases import ROUNDING
from theory.variance.lengths import Noise, chain_noise
from theory.variance.results import Results
from toy_models import pairs
from toy_models.targets.instances import k1
from toy_models.variance import chain_moments, gap_losses, strats
from toy_models.variance.densities import uniform
from toy_models.variance.loss_moments import loss_moments

PRINTED = {  # K1, epsilon = 1e-3: uniform t, Var_t G, p*, Var_k g
    4: (1.769092, 0.005891, 1.076910, 0.009985),
    16: (0.438850, 0.007791, 0.320079, 0.008892),
    64: (0.115352, 0.008268, 0.094642, 0.008566),
    256: (0.035118, 0.008389, 0.026905, 0.008484),
}


def _flip(length: int, chance: float = 0.1) -> tm.MarkovChain:
    return tm.MarkovChain([[1 - chance, chance], [chance, 1 - chance]], length)


@cache
def _flip_noise(length: int) -> Noise:
    return chain_noise(_flip(length), 0.05)


@definition("variance-in-length", tier="float64")
def gaps_are_the_definition(results: Results) -> Outcome:
    """variance-in-length: E l, E l^2 from the gaps against the sum over every text and mask, V = 2, 3, L = 1 to 4."""
    gaps = []
    for chain in (k1(4), k1(1), _flip(4), tm.MarkovChain([[0.5, 0.5], [1.0, 0.0]], 3, [0.25, 0.75])):
        losses, built = definitions.losses_of(chain), gap_losses(chain)
        for t in (0.05, 0.5, 0.93, 1.0):
            mean, square = definitions.at_time(losses, t, "single")
            found = chain_moments(built, t)
            gaps += [abs(found[0] - losses.probability @ mean), abs(found[1] - losses.probability @ square)]
    return decide(max(gaps) < ROUNDING, len(gaps), ROUNDING - max(gaps))


@check("variance-in-length", tier="float64")
def noise_of_k1(results: Results) -> Outcome:
    """variance-in-length: K1, epsilon = 1e-3, L = 4 to 64 (full: 256) as printed; the floor of Var_k g is .00845682,
    from two lengths and its 1/L term."""
    gaps = []
    for length, printed in PRINTED.items():
        if length <= (256 if results.profile == "full" else 64):
            found = chain_noise(k1(length), 1e-3)
            gaps += [abs(a - b) for a, b in zip(_row(found), printed, strict=True)]
    far = [float(tm.information_curve(k1(n)).var()) for n in (1024, 2048)]
    floor = 2 * far[1] - far[0]
    return decide(max(gaps) < 6e-7 and abs(floor - 0.00845682) < 2e-8, len(gaps) + 1, floor, "margin: limit of Var_k g")


def _row(noise: Noise) -> tuple[float, float, float, float]:
    return noise.uniform, noise.between, noise.optimal, noise.sizes


@check("variance-in-length", tier="float64")
def orders_in_the_length(results: Results) -> Outcome:
    """variance-in-length, binary chain, flip .1, epsilon = .05, L = 16 to 128: L p* and L (uniform - Var_t G)
    stay below 2; Var_t G and Var_k g are within 3 % of their limits at 128; p* below both from L = 128 on."""
    rows = {n: _flip_noise(n) for n in (16, 32, 64, 128)}
    bounded = max(n * max(r.optimal, r.uniform - r.between) for n, r in rows.items())
    h = tm.information_curve(_flip(2048))
    a, w = np.polynomial.legendre.leggauss(64)
    visible = (a + 1) / 2 * 0.95
    curve = tm.reveal_curve(h, visible)
    limit = 0.95**2 * (float(w @ curve**2) / 2 - (float(w @ curve) / 2) ** 2)
    last = rows[128]
    near = max(abs(last.between / limit - 1), abs(last.sizes / float(h.var()) - 1))
    wins = last.optimal < min(last.uniform, last.sizes)
    return decide(
        bounded < 2 and near < 0.03 and wins, 4, last.sizes / last.optimal, "margin: uniform k over p*, L = 128"
    )


@tightness("variance-in-length", tier="float64")
def floor_of_uniform_times(results: Results) -> Outcome:
    """variance-in-length: flip .1, L = 128: more than half of the noise of uniform t is the part that stays."""
    noise = _flip_noise(128)
    return decide(0.5 < noise.between / noise.uniform < 1, 1, noise.between / noise.uniform)


@control("variance-in-length", tier="float64")
def uniform_times_fall_too(results: Results) -> Outcome:
    """variance-in-length: O(1/L) claimed for uniform t: L times its variance below 2 at L = 128."""
    return decide(128 * _flip_noise(128).uniform < 2, 1)


@control("variance-in-length", tier="float64")
def independent_tokens_keep_a_floor(results: Results) -> Outcome:
    """variance-in-length without the hypothesis on the rows: a floor claimed for independent tokens (Var_t G = 0)."""
    chain = tm.MarkovChain([[0.7, 0.3], [0.7, 0.3]], 32)
    return decide(chain_noise(chain, 0.05).between > 1e-6, 1)


@control("variance-in-length", tier="float64")
def uniform_sizes_at_every_length(results: Results) -> Outcome:
    """variance-in-length: uniform k claimed never worse than p*, L = 128: its lower bound is above p*."""
    noise = _flip_noise(128)
    return decide(noise.sizes <= noise.optimal, 1, noise.sizes - noise.optimal)


@check("low-discrepancy-times", tier="rational")
def one_shift_on_pairs(results: Results) -> Outcome:
    """low-discrepancy-times on the pair language, epsilon = 0: 4/(3 L n) + 1/(12 n^2) from E l = t and
    E l^2 = s + (1 - s) t^2, s = 2/L, integrated in Q; the library at L = 4, 6; a factor of 13 at L = 1024, n = 16."""
    gaps = []
    for length, n in ((4, 3), (6, 8)):
        moments = loss_moments(pairs(2, length)).average
        found = strats.low_discrepancy_variance(moments, n, uniform(1e-12), 1e-12) / log(2) ** 2
        gaps.append(abs(found - float(_shifted(length, n))))
    holds = all(
        _shifted(length, n) == Fraction(4, 3 * length * n) + Fraction(1, 12 * n * n)
        for length in (2, 4, 64, 1024)
        for n in (1, 2, 16)
    )
    ratio = (Fraction(1, 12) + Fraction(4, 3 * 1024)) / 16 / _shifted(1024, 16)
    return decide(
        holds and max(gaps) < 1e-9 and round(ratio) == 13, 15, float(ratio), "margin: gain at L = 1024, n = 16"
    )


def _shifted(length: int, n: int) -> Fraction:
    """E_u of sum_j Var(l | t_j)/n^2 + Var_u(mean of t_j), t_j = (j + u)/n: integrals of polynomials in u."""
    s, inside, means = Fraction(2, length), Fraction(0), [Fraction(0), Fraction(0)]
    for j in range(n):
        square = (Fraction(j * j) + j + Fraction(1, 3)) / n**2  # E t_j^2
        inside += (s + (1 - s) * square - square) / n**2
    start = Fraction(n - 1, 2 * n)  # mean of t_j = start + u/n
    means = [start + Fraction(1, 2 * n), start**2 + start / n + Fraction(1, 3 * n * n)]
    return inside + means[1] - means[0] ** 2
