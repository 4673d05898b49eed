"""Definitions that the lines rest on: samplers that remask against walks over their histories, and what is refused."""

from itertools import product

import numpy as np

import toy_models as tm
from theory.any_process.results import Results
from theory.ledger.conformance import ATOL, is_accepted, is_refused, rule_gaps
from theory.ledger.registry import Outcome, decide, definition
from toy_models.any_process import pram, qbf, rewriting

REMASKING = ("remasking", "remembered confidence", "path planning")


@definition("remdm-hurts", tier="float64")
def remasking_by_histories(_: Results) -> Outcome:
    """Law, calls, SER, KL, draws of the samplers that remask, by walks over their histories; three denoisers."""
    gaps = rule_gaps(REMASKING, ("table", "chain, stationary", "one position"))
    return decide(max(gaps) < ATOL, len(gaps), max(gaps))


@definition("pram-write-once", tier="rational")
def random_programs_in_layers(_: Results) -> Outcome:
    """v' = F(v), F any map of {0, 1}^s, s <= 3, T <= 4: layers end in v_T after T steps, s (T + 1) tokens."""
    same = [_layers(machine, rounds) for machine, rounds in _random_programs()]
    return decide(all(same), len(same))


@definition("pram-two-bank", tier="rational")
def random_programs_in_banks(_: Results) -> Outcome:
    """v' = F(v) for as many rounds as a counter among its registers says: two banks, exactly T steps, 2 s tokens."""
    same = [_banks(machine, rounds) for machine, rounds in _random_programs()]
    return decide(all(same), len(same))


def _random_programs():
    """(machine, rounds): F maps (v, t) to (a table's value, t + 1), and the run ends at t = rounds."""
    rng = np.random.default_rng(17)
    for size, rounds in product((1, 2, 3), (0, 1, 2, 4)):
        table = {v: tuple(rng.integers(0, 2, size).tolist()) for v in product((0, 1), repeat=size)}

        def update(state, table=table):
            return (*table[state[:-1]], state[-1] + 1)

        start = (*rng.integers(0, 2, size).tolist(), 0)
        yield pram.Machine(start, update, lambda state, rounds=rounds: state[-1] == rounds), rounds


def _layers(machine, rounds: int) -> bool:
    start, size = pram.write_once_start(machine, rounds), len(machine.start)
    ran = tm.any_process.run(pram.write_once(machine), start)
    states = machine.trajectory()
    return (
        ran.steps == rounds and len(start) == size * (rounds + 1) and ran.final == tuple(v for s in states for v in s)
    )


def _banks(machine, rounds: int) -> bool:
    start = pram.two_bank_start(machine)
    ran = tm.any_process.run(pram.two_bank(machine), start)
    right = pram.visible_bank(ran.final) == machine.trajectory()[-1]
    return right and ran.steps == rounds and len(start) == 2 * len(machine.start) == len(ran.final)


@definition("parity-first-pair", tier="rational")
def rules_are_read_as_written(_: Results) -> Outcome:
    """Block rules: '.' keeps or holds, M remasks, a symbol unmasks, '+' inserts, sites by first and stride."""
    flip, pairs = rewriting.Rules("ab", ["M -> b"]), rewriting.Rules("01", ["00 -> MM", "M0 -> 1."], 0, 2)
    found = [
        (tm.any_process.run(flip, (-1, 0)).trace, ((-1, 0), (1, 0))),
        (pairs.encode("M01"), (-1, 0, 1)),
        (pairs.decode((-1, 0, 1)), "M01"),
        (pairs((1, 0, 0, 0)) is not None, True),
        (pairs((0, 1, 1, 1)), None),
        (rewriting.parse("ab", "aM -> .b+"), ((0, -1), ((0, 0, 0, 0), (1, 0, 1, 0)))),
    ]
    return decide(all(a == b for a, b in found), len(found))


@definition("edit-transition", tier="rational")
def edges_of_the_hypotheses(_: Results) -> Outcome:
    """Empty sequences and both truth values of each bit are taken; other tokens, bits, literals, rules are refused."""
    x, zero = [-1, 1], [0, 0]
    good = [
        lambda: tm.any_process.apply([], [], [], [], []),
        lambda: tm.any_process.apply(x, zero, [1, 0], zero, [True, False]),
        lambda: qbf.evaluator([True], [[1], [-1]]),
        lambda: rewriting.Rules("a", ["M -> a"]),
    ]
    bad = [
        lambda: tm.any_process.apply(x, [0], zero, zero, zero),
        lambda: tm.any_process.apply(x, zero, [2, 0], zero, zero),
        lambda: tm.any_process.apply(x, [-1, 0], zero, zero, zero),
        lambda: tm.any_process.apply([-2, 1], zero, zero, zero, zero),
        lambda: tm.any_process.apply(np.zeros((1, 2), dtype=int), zero, zero, zero, zero),
        lambda: qbf.evaluator([True], [[2]]),
        lambda: qbf.evaluator([True], [[0]]),
        lambda: rewriting.parse("ab", "ab"),
        lambda: rewriting.parse("ab", "a -> .."),
        lambda: rewriting.parse("ab", "c -> ."),
        lambda: rewriting.parse("ab", "a -> b"),
        lambda: rewriting.parse("ab", " -> "),
    ]
    return decide(all(map(is_accepted, good)) and all(map(is_refused, bad)), len(good) + len(bad))
