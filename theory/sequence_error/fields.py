"""Markov fields on small graphs in integer weights: dependence, exact steps and the luckiest text, by definition.

A field is an integer array of shape (V,)*L, proportional to q. Everything is decided by integers: X_S is independent
given x_T iff w(x_T)^(|S|-1) w(x_T, x_S) = prod over i in S of w(x_T, x_i) for every x_S, w summed over the rest.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations, product
from math import prod

import numpy as np

from toy_models.exact import context_sums
from toy_models.rules import components

Graph = tuple[tuple[int, int], ...]


def path(length: int) -> Graph:
    return tuple((i, i + 1) for i in range(length - 1))


def cycle(length: int) -> Graph:
    return (*path(length), (length - 1, 0))


def star(length: int) -> Graph:
    return tuple((0, i) for i in range(1, length))


def complete(length: int) -> Graph:
    return tuple(combinations(range(length), 2))


def grid(rows: int, columns: int) -> Graph:
    """Position r * columns + c in row r and column c."""
    right = [(i, i + 1) for i in range(rows * columns) if (i + 1) % columns]
    return (*right, *((i, i + columns) for i in range((rows - 1) * columns)))


def connected_graphs(length: int) -> Iterator[Graph]:
    """Every connected graph on 0..L-1, labelled."""
    edges = complete(length)
    for kept in product((False, True), repeat=len(edges)):
        graph = tuple(e for e, k in zip(edges, kept, strict=True) if k)
        reached = {0}
        for _ in range(length):
            reached |= {v for e in graph if reached & set(e) for v in e}
        if len(reached) == length:
            yield graph


def integer_field(graph: Graph, length: int, bonds: Sequence[int], fields: Sequence[Sequence[int]]) -> np.ndarray:
    """prod over edges of bonds[e]^[x_i = x_j] times prod over i of fields[i][x_i]: ferromagnetic where bonds > 1."""
    weights = np.empty((len(fields[0]),) * length, dtype=object)
    for x in product(range(len(fields[0])), repeat=length):
        agree = (bonds[e] if x[i] == x[j] else 1 for e, (i, j) in enumerate(graph))
        weights[x] = prod(agree) * prod(fields[i][v] for i, v in enumerate(x))
    return weights


def ising(graph: Graph, length: int, beta: float, field: float) -> np.ndarray:
    """exp(beta sum over edges of s_i s_j + field s_0), s = +-1, normalised."""
    spins = np.indices((2,) * length) * 2.0 - 1.0
    energy = beta * sum((spins[i] * spins[j] for i, j in graph), np.zeros((2,) * length)) + field * spins[0]
    return np.exp(energy) / np.exp(energy).sum()


class Field:
    """Sums of one integer field over every context, and what follows from them by definition."""

    def __init__(self, weights: np.ndarray):
        self.length, self.vocab_size = weights.ndim, weights.shape[0]
        self.sums = context_sums(np.asarray(weights, dtype=object))  # index 0 for the mask

    def contexts(self, revealed: Sequence[int]) -> list[tuple[int, ...]]:
        """Possible states with exactly these positions revealed, as indices of `sums`."""
        symbols = range(1, self.vocab_size + 1)
        ranges = [symbols if i in revealed else (0,) for i in range(self.length)]
        return [y for y in product(*ranges) if self.sums[y] != 0]

    @cache  # noqa: B019 - a field lives as long as the check that made it
    def independent(self, y: tuple[int, ...], block: tuple[int, ...]) -> bool:
        """X_block is independent given y."""
        total = self.sums[y]
        for values in product(range(1, self.vocab_size + 1), repeat=len(block)):
            joint, single = list(y), []
            for i, v in zip(block, values, strict=True):
                joint[i] = v
                single.append(self.sums[(*y[:i], v, *y[i + 1 :])])
            if self.sums[tuple(joint)] * total ** (len(block) - 1) != prod(single):
                return False
        return True

    def faithful(self, graph: Graph) -> bool:
        """Given every possible x_R, two masked tokens are dependent iff they lie in one component of G - R."""
        near = neighbourhoods(graph, self.length)
        for size in range(self.length - 1):
            for revealed in combinations(range(self.length), size):
                left = [i for i in range(self.length) if i not in revealed]
                parts = components(sum(1 << i for i in left), near)
                for i, j in combinations(left, 2):
                    together = any(part >> i & part >> j & 1 for part in parts)
                    if any(self.independent(y, (i, j)) == together for y in self.contexts(revealed)):
                        return False
        return True

    def fewest_steps(self) -> int:
        """The least number of blocks of an ordered partition with every X_S independent given every possible x_T."""
        everything = tuple(range(self.length))

        @cache
        def steps(revealed: tuple[int, ...]) -> int:
            left = tuple(i for i in everything if i not in revealed)
            if not left:
                return 0
            blocks = (b for size in range(1, len(left) + 1) for b in combinations(left, size))
            states = self.contexts(revealed)
            exact = [b for b in blocks if all(self.independent(y, b) for y in states)]
            return 1 + min(steps(tuple(sorted(revealed + b))) for b in exact)

        return steps(())

    def luckiest_calls(self) -> int:
        """Calls of an adaptive rule that is exact in every state it meets, on the text that takes it fewest."""

        @cache
        def calls(y: tuple[int, ...]) -> int:
            left = tuple(i for i, v in enumerate(y) if v == 0)
            if not left:
                return 0
            best = self.length
            for block in (b for size in range(1, len(left) + 1) for b in combinations(left, size)):
                if self.independent(y, block):
                    best = min(best, 1 + min(calls(after) for after in self._children(y, block)))
            return best

        return calls((0,) * self.length)

    def _children(self, y: tuple[int, ...], block: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        for values in product(range(1, self.vocab_size + 1), repeat=len(block)):
            after = list(y)
            for i, v in zip(block, values, strict=True):
                after[i] = v
            if self.sums[tuple(after)] != 0:
                yield tuple(after)


def neighbourhoods(graph: Graph, length: int) -> tuple[int, ...]:
    """The neighbours of each position as a bit mask."""
    return tuple(sum(1 << (a + b - v) for a, b in graph if v in (a, b)) for v in range(length))


def ranking_number(graph: Graph, length: int) -> int:
    """Least k with a vertex ranking by the labels 1..k: td by labels, without the recursion."""
    ways = (
        count
        for count in range(1, length + 1)
        for labels in product(range(count), repeat=length)
        if is_ranking(graph, length, labels)
    )
    return next(ways)


def is_ranking(graph: Graph, length: int, labels: Sequence[int]) -> bool:
    """In each connected set of positions the largest label occurs once."""
    for vertices in connected_sets(graph, length):
        found = [labels[v] for v in range(length) if vertices >> v & 1]
        if found.count(max(found)) > 1:
            return False
    return True


@cache
def connected_sets(graph: Graph, length: int) -> tuple[int, ...]:
    near = neighbourhoods(graph, length)
    return tuple(s for s in range(1, 2**length) if len(components(s, near)) == 1)
