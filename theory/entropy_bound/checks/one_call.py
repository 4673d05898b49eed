"""The bound of one call and the set it reveals."""

from itertools import product

import numpy as np
from flint import fmpq

import toy_models as tm
from theory.entropy_bound.checks.instances import copies, largest, laws
from theory.entropy_bound.results import PROXIES, Results
from theory.ledger.instances import instances
from theory.ledger.registry import Outcome, check, control, decide, not_claimed_tight, tightness
from toy_models.exact import LogSum
from toy_models.exact import trajectories as exact


def even_parity(length: int) -> exact.RationalLaw:
    words = [x for x in product(range(2), repeat=length) if sum(x) % 2 == 0]
    return exact.RationalLaw(dict.fromkeys(words, fmpq(1, len(words))), 2, length)


def bound_parts(law: exact.RationalLaw) -> tuple[LogSum, LogSum, list[LogSum], int]:
    """(sum H - max H, TC, entropies, argmax) of all positions at once."""
    empty = (tm.MASK,) * law.length
    alone = [exact.entropy_of(law.marginal(empty, i)) for i in range(law.length)]
    top = largest(alone)
    rest = sum((h for k, h in enumerate(alone) if k != top), LogSum())
    return rest, law.total_correlation(empty, tuple(range(law.length))), alone, top


def functions_of(law: exact.RationalLaw, position: int) -> bool:
    """Is every token a function of the token at `position`?"""
    seen: dict = {}
    return all(seen.setdefault(x[position], x) == x for x in law.pmf)


@check("eb-bound", tier="rational")
def bound_holds_with_its_slack(results: Results) -> Outcome:
    """sum H - max H - TC = H(rest | largest) >= 0, zero iff every token is a function of the largest."""
    found = []
    random = laws(4, instances(results, 30), ((2, 3), (3, 3), (4, 2)))
    for law in [*random, copies(3), even_parity(3)]:
        bound, tc, alone, top = bound_parts(law)
        slack = law.entropy() - alone[top]  # H(the rest | the largest), by the chain rule
        found += [(bound - tc).sign() >= 0, (bound - tc - slack).is_zero(), slack.is_zero() == functions_of(law, top)]
    return decide(all(found), len(found), note="TC <= sum H - max H; slack H(rest | largest); zero iff functions of it")


@tightness("eb-bound", tier="rational")
def copies_are_tight(results: Results) -> Outcome:
    """TC = sum H - max H for two, three and four copies of a fair bit."""
    found = [(lambda b: (b[0] - b[1]).is_zero())(bound_parts(copies(k))) for k in (2, 3, 4)]
    return decide(all(found), 3, 0.0)


@control("eb-bound", tier="rational")
def without_the_two_largest(results: Results) -> Outcome:
    """The two largest entropies subtracted: TC <= sum H - H_(1) - H_(2)."""
    bound, tc, alone, _ = bound_parts(copies(3))
    return decide((bound - alone[0] - tc).sign() >= 0, 1, note="TC <= sum H - the two largest: three copies have log 4")


@control("eb-bound", tier="rational")
def parity_is_tight(results: Results) -> Outcome:
    """Three bits of even parity would attain the bound; their slack is log 2."""
    bound, tc, _, _ = bound_parts(even_parity(3))
    return decide((bound - tc).is_zero(), 1, float(bound - tc), "three bits of even parity: slack log 2")


@control("eb-bound", tier="rational")
def largest_entropy_alone_bounds(results: Results) -> Outcome:
    """The largest entropy as the bound: TC <= max H."""
    _, tc, alone, top = bound_parts(copies(3))
    return decide((alone[top] - tc).sign() >= 0, 1, note="TC <= max H: three copies have TC = 2 max H")


def excesses(h: list[fmpq]) -> list[fmpq]:
    return [sum(h[: k + 1], fmpq(0)) - max(h[: k + 1]) for k in range(len(h))]


def entropy_lists(seed: int, count: int) -> list[list[fmpq]]:
    rng = np.random.default_rng(seed)
    return [[fmpq(int(a), 20) for a in rng.integers(0, 30, rng.integers(1, 7))] for _ in range(count)]


@check("eb-monotone", tier="rational")
def excess_never_decreases(results: Results) -> Outcome:
    """B_(k+1) - B_k = min(h_(k+1), max of the first k), so {k: B_k <= gamma} is an initial segment."""
    found = []
    for h in entropy_lists(5, 300):
        b = excesses(h)
        found += [b[k + 1] - b[k] == min(h[k + 1], max(h[: k + 1])) for k in range(len(h) - 1)]
        gamma = fmpq(3, 4)
        fits = [e <= gamma for e in b]
        found.append(all(fits[: sum(fits)]))  # counting finds the longest prefix
    return decide(all(found), len(found), note="B_(k+1) - B_k = min(h_(k+1), max so far) in any order")


not_claimed_tight("eb-monotone", "an identity")


@control("eb-monotone", tier="rational")
def sum_minus_own_entropy(results: Results) -> Outcome:
    """eb-monotone with the entropy of the last token in place of the running maximum: too few tokens are revealed."""
    h = [fmpq(1, 2), fmpq(1, 20), fmpq(1, 20), fmpq(3, 5)]  # confidence order
    own = [sum(h[: k + 1], fmpq(0)) - h[k] for k in range(len(h))]
    fits, right = sum(e <= fmpq(3, 25) for e in own), sum(e <= fmpq(3, 25) for e in excesses(h))
    return decide(fits == right, 1, note=f"cumsum - own entropy reveals {fits} token(s), the right rule {right}")


@control("eb-monotone", tier="rational")
def maximum_along_the_batch(results: Results) -> Outcome:
    """The running maximum taken over the batch axis of two rows instead of along each row."""
    rows = [[fmpq(1, 2), fmpq(1, 20), fmpq(1, 20), fmpq(3, 5)], [fmpq(1, 10), fmpq(1, 5), fmpq(2, 5), fmpq(1, 2)]]
    wrong = [
        [sum(h[: k + 1], fmpq(0)) - max(row[k] for row in rows[: r + 1]) for k in range(4)] for r, h in enumerate(rows)
    ]
    return decide(wrong == [excesses(h) for h in rows], 2)


@check("eb-largest-set", tier="rational")
def entropy_order_reveals_most(results: Results) -> Outcome:
    """The prefix in ascending entropy is as large as the largest of all subsets with sum - max <= gamma."""
    found = []
    for h in entropy_lists(6, instances(results, 200)):
        for gamma in (fmpq(0), fmpq(1, 4), fmpq(1), fmpq(5, 2)):
            prefix = sum(e <= gamma for e in excesses(sorted(h)))
            feasible = [s for s in exact.subsets(tuple(range(len(h)))) if excesses([h[i] for i in s])[-1] <= gamma]
            found.append(prefix == max(map(len, feasible)))
    return decide(all(found), len(found), note="against every subset")


not_claimed_tight("eb-largest-set", "an optimality statement, checked against every subset")


@control("eb-largest-set", tier="float64")
def confidence_order_reveals_most(results: Results) -> Outcome:
    """Confidence order would reveal as many tokens as entropy order at gamma = 0.8 on three symbols."""
    rows = np.array([[[0.6, 0.2, 0.2], [0.6, 0.2, 0.2], [0.55, 0.45, 0.0], [0.55, 0.45, 0.0]]])
    masked = np.ones((1, 4), dtype=bool)
    gamma = 0.8
    count = {p: int(tm.EntropyBounded(gamma, p).select(rows, masked).sum()) for p in PROXIES}
    return decide(count["confidence"] == count["entropy"], 1, note=f"tokens revealed at gamma = {gamma}: {count}")
