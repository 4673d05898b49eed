"""The lattice law of the sampler in rational arithmetic, and the exact quantities that follow from it.

Laws are object arrays of fmpq with shape (V,)*L; everything mirrors toy_models.quantities.law and .lattice, slowly.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import product
from math import comb

import numpy as np
from flint import fmpq

from toy_models.exact.log_sum import LogSum

Stages = list[Callable[[int, int], fmpq]]  # weight(m, s): a given set of s of the m masked positions is revealed


def rational(value) -> fmpq:
    """An fmpq, Fraction, int, string "a/b" or float (its exact binary value) as fmpq.

    >>> str(tm.exact.rational(0.375)), str(tm.exact.rational("1/3"))
    ('3/8', '1/3')
    """
    if isinstance(value, fmpq):
        return value
    exact = Fraction(value)
    return fmpq(exact.numerator, exact.denominator)


def chain_pmf(initial: Sequence, transition: Sequence[Sequence], length: int) -> np.ndarray:
    """pmf of a Markov chain, shape (V,)*L.

    >>> str(tm.exact.chain_pmf(["1/2", "1/2"], [["3/4", "1/4"], ["1/2", "1/2"]], 2)[0, 1])
    '1/8'
    """
    size = len(initial)
    return hmm_pmf(initial, transition, [[int(u == v) for v in range(size)] for u in range(size)], length)


def hmm_pmf(initial: Sequence, transition: Sequence[Sequence], emission: Sequence[Sequence], length: int) -> np.ndarray:
    """pmf of a hidden Markov model by the forward recursion on every sequence.

    >>> str(tm.exact.hmm_pmf([1, 0], [[1, 0], [0, 1]], [["1/3", "2/3"], [1, 0]], 2)[0, 1])
    '2/9'
    """
    start = [rational(p) for p in initial]
    step = [[rational(p) for p in row] for row in transition]
    emit = [[rational(p) for p in row] for row in emission]
    states, vocab_size = range(len(start)), len(emit[0])
    pmf = np.empty((vocab_size,) * length, dtype=object)
    for x in product(range(vocab_size), repeat=length):
        message = [start[s] * emit[s][x[0]] for s in states]
        for token in x[1:]:
            message = [sum((message[r] * step[r][s] for r in states), fmpq(0)) * emit[s][token] for s in states]
        pmf[x] = sum(message, fmpq(0))
    total = sum(pmf.ravel(), fmpq(0))
    if total != 1:
        raise ValueError(f"the rational law sums to {total}, it must sum to 1")
    return pmf


def context_sums(pmf: np.ndarray) -> np.ndarray:
    """q(revealed part) for every masked state, shape (V+1,)*L, index 0 for the mask.

    >>> str(tm.exact.context_sums(tm.exact.chain_pmf(["1/3", "2/3"], [[1, 0], [0, 1]], 1))[0])
    '1'
    """
    sums = pmf
    for axis in range(pmf.ndim):
        sums = np.concatenate([sums.sum(axis=axis, keepdims=True), sums], axis=axis)
    return sums


def independent_stages(weights: Sequence) -> Stages:
    """Independent reveal: weight(m, s) = r^s (1-r)^(m-s) with r the hazard of the step.

    >>> len(tm.exact.independent_stages(["1/2", "1/2"]))
    2
    """
    left, stages = fmpq(1), []
    for weight in map(rational, weights):
        if weight < 0:
            raise ValueError(f"weights hold {weight}, they must be >= 0")
        hazard = weight / left if left != 0 else fmpq(0)
        stages.append(lambda m, s, r=hazard: r**s * (1 - r) ** (m - s))
        left -= weight
    if left != 0:
        raise ValueError(f"weights sum to {1 - left}, they must sum to 1")
    return stages


def fixed_size_stages(sizes: Sequence[int]) -> Stages:
    """Random order, sizes[j] tokens in step j: weight(m, s) = 1[s = size] / C(m, s).

    >>> len(tm.exact.fixed_size_stages([1, 2]))
    2
    """
    return [lambda m, s, k=size: fmpq(1, comb(m, k)) if s == k and k <= m else fmpq(0) for size in sizes]


def law(pmf: np.ndarray, stages: Stages, marginals=None) -> tuple[np.ndarray, fmpq]:
    """(pmf of what is written, impossible mass) of the content-free sampler.

    `marginals(state)` -> list over positions of token laws (None where revealed), or None for an impossible context;
    default: the oracle of `pmf`. States are tuples with -1 for the mask.

    >>> pmf = tm.exact.chain_pmf(["1/2", "1/2"], [[1, 0], [0, 1]], 2)
    >>> p, impossible = tm.exact.law(pmf, tm.exact.independent_stages(["1/2", "1/2"]))
    >>> str(p[0, 0]), str(impossible)
    ('3/8', '0')
    """
    vocab_size, length = pmf.shape[0], pmf.ndim
    oracle = marginals or oracle_marginals(pmf)
    mass = {(-1,) * length: fmpq(1)}
    impossible = fmpq(0)
    for weight in stages:
        fresh: dict[tuple, fmpq] = {}
        for state, probability in mass.items():
            masked = state.count(-1)
            if masked == 0:
                fresh[state] = fresh.get(state, fmpq(0)) + probability
                continue
            given = oracle(state)
            if given is None:
                impossible += probability
                continue
            partial = [((), probability, 0)]
            for position, token in enumerate(state):
                if token >= 0:
                    partial = [((*head, token), p, s) for head, p, s in partial]
                    continue
                keep = [((*head, -1), p, s) for head, p, s in partial]
                write = [
                    ((*head, v), p * given[position][v], s + 1)
                    for head, p, s in partial
                    for v in range(vocab_size)
                    if given[position][v] != 0
                ]
                partial = keep + write
            for child, p, s in partial:
                w = weight(masked, s)
                if w != 0:
                    fresh[child] = fresh.get(child, fmpq(0)) + p * w
        mass = fresh
    result = np.full(pmf.shape, fmpq(0), dtype=object)
    for state, probability in mass.items():
        if -1 in state:
            raise ValueError("the stages leave masked positions: their weights or sizes do not cover the sequence")
        result[state] = probability
    written = sum(mass.values(), fmpq(0))
    if written + impossible != 1:
        raise ValueError(f"the stages lose mass {1 - written - impossible}: their sizes exceed the sequence")
    return result, impossible


def oracle_marginals(pmf: np.ndarray):
    """Exact conditionals of `pmf` as a function of the state, memoised."""
    sums, known = context_sums(pmf), {}

    def marginals(state):
        if state not in known:
            index = tuple(t + 1 for t in state)
            context = sums[index]
            known[state] = (
                None
                if context == 0
                else [
                    None
                    if token >= 0
                    else [sums[(*index[:i], v + 1, *index[i + 1 :])] / context for v in range(pmf.shape[0])]
                    for i, token in enumerate(state)
                ]
            )
        return known[state]

    return marginals


def entropy(pmf: np.ndarray) -> LogSum:
    """-sum p log p over the entries of a law (any shape).

    >>> pmf = tm.exact.chain_pmf(["1/2", "1/2"], [[1, 0], [0, 1]], 3)
    >>> tm.exact.decide_equal(tm.exact.entropy(pmf), tm.exact.log(2))
    'PROVED'
    """
    return LogSum((p, -p) for p in pmf.ravel() if p != 0)


def kl(q: np.ndarray, p: np.ndarray) -> LogSum:
    """KL(q || p); ValueError where q > 0 = p (the divergence is infinite).

    >>> pmf = tm.exact.chain_pmf(["1/2", "1/2"], [[1, 0], [0, 1]], 2)
    >>> p, impossible = tm.exact.law(pmf, tm.exact.fixed_size_stages([2]))
    >>> tm.exact.decide_equal(tm.exact.kl(pmf, p), tm.exact.log(2))
    'PROVED'
    """
    terms = []
    for a, b in zip(q.ravel(), p.ravel(), strict=True):
        if a != 0:
            if b == 0:
                raise ValueError("KL(q || p) is infinite: q allows what p rules out")
            terms.append((a / b, a))
    return LogSum(terms)


def support_mass(q: np.ndarray, p: np.ndarray) -> fmpq:
    """p(supp q) = 1 - SER.

    >>> pmf = tm.exact.chain_pmf(["1/2", "1/2"], [[1, 0], [0, 1]], 2)
    >>> p, impossible = tm.exact.law(pmf, tm.exact.fixed_size_stages([2]))
    >>> str(tm.exact.support_mass(pmf, p))
    '1/2'
    """
    return sum((b for a, b in zip(q.ravel(), p.ravel(), strict=True) if a != 0), fmpq(0))


def subset_entropies(pmf: np.ndarray) -> dict[int, LogSum]:
    """H(X_S) for every S as a bit mask (bit i = position i).

    >>> pmf = tm.exact.chain_pmf(["1/2", "1/2"], [[1, 0], [0, 1]], 2)
    >>> sorted(tm.exact.subset_entropies(pmf))
    [0, 1, 2, 3]
    """
    length, result = pmf.ndim, {}
    for subset in range(2**length):
        away = tuple(i for i in range(length) if not subset >> i & 1)
        result[subset] = entropy(np.asarray(pmf.sum(axis=away) if away else pmf, dtype=object))
    return result


def cross_entropies(pmf: np.ndarray, marginals) -> dict[tuple[int, int], LogSum]:
    """E_q[-log p(X_i | X_T)] for each (T, i), i not in T, for a denoiser given as in `law`.

    >>> pmf = tm.exact.chain_pmf(["1/2", "1/2"], [[1, 0], [0, 1]], 2)
    >>> sorted(tm.exact.cross_entropies(pmf, tm.exact.rational_law.oracle_marginals(pmf)))
    [(0, 0), (0, 1), (1, 1), (2, 0)]
    """
    sums, length, vocab_size = context_sums(pmf), pmf.ndim, pmf.shape[0]
    terms: dict[tuple[int, int], list] = {}
    for state in product(range(-1, vocab_size), repeat=length):
        index = tuple(t + 1 for t in state)
        if sums[index] == 0 or -1 not in state:
            continue
        revealed = sum(1 << i for i, t in enumerate(state) if t >= 0)
        given = marginals(state)
        for i, token in enumerate(state):
            if token < 0:
                for v in range(vocab_size):
                    joint = sums[(*index[:i], v + 1, *index[i + 1 :])]
                    if joint != 0:
                        terms.setdefault((revealed, i), []).append((given[i][v], -joint))
    return {key: LogSum(values) for key, values in terms.items()}


def to_float(pmf: np.ndarray) -> np.ndarray:
    """The float64 array nearest to a rational law.

    >>> tm.exact.to_float(tm.exact.chain_pmf(["1/4", "3/4"], [[1, 0], [0, 1]], 1)).tolist()
    [0.25, 0.75]
    """
    return np.array([int(p.p) / int(p.q) for p in pmf.ravel()], dtype=np.float64).reshape(pmf.shape)
