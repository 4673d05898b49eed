"""Any-process programs that simulate parallel machines, and the any-order emitter."""

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product

import numpy as np

from toy_models.any_process import counter, emitter, pram, qbf
from toy_models.any_process.laws import program_law
from toy_models.any_process.programs import String, run
from toy_models.validation import MASK


@dataclass(frozen=True)
class Simulation:
    """One program on both layouts; serial = steps of one processor."""

    size: int
    steps: int
    write_once: int
    two_bank: int
    serial: int
    right: bool


@dataclass(frozen=True, eq=False)
class Pram:
    scan: tuple[Simulation, ...]
    ranking: tuple[Simulation, ...]
    graphs: tuple[int, bool]  # number of graphs, all right in the stated steps
    counter: tuple[Simulation, ...]
    gray: dict[int, tuple[int, int, int]]  # b: (steps, context, distinct words)
    qbf: tuple[int, int, bool]  # instances, most steps, all right with 4 2^n - 2 steps and 2 (2n + 3) tokens
    qbf_steps: dict[int, tuple[int, int]]  # n: (steps, context)
    walks: dict[tuple[int, int], int]
    write_once_runs: tuple[
        int, int, int
    ]  # random runs through g, steps > masks, steps that reveal another set than asked
    write_once_longest: dict[tuple[int, ...], int]  # x: most steps of all write-once runs from x that change it
    trace: tuple[tuple[int, ...], ...]


def pram_results(full: bool, rng: np.random.Generator) -> Pram:
    table = pram.symmetric_group_table(3)
    scans, rankings, counters = [], [], []
    for n in (4, 8, 16, 64, 128, 256, 512, 1024) if full else (4, 8, 16, 64, 1024):
        values = tuple(int(v) for v in rng.integers(6, size=n))
        machine, truth = pram.scan(values, table), pram.prefix_products(values, table)
        banks = run(pram.two_bank(machine), pram.two_bank_start(machine))
        layers = run(pram.layered_scan(n, table), (*values, *(MASK,) * (n * (n - 1).bit_length())))
        right = pram.visible_bank(banks.final)[:-1] == truth == layers.final[-n:] and banks.steps == layers.steps
        scans.append(Simulation(n, banks.steps, layers.peak, banks.peak, n, right))
    for n in (2, 5, 16, 33, 128):
        order = rng.permutation(n)
        successor, rank = np.empty(n, dtype=int), np.empty(n, dtype=int)
        successor[order] = np.append(order[1:], order[-1])
        rank[order] = np.arange(n)[::-1]
        machine = pram.list_ranking(successor)
        banks = run(pram.two_bank(machine), pram.two_bank_start(machine))
        layers = run(pram.write_once(machine), pram.write_once_start(machine, banks.steps))
        right = pram.visible_bank(banks.final)[n:] == tuple(rank) == layers.final[-n:]
        rankings.append(Simulation(n, banks.steps, layers.peak, banks.peak, n - 1, right))
    graphs, all_right = 0, True
    for n in (3, 4):
        for bits in product((0, 1), repeat=n * (n - 1) // 2):
            a = np.zeros((n, n), dtype=int)
            a[np.triu_indices(n, 1)] = bits
            machine = pram.connectivity(a + a.T)
            done = run(pram.two_bank(machine), pram.two_bank_start(machine))
            reach = np.linalg.matrix_power(a + a.T + np.eye(n, dtype=int), n) > 0
            found = np.array(pram.visible_bank(done.final)[:-1]).reshape(n, n) > 0
            graphs += 1
            all_right &= bool((found == reach).all()) and done.steps == (n - 2).bit_length()
    for b in range(2, 11):
        machine = counter.counter(b)
        done = run(pram.two_bank(machine), pram.two_bank_start(machine))
        counters.append(Simulation(b, done.steps, b * 2**b, done.peak, done.steps, done.steps == 2**b - 1))
    gray = {}
    for b in range(2, 11):
        done = run(counter.gray_walk, (0,) * b)
        gray[b] = (done.steps, done.peak, len({x for x in done.trace if MASK not in x}))
    instances, most, right, sizes = 0, 0, True, {}
    for n in range(1, 7):
        for _ in range(60 if full else 10):
            universal, clauses = qbf.random_formula(n, int(rng.integers(1, 3 * n + 1)), rng)
            machine = qbf.evaluator(universal, clauses)
            done = run(pram.two_bank(machine), pram.two_bank_start(machine))
            answer = pram.visible_bank(done.final)[-1] == qbf.brute_force(universal, clauses)
            right &= answer and done.steps == 4 * 2**n - 2 and done.peak == 2 * (2 * n + 3)
            instances, most, sizes[n] = instances + 1, max(most, done.steps), (done.steps, done.peak)
    runs = [counter.random_write_once_run(12, int(rng.integers(13)), 3, rng) for _ in range(2000 if full else 300)]
    small = counter.counter(3)
    return Pram(
        tuple(scans),
        tuple(rankings),
        (graphs, all_right),
        tuple(counters),
        gray,
        (instances, most, right),
        sizes,
        {size: counter.longest_walk(*size) for size in ((2, 2), (2, 1), (1, 2))},
        (len(runs), sum(map(too_long, runs)), sum(map(unlike_asked, runs))),
        counter.longest_write_once_runs(3, 2) | counter.longest_write_once_runs(4, 1),
        run(pram.two_bank(small), pram.two_bank_start(small)).trace,
    )


def too_long(one) -> bool:
    """More steps that change the sequence than masks at the start."""
    sequences, _ = one
    return sum(x != y for x, y in pairwise(sequences)) > sequences[0].count(MASK)


def unlike_asked(one) -> int:
    """Steps of a write-once run after which the length, a written token or the set of masks is not as it must be."""
    sequences, asked = one
    wrong = 0
    for x, y, revealed in zip(sequences, sequences[1:], asked, strict=False):
        kept = len(x) == len(y) and all(b == a for a, b in zip(x, y, strict=True) if a != MASK)
        wrong += not (kept and tuple(i for i, a in enumerate(x) if a == MASK and y[i] != MASK) == revealed)
    return wrong


def emitter_results(full: bool, rng: np.random.Generator) -> tuple[dict[tuple[int, int], bool], bool]:
    equal = {}
    for size, vocab_size in ((2, 2), (3, 2), (4, 2), *(((5, 2), (4, 3)) if full else ())):
        oracle = emitter.random_oracle(size, vocab_size, rng)
        law = program_law(emitter.emitter(oracle, size, vocab_size), emitter.emitter_start(size, vocab_size))
        rebuilt: dict[String, Fraction | float | int] = {}
        for x, p in law.final.items():
            word = emitter.rebuilt(x, size, vocab_size)
            rebuilt[word] = rebuilt.get(word, Fraction(0)) + p
        equal[size, vocab_size] = rebuilt == emitter.any_order_law(oracle, size)
    weights = rng.integers(0, 20, size=16)
    weights[0] += 1
    total, words = int(weights.sum()), product((0, 1), repeat=4)
    pmf: dict[String, Fraction] = {x: Fraction(int(w), total) for x, w in zip(words, weights, strict=True)}
    laws = list(emitter.fixed_order_laws(pmf, 4, 2).values())
    return equal, all(law == laws[0] for law in laws)
