"""Drawn confidence, one token per call: where it is biased, and where it is exact."""

from itertools import combinations_with_replacement, product

import numpy as np
from flint import fmpq

import toy_models as tm
from theory.decoding.drawn import chain_law, indexed, kept, kept_by_enumeration, product_law, written_law
from theory.decoding.results import Results
from theory.ledger.instances import instances
from theory.ledger.registry import Outcome, check, control, decide, definition, tightness
from toy_models.exact import trajectories as exact

SIZES = ((2, 2), (3, 2), (2, 3))
CHAIN = (["2/5", "3/5"], [["7/10", "3/10"], ["1/5", "4/5"]])


def laws(seed: int, count: int, zeros: float = 0.3) -> list[exact.RationalLaw]:
    rng = np.random.default_rng(seed)
    return [exact.random_law(*SIZES[k % len(SIZES)], rng, zeros) for k in range(count)]


def marginals(cells: int) -> list[list[fmpq]]:
    """Every law on two or three tokens with positive probabilities that are multiples of 1/cells, largest first."""
    found = []
    for size in (2, 3):
        for parts in combinations_with_replacement(range(1, cells), size):
            if sum(parts) == cells:
                found.append([fmpq(k, cells) for k in reversed(parts)])
    return found


def one_position_always_wins(first: list[fmpq], second: list[fmpq]) -> bool:
    """max p_2 <= min p_1, or max p_1 < min p_2: ties go to the left."""
    return max(second) <= min(first) or max(first) < min(second)


def exact_here(law: exact.RationalLaw, keep=kept) -> bool:
    return written_law(law, keep) == law.pmf


def kept_by_marginals(law: exact.RationalLaw, y: exact.State) -> dict[tuple[int, int], fmpq]:
    """The control: the position of largest max_v q(v | y), leftmost of equals, is chosen first and then drawn."""
    best = min(exact.masked(y), key=lambda i: (-max(law.marginal(y, i)), i))
    return {(best, v): p for v, p in enumerate(law.marginal(y, best)) if p != 0}


@check("drawn-confidence-biased", tier="rational")
def exact_iff_one_position_always_wins(results: Results) -> Outcome:
    """Two independent tokens: p == q iff one position always wins, for all pairs of marginals on a grid; p by
    formula.
    """
    found, grid = [], marginals(12 if results.profile == "full" else 8)
    for first, second in product(grid, repeat=2):
        law = product_law(first, second)
        p = written_law(law)
        found.append((p == law.pmf) == one_position_always_wins(first, second))
        for (u, w), value in p.items():
            left = sum((t for t in second if t <= first[u]), fmpq(0))
            right = sum((t for t in first if t < second[w]), fmpq(0))
            found.append(value == law.pmf[u, w] * (left + right))
    return decide(all(found), len(found), note="two independent tokens of two or three symbols")


@check("drawn-confidence-biased", tier="rational")
def known_vectors(results: Results) -> Outcome:
    """p(aa, ab, ba, bb) of i.i.d. (pi, 1-pi), of (.6,.4) x (.7,.3), and of the chain (.7,.3),(.2,.8) at L = 2."""
    found = []
    for pi in (fmpq(9, 10), fmpq(3, 5), fmpq(2, 3)):
        p = written_law(product_law([pi, 1 - pi], [pi, 1 - pi]))
        formula = [pi**2 * (2 - pi), pi * (1 - pi), 2 * pi * (1 - pi) ** 2, (1 - pi) ** 3]
        found += [p[x] == value for x, value in zip(product((0, 1), repeat=2), formula, strict=True)]
    texts = tuple(product((0, 1), repeat=2))
    p = written_law(product_law(["3/5", "2/5"], ["7/10", "3/10"]))
    found += [
        p[x] == v for x, v in zip(texts, (fmpq(273, 500), fmpq(27, 500), fmpq(91, 250), fmpq(9, 250)), strict=True)
    ]
    p = written_law(chain_law(*CHAIN, 2))
    found += [p[x] == v for x, v in zip(texts, (fmpq(14, 125), fmpq(12, 125), fmpq(3, 25), fmpq(84, 125)), strict=True)]
    p = written_law(chain_law(*CHAIN, 4))
    found += [p[1, 1, 1, 1] == fmpq(94038336, 126953125), p[0, 1, 0, 1] == fmpq(91881, 1503906250)]
    found.append(p[0, 0, 0, 0] == fmpq(128556743, 8164062500))
    return decide(all(found), len(found), note="laws of two and four tokens, in rationals")


@check("drawn-confidence-biased", tier="rational")
def marginal_confidence_is_exact(results: Results) -> Outcome:
    """Largest max_v q(v | y) chosen before the draw, one token per call: p == q on random laws, zeros included."""
    found = [exact_here(law, kept_by_marginals) for law in laws(1, instances(results, 12, 120))]
    return decide(all(found), len(found), note="the choice of position ignores the value that is drawn")


@definition("drawn-confidence-biased", tier="float64")
def the_library_runs_this_rule(results: Results) -> Outcome:
    """tm.DrawnConfidence(1) has the law of the formula, leftmost and uniform ties, and the formula that of all
    draws.
    """
    gaps, same = [], []
    for law in [*laws(2, 9), chain_law(*CHAIN, 4)]:
        target = tm.Table(np.array([float(law.pmf.get(x, 0)) for x in np.ndindex((law.vocab_size,) * law.length)])
                          .reshape((law.vocab_size,) * law.length))  # fmt: skip
        same.append(written_law(law) == written_law(law, kept_by_enumeration))
        for ties in ("leftmost", "uniform"):
            p = tm.sampler_law(target, tm.DrawnConfidence(1, ties=ties)).pmf
            wanted = written_law(law, lambda q, y, ties=ties: kept(q, y, ties))
            gaps.append(max(abs(p[x] - float(v)) for x, v in wanted.items()))
    return decide(max(gaps) < 1e-13 and all(same), len(gaps) + len(same), max(gaps), "largest difference of two laws")


@tightness("drawn-confidence-biased", tier="rational")
def boundary_of_the_condition(results: Results) -> Outcome:
    """(.6,.4) beside a uniform token on 3 symbols: exact; on 2 symbols, score 1/2 between .4 and .6: not."""
    third, half = [fmpq(1, 3)] * 3, [fmpq(1, 2)] * 2
    skewed = [fmpq(3, 5), fmpq(2, 5)]
    found = [exact_here(product_law(skewed, third)), not exact_here(product_law(skewed, half))]
    return decide(all(found), 2, note="scores .6, .4 against 1/3, and against 1/2")


@control("drawn-confidence-biased", tier="rational")
def one_token_per_call_is_exact(results: Results) -> Outcome:
    """The neighbour: any rule that writes one token per call writes q."""
    return decide(exact_here(chain_law(*CHAIN, 2)), 1, note="p(bb) = 84/125, q(bb) = 12/25")


@control("drawn-confidence-biased", tier="rational")
def independent_tokens_are_always_biased(results: Results) -> Outcome:
    """The neighbour: two independent tokens, not both uniform, are never written right."""
    law = product_law([fmpq(3, 5), fmpq(2, 5)], [fmpq(1, 3)] * 3)
    return decide(not exact_here(law), 1, note="(.6, .4) beside three equal symbols is exact")


@control("drawn-confidence-biased", tier="rational")
def marginal_confidence_is_biased(results: Results) -> Outcome:
    """The same bias with the position chosen from the marginals."""
    return decide(not exact_here(chain_law(*CHAIN, 3), kept_by_marginals), 1, note="chosen before the draw: exact")


def uniform_on(words: set[exact.State], size: int) -> exact.RationalLaw:
    """The uniform law on a set of words."""
    length = len(next(iter(words)))
    pmf = np.full((size,) * length, fmpq(0), dtype=object)
    for x in words:
        pmf[x] = fmpq(1, len(words))
    return indexed(pmf)


def code(generator: np.ndarray, modulus: int) -> set[exact.State]:
    """All words of the row space over the prime field."""
    rows, _ = generator.shape
    return {tuple(int(v) for v in np.array(c) @ generator % modulus) for c in product(range(modulus), repeat=rows)}


def one_mask_always_wins(law: exact.RationalLaw) -> bool:
    """In every reachable state some mask's least possible score is >= the largest of masks to its right, > to its
    left.
    """
    front = {(tm.MASK,) * law.length}
    while front:
        following = set()
        for y in front:
            scores = {i: [p for p in law.marginal(y, i) if p != 0] for i in exact.masked(y)}
            wins = [
                i
                for i, own in scores.items()
                if all(min(own) > max(s) if j < i else min(own) >= max(s) for j, s in scores.items() if j != i)
            ]
            if not wins:
                return False
            following |= {exact.replace(y, (wins[0],), (v,)) for v, p in enumerate(law.marginal(y, wins[0])) if p != 0}
        front = {y for y in following if tm.MASK in y}
    return True


@check("drawn-confidence-exact-cases", tier="rational")
def codes_and_winning_masks_are_exact(results: Results) -> Outcome:
    """Random linear codes over GF(2), GF(3), the words 0101 and 1010, and random laws where one mask always wins."""
    rng, found, hits = np.random.default_rng(3), [], 0
    for k in range(instances(results, 10, 40)):
        modulus, length = (2, 5) if k % 2 else (3, 4)
        law = uniform_on(code(rng.integers(0, modulus, (1 + k % 3, length)), modulus), modulus)
        found += [one_mask_always_wins(law), exact_here(law)]
    found.append(exact_here(uniform_on({(0, 1, 0, 1), (1, 0, 1, 0)}, 2)))
    for law in laws(4, instances(results, 60, 400), zeros=0.6):
        if one_mask_always_wins(law):
            hits += 1
            found.append(exact_here(law))
    return decide(all(found) and hits > 3, len(found), note=f"{hits} random laws where one mask always wins")


@tightness("drawn-confidence-exact-cases", tier="rational")
def two_tokens_need_the_condition(results: Results) -> Outcome:
    """Two independent tokens: exact iff one mask always wins, on the grid of drawn-confidence-biased."""
    grid = marginals(7)
    found = []
    for first, second in product(grid, repeat=2):
        law = product_law(first, second)
        found.append(one_mask_always_wins(law) == exact_here(law))
    return decide(all(found), len(found), note="for two independent tokens the condition is necessary too")


@control("drawn-confidence-exact-cases", tier="rational")
def every_uniform_law_is_exact(results: Results) -> Outcome:
    """The neighbour: the uniform law on any set of words, a code or not."""
    law = uniform_on({(0, 0), (0, 1), (1, 0)}, 2)
    return decide(exact_here(law), 1, note="three words of two bits: the conditionals are (2/3, 1/3)")


@control("drawn-confidence-exact-cases", tier="rational")
def a_code_with_a_biased_bit_is_exact(results: Results) -> Outcome:
    """Parity of three bits whose first bit is 0 with probability 3/5."""
    pmf = np.full((2, 2, 2), fmpq(0), dtype=object)
    for x in product((0, 1), repeat=3):
        if sum(x) % 2 == 0:
            pmf[x] = fmpq(3 - x[0], 10)
    return decide(exact_here(indexed(pmf)), 1, note="3/5 beside scores of 1/2: no mask always wins")
