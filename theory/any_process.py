"""Any-process generation (Yang et al. 2025, arXiv 2510.06190): the experiment behind the notebook and the ledger.

No finite run verifies a complexity statement: constructions are shown with exact counts, and restricted lower bounds
(locality, finite state, write-once, factorisation) are decided by enumeration.
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np
from tqdm import tqdm

import toy_models as tm
from theory.any_process_search import Learned, Queens, Sudoku, learned_results, queens_results, sudoku_results
from toy_models import lattice
from toy_models.editing import corrector, counter, dyck, emitter, even_parity, floors, mixtures, parity, pram, qbf
from toy_models.editing.laws import program_law, support
from toy_models.editing.programs import run
from toy_models.policies.fixed_schedules import fixed_schedule_front, subset_entropies
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


@dataclass(frozen=True, eq=False)
class Dyck:
    support_equal: dict[tuple[int, int, str], bool]  # (k, N, "one anchor" | "parallel" | "program")
    one_sided_equal: bool
    sizes: dict[tuple[int, int], int]  # (k, n): |L_k,n|
    rounds: dict[tuple[int, int], tuple[int, Fraction]]  # (k, n): (most, mean) parallel rounds
    mass: dict[tuple[int, int], Fraction]  # (k, N): P(terminal word of length <= N)
    tv_uniform: dict[tuple[int, int], float]  # (k, n): TV to uniform given the length
    classes: dict[int, int]  # n: most prefix classes, k = 2
    classes_agree: bool
    covered: dict[int, int]  # states: longest n covered, k = 2
    windows: dict[int, tuple[int, ...]]  # n: support size for window 0..n-1, k = 2
    valid: dict[str, Fraction]  # k = 2, n = 6
    growth: tuple[tuple[int, ...], ...]


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
    write_once_runs: tuple[int, int, int]  # runs, violations of steps <= masks, runs with equality
    trace: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, eq=False)
class Correction:
    model: str
    beta: float
    write_once: np.ndarray  # best KL with at most K steps, K = 1..6
    two_colour: np.ndarray


@dataclass(frozen=True, eq=False)
class Corrector:
    rows: tuple[Correction, ...]
    mixtures: dict[float, mixtures.MixtureBound]  # 3x3, K = 3
    through_g: float  # |KL through g - KL by matrices|, 2x2, K = 4
    floors: dict[str, tuple[float, ...]]  # subset sizes 1, 2, 3, 6
    alternating: dict[str, float]
    bisection: dict[tuple[str, int], float]  # TV
    remdm: dict[tuple[str, int], tuple[float, ...]]  # (target, K): TV for eta in ETAS
    etas: tuple[float, ...] = (0.0, 0.25, 0.5, 1.0)


@dataclass(frozen=True, eq=False)
class Results:
    profile: str
    parity: Parity
    generation: Generation
    dyck: Dyck
    pram: Pram
    emitter: dict[tuple[int, int], bool]  # (S, |Sigma|): laws equal
    orders_equal: bool
    sudoku: Sudoku
    queens: Queens
    corrector: Corrector
    learned: Learned


def results(profile: str, rng: np.random.Generator) -> Results:
    """Everything the notebook draws and the ledger reads; "smoke" takes a few seconds, "full" about a minute."""
    if profile not in ("smoke", "full"):
        raise ValueError(f'profile = {profile!r}, allowed: "smoke", "full"')
    full = profile == "full"
    sections = (
        lambda: parity_results(full, rng),
        lambda: generation_results(full),
        lambda: dyck_results(full),
        lambda: pram_results(full, rng),
        lambda: emitter_results(full, rng),
        lambda: sudoku_results(full),
        lambda: queens_results(full),
        lambda: corrector_results(full),
        lambda: learned_results(full, rng, progress),
    )
    par, gen, dy, pr, (em, orders), su, qu, co, le = [s() for s in progress(sections, "any-process sections")]
    return Results(profile, par, gen, dy, pr, em, orders, su, qu, co, le)


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
    cone = all(parity.dependence(6, r, t, rng) <= set(parity.light_cone(6, r, t)) for r in (1, 2) for t in (1, 2, 3, 5))
    sample = (1, 0, 1, 1, 0, 0, 1, 0, 1, 1)
    traces = {
        "first pair": parity.decide(parity.first_pair, sample)[1].trace,
        "tournament": parity.decide(parity.tournament, sample)[1].trace,
    }
    rounds = {m: float(parity.matching_rounds(m)) for m in (2, 4, 8, 16, 32, *((64, 128, 256) if full else ()))}
    counts = tuple(map(tuple, (most, mean, lone, tournament)))
    return Parity(lengths, wrong, *counts, long_runs, accuracy, cone, rounds, traces)


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


def dyck_results(full: bool) -> Dyck:
    def words(k, longest, one_sided=False):
        return set().union(*(dyck.language(k, n, one_sided) for n in range(0, longest + 1, 2)))

    equal, rounds = {}, {}
    for k, longest in ((1, 10), (2, 8 if full else 6)):
        wanted = words(k, longest)
        for parallel in (False, True):
            found = dyck.insertion_rounds(k, longest, parallel)
            equal[k, longest, "parallel" if parallel else "one anchor"] = set(found) == wanted
        last = [r for w, r in found.items() if len(w) == longest]
        rounds[k, longest] = (max(last), Fraction(sum(last), len(last)))
    for k, longest in ((1, 10 if full else 6), (2, 8 if full else 4)):
        reached = support(dyck.grower(k), dyck.grower_start(k), longest + 2)
        equal[k, longest, "program"] = {x for x in reached if not x or 0 <= x[0] < 2 * k} == words(k, longest)
    one_sided = all(set(dyck.insertion_rounds(k, n, True, True)) == words(k, n, True) for k, n in ((1, 10), (2, 6)))
    mass, tv = {}, {}
    for k, longest in ((1, 8), (2, 6)):
        law = dyck.grown_words(k, longest)
        mass[k, longest] = sum(law.values())
        for n in range(2, longest + 1, 2):
            here = {w: p for w, p in law.items() if len(w) == n}
            total, share = sum(here.values()), Fraction(1, len(here))
            tv[k, n] = float(sum(abs(p / total - share) for p in here.values()) / 2)
    even_last = (6, 8) if full else (6,)
    six = dyck.language(2, 6)
    groups = {
        "one step": [[0, 1, 2, 3, 4, 5]],
        "n-1 then 1": [[0, 1, 2, 3, 4], [5]],
        "even/odd": [[0, 2, 4], [1, 3, 5]],
        "pairs": [[0, 1], [2, 3], [4, 5]],
        "halves": [[0, 1, 2], [3, 4, 5]],
        "one by one": [[i] for i in range(6)],
    }
    agree = all(
        dyck.prefix_classes(k, n, t) == dyck.prefix_classes_by_enumeration(k, n, t)
        for k, n in ((1, 8), (2, 6), *(((1, 12), (2, 8)) if full else ()))
        for t in range(n + 1)
    )
    growth = next(  # the first run that ends with at least six letters
        r.trace
        for s in range(1000)
        if 8 <= len((r := run(dyck.grower(2), dyck.grower_start(2), np.random.default_rng(s))).final) <= 12
    )
    return Dyck(
        equal,
        one_sided,
        {(k, n): len(dyck.language(k, n)) for k, top in ((1, 10), (2, 8), (3, 6)) for n in range(0, top + 1, 2)},
        rounds,
        mass,
        tv,
        {n: dyck.most_classes(2, n) for n in range(2, 20, 2)},
        agree,
        {q: dyck.longest_covered(2, q) for q in (4, 16, 64, 256, 1024, 65536)},
        {n: tuple(dyck.window_support(dyck.language(2, n), c) for c in range(n)) for n in even_last},
        {name: dyck.valid_probability(six, g) for name, g in groups.items()},
        growth,
    )


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
        (len(runs), sum(s > m for s, m in runs), sum(s == m for s, m in runs)),
        run(pram.two_bank(small), pram.two_bank_start(small)).trace,
    )


def emitter_results(full: bool, rng: np.random.Generator) -> tuple[dict[tuple[int, int], bool], bool]:
    equal = {}
    for size, vocab_size in ((2, 2), (3, 2), (4, 2), *(((5, 2), (4, 3)) if full else ())):
        oracle = emitter.random_oracle(size, vocab_size, rng)
        law = program_law(emitter.emitter(oracle, size, vocab_size), emitter.emitter_start(size, vocab_size))
        rebuilt: dict[tuple[int, ...], Fraction] = {}
        for x, p in law.final.items():
            word = emitter.rebuilt(x, size, vocab_size)
            rebuilt[word] = rebuilt.get(word, Fraction(0)) + p
        equal[size, vocab_size] = rebuilt == emitter.any_order_law(oracle, size)
    weights = rng.integers(0, 20, size=16)
    weights[0] += 1
    pmf = {x: Fraction(int(w), int(weights.sum())) for x, w in zip(product((0, 1), repeat=4), weights, strict=True)}
    laws = list(emitter.fixed_order_laws(pmf, 4, 2).values())
    return equal, all(law == laws[0] for law in laws)


def corrector_results(full: bool) -> Corrector:
    models = {
        "grid 3x3": (corrector.grid, (3, 3), (0.1, 0.2, 0.44)),
        "grid 3x4": (corrector.grid, (3, 4), (0.1,)),
        "K_{5,5}": (corrector.complete, (5,), (0.1, 0.2)),
        "chain 9": (corrector.chain, (9,), (0.3,)),
    }
    rows = []
    for name, (build, size, betas) in models.items():
        for b in betas:
            model = build(*size, b)
            front = fixed_schedule_front(subset_entropies(model.target()), 6)
            best = np.maximum([s.kl for s in front], 0.0)
            rows.append(Correction(name, b, best, corrector.two_colour_kl(model, 6)))
    bounds, orbits, symmetries = {}, mixtures.grid_orbits(3), mixtures.grid_symmetries(3)
    for b in (0.1, 0.2, 0.3, 0.44) if full else (0.2,):
        model = corrector.grid(3, 3, b)
        laws = mixtures.schedule_laws(model, 3, orbits, symmetries)
        bounds[b] = mixtures.best_mixture(np.bincount(orbits, weights=model.pmf.ravel()), laws)
    targets = instances(6)
    quarter = instances(4)
    remdm = {}
    for name, target in quarter.items():
        pmf = lattice.to_table(target).pmf
        for steps in (2, 4, 8, 16, 32, 64) if full else (2, 4, 16, 64):
            laws = [floors.remdm_law(target, steps, eta) for eta in (0.0, 0.25, 0.5, 1.0)]
            remdm[name, steps] = tuple(float(np.abs(law - pmf).sum() / 2) for law in laws)
    bisection = {}
    for length in (3, 7, 10) if full else (3, 7):
        for name in ("Markov .1", "HMM"):
            target = instances(length)[name]
            law = tm.sampler_law(target, tm.bisection(length)).pmf
            bisection[name, length] = float(np.abs(law - lattice.to_table(target).pmf).sum() / 2)
    named = ("Markov .1", "Markov .3", "HMM")
    return Corrector(
        tuple(rows),
        bounds,
        through_g_gap(),
        {n: tuple(floors.stationary_floor(targets[n], m)[0] for m in (1, 2, 3, 6)) for n in named},
        {n: floors.alternating_floor(targets[n]) for n in ("Markov .1", "HMM", "two modes")},
        bisection,
        remdm,
    )


def instances(length: int) -> dict[str, tm.Target]:
    """Binary targets: two chains, an HMM (flip .1, noise .1), two modes (noise .05), even parity."""
    flip = np.array([[0.9, 0.1], [0.1, 0.9]])
    even = 1.0 - np.indices((2,) * length).sum(axis=0) % 2
    return {
        "Markov .1": tm.MarkovChain(flip, length),
        "Markov .3": tm.MarkovChain(np.array([[0.7, 0.3], [0.3, 0.7]]), length),
        "HMM": tm.HMM(np.array([0.5, 0.5]), flip, flip, length),
        "two modes": floors.two_mode(length, 0.05),
        "even parity": tm.Table(even / even.sum()),
    }


def through_g_gap() -> float:
    """|KL of the two-colour law run through g - KL by matrices| on the 2x2 grid, beta = .4, K = 4."""
    model = corrector.grid(2, 2, 0.4)
    law = program_law(*corrector.two_colour_program(model, 4))
    pmf = np.zeros((2,) * 4)
    for x, p in law.final.items():
        pmf[x[2:]] += float(p)
    return float(abs((model.pmf * np.log(model.pmf / pmf)).sum() - corrector.two_colour_kl(model, 4)[-1]))
