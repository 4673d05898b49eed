"""Treedepth against the recursion on sets, orders that are exact, and what is refused."""

from functools import cache
from itertools import combinations

import numpy as np
import pytest

import toy_models as tm
from toy_models.errors import IntractableError
from toy_models.rules import components, treedepth_order


def random_edges(rng, length, share):
    return [e for e in combinations(range(length), 2) if rng.random() < share]


def slow_depth(edges, vertices):
    """The recursion on frozensets of vertices."""

    def split(left):
        left, parts = set(left), []
        while left:
            part, grown = set(), {left.pop()}
            while part != grown:
                part = set(grown)
                grown |= {v for e in edges for v in e if part & set(e) and v in vertices and v in left | part}
            left -= part
            parts.append(frozenset(part))
        return parts

    @cache
    def depth(left):
        if not left:
            return 0
        parts = split(left)
        if len(parts) > 1:
            return max(map(depth, parts))
        return 1 + min(depth(left - {v}) for v in left)

    return depth(frozenset(vertices))


@pytest.mark.parametrize("length", [1, 2, 5, 7])
def test_steps_of_random_graphs(length):
    rng = np.random.default_rng(length)
    for share in (0.0, 0.2, 0.5, 1.0):
        edges = random_edges(rng, length, share)
        assert treedepth_order(edges, length).steps == slow_depth(edges, range(length))


def test_one_position_of_each_component():
    rng = np.random.default_rng(3)
    for _ in range(20):
        edges = random_edges(rng, 8, 0.3)
        near = tuple(sum(1 << (a + b - v) for a, b in edges if v in (a, b)) for v in range(8))
        masked = 2**8 - 1
        for block in treedepth_order(edges, 8).blocks:
            parts = components(masked, near)
            assert sorted(sum(part >> v & 1 for v in block) for part in parts) == [1] * len(parts)
            masked &= ~sum(1 << v for v in block)
        assert masked == 0


def test_a_path_needs_as_many_steps_as_bisection():
    for length in range(1, 15):
        assert treedepth_order([(i, i + 1) for i in range(length - 1)], length).steps == tm.bisection(length).steps


def test_exact_on_a_chain():
    chain = tm.MarkovChain([[0.8, 0.2], [0.35, 0.65]], 6)
    assert tm.marginal_kl(chain, treedepth_order([(i, i + 1) for i in range(5)], 6)) < 1e-12


def test_refusals():
    with pytest.raises(ValueError, match=r"edges hold \(0, 3\), allowed: two different positions of 0..2"):
        treedepth_order([(0, 3)], 3)
    with pytest.raises(ValueError, match="two different positions"):
        treedepth_order([(1, 1)], 3)
    with pytest.raises(ValueError, match="length"):
        treedepth_order([], 0)
    with pytest.raises(IntractableError, match="L <= 18"):
        treedepth_order([], 19)
