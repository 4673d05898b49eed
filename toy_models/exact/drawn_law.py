"""The law of draw-then-select in rational arithmetic: P(S, v_S) of each call by sorting the candidates.

A candidate (i, v) comes before (j, w) when pi_i(v) > pi_j(w). S of size k with worst probability c is kept when every
other candidate is smaller, or equals c and loses the tie: to the left-most ones, or to r of the r + b tied at random.
"""

from itertools import combinations, product
from math import comb

import numpy as np
from flint import fmpq

from toy_models.exact.rational_law import oracle_marginals
from toy_models.rules.quotas import as_quota
from toy_models.validation import MASK


def drawn_confidence_law(pmf: np.ndarray, sizes, ties: str = "leftmost", marginals=None) -> tuple[np.ndarray, fmpq]:
    """(pmf of what is written, impossible mass) of `DrawnConfidence(sizes, ties=ties)`, score = probability.

    sizes: a number per call or a sequence that sums to L. `marginals(state)` as in `law`; default: the oracle of `pmf`.

    >>> pmf = tm.exact.chain_pmf(["2/5", "3/5"], [["7/10", "3/10"], ["1/5", "4/5"]], 2)
    >>> str(tm.exact.drawn_confidence_law(pmf, 1)[0][1, 1])
    '84/125'
    """
    oracle, rule = marginals or oracle_marginals(pmf), as_quota(sizes)
    mass, impossible = {(MASK,) * pmf.ndim: fmpq(1)}, fmpq(0)
    written = np.full(pmf.shape, fmpq(0), dtype=object)
    while mass:
        following: dict[tuple, fmpq] = {}
        for state, probability in mass.items():
            given = oracle(state)
            if given is None:
                impossible += probability
                continue
            laws = {i: row for i, row in enumerate(given) if row is not None}
            keep = int((rule.bars(len(laws)) < 0).sum())
            for outcome, chance in kept_outcomes(laws, keep, ties).items():
                after = list(state)
                for i, v in outcome:
                    after[i] = v
                key, total = tuple(after), probability * chance
                if MASK in key:
                    following[key] = following.get(key, fmpq(0)) + total
                else:
                    written[key] += total
        mass = following
    return written, impossible


def kept_outcomes(laws: dict[int, list[fmpq]], keep: int, ties: str) -> dict[tuple[tuple[int, int], ...], fmpq]:
    """{((i, v_i) for i in S): P(S, v_S)} of one call with the given token laws, |S| = keep.

    >>> laws = {0: [tm.exact.rational("2/3"), tm.exact.rational("1/3")], 1: [tm.exact.rational(1)]}
    >>> {str(k): str(p) for k, p in tm.exact.kept_outcomes(laws, 1, "leftmost").items()}
    {'((1, 0),)': '1'}
    """
    result = {}
    for chosen in combinations(laws, keep):
        outside = [laws[j] for j in laws if j not in chosen]
        places = [j for j in laws if j not in chosen]
        for tokens in product(*(range(len(laws[i])) for i in chosen)):
            values = [laws[i][v] for i, v in zip(chosen, tokens, strict=True)]
            if min(values) == 0:
                continue
            worst, chance = min(values), fmpq(1)
            for p in values:
                chance *= p
            tied = [i for i, p in zip(chosen, values, strict=True) if p == worst]
            if ties == "leftmost":
                for j, law in zip(places, outside, strict=True):
                    chance *= sum((p for p in law if p < worst or (p == worst and j > tied[-1])), fmpq(0))
            else:
                chance *= _random_ties(outside, worst, len(tied))
            if chance != 0:
                result[tuple(zip(chosen, tokens, strict=True))] = chance
    return result


def _random_ties(outside: list[list[fmpq]], worst: fmpq, tied: int) -> fmpq:
    """E[1 / C(tied + B, tied)], B = how many candidates outside equal `worst`; 0 where one exceeds it."""
    among = [fmpq(1)]
    for law in outside:
        less = sum((p for p in law if p < worst), fmpq(0))
        same = sum((p for p in law if p == worst), fmpq(0))
        among = [a * less + b * same for a, b in zip([*among, fmpq(0)], [fmpq(0), *among], strict=True)]
    return sum((p / comb(tied + b, tied) for b, p in enumerate(among)), fmpq(0))
