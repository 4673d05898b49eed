"""Size schedules: one that writes nothing first and two tokens last, and growing sizes against even ones."""

import numpy as np
from flint import fmpq

from theory.decoding.checks.drawn_confidence import CHAIN
from theory.decoding.results import Results
from theory.decoding.schedules import floor_sizes, masks_left
from theory.ledger.registry import Outcome, check, control, decide, not_claimed_tight, tightness
from toy_models import schedules
from toy_models.exact import rational_law
from toy_models.schedules.optimal import sizes_cost

EPSILON = fmpq(1, 1000)  # as released


def last_two(length: int) -> tuple[int, ...]:
    """Masks left before the first call and after each: L, L, L-1, .., 2, 0."""
    return (length, *range(length, 1, -1), 0)


@check("floor-schedule", tier="rational")
def first_writes_nothing_last_writes_two(results: Results) -> Outcome:
    """N = L calls, every 0 < epsilon <= 1/(L+1): masks left L, L, L-1, .., 2, 0, in integer arithmetic."""
    lengths = range(2, 514 if results.profile == "full" else 130, 1 if results.profile == "full" else 7)
    found = [masks_left(floor_sizes(n, n, EPSILON)) == last_two(n) for n in lengths]
    found += [masks_left(floor_sizes(n, n, fmpq(1, k))) == last_two(n) for n in (2, 5, 17, 40) for k in (n + 1, 10**9)]
    return decide(all(found), len(found), note="epsilon = 1/1000 as released, and 1/(L+1), 1e-9")


@check("floor-schedule", tier="float64")
def float32_does_the_same(results: Results) -> Outcome:
    """The arithmetic of a program, float32: the same sizes at L = N = 6, 128, 256, 512, 768 and at L != N.

    At L = N from 3 to 933 the pattern too; of 934 to 999 it fails at 57 lengths: two empty calls, three tokens last.
    """
    cases = [(n, n) for n in (6, 128, 256, 512, 768)] + [(512, 256), (256, 512), (512, 1024)]
    found = [tuple(schedules.floor_sizes(n, steps)) == floor_sizes(n, steps, EPSILON) for n, steps in cases]
    empty = [floor_sizes(n, steps, EPSILON).count(0) for n, steps in cases]
    found.append(empty[5:] == [0, 257, 514])
    ends = [(s[0], s[-1]) for s in (floor_sizes(n, steps, EPSILON) for n, steps in cases[5:])]
    found.append(ends == [(1, 3), (0, 2), (0, 3)])
    last = range(3, 1000) if results.profile == "full" else range(920, 1000)
    programs = [(n, tuple(schedules.floor_sizes(n, n).tolist())) for n in last]
    odd = {n: (s.count(0), s[-1]) for n, s in programs if masks_left(s) != last_two(n)}
    found += [len(odd) == 57, min(odd) == 934, set(odd.values()) == {(2, 3)}]
    return decide(all(found), len(found), note="L = 512, N = 256: first 1, last 3; 256, 512: 257 empty; 512, 1024: 514")


@check("floor-schedule", tier="rational")
def not_exact_at_one_call_per_token(results: Results) -> Outcome:
    """Random order with the sizes 0, 1, .., 1, 2 at N = L: p != q on a dependent chain; with sizes 1, .., 1 p == q."""
    pmf = rational_law.chain_pmf(*CHAIN, 4)
    sizes = floor_sizes(4, 4, EPSILON)
    found = []
    for chosen, exact in ((sizes, False), ((1, 1, 1, 1), True)):
        p, impossible = rational_law.law(pmf, rational_law.fixed_size_stages(chosen))
        found += [impossible == 0, bool((p == pmf).all()) is exact]
    return decide(all(found), len(found), note="chain (.7,.3),(.2,.8), L = 4")


@tightness("floor-schedule", tier="rational")
def threshold_of_epsilon(results: Results) -> Outcome:
    """epsilon = 1/(L+1) has the pattern, epsilon = 1/(L+1) + 1e-9 has not."""
    found = []
    for n in (3, 6, 20, 64):
        edge = fmpq(1, n + 1)
        found.append(masks_left(floor_sizes(n, n, edge)) == last_two(n))
        found.append(masks_left(floor_sizes(n, n, edge + fmpq(1, 10**9))) != last_two(n))
    return decide(all(found), len(found), note="the condition on epsilon is sharp")


@control("floor-schedule", tier="rational")
def even_split_does_so_too(results: Results) -> Outcome:
    """The neighbour: LLaDA's even split of L masks over L calls."""
    return decide(
        masks_left(tuple(schedules.even_split_sizes(12, 12))) == last_two(12),
        1,
        note="an even split writes one token in each call",
    )


@control("floor-schedule", tier="rational")
def a_smaller_epsilon_cures_it(results: Results) -> Outcome:
    """The neighbour: with epsilon = 1e-9 every call writes one token."""
    return decide(floor_sizes(12, 12, fmpq(1, 10**9)) == (1,) * 12, 1, note="sizes 0, 1, .., 1, 2 again")


def ray(length: int, k: int) -> np.ndarray:
    """The information curve 1[. < k] of a language whose first k revealed tokens carry everything."""
    return (np.arange(length) < k).astype(np.float64)


def ray_cost(sizes: tuple[int, ...], k: int) -> int:
    """The least partial sum that is >= k, minus k."""
    total = 0
    for s in sizes:
        total += s
        if total >= k:
            return total - k
    raise ValueError(f"the sizes sum to {total} < k = {k}")


@check("growing-sizes", tier="rational")
def rays_decide(results: Results) -> Outcome:
    """On the ray 1[. < k] the trajectory KL is (least partial sum >= k) - k; 1, 2, 3, .. wins at k = 1, loses at
    some k.
    """
    found = []
    for length in (10, 45, 136, 512):
        growing = tuple(int(s) for s in schedules.growing_sizes(length))
        even = tuple(int(s) for s in schedules.even_split_sizes(length, len(growing)))
        late = sum(growing[: growing.index(max(growing))]) + 1  # the first token of the largest block
        found += [ray_cost(growing, 1) < ray_cost(even, 1), ray_cost(growing, late) > ray_cost(even, late)]
        for k in range(1, length):
            for sizes in (even, growing):
                found.append(abs(sizes_cost(ray(length, k), np.array(sizes)) - ray_cost(sizes, k)) < 1e-9)
    return decide(all(found), len(found), note="L = 10, 45, 136, 512, as many calls as 1, 2, 3, .. needs")


@check("growing-sizes", tier="float64")
def right_on_slow_wrong_on_text(results: Results) -> Outcome:
    """Excess per token: growing < even on the slow chain; growing > even on the fast chain and on English bigrams."""
    found, ratios = [], []
    for part in results.growing:
        better = part.growing < part.even
        found += [better is part.slow, part.optimum <= min(part.even, part.growing, part.reversed) + 1e-12]
        ratios.append(part.even / part.growing if part.slow else part.growing / part.even)
    return decide(all(found), len(found), min(ratios) - 1, "margin: smallest ratio of the two, minus 1")


@control("growing-sizes", tier="float64")
def growing_is_better_everywhere(results: Results) -> Outcome:
    """The neighbour: sizes 1, 2, 3, .. have less KL than even sizes on every language."""
    found = [part.growing < part.even for part in results.growing]
    return decide(all(found), len(found), note="English bigrams and the fast chain")


@control("growing-sizes", tier="float64")
def even_is_better_everywhere(results: Results) -> Outcome:
    """The neighbour: even sizes have less KL on every language."""
    found = [part.even < part.growing for part in results.growing]
    return decide(all(found), len(found), note="the slow chain")


@control("growing-sizes", tier="float64")
def reversed_is_as_good(results: Results) -> Outcome:
    """The neighbour: it is unequal sizes that help; the largest block first does as well on the slow chain."""
    found = [part.reversed <= part.even for part in results.growing]
    return decide(any(found), len(found), note="large blocks first are worse than even sizes on all three")


not_claimed_tight(
    "growing-sizes", "the first part is an identity, the second is two strict comparisons of exact numbers"
)
