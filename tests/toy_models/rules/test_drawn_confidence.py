"""Draw-then-select against enumeration in fractions: every joint draw, every order of ties, every step."""

from fractions import Fraction as F
from itertools import combinations, permutations, product
from math import exp, log

import numpy as np
import pytest

import toy_models as tm

SLOW_CHAIN = [[F(7, 10), F(3, 10)], [F(2, 10), F(8, 10)]]
START = [F(4, 10), F(6, 10)]


def chain_law(initial, transition, length):
    law = {}
    for x in product(range(len(initial)), repeat=length):
        p = initial[x[0]]
        for a, b in zip(x, x[1:], strict=False):
            p *= transition[a][b]
        law[x] = p
    return law


def conditionals(law, y, vocab_size):
    """Position -> [q(x_i = v | y)] of the masked positions, None for an impossible context."""
    inside = {x: p for x, p in law.items() if all(b in (-1, a) for a, b in zip(x, y, strict=True))}
    total = sum(inside.values())
    if total == 0:
        return None
    open_positions = [i for i, v in enumerate(y) if v == -1]
    return {
        i: [sum(p for x, p in inside.items() if x[i] == v) / total for v in range(vocab_size)] for i in open_positions
    }


def kept(scores, count, ties):
    """{set of kept positions: chance} for scores {position: score}: sorted, every order of the ties alike or leftmost."""
    orders = [tuple(sorted(scores))] if ties == "leftmost" else list(permutations(sorted(scores)))
    result = {}
    for order in orders:
        ranked = sorted(order, key=lambda i: -scores[i])  # stable
        chosen = frozenset(ranked[: count([scores[i] for i in ranked])])
        result[chosen] = result.get(chosen, 0) + F(1, len(orders))
    return result


def slow_law(law, vocab_size, length, count, ties="leftmost", score=lambda i, v, row: row[v], draw=lambda row: row):
    """{x: p(x)} of the sampler: in every state all joint draws. count(ranked scores, masks left) -> how many are kept."""
    mass, written = {(-1,) * length: F(1)}, {}
    while mass:
        following = {}
        for y, p in mass.items():
            if -1 not in y:
                written[y] = written.get(y, 0) + p
                continue
            given = conditionals(law, y, vocab_size)
            if given is None:
                continue
            free = list(given)
            for tokens in product(range(vocab_size), repeat=len(free)):
                drawn = dict(zip(free, tokens, strict=True))
                chance = p
                for i, v in drawn.items():
                    chance *= draw(given[i])[v]
                if chance == 0:
                    continue
                scores = {i: score(i, v, given[i]) for i, v in drawn.items()}
                for chosen, share in kept(scores, count, ties).items():
                    z = tuple(drawn[i] if i in chosen else v for i, v in enumerate(y))
                    following[z] = following.get(z, 0) + chance * share
        mass = following
    return written


def first(number):
    return lambda ranked: min(number, len(ranked))


def sized(sizes):
    """Sizes that sum to the length: the step is read off the number of masks."""
    left = np.cumsum(np.array(sizes)[::-1])[::-1]
    return lambda ranked: next(s for s, m in zip(sizes, left, strict=True) if s and m == len(ranked))


def above(value):
    return lambda ranked: max(1, sum(s >= value for s in ranked))


def by_factor(f):
    return lambda ranked: max([k for k, s in enumerate(ranked, 1) if s >= 1 - f / (k + 1)], default=1)


def floats(law, shape):
    pmf = np.zeros(shape)
    for x, p in law.items():
        pmf[x] = float(p)
    return pmf


def kl(q, p):
    return sum(float(a) * (log(a) - log(p[x])) for x, a in q.items() if a)


def random_law(rng, vocab_size, length, zeros):
    """Small integer weights: many ties, some texts impossible."""
    weights = rng.integers(1, 4, vocab_size**length) * (rng.random(vocab_size**length) >= zeros)
    weights[0] += 1
    total = int(weights.sum())
    return {x: F(int(w), total) for x, w in zip(product(range(vocab_size), repeat=length), weights, strict=True)}


# rational vectors of the chain (.7, .3), (.2, .8)


def test_the_slow_law_has_the_published_rationals():
    q = chain_law(START, SLOW_CHAIN, 2)
    p = slow_law(q, 2, 2, first(1))
    assert p == {(0, 0): F(14, 125), (0, 1): F(12, 125), (1, 0): F(3, 25), (1, 1): F(84, 125)}
    q = chain_law(START, SLOW_CHAIN, 4)
    p = slow_law(q, 2, 4, first(1))
    assert p[1, 1, 1, 1] == F(94038336, 126953125)
    assert p[0, 0, 0, 0] == F(128556743, 8164062500)
    assert p[0, 1, 0, 1] == F(91881, 1503906250)


COUNTS = {
    "one": (1, first(1)),
    "two": (2, first(2)),
    "sizes": ([1, 0, 2, 1], sized([1, 0, 2, 1])),
    "above": (tm.rules.Above(0.5), above(F(1, 2))),
    "factor": (tm.rules.Factor(1.5), by_factor(F(3, 2))),
}


@pytest.mark.parametrize("ties", ["leftmost", "uniform"])
@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize(("vocab_size", "seed"), [(2, 0), (2, 1), (3, 2)])
def test_law_against_all_joint_draws(name, ties, vocab_size, seed):
    keep, count = COUNTS[name]
    length = 4 if vocab_size == 2 or name == "sizes" else 3
    q = random_law(np.random.default_rng(seed), vocab_size, length, 0.3)
    shape = (vocab_size,) * length
    expected = floats(slow_law(q, vocab_size, length, count, ties), shape)
    law = tm.sampler_law(tm.Table(floats(q, shape)), tm.DrawnConfidence(keep, ties=ties))
    np.testing.assert_allclose(law.pmf, expected, rtol=0, atol=1e-14)
