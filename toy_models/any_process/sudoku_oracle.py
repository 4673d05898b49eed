"""Parallel decoding of 4 x 4 Sudoku from the exact marginals: what redrawing a group by remask buys, exactly.

The target is uniform on the 288 grids. A schedule reveals groups of cells in order; inside a group cells are drawn
independently from the exact marginals given the earlier groups.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import log

import numpy as np
from jaxtyping import Int

from toy_models.any_process.sudoku import grids


@dataclass(frozen=True)
class GroupDecoding:
    """valid = P(a grid) write-once; kl = KL(uniform || law); tv = total variation of redraw's law from uniform.

    Expected decode steps until a grid is written (through g each rejection costs one more, a remask):
    redraw = sum over groups of E[1 / P(accept)], restart = sum over groups of P(all earlier groups accepted) / valid
    when an attempt stops at its first rejected group, and blind = K / valid when it is judged at its end only.
    """

    steps: int
    valid: Fraction
    kl: float
    restart: Fraction
    blind: Fraction
    redraw: Fraction
    tv: Fraction


def decode_groups(groups: Sequence[Sequence[int]], words: Int[np.ndarray, "words L"] | None = None) -> GroupDecoding:
    """Exact numbers of one schedule; `words` (default the 288 grids) is the support of the uniform target.

    A group is accepted if some word agrees with all that is written (an extendability oracle). A rejected group is
    drawn again (redraw), or everything is (restart).
    """
    words = grids() if words is None else np.asarray(words)
    count = len(words)
    context = np.zeros(count, dtype=np.int64)
    once = [Fraction(1)] * count  # probability of each word, write-once
    redrawn = [Fraction(1)] * count
    redraw = attempt = Fraction(0)
    for group in groups:
        draw = _draw_probabilities(words, context, group)
        refined = np.unique(np.column_stack([context, words[:, list(group)]]), axis=0, return_inverse=True)[1].ravel()
        accept: dict[int, Fraction] = {}
        reach: dict[int, Fraction] = {}
        first = {int(r): k for k, r in reversed(list(enumerate(refined)))}
        for k in first.values():  # one word per distinct outcome of the group
            accept[int(context[k])] = accept.get(int(context[k]), Fraction(0)) + draw[k]
            reach[int(context[k])] = redrawn[k]
        redraw += sum((reach[c] / accept[c] for c in accept), Fraction(0))
        attempt += sum({int(c): p for c, p in zip(context, once, strict=True)}.values(), Fraction(0))
        once = [p * d for p, d in zip(once, draw, strict=True)]
        redrawn = [p * d / accept[int(c)] for p, d, c in zip(redrawn, draw, context, strict=True)]
        context = refined
    valid = sum(once, Fraction(0))
    return GroupDecoding(
        len(groups),
        valid,
        -sum(log(count * p) for p in once) / count + 0.0,  # never -0
        attempt / valid,
        len(groups) / valid,
        redraw,
        sum((abs(p - Fraction(1, count)) for p in redrawn), Fraction(0)) / 2,
    )


def _draw_probabilities(words, context, group) -> list[Fraction]:
    """For each word: product over the group of its marginal given the word's context."""
    result = [Fraction(1)] * len(words)
    sizes = np.bincount(context)
    for i in group:
        pair = context * (words.max() + 1) + words[:, i]
        same = np.bincount(pair)
        result = [r * Fraction(int(same[p]), int(sizes[c])) for r, p, c in zip(result, pair, context, strict=True)]
    return result
