"""MIRROR without counting a token twice, and its generalisation to J rotated masks."""

from fractions import Fraction
from itertools import pairwise, product
from random import Random

import numpy as np

from theory.ledger.registry import Outcome, check, control, decide, definition, tightness
from theory.variance import exact
from theory.variance.checks.cases import ROUNDING, small
from theory.variance.definitions import losses_of
from theory.variance.results import Results
from toy_models import Table
from toy_models.variance import deduplicated_parts
from toy_models.variance.mirror import pair_covariance

NOISY_COPY = Table(np.array([[0.45, 0.05], [0.05, 0.45]]))
PRINTED = {  # t: mirrored pair, deduplicated, two independent masks
    0.4: (0.3547638936, 0.3547638936, 0.4094667783),
    0.6: (0.1690116268, 0.1721153797, 0.2160015905),
    0.75: (0.0957286826, 0.0805913097, 0.1181404129),
    0.9: (0.0381790007, 0.0214442029, 0.0420124343),
}
Losses = list[list[Fraction]]  # [mask][i]


def _random_losses(generator: Random, length: int, additive: bool = False) -> Losses:
    own = [Fraction(generator.randint(0, 20), 7) for _ in range(length)]
    return [
        [
            (own[i] if additive else Fraction(generator.randint(0, 20), 7)) if m >> i & 1 else Fraction(0)
            for i in range(length)
        ]
        for m in range(2**length)
    ]


def _one_mask(losses: Losses, length: int, t: Fraction) -> Fraction:
    """g = E S/(L t) of one mask."""
    return exact.mean([sum(row, Fraction(0)) / (length * t) for row in losses], exact.mask_law(length, t))


def _cells(masks) -> list[tuple[Fraction, int]]:
    """(width, the set of masks that hide a token) of U on (0, 1); masks(u) is that set as bits, constant between marks
    of 1/60 for all t and J used."""
    marks = [Fraction(k, 60) for k in range(61)]
    return [(b - a, masks((a + b) / 2)) for a, b in pairwise(marks)]


def _moments(length: int, cells: list[tuple[Fraction, int]], count: int, value) -> tuple[Fraction, Fraction]:
    """(mean, variance) over all U of value(list of the masks)."""
    law: dict[int, Fraction] = {}
    for width, hidden in cells:
        law[hidden] = law.get(hidden, Fraction(0)) + width
    first = second = Fraction(0)
    for chosen in product(law.items(), repeat=length):
        chance, masks = Fraction(1), [0] * count
        for i, (hidden, width) in enumerate(chosen):
            chance *= width
            for j in range(count):
                masks[j] |= (hidden >> j & 1) << i
        v = value(masks)
        first, second = first + chance * v, second + chance * v * v
    return first, second - first**2


def _mirrored(t: Fraction):
    return _cells(lambda u: int(u < t) | int(u > 1 - t) << 1)


def _deduplicated(losses: Losses, length: int):
    def value(masks: list[int]) -> Fraction:
        total = Fraction(0)
        for i in range(length):
            own = [losses[m][i] for m in masks if m >> i & 1]
            total += sum(own, Fraction(0)) / len(own)
        return total / length

    return value


@check("mirror-deduplicated", tier="rational")
def unbiased_for_every_denoiser(results: Results) -> Outcome:
    """mirror-deduplicated: random losses c_i(M), L = 1, 2, 3, t > 1/2: the mean over all U is that of one mask; for
    additive losses the variance is 0. J rotated masks: the mean is that of one mask, at any t.
    """
    generator, holds, count = Random(10), True, 0
    for length, additive in product((1, 2, 3), (False, True)):
        for t in (Fraction(3, 5), Fraction(3, 4), Fraction(9, 10), Fraction(1)):
            losses = _random_losses(generator, length, additive)
            mean, variance = _moments(length, _mirrored(t), 2, _deduplicated(losses, length))
            holds &= mean == _one_mask(losses, length, t) and (not additive or variance == 0)
            count += 1
        for number, t in ((3, Fraction(1, 3)), (3, Fraction(1, 4)), (4, Fraction(3, 4))):
            losses = _random_losses(generator, length, additive)
            mean, variance = _moments(length, _rotated(number, t), number, _average(losses, length, t))
            whole = (number * t).denominator == 1
            holds &= mean == _one_mask(losses, length, t) and (not (additive and whole) or variance == 0)
            count += 1
    return decide(holds, count, 0.0)


def _rotated(number: int, t: Fraction):
    return _cells(lambda u: sum(int((u - Fraction(j, number)) % 1 < t) << j for j in range(number)))


def _average(losses: Losses, length: int, t: Fraction):
    return lambda masks: sum((sum(losses[m], Fraction(0)) for m in masks), Fraction(0)) / (len(masks) * length * t)


@check("mirror-deduplicated", tier="float64")
def not_better_at_every_time(results: Results) -> Outcome:
    """mirror-deduplicated: noisy copy, flip .1: variances at t = .4, .6, .75, .9 as printed, at .6 above mirrored."""
    gaps, found = [], {}
    losses = losses_of(NOISY_COPY)
    for t, printed in PRINTED.items():
        _, pattern, data = deduplicated_parts(losses.each, losses.probability, t)
        found[t] = pattern + data
        gaps.append(abs(found[t] - printed[1]))
        s = losses.total / (2 * t)
        law = np.array([(1 - t) ** 2, t * (1 - t), t * (1 - t), t * t])
        mean = s @ law
        spread = float(losses.probability @ (s**2 @ law - mean**2))
        between = float(losses.probability @ (mean - losses.probability @ mean) ** 2)
        mirrored = (spread + float(losses.probability @ pair_covariance(losses.total, t)) / (4 * t * t)) / 2 + between
        gaps += [abs(mirrored - printed[0]), abs(spread / 2 + between - printed[2])]
    holds = max(gaps) < 5.1e-11 and found[0.6] > PRINTED[0.6][0]
    return decide(holds, len(gaps), found[0.6] - PRINTED[0.6][0], "margin: excess over the mirrored pair at t = .6")


@definition("mirror-deduplicated", tier="float64")
def library_of_the_deduplicated_pair(results: Results) -> Outcome:
    """mirror-deduplicated: the library on three positions of K1 against the sum over all cells of U, text by text."""
    losses, gaps = small()[0], []
    for t in (0.35, 0.8):
        mean, pattern, data = deduplicated_parts(losses.each, losses.probability, t)
        first, second = np.zeros(len(losses.probability)), np.zeros(len(losses.probability))
        marks = sorted({0.0, t, 1 - t, 1.0})
        for cells in product(list(pairwise(marks)), repeat=3):
            u = [(a + b) / 2 for a, b in cells]
            chance = float(np.prod([b - a for a, b in cells]))
            masks = [sum(1 << i for i in range(3) if u[i] < t), sum(1 << i for i in range(3) if u[i] > 1 - t)]
            if t > 0.5:
                rows = [np.mean([losses.each[:, m, i] for m in masks if m >> i & 1], axis=0) for i in range(3)]
                value = np.sum(rows, axis=0) / 3
            else:
                value = losses.total[:, masks].sum(axis=1) / (6 * t)
            first, second = first + chance * value, second + chance * value**2
        centre = float(losses.probability @ first)
        gaps += [abs(mean - centre), abs(pattern - float(losses.probability @ (second - first**2)))]
        gaps.append(abs(data - float(losses.probability @ (first - centre) ** 2)))
    return decide(max(gaps) < ROUNDING, len(gaps), ROUNDING - max(gaps))


@tightness("mirror-deduplicated", tier="rational")
def the_two_forms_meet(results: Results) -> Outcome:
    """mirror-deduplicated at t = 1/2, where both forms agree, and at t = 1, where nothing varies."""
    losses = _random_losses(Random(11), 3)
    half = Fraction(1, 2)
    plain = _moments(3, _mirrored(half), 2, _average(losses, 3, half))
    whole = _moments(3, _mirrored(Fraction(1)), 2, _deduplicated(losses, 3))
    return decide(plain == _moments(3, _mirrored(half), 2, _deduplicated(losses, 3)) and whole[1] == 0, 2, 0.0)


@control("mirror-deduplicated", tier="rational")
def never_above_the_mirrored_pair(results: Results) -> Outcome:
    """mirror-deduplicated read as: at most the variance of the mirrored pair; random losses, L = 2, t = 3/5."""
    generator, t, worse = Random(12), Fraction(3, 5), 0
    for _ in range(40):
        losses = _random_losses(generator, 2)
        single = _moments(2, _mirrored(t), 2, _deduplicated(losses, 2))[1]
        worse += single > _moments(2, _mirrored(t), 2, _average(losses, 2, t))[1]
    return decide(worse == 0, 40, worse / 40, "margin: share of random losses that refute it")


@control("mirror-deduplicated", tier="rational")
def first_mask_alone_for_shared_tokens(results: Results) -> Outcome:
    """mirror-deduplicated with half the loss of a token that only one mask hides: the mean is not that of one mask."""
    losses, t = _random_losses(Random(13), 2), Fraction(3, 4)

    def value(masks: list[int]) -> Fraction:
        return sum((losses[m][i] / 2 for m in masks for i in range(2)), Fraction(0)) / 2

    return decide(_moments(2, _mirrored(t), 2, value)[0] == _one_mask(losses, 2, t), 1)


@control("mirror-deduplicated", tier="rational")
def rotations_that_do_not_fit(results: Results) -> Outcome:
    """mirror-deduplicated: J = 3 rotated masks at t = 1/4, J t no integer: an additive loss still varies."""
    losses, t = _random_losses(Random(14), 2, additive=True), Fraction(1, 4)
    return decide(_moments(2, _rotated(3, t), 3, _average(losses, 2, t))[1] == 0, 1)
