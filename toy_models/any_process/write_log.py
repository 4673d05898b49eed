"""PRAM programs by a log of writes: n input tokens and P masks a round; each round unmasks P entries, T steps in all.

An entry is (processor state after the round, write or nothing). The memory is never stored: a cell holds what the last
entry that writes to it says, or the input, or 0. No written token changes.
"""

from collections.abc import Callable
from dataclasses import dataclass

from toy_models.any_process.programs import Site, String, stay_all, write_all
from toy_models.validation import MASK

Write = tuple[int, int]  # (address, value)


@dataclass(frozen=True)
class Pram:
    """P processors with finite states over a memory of `cells` cells of values 0..V-1; priority writes.

    A round: processor p in state s reads cell read(s) (None: it sees 0) as the memory stood before the round, then
    act(s, seen) -> (new state, write or None). Of several writes to one cell that of the last processor stays.
    """

    start: tuple[int, ...]  # state of each processor
    states: int
    cells: int
    values: int
    read: Callable[[int], int | None]
    act: Callable[[int, int], tuple[int, Write | None]]

    @property
    def processors(self) -> int:
        return len(self.start)


def direct(machine: Pram, memory: tuple[int, ...], rounds: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(states, memory) after the rounds, by a memory that is stored and overwritten.

    >>> once = tm.any_process.write_log.Pram((0,), 1, 2, 2, lambda s: 0, lambda s, seen: (0, (1, 1 - seen)))
    >>> tm.any_process.write_log.direct(once, (0,), 1)
    ((0,), (0, 1))
    """
    cells = [*memory, *(0,) * (machine.cells - len(memory))]
    states = machine.start
    for _ in range(rounds):
        places = [machine.read(s) for s in states]
        seen = [0 if place is None else cells[place] for place in places]
        done = [machine.act(s, v) for s, v in zip(states, seen, strict=True)]
        states = tuple(s for s, _ in done)
        for _, write in done:
            if write is not None:
                cells[write[0]] = write[1]
    return states, tuple(cells)


def encode(machine: Pram, state: int, write: Write | None) -> int:
    """The log token of an entry: V + state (cells V + 1) + (0 without a write, else 1 + address V + value)."""
    place = 0 if write is None else 1 + write[0] * machine.values + write[1]
    return machine.values + state * (machine.cells * machine.values + 1) + place


def decode(machine: Pram, token: int) -> tuple[int, Write | None]:
    """The entry of a log token.

    >>> once = tm.any_process.write_log.Pram((0,), 1, 2, 2, lambda s: 0, lambda s, seen: (0, (1, 1 - seen)))
    >>> log = tm.any_process.write_log
    >>> log.decode(once, log.encode(once, 0, (1, 1)))
    (0, (1, 1))
    """
    state, place = divmod(token - machine.values, machine.cells * machine.values + 1)
    return state, None if place == 0 else divmod(place - 1, machine.values)


def start(machine: Pram, memory: tuple[int, ...], rounds: int) -> String:
    """n input tokens and P T masks."""
    return (*memory, *(MASK,) * (machine.processors * rounds))


def contents(machine: Pram, x: String, size: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(states, memory) that a sequence stands for: its log replayed over its first `size` tokens."""
    cells = [*x[:size], *(0,) * (machine.cells - size)]
    entries = [decode(machine, token) for token in x[size:] if token != MASK]
    for _, write in entries:
        if write is not None:
            cells[write[0]] = write[1]
    last = entries[-machine.processors :] if entries else []
    return tuple(s for s, _ in last) or machine.start, tuple(cells)


def program(machine: Pram, size: int) -> Callable[[String], list[Site] | None]:
    """The layered program; each step writes the P entries of the next round from the tokens written so far.

    >>> log, once = tm.any_process.write_log, tm.any_process.write_log.Pram(
    ...     (0,), 1, 2, 2, lambda s: 0, lambda s, seen: (0, (1, 1 - seen)))
    >>> run = tm.any_process.run(log.program(once, 1), log.start(once, (0,), 1))
    >>> run.steps, log.contents(once, run.final, 1)
    (1, ((0,), (0, 1)))
    """

    def one_step(x: String) -> list[Site] | None:
        if MASK not in x:
            return None
        states, cells = contents(machine, x, size)
        fresh = []
        for state in states:
            place = machine.read(state)
            fresh.append(encode(machine, *machine.act(state, 0 if place is None else cells[place])))
        sites, first = stay_all(x), x.index(MASK)
        sites[first : first + machine.processors] = write_all(fresh)
        return sites

    return one_step


def binary_search(length: int) -> Pram:
    """One processor finds the first 1 of a sorted bit array: state (low, high), cell `length` gets the place at last.

    Rounds: ceil(log2(length + 1)) probes and one write.
    """
    width = length + 1

    def read(state: int) -> int | None:
        low, high = divmod(state, width)
        return (low + high) // 2 if low < high else None

    def act(state: int, seen: int) -> tuple[int, Write | None]:
        low, high = divmod(state, width)
        if low == high:
            return state, (length, low)
        middle = (low + high) // 2
        low, high = (low, middle) if seen else (middle + 1, high)
        return low * width + high, None

    return Pram((length,), width * width, length + 1, max(2, width), read, act)
