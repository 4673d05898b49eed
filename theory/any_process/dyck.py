"""Any-process experiments on Dyck languages: supports, laws, prefix classes and windows."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from toy_models.any_process import dyck
from toy_models.any_process.laws import support
from toy_models.any_process.programs import run


@dataclass(frozen=True, eq=False)
class Dyck:
    support_equal: dict[tuple[int, int, str], bool]  # (k, N, "one anchor" | "parallel" | "program")
    one_sided_equal: bool
    sizes: dict[tuple[int, int], int]  # (k, n): |L_k,n|
    rounds: dict[tuple[int, int], tuple[int, Fraction]]  # (k, n): (most, mean) parallel rounds
    mass: dict[tuple[int, int], Fraction]  # (k, N): P(terminal word of length <= N)
    short: dict[int, tuple[Fraction, Fraction]]  # k: P(empty word), P(two letters)
    tv_uniform: dict[tuple[int, int], float]  # (k, n): TV to uniform given the length
    classes: dict[int, int]  # n: most prefix classes, k = 2
    classes_agree: bool
    covered: dict[int, int]  # states: longest n covered, k = 2
    windows: dict[int, tuple[int, ...]]  # n: support size for window 0..n-1, k = 2
    valid: dict[str, Fraction]  # k = 2, n = 6
    growth: tuple[tuple[int, ...], ...]


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
    for k, longest in ((1, 6), (2, 4)):
        reached = support(dyck.grower(k, one_sided=True), dyck.grower_start(k), longest + 2)
        one_sided &= {x for x in reached if not x or 0 <= x[0] < 2 * k} == words(k, longest, True)
    mass, short, tv = {}, {}, {}
    for k, longest in ((1, 8), (2, 6)):
        law = dyck.grown_words(k, longest)
        mass[k, longest] = sum(law.values())
        short[k] = (law[()], sum(p for w, p in law.items() if len(w) == 2))
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
        short,
        tv,
        {n: dyck.most_classes(2, n) for n in range(2, 20, 2)},
        agree,
        {q: dyck.longest_covered(2, q) for q in (4, 16, 64, 256, 1024, 65536)},
        {n: tuple(dyck.window_support(dyck.language(2, n), c) for c in range(n)) for n in even_last},
        {name: dyck.valid_probability(six, g) for name, g in groups.items()},
        growth,
    )
