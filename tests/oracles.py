"""Slow, obvious routes in exact rationals: the numbers that the compiled recursions are compared with."""

from fractions import Fraction
from itertools import pairwise, product

import numpy as np

EPS = np.finfo(float).eps


def rational(values):
    """Nested lists of Fractions equal to the given floats."""
    array = np.asarray(values, dtype=float)
    return [rational(row) for row in array] if array.ndim else Fraction(float(array))


def hmm_law(initial, transition, emission, length):
    """{x: q(x)} by summing over every hidden path."""
    a, p, e = rational(initial), rational(transition), rational(emission)
    states, vocab = range(len(a)), range(len(e[0]))
    law = {x: Fraction(0) for x in product(vocab, repeat=length)}
    for path in product(states, repeat=length):
        weight = a[path[0]]
        for s, t in pairwise(path):
            weight *= p[s][t]
        if weight:
            for x in law:
                term = weight
                for s, v in zip(path, x, strict=True):
                    term *= e[s][v]
                law[x] += term
    return law


def ngram_law(initial, conditional, length):
    """{x: q(x)} of an n-gram by the chain rule."""
    order, vocab = np.ndim(conditional), np.shape(conditional)[0]
    law = {}
    for x in product(range(vocab), repeat=length):
        weight = Fraction(float(np.asarray(initial)[x[: order - 1]]))
        for i in range(order - 1, length):
            weight *= Fraction(float(np.asarray(conditional)[x[i - order + 1 : i + 1]]))
        law[x] = weight
    return law


def conditionals(law, y, vocab_size):
    """q(x_i = v | revealed) as floats, shape (L, V), from the law; None when the revealed part is impossible."""
    result = [[Fraction(0)] * vocab_size for _ in y]
    total = Fraction(0)
    for x, weight in law.items():
        if weight and all(t in (-1, v) for t, v in zip(y, x, strict=True)):
            total += weight
            for i, v in enumerate(x):
                result[i][v] += weight
    return np.array([[float(w / total) for w in row] for row in result]) if total else None


def hmm_conditionals(initial, transition, emission, y):
    """The same for one long row of an HMM, by forward-backward in rationals."""
    a, p, e = rational(initial), rational(transition), rational(emission)
    states, vocab = range(len(a)), range(len(e[0]))
    mask = [sum(row) for row in e]
    likelihood = [mask if t < 0 else [e[s][t] for s in states] for t in y]
    forward, backward = [list(a)], [[Fraction(1)] * len(a)]
    for i in range(len(y) - 1):
        seen = [forward[i][s] * likelihood[i][s] for s in states]
        forward.append([sum(seen[s] * p[s][t] for s in states) for t in states])
    for i in range(len(y) - 1, 0, -1):
        seen = [backward[0][t] * likelihood[i][t] for t in states]
        backward.insert(0, [sum(p[s][t] * seen[t] for t in states) for s in states])
    if not sum(forward[-1][s] * likelihood[-1][s] for s in states):
        return None
    rows = []
    for i, token in enumerate(y):
        if token >= 0:
            rows.append([float(v == token) for v in vocab])
            continue
        weights = [sum(forward[i][s] * backward[i][s] * e[s][v] for s in states) for v in vocab]
        rows.append([float(w / sum(weights)) for w in weights])
    return np.array(rows)


def total_variation_radius(outcomes: int, size: int, alpha: float = 1e-6) -> float:
    """P(TV(empirical, law) > radius) <= alpha for `size` independent draws (Weissman et al. 2003)."""
    return float(np.sqrt((outcomes * np.log(2.0) + np.log(1.0 / alpha)) / (2.0 * size)))


def total_variation(x, pmf) -> float:
    """Distance between the empirical law of the rows of x and the table pmf."""
    counts = np.bincount(np.ravel_multi_index(tuple(x.T), pmf.shape), minlength=pmf.size)
    return float(0.5 * np.abs(counts / len(x) - pmf.ravel()).sum())
