"""Parallel machines by a log of their writes."""

from dataclasses import dataclass, replace
from itertools import product
from math import ceil, log2

import numpy as np

from theory.any_process.results import Results
from theory.ledger.registry import Outcome, construction, control, decide, tightness
from toy_models.any_process import write_log
from toy_models.any_process.programs import run, stay_all
from toy_models.validation import MASK


@dataclass(frozen=True)
class Case:
    machine: write_log.Pram
    memory: tuple[int, ...]
    rounds: int


def _random_machine(rng: np.random.Generator) -> write_log.Pram:
    """Random tables; a third of the reads and of the writes is none, so that cells collide and survive."""
    states, cells, values, processors = (int(rng.integers(low, high)) for low, high in ((1, 5), (2, 6), (2, 4), (1, 4)))
    place = [None if rng.random() < 1 / 3 else int(rng.integers(cells)) for _ in range(states)]
    table = {
        (s, v): (
            int(rng.integers(states)),
            None if rng.random() < 1 / 3 else (int(rng.integers(cells)), int(rng.integers(values))),
        )
        for s, v in product(range(states), range(values))
    }
    first = tuple(int(s) for s in rng.integers(states, size=processors))
    return write_log.Pram(first, states, cells, values, lambda s: place[s], lambda s, v: table[s, v])


def _cases(full: bool) -> list[Case]:
    rng, found = np.random.default_rng(77), []
    for _ in range(400 if full else 60):
        machine = _random_machine(rng)
        size = int(rng.integers(1, machine.cells + 1))
        memory = tuple(int(v) for v in rng.integers(machine.values, size=size))
        found.append(Case(machine, memory, int(rng.integers(1, 7))))
    return found


def _simulated(case: Case, program=None, masks: int | None = None):
    """What the final sequence stands for, the steps taken, and whether all written tokens stayed."""
    machine, size = case.machine, len(case.memory)
    start = write_log.start(machine, case.memory, case.rounds)
    done = run(program or write_log.program(machine, size), start[:masks])
    kept = all(
        b == a for x, y in zip(done.trace, done.trace[1:], strict=False) for a, b in zip(x, y, strict=True) if a != MASK
    )
    return write_log.contents(machine, done.final, size), done.steps, kept and done.peak == len(start[:masks])


@construction("write-log-layout", tier="rational")
def logs_reproduce_random_machines(results: Results) -> Outcome:
    """write-log-layout: random machines with up to 4 processors, 5 states, 6 cells, concurrent writes: states and
    memory after T rounds equal those of a stored memory; T steps, n + P T tokens, written tokens stay.
    """
    holds, cases = True, _cases(results.profile == "full")
    for case in cases:
        found, steps, stayed = _simulated(case)
        machine = case.machine
        start = write_log.start(machine, case.memory, case.rounds)
        holds &= found == write_log.direct(machine, case.memory, case.rounds) and stayed and steps == case.rounds
        holds &= len(start) == len(case.memory) + machine.processors * case.rounds
        last = write_log.encode(machine, machine.states - 1, (machine.cells - 1, machine.values - 1))
        holds &= last + 1 == machine.values + machine.states * (machine.cells * machine.values + 1)
    return decide(holds, len(cases), None, "random machines, conflicts included")


@construction("write-log-layout", tier="rational")
def binary_search_in_a_log(results: Results) -> Outcome:
    """write-log-layout: binary search on every sorted array of up to 40 bits: the place of the first 1 in
    ceil(log2(n + 1)) + 1 steps and as many tokens beyond the array."""
    holds, count = True, 0
    for n in range(1, 41 if results.profile == "full" else 17):
        for ones in range(n + 1):
            memory = (0,) * (n - ones) + (1,) * ones
            machine, rounds = write_log.binary_search(n), ceil(log2(n + 1)) + 1
            (_, cells), steps, stayed = _simulated(Case(machine, memory, rounds))
            holds &= cells[n] == n - ones and steps == rounds and stayed
            count += 1
    return decide(holds, count)


@tightness("write-log-layout", tier="rational")
def shorter_than_layers(results: Results) -> Outcome:
    """write-log-layout: binary search, n = 1024: 1036 tokens, where layers of all registers take (n + 2)(T + 1)."""
    n, rounds = 1024, 12
    tokens = len(write_log.start(write_log.binary_search(n), (0,) * n, rounds))
    return decide(tokens == 1036 and (n + 2) * (rounds + 1) == 13338, 1, tokens, "margin: tokens of the log")


@control("write-log-layout", tier="rational")
def first_entry_wins(results: Results) -> Outcome:
    """write-log-layout reading the first entry of a cell in place of the last."""

    def forgetful(machine: write_log.Pram, size: int):
        def one_step(x):
            entries = [write_log.decode(machine, v) for v in x[size:] if v != MASK]
            cells, seen = [*x[:size], *(0,) * (machine.cells - size)], set()
            for _, write in entries:
                if write is not None and write[0] not in seen:
                    cells[write[0]] = write[1]
                    seen.add(write[0])
            states = [s for s, _ in entries[-machine.processors :]] or machine.start
            shown = (*cells, *(write_log.encode(machine, s, None) for s in states))
            masks = (MASK,) * machine.processors
            fresh = write_log.program(machine, machine.cells)((*shown, *masks))
            if MASK not in x or fresh is None:
                return None
            sites = stay_all(x)
            at = x.index(MASK)
            sites[at : at + machine.processors] = fresh[-machine.processors :]
            return sites

        return one_step

    same = [
        _simulated(case, forgetful(case.machine, len(case.memory)))[0]
        == write_log.direct(case.machine, case.memory, case.rounds)
        for case in _cases(False)
    ]
    return decide(all(same), len(same), sum(same) / len(same), "margin: share of machines that do not notice")


@control("write-log-layout", tier="rational")
def one_round_of_masks_less(results: Results) -> Outcome:
    """write-log-layout with n + P (T - 1) tokens: the last round is missing."""
    same = []
    for case in _cases(False):
        found = _simulated(case, masks=len(case.memory) + case.machine.processors * (case.rounds - 1))[0]
        same.append(found == write_log.direct(case.machine, case.memory, case.rounds))
    return decide(all(same), len(same), sum(same) / len(same), "margin: share of machines that are done before")


@control("write-log-layout", tier="rational")
def first_processor_wins(results: Results) -> Outcome:
    """write-log-layout for machines in which the first of several writers wins: the log keeps the last."""

    def other_rule(case: Case):
        machine, cells = case.machine, [*case.memory, *(0,) * (case.machine.cells - len(case.memory))]
        states = machine.start
        for _ in range(case.rounds):
            places = [machine.read(s) for s in states]
            done = [machine.act(s, 0 if a is None else cells[a]) for s, a in zip(states, places, strict=True)]
            states = tuple(s for s, _ in done)
            for _, write in reversed(done):
                if write is not None:
                    cells[write[0]] = write[1]
        return states, tuple(cells)

    differ = []
    for case in _cases(False):
        machine = case.machine
        crowd = tuple((s + k) % machine.states for k, s in enumerate(machine.start * 3))
        differ.append(replace(case, machine=replace(machine, start=crowd)))
    same = [_simulated(case)[0] == other_rule(case) for case in differ]
    return decide(all(same), len(same), sum(same) / len(same), "margin: share of machines without a conflict")
