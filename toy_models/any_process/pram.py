"""Synchronous parallel programs v -> F(v) on s registers, by two layouts of one sequence.

Write-once: s (T + 1) tokens, layer t is unmasked when layer t - 1 is visible.
Two banks: 2 s tokens, one bank masked; a step unmasks it to F(visible bank) and remasks the visible one.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from toy_models.any_process.programs import Site, String, stay_all, sure, write_all
from toy_models.any_process.transition import REMASK
from toy_models.validation import MASK, positive_int

State = tuple[int, ...]


@dataclass(frozen=True)
class Machine:
    """start, the update F, and `done`, a test on the state that ends the run."""

    start: State
    update: Callable[[State], State]
    done: Callable[[State], bool]

    def trajectory(self) -> list[State]:
        """States by direct iteration, the oracle of both layouts."""
        states = [self.start]
        while not self.done(states[-1]):
            states.append(self.update(states[-1]))
        return states


def two_bank(machine: Machine):
    """The edit program of a machine; start it at `two_bank_start(machine)`. Exactly T steps, context 2 s."""
    size = len(machine.start)

    def program(x: String) -> list[Site] | None:
        first = x[0] != MASK
        state = x[:size] if first else x[size:]
        if machine.done(state):
            return None
        fresh = write_all(machine.update(state))
        old = [sure(REMASK)] * size
        return old + fresh if first else fresh + old

    return program


def two_bank_start(machine: Machine) -> String:
    return (*machine.start, *(MASK,) * len(machine.start))


def visible_bank(x: String) -> State:
    """The state held by a two-bank sequence."""
    half = len(x) // 2
    return x[:half] if x[0] != MASK else x[half:]


def write_once(machine: Machine):
    """The layered program: no written token ever changes. T steps, context s (T + 1)."""
    size = len(machine.start)

    def program(x: String) -> list[Site] | None:
        if MASK not in x:
            return None
        written = x.index(MASK)
        fresh = machine.update(x[written - size : written])
        sites = stay_all(x)
        sites[written : written + size] = write_all(fresh)
        return sites

    return program


def write_once_start(machine: Machine, steps: int) -> String:
    return (*machine.start, *(MASK,) * (len(machine.start) * steps))


def scan(values, product: Int[np.ndarray, "q q"]) -> Machine:
    """Hillis-Steele prefix products x_1, x_1 x_2, ...: ceil(log2 n) steps, v_i <- v_{i - 2^t} v_i.

    `product` is the multiplication table. The step t is one more register: n + 1 in all.
    """
    values = tuple(map(int, values))
    steps = (positive_int("len(values)", len(values)) - 1).bit_length()
    table = [[int(v) for v in row] for row in product]

    def update(state: State) -> State:
        t, v = state[-1], state[:-1]
        shift = 1 << t
        return (*v[:shift], *(table[v[i - shift]][v[i]] for i in range(shift, len(v))), t + 1)

    return Machine((*values, 0), update, lambda state: state[-1] == steps)


def layered_scan(n: int, product: Int[np.ndarray, "q q"]):
    """The write-once scan: the layer is read from the position, so no counter. Context n (1 + ceil(log2 n))."""
    table = [[int(v) for v in row] for row in product]

    def program(x: String) -> list[Site] | None:
        if MASK not in x:
            return None
        written = x.index(MASK)
        shift = 1 << (written // n - 1)
        v = x[written - n : written]
        fresh = v[:shift] + tuple(table[v[i - shift]][v[i]] for i in range(shift, n))
        sites = stay_all(x)
        sites[written : written + n] = write_all(fresh)
        return sites

    return program


def prefix_products(values, product: Int[np.ndarray, "q q"]) -> State:
    """The serial answer."""
    result = [int(values[0])]
    for v in values[1:]:
        result.append(int(product[result[-1], v]))
    return tuple(result)


def symmetric_group_table(n: int = 3) -> Int[np.ndarray, "q q"]:
    """Multiplication table of S_n, q = n!, (a b)(i) = b(a(i)), permutations in lexicographic order."""
    from itertools import permutations

    elements = list(permutations(range(n)))
    index = {p: k for k, p in enumerate(elements)}
    return np.array([[index[tuple(b[a[i]] for i in range(n))] for b in elements] for a in elements])


def list_ranking(successor) -> Machine:
    """Distance to the end of a linked list by pointer jumping, ceil(log2(n - 1)) steps; registers next_i, rank_i.

    successor[i] is the next node; the last node points at itself.
    """
    nxt = tuple(map(int, successor))
    n = len(nxt)
    wrong = [v for v in nxt if not 0 <= v < n]
    if wrong or sum(v == i for i, v in enumerate(nxt)) != 1:
        raise ValueError(f"successor = {nxt[:10]}..., it must be a list with exactly one node pointing at itself")

    def update(state: State) -> State:
        p, r = state[:n], state[n:]
        return tuple(p[p[i]] for i in range(n)) + tuple(r[i] + r[p[i]] for i in range(n))

    end = next(i for i, v in enumerate(nxt) if v == i)
    start = nxt + tuple(int(v != i) for i, v in enumerate(nxt))
    return Machine(start, update, lambda state: all(v == end for v in state[:n]))


def connectivity(adjacency) -> Machine:
    """Reachability by squaring A <- A or A A, with a step counter: ceil(log2(n - 1)) steps, n^2 + 1 registers."""
    a = np.asarray(adjacency, dtype=np.int64)
    n = len(a)
    if a.shape != (n, n) or ((a != 0) & (a != 1)).any():
        raise ValueError(f"adjacency must be a square 0/1 matrix, got shape {a.shape}")
    steps = max(0, (n - 2).bit_length()) if n > 2 else 0

    def update(state: State) -> State:
        b = np.array(state[:-1]).reshape(n, n)
        return (*(int(v) for v in ((b @ b + b) > 0).ravel()), state[-1] + 1)

    with_loops = (a + np.eye(n, dtype=np.int64) > 0).astype(int)
    return Machine((*(int(v) for v in with_loops.ravel()), 0), update, lambda state: state[-1] >= steps)
