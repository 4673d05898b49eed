"""Parity of a bit string by local edits, and what fixed length and locality cost.

Tokens 0 and 1 are bits, 2 is the start token. The input is `< b_1 ... b_n`; the answer is `< 1` for odd, `<` (or `< 0`)
for even.
"""

from fractions import Fraction
from functools import cache
from itertools import product
from math import comb

import numpy as np

from toy_models.any_process.programs import Program, Run, Site, String, run, stay_all, sure
from toy_models.any_process.rewriting import Rules
from toy_models.any_process.transition import write
from toy_models.validation import MASK, positive_int

START = 2
PAIR_RULES = ("01 -> M.", "10 -> .M", "00 -> MM", "11 -> MM", "M1 -> x.", "1M -> .x", "MM -> xx")

#: The seven rules of Yang et al. 2025 (training data of length 2), on the first two tokens only.
first_pair = Rules("01<", PAIR_RULES, first=1)

#: The same rules on all pairs at once, and a last unpaired 0 is dropped too. At most 4 steps for every n.
tournament = Rules("01<", (*PAIR_RULES, "0 -> M", "M -> x"), first=1, stride=2)


def decide(program: Program, bits) -> tuple[int, Run]:
    """(parity, run) of a parity program on the bits; an answer other than `<`, `< 0`, `< 1` counts as -1."""
    result = run(program, (START, *map(int, bits)))
    return {(START,): 0, (START, 0): 0, (START, 1): 1}.get(result.final, -1), result


def lone_zero_probability(n: int) -> Fraction:
    """P(`first_pair` ends in the state `< 0`, which is absent from its seven samples) = (1 + 2(-1/2)^(n-1)) / 6."""
    return (1 + 2 * Fraction(-1, 2) ** (n - 1)) / 6


def prefix_scratch(x: String) -> list[Site] | None:
    """Write-once parity with scratch: `< b_1 M b_2 M ...`, each mask becomes (mask two to its left) xor (left bit).

    Radius 2, exactly n steps, context 2n + 1.
    """
    sites = stay_all(x)
    ready = [i for i in range(2, len(x), 2) if x[i] == MASK and (i == 2 or x[i - 2] != MASK)]
    for i in ready:
        sites[i] = sure(write(x[i - 1] ^ (x[i - 2] if i > 2 else 0)))
    return sites if ready else None


def light_cone(n: int, radius: int, steps: int) -> range:
    """Input positions (0-based) that an answer cell right of n input bits can depend on: the last radius * steps."""
    return range(max(0, n - positive_int("radius", radius) * positive_int("steps", steps)), n)


def best_accuracy(n: int, visible) -> Fraction:
    """Best accuracy at the parity of n uniform bits of any predictor that sees only the positions `visible`.

    Enumeration: group the 2^n inputs by what is seen, take the majority in each group.
    """
    counts: dict[String, list[int]] = {}
    for bits in product((0, 1), repeat=n):
        counts.setdefault(tuple(bits[i] for i in visible), [0, 0])[sum(bits) % 2] += 1
    return Fraction(sum(max(pair) for pair in counts.values()), 2**n)


def dependence(n: int, radius: int, steps: int, rng: np.random.Generator) -> set[int]:
    """Input positions on which the answer cell of one random local rule really depends, by enumeration.

    Fixed length; each step every cell is rewritten by a random function of the cells within the radius. That allows
    more than write-once does, so the light cone holds there too.
    """
    values = 3
    width = 2 * radius + 1
    tables = rng.integers(values, size=(steps, values**width))
    inputs = np.array(list(product((0, 1), repeat=n)))
    cells = np.concatenate([inputs, np.full((len(inputs), 1), 2)], axis=1)
    for table in tables:
        padded = np.pad(cells, ((0, 0), (radius, radius)), constant_values=2)
        index = np.zeros_like(cells)
        for offset in range(width):
            index = index * values + padded[:, offset : offset + n + 1]
        cells = table[index]
    answer = cells[:, -1].reshape((2,) * n)
    return {i for i in range(n) if (np.take(answer, 0, i) != np.take(answer, 1, i)).any()}


def matched_pairs(m: int, k: int) -> Fraction:
    """P(k adjacent RL pairs) when m ones draw L or R: C(m+1, 2k+1) / 2^m."""
    return Fraction(comb(m + 1, 2 * k + 1), 2**m)


def matching_rounds(m: int) -> Fraction:
    """E[rounds] until at most one of m ones is left, when each round removes the RL pairs of fresh draws.

    E_m = (1 + sum over k >= 1 of P(k) E_{m-2k}) / (1 - (m+1)/2^m), E_0 = E_1 = 0; grows like log2 m.
    """
    return _matching_rounds(m)


@cache
def _matching_rounds(m: int) -> Fraction:
    if m <= 1:
        return Fraction(0)
    later = sum(matched_pairs(m, k) * _matching_rounds(m - 2 * k) for k in range(1, m // 2 + 1))
    return (1 + later) / (1 - matched_pairs(m, 0))
