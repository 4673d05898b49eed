"""Quantified Boolean formulas by depth-first search in a sequence of 2 (2n + 3) tokens.

Registers: a_i (the assignment), r_i (the value of the first branch), depth, mode, value; two banks. The run takes
4 2^n - 2 steps: 3 per inner node of the full binary tree, 1 per leaf, 1 to halt.
"""

from collections.abc import Sequence

import numpy as np

from toy_models.any_process.pram import Machine

DOWN, UP, DONE = 0, 1, 2
Clause = Sequence[int]  # literals +-(i + 1)


def satisfied(clauses: Sequence[Clause], assignment: Sequence[int]) -> bool:
    """Whether every clause has a true literal."""
    return all(any(assignment[abs(v) - 1] == (v > 0) for v in clause) for clause in clauses)


def brute_force(universal: Sequence[bool], clauses: Sequence[Clause], assignment: tuple[int, ...] = ()) -> bool:
    """The truth value by recursion on the quantifiers, the first one outermost."""
    if len(assignment) == len(universal):
        return satisfied(clauses, assignment)
    branches = [brute_force(universal, clauses, (*assignment, bit)) for bit in (0, 1)]
    return all(branches) if universal[len(assignment)] else any(branches)


def evaluator(universal: Sequence[bool], clauses: Sequence[Clause]) -> Machine:
    """The machine that evaluates the formula; the answer is the last register when the mode is DONE."""
    universal = tuple(map(bool, universal))
    n = len(universal)
    for clause in clauses:
        for literal in clause:
            if not 1 <= abs(literal) <= n:
                raise ValueError(f"clauses hold literal {literal}, allowed: +-1..+-{n}")

    def update(state: tuple[int, ...]) -> tuple[int, ...]:
        a, r, (depth, mode, value) = list(state[:n]), list(state[n : 2 * n]), state[2 * n :]
        if mode == DOWN and depth < n:
            a[depth], r[depth], depth = 0, 0, depth + 1
        elif mode == DOWN:
            mode, value = UP, int(satisfied(clauses, a))
        elif depth == 0:
            mode = DONE
        elif a[depth - 1] == 0:
            r[depth - 1], a[depth - 1], mode = value, 1, DOWN
        else:
            depth -= 1
            value = r[depth] & value if universal[depth] else r[depth] | value
        return (*a, *r, depth, mode, value)

    return Machine((0,) * (2 * n) + (0, DOWN, 0), update, lambda state: state[2 * n + 1] == DONE)


def random_formula(n: int, clauses: int, rng: np.random.Generator) -> tuple[list[bool], list[list[int]]]:
    """n random quantifiers and random clauses of min(3, n) distinct variables."""
    universal = [bool(v) for v in rng.integers(2, size=n)]
    width = min(3, n)
    signs = rng.choice([-1, 1], size=(clauses, width))
    return universal, [
        [int(s * (v + 1)) for s, v in zip(row, rng.choice(n, size=width, replace=False), strict=True)] for row in signs
    ]
