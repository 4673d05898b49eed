"""Any-process experiments on parity: deciding it by edits, generating it, and the light cone."""

from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np
from tqdm import tqdm

from toy_models.any_process import even_parity, local_programs, parity
from toy_models.any_process.laws import program_law
from toy_models.any_process.programs import run
from toy_models.validation import MASK


@dataclass(frozen=True, eq=False)
class Parity:
    lengths: tuple[int, ...]  # all inputs of these lengths are run
    wrong: dict[str, int]  # wrong answers: "first pair", "tournament"
    most_first: tuple[int, ...]
    mean_first: tuple[Fraction, ...]
    lone_zero: tuple[Fraction, ...]
    most_tournament: tuple[int, ...]
    long_runs: dict[int, tuple[int, bool]]  # n: (steps, right) of the tournament on random bits
    accuracy: dict[tuple[int, int, int], Fraction]  # (n, r, T): best accuracy under the light cone
    cone_kept: bool  # random local rules never depend on more than the cone
    cone_used: bool  # and some depend on all of it
    programs: dict[tuple[int, int, int], bool]  # (n, r, T): a program was found, and is right on every input through g
    rounds: dict[int, float]  # E[rounds] of random matching of m ones
    traces: dict[str, tuple[tuple[int, ...], ...]]


@dataclass(frozen=True, eq=False)
class Generation:
    lengths: tuple[int, ...]
    tv: tuple[Fraction, ...]
    peak: tuple[int, ...]
    steps: tuple[int, ...]
    write_once: dict[int, Fraction]  # window: TV at n = 7, halves then the last token, decoded 6 + 1
    one_shot: Fraction
    trace: tuple[tuple[int, ...], ...]


def progress(items, label: str):
    return tqdm(list(items), desc=label, leave=False)


def parity_results(full: bool, rng: np.random.Generator) -> Parity:
    lengths = tuple(range(2, 13 if full else 9))
    wrong = {"first pair": 0, "tournament": 0}
    most, mean, lone, tournament = [], [], [], []
    for n in progress(lengths, "parity inputs"):
        steps, zeros, quick = [], 0, 0
        for bits in product((0, 1), repeat=n):
            answer, first = parity.decide(parity.first_pair, bits)
            other, second = parity.decide(parity.tournament, bits)
            wrong["first pair"] += answer != sum(bits) % 2
            wrong["tournament"] += other != sum(bits) % 2
            steps.append(first.steps)
            zeros += first.final == (parity.START, 0)
            quick = max(quick, second.steps)
        most.append(max(steps))
        mean.append(Fraction(sum(steps), len(steps)))
        lone.append(Fraction(zeros, len(steps)))
        tournament.append(quick)
    long_runs = {}
    for n in (15, 64, 255, 1000, *((4096, 4097) if full else ())):
        bits = rng.integers(2, size=n)
        answer, done = parity.decide(parity.tournament, bits)
        long_runs[n] = (done.steps, answer == bits.sum() % 2)
    grid = [(n, r, t) for n in ((4, 8, 10) if full else (4, 8)) for r in (1, 2) for t in range(1, n + 1)]
    accuracy = {(n, r, t): parity.best_accuracy(n, parity.light_cone(n, r, t)) for n, r, t in grid}
    kept, used = [], []
    for r, t in product((1, 2), (1, 2, 3, 5)):
        found, cone = [parity.dependence(6, r, t, rng) for _ in range(4)], set(parity.light_cone(6, r, t))
        kept.append(all(seen <= cone for seen in found))
        used.append(set().union(*found) == cone)
    small = (
        (1, 1, 1),
        (2, 2, 1),
        (2, 1, 2),
        (3, 3, 1),
        *(((3, 1, 3),) if full else ()),
        (2, 1, 1),
        (3, 1, 2),
        (3, 2, 1),
    )
    programs = {size: decided_by_program(*size) for size in small}
    sample = (1, 0, 1, 1, 0, 0, 1, 0, 1, 1)
    traces = {
        "first pair": parity.decide(parity.first_pair, sample)[1].trace,
        "tournament": parity.decide(parity.tournament, sample)[1].trace,
    }
    rounds = {m: float(parity.matching_rounds(m)) for m in (2, 4, 8, 16, 32, *((64, 128, 256) if full else ()))}
    counts = tuple(most), tuple(mean), tuple(lone), tuple(tournament)
    return Parity(lengths, wrong, *counts, long_runs, accuracy, all(kept), all(used), programs, rounds, traces)


def decided_by_program(n: int, radius: int, steps: int) -> bool:
    """Whether the search finds a local program, and it leaves the parity in the answer cell on all 2^n inputs."""
    found = local_programs.parity_program(n, radius, steps)
    if found is None:
        return False
    for bits in product((0, 1), repeat=n):
        x = (*bits, MASK)
        for step in found:
            x = local_programs.after(x, step, radius)
        if x[-1] != sum(bits) % 2:
            raise AssertionError(f"the program for n = {n}, r = {radius}, T = {steps} is wrong on {bits}")
    return True


def generation_results(full: bool) -> Generation:
    lengths = tuple(range(2, 13 if full else 10))
    tv, peak, steps = [], [], []
    for n in lengths:
        law = program_law(even_parity.hidden_bits, even_parity.start(n))
        tv.append(even_parity.total_variation({x[1:]: p for x, p in law.final.items()}, even_parity.even_strings(n)))
        steps.append(law.longest)
        peak.append(run(even_parity.hidden_bits, even_parity.start(n), np.random.default_rng(0)).peak)
    even = even_parity.even_strings(7)
    middle_last = [[0, 1, 2, 4, 5, 6], [3]]
    windows = {
        w: even_parity.total_variation(even_parity.windowed_write_once(7, w, middle_last), even) for w in range(7)
    }
    one_shot = even_parity.total_variation(even_parity.windowed_write_once(7, 7, [list(range(7))]), even)
    trace = run(even_parity.hidden_bits, even_parity.start(8), np.random.default_rng(1)).trace
    return Generation(lengths, tuple(tv), tuple(peak), tuple(steps), windows, one_shot, trace)
