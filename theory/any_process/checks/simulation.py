"""Parallel machines as write-once and two-bank programs."""

from fractions import Fraction

import numpy as np

from theory.any_process.results import Results
from theory.ledger.registry import Outcome, check, construction, control, decide, not_claimed_tight, tightness
from toy_models.any_process import counter, emitter, even_parity, parity, pram
from toy_models.any_process.programs import run
from toy_models.any_process.transition import emit
from toy_models.validation import MASK


@check("write-once-step-bound", tier="rational")
def steps_below_masks(results: Results) -> Outcome:
    """Through g, most steps of all write-once runs from x that change x = masks of x, every x of {M,0,1}^3, {M,0}^4."""
    longest = results.pram.write_once_longest
    return decide(all(most == x.count(MASK) for x, most in longest.items()), len(longest), 0, "all runs, all starts")


@check("write-once-step-bound", tier="rational")
def random_runs(results: Results) -> Outcome:
    """12 tokens, random runs through g: each step reveals the set asked for and nothing else; steps <= masks."""
    runs, longer, unlike = results.pram.write_once_runs
    return decide(longer == unlike == 0, runs, None, "random runs: steps that change the sequence <= initial masks")


@tightness("write-once-step-bound", tier="rational")
def one_per_step(results: Results) -> Outcome:
    """The prefix-sum program on n = 9 bits fills one mask per step, n steps for n masks."""
    n = 9
    done = run(parity.prefix_scratch, (parity.START, *[v for _ in range(n) for v in (1, MASK)]))
    return decide(done.steps == n == done.trace[0].count(MASK), 1, 0, "prefix scratch: one mask per step")


@control("write-once-step-bound", tier="rational")
def remask_breaks_the_bound(results: Results) -> Outcome:
    """The bound with remask: the Gray walk would take at most as many steps as it has tokens."""
    b, (steps, context, _) = max(results.pram.gray.items())
    return decide(steps <= context, 1, steps - context, f"Gray walk: {steps} steps in {b} tokens")


@construction("pram-write-once", tier="rational")
def layers_reproduce(results: Results) -> Outcome:
    """The write-once layout computes a scan right in T = ceil(log2 n) steps with n (1 + T) tokens."""
    rows = results.pram.scan
    good = all(
        s.right and s.steps == (s.size - 1).bit_length() and s.write_once == s.size * (1 + s.steps) for s in rows
    )
    return decide(good, len(rows), None, f"scan to n = {rows[-1].size}: T = ceil(log2 n) steps, context n (1 + T)")


@control("pram-write-once", tier="rational")
def fewer_rounds(results: Results) -> Outcome:
    """One doubling round less does not give the prefix products."""
    table, values = pram.symmetric_group_table(3), (1, 2, 3, 4, 5, 1, 2, 3)
    states = pram.scan(values, table).trajectory()
    return decide(states[-2][:-1] == pram.prefix_products(values, table), 1, None, "n = 8, two rounds")


@control("pram-write-once", tier="rational")
def wrong_stride(results: Results) -> Outcome:
    """The doubling stride matters: three rounds of stride one do not reach the start of the list."""
    table, values = pram.symmetric_group_table(3), (1, 2, 3, 4, 5, 1, 2, 3)
    state = (*values, 0)
    for _ in range(3):
        state = (*pram.scan(values, table).update((*state[:-1], 0))[:-1], 0)
    return decide(state[:-1] == pram.prefix_products(values, table), 1, None, "n = 8, stride 1 three times")


not_claimed_tight("pram-write-once", "an existence statement")


@construction("pram-two-bank", tier="rational")
def banks_reproduce(results: Results) -> Outcome:
    """Scan, list ranking, connectivity, counters, Gray walks and QBF on two banks: right, in T steps and 2s tokens."""
    p = results.pram
    scans = all(s.right and s.two_bank == 2 * (s.size + 1) for s in p.scan)
    lists = all(s.right and s.steps == (s.size - 2).bit_length() and s.two_bank == 4 * s.size for s in p.ranking)
    counts = all(s.right and s.two_bank == 2 * s.size for s in p.counter)
    gray = all(v == (2 * (2**b - 1), b, 2**b) for b, v in p.gray.items())
    instances = len(p.scan) + len(p.ranking) + p.graphs[0] + len(p.counter) + len(p.gray) + p.qbf[0]
    note = f"scan, list ranking, connectivity, counters, {p.qbf[0]} QBF: exactly T steps in 2 s tokens"
    return decide(scans and lists and p.graphs[1] and counts and gray and p.qbf[2], instances, None, note)


@tightness("pram-two-bank", tier="rational")
def every_string_is_visited(results: Results) -> Outcome:
    """Some run visits all (V + 1)^s strings of s tokens."""
    walks = results.pram.walks
    return decide(
        all(w == (v + 1) ** s for (s, v), w in walks.items()), len(walks), 0, "a run can visit (|S|+1)^S strings"
    )


@control("pram-two-bank", tier="rational")
def space_bounds_steps(results: Results) -> Outcome:
    """The write-once ceiling (steps <= context) must fail here."""
    worst = max(s.steps - s.two_bank for s in results.pram.counter)
    return decide(worst <= 0, len(results.pram.counter), worst, "10-bit counter: 1023 steps in 20 tokens")


@control("pram-two-bank", tier="rational")
def no_remask(results: Results) -> Outcome:
    """Without the remask bits the bank fills up after one step and the program is stuck."""
    machine = counter.counter(3)
    x = pram.two_bank_start(machine)
    sites = pram.two_bank(machine)(x) or []
    stuck = [((1, (a[0][1][0], 0, 0, 0)),) for a in sites]
    y = tuple(v for token, site in zip(x, stuck, strict=True) for v in emit(token, site[0][1]))
    return decide(MASK in y, 1, None, "no mask is left to unmask")


@construction("any-order-emitter", tier="rational")
def emitter_laws(results: Results) -> Outcome:
    """The law of any-order decoding equals the law rebuilt from the emitted pairs, in rationals."""
    return decide(all(results.emitter.values()) and results.orders_equal, len(results.emitter) + 24, 0, "equal laws")


@control("any-order-emitter", tier="rational")
def position_blind(results: Results) -> Outcome:
    """Left to right without the freedom of positions: another law."""
    oracle = emitter.random_oracle(3, 2, np.random.default_rng(3))
    forced = {}
    for x, moves in oracle.items():
        first = x.index(MASK)
        kept = {m: w for m, w in moves.items() if m[0] == first} or {(first, 0): Fraction(1)}
        forced[x] = {m: w / sum(kept.values()) for m, w in kept.items()}
    gap = even_parity.total_variation(emitter.any_order_law(oracle, 3), emitter.any_order_law(forced, 3))
    return decide(gap == 0, 1, float(gap), "the oracle restricted to the first mask")


not_claimed_tight("any-order-emitter", "an identity")
