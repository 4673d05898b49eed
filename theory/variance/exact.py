"""Rational instances of the training-noise claims: every quantity a Fraction, decided with == and <=."""

from fractions import Fraction
from itertools import combinations, product
from math import comb
from random import Random


def random_losses(generator: Random, length: int) -> list[Fraction]:
    """Any S(M) >= 0 with S(empty) = 0."""
    return [Fraction(0)] + [Fraction(generator.randint(0, 30), generator.randint(1, 9)) for _ in range(2**length - 1)]


def monotone_losses(generator: Random, length: int) -> list[Fraction]:
    """S(M) = sum of nonnegative weights of the sets that M meets or contains: nondecreasing in M."""
    result = [Fraction(0)] * 2**length
    for block in range(1, 2**length):
        weight, contains = Fraction(generator.randint(0, 9), generator.randint(1, 5)), generator.random() < 0.5
        for mask in range(2**length):
            if (mask & block) == block if contains else mask & block:
                result[mask] += weight
    return result


def mask_law(length: int, t: Fraction) -> list[Fraction]:
    """P(M) at mask probability t."""
    return [t ** m.bit_count() * (1 - t) ** (length - m.bit_count()) for m in range(2**length)]


def mean(values, law) -> Fraction:
    return sum((v * p for v, p in zip(values, law, strict=True)), Fraction(0))


def variance(values, law) -> Fraction:
    centre = mean(values, law)
    return mean([(v - centre) ** 2 for v in values], law)


def parts(
    tables: list[list[Fraction]], law: list[Fraction], times: list[Fraction], weights: list[Fraction], length: int
):
    """(A, B, C, direct total, Var_t E_x g, E_t Var_x g) of l = S(x, M)/(L t); t on finitely many values."""
    losses = {}
    for k, s in enumerate(tables):
        for j, t in enumerate(times):
            losses[k, j] = [value / (length * t) for value in s]
    masks = [mask_law(length, t) for t in times]
    g = [[mean(losses[k, j], masks[j]) for j in range(len(times))] for k in range(len(tables))]
    v = [[variance(losses[k, j], masks[j]) for j in range(len(times))] for k in range(len(tables))]
    a = mean([mean(row, weights) for row in v], law)
    b = mean([variance(row, weights) for row in g], law)
    c = variance([mean(row, weights) for row in g], law)
    columns = [[row[j] for row in g] for j in range(len(times))]
    first = variance([mean(column, law) for column in columns], weights)
    rest = mean([variance(column, law) for column in columns], weights)
    everything, chance = [], []
    for k, j in product(range(len(tables)), range(len(times))):
        everything += losses[k, j]
        chance += [law[k] * weights[j] * p for p in masks[j]]
    return a, b, c, variance(everything, chance), first, rest


def random_instance(generator: Random):
    """Arguments of `parts` for L <= 3."""
    length = generator.randint(1, 3)
    sequences, times = generator.randint(1, 4), generator.randint(1, 4)

    def simplex(n):
        raw = [Fraction(generator.randint(1, 9)) for _ in range(n)]
        return [r / sum(raw) for r in raw]

    grid = [Fraction(generator.randint(1, 12), 12) for _ in range(times)]
    return (
        [random_losses(generator, length) for _ in range(sequences)],
        simplex(sequences),
        grid,
        simplex(times),
        length,
    )


def order_coefficients(length: int, weight) -> dict[int, Fraction]:
    """Coefficient of log q(x_T), T a set of visible positions, in sum over M of weight(|M|) S(x, M) at the oracle.

    S(x, M) = sum over i in M of log q(x_T) - log q(x_(T + i)), T the complement of M.
    """
    full = 2**length - 1
    result = dict.fromkeys(range(2**length), Fraction(0))
    for mask in range(1, 2**length):
        seen = full ^ mask
        for i in range(length):
            if mask >> i & 1:
                result[seen] += weight(mask.bit_count())
                result[seen | 1 << i] -= weight(mask.bit_count())
    return result


def order_weight(length: int):
    """1 / (k binom(L, k)): the integral over (0, 1) of t^(k-1) (1-t)^(L-k)."""
    return lambda k: Fraction(1, k * comb(length, k))


def mirrored_covariance(s: list[Fraction], length: int, t: Fraction) -> Fraction:
    """Cov(S(M1), S(M2)) by enumeration of pairs of masks."""
    both, neither, one = max(2 * t - 1, Fraction(0)), max(1 - 2 * t, Fraction(0)), min(t, 1 - t)
    total = Fraction(0)
    for cells in product(range(4), repeat=length):
        chance, first, second = Fraction(1), 0, 0
        for i, cell in enumerate(cells):
            chance *= (neither, one, one, both)[cell]
            first |= (cell & 1) << i
            second |= (cell >> 1) << i
        if chance:
            total += chance * s[first] * s[second]
    return total - mean(s, mask_law(length, t)) ** 2


def fourier_covariance(s: list[Fraction], length: int, t: Fraction, sign: int = -1) -> Fraction:
    """sum over k >= 1 of (sign r)^k W_k with r = min(t/(1-t), (1-t)/t)."""
    r = min(t / (1 - t), (1 - t) / t)
    coefficients = list(s)
    for i in range(length):
        for mask in range(2**length):
            if not mask >> i & 1:
                low, high = coefficients[mask], coefficients[mask | 1 << i]
                coefficients[mask], coefficients[mask | 1 << i] = (1 - t) * low + t * high, high - low
    spread = t * (1 - t)  # each level carries one factor sqrt(t (1-t)) per coefficient
    return sum(
        ((sign * r * spread) ** mask.bit_count() * coefficients[mask] ** 2 for mask in range(1, 2**length)), Fraction(0)
    )


def syrm_sides(rows: list[list[list[Fraction]]], law: list[Fraction], size: int, t: Fraction, rate_term: bool = True):
    """Var[(1/(P t)) sum M_i Y_i] and the SyRM formula; rows[x][M][i] = Y_i (0 outside M)."""
    masks = mask_law(size, t)
    chance = [p * m for p in law for m in masks]
    flat = [y for row in rows for y in row]
    direct = variance([sum(y, Fraction(0)) / (size * t) for y in flat], chance)
    mu = [mean([y[i] for y in flat], chance) / t for i in range(size)]
    square = [mean([y[i] ** 2 for y in flat], chance) / t for i in range(size)]
    total = sum((square[i] - mu[i] ** 2 for i in range(size)), Fraction(0)) / (size**2 * t)
    if rate_term:
        total += (1 - t) / (size**2 * t) * sum(m**2 for m in mu)
    for i in range(size):
        for j in range(i):
            rho = mean([y[i] * y[j] for y in flat], chance) / t**2 - mu[i] * mu[j]
            total += Fraction(2, size**2) * rho
    return direct, total


def stratified_variances(values: list[Fraction], noise: list[Fraction], strata: int, batch: int):
    """Variance of a batch mean, t uniform on len(values) points in equal strata: (by draws, corrected, transcribed).

    Given t the loss has mean values[t] and variance noise[t]; batch/strata draws fall in each stratum.
    """
    width = len(values) // strata
    flat = [Fraction(1, len(values))] * len(values)
    total = variance(values, flat) + mean(noise, flat)
    by_draws, between = Fraction(0), []
    for k in range(strata):
        part = slice(k * width, (k + 1) * width)
        law = [Fraction(1, width)] * width
        one_draw = variance(values[part], law) + mean(noise[part], law)
        by_draws += Fraction(batch, strata) * one_draw / batch**2
        between.append(mean(values[part], law))
    sigma_b = variance(between, [Fraction(1, strata)] * strata)
    return by_draws, (total - sigma_b) / batch, total / batch - sigma_b / strata


def shifted_grid_variances(values: list[Fraction], noise: list[Fraction], batch: int) -> tuple[Fraction, Fraction]:
    """Variance of a batch mean with one shift for all times: (drawn out, (total - Var_t)/n + variance of the mean).

    The time takes len(values) equally likely values; draw j is value number j w + shift, w = len(values)/batch. Given
    its time a loss has mean values[.] and variance noise[.].
    """
    width = len(values) // batch
    flat, shifts = [Fraction(1, len(values))] * len(values), [Fraction(1, width)] * width
    rows = [[(values[j * width + u], noise[j * width + u]) for j in range(batch)] for u in range(width)]
    square = mean([sum(a for a, _ in row) ** 2 + sum(b for _, b in row) for row in rows], shifts)
    drawn = (square - mean([sum(a for a, _ in row) for row in rows], shifts) ** 2) / batch**2
    total = variance(values, flat) + mean(noise, flat)
    means = [sum(a for a, _ in row) / batch for row in rows]
    return drawn, (total - variance(values, flat)) / batch + variance(means, shifts)


def mean_minimum(shift: Fraction) -> Fraction:
    """Integral over (0, 1) of min(1, t + shift): the area below the corner and above it."""
    corner = 1 - shift
    return corner * (shift + 1) / 2 + shift


def all_masked_minimiser(law, mean_rates: tuple[Fraction, Fraction]) -> Fraction:
    """Two bits, bit i masked with probability r(x_i, t) and weighted by its inverse: the best prediction of x_1 = 1
    when both are masked. law[v][w] = q(x_1 = v, x_2 = w), mean_rates[w] = mean over t of r(w, t).

    P(both masked) / r(x_1) = r(x_2), so x_1 = v has the weight sum over w of law[v][w] mean_rates[w]; of a weighted log
    loss the minimiser is the normalised weight.
    """
    weights = [sum((row[w] * mean_rates[w] for w in (0, 1)), Fraction(0)) for row in law]
    return weights[1] / sum(weights, Fraction(0))


def codes(p: int, length: int):
    """Generators in reduced row echelon form of every code of length L over GF(p) but {0}: each code once."""
    for rank in range(1, length + 1):
        for pivots in combinations(range(length), rank):
            free = [(i, j) for i in range(rank) for j in range(pivots[i] + 1, length) if j not in pivots]
            for values in product(range(p), repeat=len(free)):
                rows = [[int(j == pivot) for j in range(length)] for pivot in pivots]
                for (i, j), value in zip(free, values, strict=True):
                    rows[i][j] = value
                yield rows


def code_losses(rows: list[list[int]], p: int, length: int) -> list[Fraction]:
    """S(M) / log p = sum over i in M of rank(M^c + i) - rank(M^c), ranks by counting the restrictions of all words."""
    words = [
        [sum(a * row[j] for a, row in zip(c, rows, strict=True)) % p for j in range(length)]
        for c in product(range(p), repeat=len(rows))
    ]
    seen = [len({tuple(w[j] for j in range(length) if m >> j & 1) for w in words}) for m in range(2**length)]
    rank = [next(r for r in range(length + 1) if p**r == n) for n in seen]
    full = 2**length - 1
    return [
        Fraction(sum(rank[full ^ m | 1 << i] - rank[full ^ m] for i in range(length) if m >> i & 1))
        for m in range(2**length)
    ]
