"""Rational twins of the speculative round and of Gibbs correctors: lossless, and invariant, are decided with ==."""

from collections.abc import Callable
from itertools import product

import numpy as np
from flint import fmpq

from toy_models.exact.rational_law import oracle_marginals
from toy_models.validation import MASK

Pick = Callable[[tuple[int, ...], list[list[fmpq]]], dict[int, fmpq]]


def speculative_law(pmf: np.ndarray, draft: int) -> tuple[np.ndarray, fmpq]:
    """(pmf of what is written, expected calls) of `Speculative(draft)`: every draft, verified token by token.

    >>> pmf = tm.exact.chain_pmf(["1/2", "1/2"], [["3/4", "1/4"], ["1/2", "1/2"]], 3)
    >>> p, calls = tm.exact.speculative_law(pmf, 2)
    >>> bool((p == pmf).all()), str(calls)
    (True, '3')
    """
    law_at = oracle_marginals(pmf)
    front, calls = {(MASK,) * pmf.ndim: fmpq(1)}, fmpq(0)
    written = np.full(pmf.shape, fmpq(0), dtype=object)
    while front:
        following: dict[tuple, fmpq] = {}
        for y, p in front.items():
            window = [i for i, v in enumerate(y) if v == MASK][:draft]
            calls += p * min(2, len(window))
            accepted = {y: p}
            for i in window:
                longer: dict[tuple, fmpq] = {}
                for z, share in accepted.items():
                    for v, (drafted, exact) in enumerate(zip(law_at(y)[i], law_at(z)[i], strict=True)):
                        after = (*z[:i], v, *z[i + 1 :])
                        if min(drafted, exact) > 0:
                            longer[after] = share * min(drafted, exact)
                        if exact > drafted:
                            following[after] = following.get(after, fmpq(0)) + share * (exact - drafted)
                accepted = longer
            for z, share in accepted.items():
                following[z] = following.get(z, fmpq(0)) + share
        front = {y: p for y, p in following.items() if MASK in y}
        for y, p in following.items():
            if MASK not in y:
                written[y] += p
    return written, calls


def gibbs_step(pmf: np.ndarray, law: np.ndarray, pick: Pick) -> np.ndarray:
    """law K: from x ~ law, position i with chance pick(x, leave-one-out laws)[i] is redrawn from q(x_i | the others).

    A text from which some conditional is impossible stays.

    >>> q = tm.exact.chain_pmf(["2/5", "3/5"], [["7/10", "3/10"], ["1/5", "4/5"]], 3)
    >>> at_random = lambda x, given: dict.fromkeys(range(3), tm.exact.rational("1/3"))
    >>> least_likely = lambda x, given: {min(range(3), key=lambda i: given[i][x[i]]): tm.exact.rational(1)}
    >>> [bool((tm.exact.gibbs_step(q, q, pick) == q).all()) for pick in (at_random, least_likely)]
    [True, False]
    """
    law_at = oracle_marginals(pmf)
    result = np.full(pmf.shape, fmpq(0), dtype=object)
    for x in product(range(pmf.shape[0]), repeat=pmf.ndim):
        if law[x] == 0:
            continue
        contexts = [law_at((*x[:i], MASK, *x[i + 1 :])) for i in range(pmf.ndim)]
        if any(context is None for context in contexts):
            result[x] += law[x]
            continue
        given = [context[i] for i, context in enumerate(contexts)]
        for i, chance in pick(x, given).items():
            for v, p in enumerate(given[i]):
                result[(*x[:i], v, *x[i + 1 :])] += law[x] * chance * p
    return result
