"""Treedepth: the fewest calls in which an order fixed in advance samples a Markov field on a graph exactly.

A call reveals at most one position of each connected component of what is still masked. Separate components do not see
each other, so td(G) = max over components, and td(G) = 1 + min over v of td(G - v) if G is connected.
"""

from collections.abc import Iterable
from functools import cache

from toy_models.errors import IntractableError
from toy_models.rules.content_free import FixedOrder
from toy_models.validation import positive_int

MAX_LENGTH = 18  # 2^18 sets of positions, each split into components


def treedepth_order(edges: Iterable[tuple[int, int]], length: int) -> FixedOrder:
    """An order in td(G) blocks, each block one position per component of G minus the earlier blocks.

    Exact for every law that is Markov for the graph G with these edges on 0..L-1; no order is exact in fewer steps if
    masked positions of one component are dependent given the rest. O(2^L L^2). ValueError for an edge outside the
    graph, IntractableError beyond L = 18. Source: Nesetril and Ossona de Mendez, arXiv 1412.1581.

    >>> tm.rules.treedepth_order([(0, 1), (1, 2), (2, 3)], 4).blocks  # a path
    ((0,), (2,), (1, 3))
    >>> tm.rules.treedepth_order([(0, 1), (1, 2), (2, 0)], 3).steps  # a triangle
    3
    """
    length = positive_int("length", length)
    if length > MAX_LENGTH:
        raise IntractableError(
            "the treedepth", f"{length} positions, 2^{length} sets", f"L <= {MAX_LENGTH}", "use bisection on a path"
        )
    neighbours = _neighbours(edges, length)

    @cache
    def depth(component: int) -> tuple[int, int]:
        """(td, the position to reveal first) of a connected set of positions."""
        best = (length + 1, -1)
        for v in _members(component):
            rest = components(component & ~(1 << v), neighbours)
            best = min(best, (1 + max((depth(part)[0] for part in rest), default=0), v))
        return best

    blocks, masked = [], (1 << length) - 1
    while masked:
        block = tuple(sorted(depth(part)[1] for part in components(masked, neighbours)))
        masked &= ~sum(1 << v for v in block)
        blocks.append(block)
    return FixedOrder(tuple(blocks))


def components(vertices: int, neighbours: tuple[int, ...]) -> list[int]:
    """Connected components of a set of vertices, all sets as bit masks; neighbours[v] is the set next to v.

    >>> tm.rules.components(0b1101, (0b0010, 0b0101, 0b1010, 0b0100))  # a path without its second vertex
    [1, 12]
    """
    found = []
    while vertices:
        part = vertices & -vertices
        while True:
            grown = part
            for v in _members(part):
                grown |= neighbours[v] & vertices
            if grown == part:
                break
            part = grown
        found.append(part)
        vertices &= ~part
    return found


def _members(vertices: int) -> list[int]:
    return [v for v in range(vertices.bit_length()) if vertices >> v & 1]


def _neighbours(edges: Iterable[tuple[int, int]], length: int) -> tuple[int, ...]:
    near = [0] * length
    for edge in edges:
        u, v = edge
        if not (0 <= u < length and 0 <= v < length) or u == v:
            raise ValueError(f"edges hold {tuple(edge)}, allowed: two different positions of 0..{length - 1}")
        near[u] |= 1 << v
        near[v] |= 1 << u
    return tuple(near)
