"""Remask as a corrector: two-colour programs on bipartite Ising models, against write-once schedules.

p(x) is proportional to exp(beta * sum over edges of s_a s_b), s = +-1 for token 1/0; every edge joins the classes A and
B. Step 1 unmasks A and holds B; each later step unmasks one class given the other and remasks the other; the last step
keeps both. K steps are K block updates, each exact because a class is conditionally independent given the other.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from toy_models.any_process.programs import Site, String, stay, sure
from toy_models.any_process.transition import HOLD, REMASK, write
from toy_models.targets.table import Table
from toy_models.validation import MASK, positive_int


@dataclass(frozen=True, eq=False)
class Bipartite:
    """An Ising model with the colour classes `a` and `b` (positions) and its table of 2^L probabilities."""

    pmf: Float[np.ndarray, "..."]
    a: tuple[int, ...]
    b: tuple[int, ...]
    edges: tuple[tuple[int, int], ...]
    beta: float

    @property
    def length(self) -> int:
        return self.pmf.ndim

    def target(self) -> Table:
        return Table(self.pmf)


def ising(edges, length: int, beta: float) -> Bipartite:
    """The model on a bipartite graph; the class of position 0 is A. ValueError on an odd cycle."""
    edges = tuple((int(i), int(j)) for i, j in edges)
    colour = np.full(positive_int("length", length), -1)
    for root in range(length):
        todo = [root] if colour[root] < 0 else []
        if todo:
            colour[root] = 0
        while todo:
            i = todo.pop()
            for e in edges:
                if i in e:
                    j = e[0] + e[1] - i
                    if colour[j] == colour[i]:
                        raise ValueError(f"edges hold an odd cycle through {i} and {j}, two colours are needed")
                    if colour[j] < 0:
                        colour[j] = 1 - colour[i]
                        todo.append(j)
    spins = 2.0 * np.indices((2,) * length) - 1
    energy = sum((spins[i] * spins[j] for i, j in edges), np.zeros((2,) * length))
    weight = np.exp(beta * (energy - energy.max()))
    classes = [tuple(int(v) for v in np.flatnonzero(colour == c)) for c in (0, 1)]
    return Bipartite(weight / weight.sum(), classes[0], classes[1], edges, beta)


def grid(rows: int, columns: int, beta: float) -> Bipartite:
    """The rows x columns grid, free boundary."""
    down = [(r * columns + c, (r + 1) * columns + c) for r in range(rows - 1) for c in range(columns)]
    right = [(r * columns + c, r * columns + c + 1) for r in range(rows) for c in range(columns - 1)]
    return ising(down + right, rows * columns, beta)


def complete(n: int, beta: float) -> Bipartite:
    """K_{n,n}."""
    return ising([(i, n + j) for i in range(n) for j in range(n)], 2 * n, beta)


def chain(length: int, beta: float) -> Bipartite:
    """A path."""
    return ising([(i, i + 1) for i in range(length - 1)], length, beta)


def two_colour_kl(model: Bipartite, steps: int) -> Float[np.ndarray, " steps"]:
    """KL(p || law of the two-colour program) for 1..steps steps, in nats; O(4^(L/2)) each.

    After K steps the last class is exact given the other, so the KL is that of the other class's marginal, which is one
    exact half-sweep behind. One step: the second class is never drawn given the first; both are drawn from one-point
    marginals.
    """
    joint = np.transpose(model.pmf, model.a + model.b).reshape(2 ** len(model.a), 2 ** len(model.b))
    p_a, p_b = joint.sum(axis=1), joint.sum(axis=0)
    b_given_a, a_given_b = joint / p_a[:, None], (joint / p_b[None]).T
    start_a, start_b = _one_point(model, model.a), _one_point(model, model.b)
    result = [_kl(joint.ravel(), np.outer(start_a, start_b).ravel())]
    law, on_a = start_a, True  # the law of the class that the coming step reads
    for _ in range(steps - 1):
        result.append(_kl(p_a if on_a else p_b, law))
        law, on_a = law @ (b_given_a if on_a else a_given_b), not on_a
    return np.array(result)


def _one_point(model: Bipartite, positions: tuple[int, ...]) -> Float[np.ndarray, " states"]:
    law = np.ones(1)
    for i in positions:
        law = np.outer(law, model.pmf.sum(axis=tuple(j for j in range(model.length) if j != i))).ravel()
    return law


def _kl(p: Float[np.ndarray, " n"], q: Float[np.ndarray, " n"]) -> float:
    """sum p log(p/q), written as sum of p (r - 1 - log r), r = q/p, whose terms are >= 0: no cancellation."""
    inside = p > 0
    r = q[inside] / p[inside]
    return float((p[inside] * (r - 1 - np.log1p(r - 1))).sum() + (p.sum() - q[inside].sum()))


def two_colour_program(model: Bipartite, steps: int):
    """(edit program, its start) for K >= 2 steps; two slots in front hold a clock that counts down from K to 0.

    One slot is unmasked to the next value while the other is remasked. The clock is needed for the last step only.
    """
    target, steps = model.target(), positive_int("steps", steps, minimum=2)

    def program(x: String) -> list[Site] | None:
        clock, cells = x[:2], x[2:]
        now = max(clock)
        if now == 0:
            return None
        slots = [sure(write(now - 1)) if v == MASK else sure(REMASK) for v in clock]
        fresh = model.a if all(v == MASK for v in cells) or cells[model.a[0]] == MASK else model.b
        marginals = target.marginals(np.array([cells]))[0]
        sites = []
        for i, v in enumerate(cells):
            if i in fresh:
                sites.append(tuple((float(marginals[i, t]), write(t)) for t in (0, 1)))
            elif now == 1:
                sites.append(stay(v) if v != MASK else sure(HOLD))
            else:
                sites.append(sure(HOLD))
        return slots + sites

    return program, (steps, MASK, *(MASK,) * model.length)
