"""Claims of any-process generation and the functions that decide them (see theory/any_process.md)."""

from fractions import Fraction
from itertools import product

import numpy as np

from theory.any_process import Results
from theory.any_process_search import interval
from theory.registry import Outcome, check, condition, construction, control, decide, not_claimed_tight, tightness
from toy_models.editing import counter, emitter, even_parity, parity, pram
from toy_models.editing.programs import run
from toy_models.editing.transition import apply, emit
from toy_models.validation import MASK

F = Fraction
CHANCE = 0.01  # filling at least ten open cells at random solves fewer than one puzzle in 4^10
CONTROLS = tuple(product((0, 1), repeat=3))


# --- the transition -------------------------------------------------------------------------------------------------
def transition_inputs(longest: int):
    """All (x, y, c) over {M, 0, 1} with at most `longest` positions."""
    site = tuple(product((MASK, 0, 1), (0, 1), CONTROLS))
    for n in range(longest + 1):
        for choice in product(site, repeat=n):
            yield tuple(s[0] for s in choice), tuple((s[1], *s[2]) for s in choice)


def length_law(x, actions) -> int:
    fired = [a[3] and v == MASK for v, a in zip(x, actions, strict=True)]
    return len(x) - sum(map(bool, fired)) + sum(a[2] for a, f in zip(actions, fired, strict=True) if not f)


@check("edit-transition", tier="rational")
def transition_is_local(results: Results) -> Outcome:
    count, wrong = 0, 0
    for x, actions in transition_inputs(2):
        columns = list(zip(*actions, strict=True)) or [()] * 4
        new = tuple(apply(x, *columns).tolist())
        pieces = tuple(v for token, a in zip(x, actions, strict=True) for v in emit(token, a))
        wrong += new != pieces or len(new) != length_law(x, actions)
        count += 1
    return decide(wrong == 0, count, wrong, "g = concatenation of one-position maps, |x| <= 2 over {M, 0, 1}")


@control("edit-transition", tier="rational")
def delete_then_insert(results: Results) -> Outcome:
    """The literal reading insert(delete(.)) leaves one mask; it breaks the length law."""
    wrong = sum(
        length_law(x, actions) != sum(len(emit(v, a)) + (a[3] and v == MASK and a[2]) for v, a in pairs(x, actions))
        for x, actions in transition_inputs(1)
    )
    return decide(wrong == 0, 49, wrong, "delete + insert on one mask would leave a mask")


@control("edit-transition", tier="rational")
def delete_reads_new_token(results: Results) -> Outcome:
    """If delete were tested on the rewritten token, remask + delete would remove a written token in one step."""
    wrong = sum(
        emit(v, a) != (() if a[3] and (a[1] or v == MASK) else emit(v, a))
        for x, c in transition_inputs(1)
        for v, a in pairs(x, c)
    )
    return decide(wrong == 0, 48, wrong, "token 0 with remask and delete: M, not the empty string")


def pairs(x, actions):
    return list(zip(x, actions, strict=True))


not_claimed_tight("edit-transition", "an identity")


# --- write-once ceiling and simulation ------------------------------------------------------------------------------
@check("write-once-step-bound", tier="rational")
def steps_below_masks(results: Results) -> Outcome:
    runs, violations, _ = results.pram.write_once_runs
    return decide(violations == 0, runs, None, "non-idle steps <= initial masks")


@tightness("write-once-step-bound", tier="rational")
def one_per_step(results: Results) -> Outcome:
    n = 9
    done = run(parity.prefix_scratch, (parity.START, *[v for _ in range(n) for v in (1, MASK)]))
    return decide(done.steps == n == done.trace[0].count(MASK), 1, 0, "prefix scratch: one mask per step")


@control("write-once-step-bound", tier="rational")
def remask_breaks_the_bound(results: Results) -> Outcome:
    b, (steps, context, _) = max(results.pram.gray.items())
    return decide(steps <= context, 1, steps - context, f"Gray walk: {steps} steps in {b} tokens")


@construction("pram-write-once", tier="rational")
def layers_reproduce(results: Results) -> Outcome:
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
    sites = pram.two_bank(machine)(x)
    stuck = [((1, (a[0][1][0], 0, 0, 0)),) for a in sites]
    y = tuple(v for token, site in zip(x, stuck, strict=True) for v in emit(token, site[0][1]))
    return decide(MASK in y, 1, None, "no mask is left to unmask")


@construction("any-order-emitter", tier="rational")
def emitter_laws(results: Results) -> Outcome:
    return decide(all(results.emitter.values()) and results.orders_equal, len(results.emitter) + 24, 0, "equal laws")


@control("any-order-emitter", tier="rational")
def position_blind(results: Results) -> Outcome:
    """Left to right without the freedom of positions: another law."""
    oracle = emitter.random_oracle(3, 2, np.random.default_rng(3))
    forced = {}
    for x, moves in oracle.items():
        first = x.index(MASK)
        kept = {m: w for m, w in moves.items() if m[0] == first} or {(first, 0): F(1)}
        forced[x] = {m: w / sum(kept.values()) for m, w in kept.items()}
    gap = even_parity.total_variation(emitter.any_order_law(oracle, 3), emitter.any_order_law(forced, 3))
    return decide(gap == 0, 1, float(gap), "the oracle restricted to the first mask")


not_claimed_tight("any-order-emitter", "an identity")


# --- parity ---------------------------------------------------------------------------------------------------------
@check("parity-edit-decision", tier="rational")
def four_steps(results: Results) -> Outcome:
    p = results.parity
    good = p.wrong["tournament"] == 0 and max(p.most_tournament) <= 4
    good = good and all(right and steps <= 4 for steps, right in p.long_runs.values())
    return decide(good, sum(2**n for n in p.lengths) + len(p.long_runs), 0, f"all inputs n <= {p.lengths[-1]}")


@tightness("parity-edit-decision", tier="rational")
def four_attained(results: Results) -> Outcome:
    return decide(max(results.parity.most_tournament) == 4, 1, 0, "four steps are taken")


@control("parity-edit-decision", tier="rational")
def three_steps(results: Results) -> Outcome:
    most = max(results.parity.most_tournament)
    return decide(most <= 3, len(results.parity.lengths), most - 3, "three steps do not suffice")


@check("parity-first-pair", tier="rational")
def seven_rules(results: Results) -> Outcome:
    p = results.parity
    good = p.wrong["first pair"] == 0 and all(m == 2 * n - 2 for n, m in zip(p.lengths, p.most_first, strict=True))
    good = good and all(z == parity.lone_zero_probability(n) for n, z in zip(p.lengths, p.lone_zero, strict=True))
    return decide(
        good, sum(2**n for n in p.lengths), 0, "correct when a last lone 0 reads as even; at most 2n - 2 steps"
    )


@tightness("parity-first-pair", tier="rational")
def worst_input(results: Results) -> Outcome:
    p = results.parity
    return decide(p.most_first[-1] == 2 * p.lengths[-1] - 2, 1, 0, "2n - 2 steps are taken")


@control("parity-first-pair", tier="rational")
def trained_states_suffice(results: Results) -> Outcome:
    """The claim that runs end only in states covered by the seven samples."""
    share = results.parity.lone_zero[-1]
    return decide(share == 0, 2 ** results.parity.lengths[-1], float(share), f"{share} of inputs end in '< 0'")


@check("parity-light-cone", tier="rational")
def cone_accuracy(results: Results) -> Outcome:
    acc = results.parity.accuracy
    good = all(a == (F(1) if r * t >= n else F(1, 2)) for (n, r, t), a in acc.items())
    return decide(good and results.parity.cone_kept, len(acc), 0, "accuracy 1/2 iff r T < n")


@tightness("parity-light-cone", tier="rational")
def cone_reached(results: Results) -> Outcome:
    tight = [(n, r, t) for n, r, t in results.parity.accuracy if r * t == n]
    good = all(results.parity.accuracy[key] == 1 for key in tight)
    return decide(good, len(tight), 0, "r T = n suffices")


@control("parity-light-cone", tier="rational")
def one_step_less(results: Results) -> Outcome:
    keys = [(n, r, t) for n, r, t in results.parity.accuracy if r * t == n - 1]
    better = [k for k in keys if results.parity.accuracy[k] > F(1, 2)]
    return decide(len(better) == len(keys), len(keys), 0.5, "r T = n - 1 is no better than a coin")


@check("even-parity-generation", tier="rational")
def hidden_bits(results: Results) -> Outcome:
    g = results.generation
    good = all(t == 0 for t in g.tv) and set(g.steps) == {3}
    good = good and all(p == 2 * n for n, p in zip(g.lengths, g.peak, strict=True))
    return decide(good, len(g.lengths), 0, f"TV = 0 in 3 steps, context 2n, n = 2..{g.lengths[-1]}")


@tightness("even-parity-generation", tier="rational")
def window_threshold(results: Results) -> Outcome:
    """Write-once: TV 1/2 below window floor(n/2), 0 from there on, when the middle position comes last."""
    w = results.generation.write_once
    return decide(all(tv == (F(1, 2) if k < 3 else 0) for k, tv in w.items()), len(w), 0, "n = 7: window 3 suffices")


@control("even-parity-generation", tier="rational")
def one_shot(results: Results) -> Outcome:
    return decide(
        results.generation.one_shot == 0, 1, float(results.generation.one_shot), "one write-once step: TV 1/2"
    )


@control("even-parity-generation", tier="rational")
def write_once_cannot(results: Results) -> Outcome:
    """'No write-once sampler is exact': false, a full window needs two steps."""
    exact = [w for w, tv in results.generation.write_once.items() if tv == 0]
    return decide(not exact, 1, None, f"exact in two steps with windows {exact}")


# --- Dyck -----------------------------------------------------------------------------------------------------------
@construction("dyck-support", tier="rational")
def supports(results: Results) -> Outcome:
    d = results.dyck
    reach = ", ".join(f"k={k} N={n}" for k, n, how in d.support_equal if how == "program")
    return decide(all(d.support_equal.values()) and d.one_sided_equal, len(d.support_equal) + 2, 0, f"program: {reach}")


@control("dyck-support", tier="rational")
def uniform_law(results: Results) -> Outcome:
    worst = max(results.dyck.tv_uniform.values())
    return decide(worst == 0, len(results.dyck.tv_uniform), worst, "support equality says nothing about the law")


@control("dyck-support", tier="rational")
def parallel_decoding(results: Results) -> Outcome:
    p = results.dyck.valid["halves"]
    return decide(p == 1, 1, float(1 - p), f"full-context parallel decoding in halves is valid with probability {p}")


not_claimed_tight("dyck-support", "an equality of sets")


@check("dyck-finite-state", tier="rational")
def classes(results: Results) -> Outcome:
    d = results.dyck
    formula = all(m == (3 ** (n // 2 + 1) - 1) // 2 for n, m in d.classes.items())
    reach = d.covered == {4: 2, 16: 4, 64: 6, 256: 8, 1024: 10, 65536: 18}
    return decide(d.classes_agree and formula and reach, len(d.classes), 0, "prefix classes = formula = enumeration")


@tightness("dyck-finite-state", tier="rational")
def full_window_is_exact(results: Results) -> Outcome:
    d = results.dyck
    good = all(sizes[-1] == d.sizes[2, n] for n, sizes in d.windows.items())
    return decide(good, len(d.windows), 0, "window n - 1 covers exactly the language")


@control("dyck-finite-state", tier="rational")
def window_suffices(results: Results) -> Outcome:
    n, sizes = max(results.dyck.windows.items())
    return decide(
        sizes[-2] == results.dyck.sizes[2, n], 1, sizes[-2] - sizes[-1], f"n = {n}, window n - 2 over-generates"
    )


# --- search ---------------------------------------------------------------------------------------------------------
@check("sudoku-no-separation", tier="rational")
def singles_solve(results: Results) -> Outcome:
    s = results.sudoku
    total = sum(s.clue_counts.values())
    good = s.solved == total == 85632 and s.grids == 288 and s.clue_counts == {4: 25728, 5: 58368, 6: 1536}
    return decide(good, total, 0, "all minimal 4x4 puzzles, parallel naked singles, no guess, no remask")


@control("sudoku-no-separation", tier="rational")
def fixed_order_suffices(results: Results) -> Outcome:
    s = results.sudoku
    mean = sum((x.success for x in s.four_clues), F(0)) / len(s.four_clues)
    return decide(mean == 1, 24 * len(s.four_clues), float(1 - mean), f"row-major: mean P(success) = {mean}")


not_claimed_tight("sudoku-no-separation", "a finite statement")


@check("sudoku-group-remask", tier="rational")
def redraw_is_cheaper(results: Results) -> Outcome:
    rows = results.sudoku.oracle.values()
    return decide(all(d.redraw <= d.restart for d in rows), len(rows), None, "redraw <= restart, decode steps")


@tightness("sudoku-group-remask", tier="rational")
def redraw_equal(results: Results) -> Outcome:
    d = results.sudoku.oracle["all 16"]
    return decide(d.redraw == d.restart == F(134217728, 9), 1, 0, "one group: redraw is restart")


@control("sudoku-group-remask", tier="rational")
def redraw_is_uniform(results: Results) -> Outcome:
    worst = max(d.tv for d in results.sudoku.oracle.values())
    return decide(worst == 0, len(results.sudoku.oracle), float(worst), "group redraw does not give the uniform law")


@check("queens-backtracking", tier="rational")
def through_g(results: Results) -> Outcome:
    q = results.queens
    direct = dict(zip(q.sizes, q.left_to_right, strict=True))
    good = all(mean == direct[n].backtrack and success == 1 for n, (mean, _, success) in q.through_g.items())
    return decide(good, len(q.through_g), 0, f"E[steps] through g = tree recursion, n = {sorted(q.through_g)}")


@tightness("queens-backtracking", tier="rational")
def propagation_is_not_enough(results: Results) -> Outcome:
    q = results.queens.adaptive
    return decide(all(s.success < 1 for s in q), len(q), None, "fewest candidates + propagation still fails, n = 4..8")


@control("queens-backtracking", tier="rational")
def without_memory(results: Results) -> Outcome:
    loops = [n for n, looping in results.queens.cycles.items() if looping]
    return decide(not loops, len(results.queens.cycles), len(loops), f"without tried slots it cycles for n = {loops}")


@control("queens-backtracking", tier="rational")
def always_cheaper(results: Results) -> Outcome:
    four = results.queens.left_to_right[0]
    return decide(
        four.backtrack <= four.restart, 1, float(four.backtrack - four.restart), "n = 4: restarting is cheaper"
    )


# --- correctors -----------------------------------------------------------------------------------------------------
def row(results: Results, model: str, beta: float):
    return next(r for r in results.corrector.rows if r.model == model and r.beta == beta)


@check("two-colour-corrector", tier="float64")
def always_wins(results: Results) -> Outcome:
    """As a universal statement (remask beats every fixed schedule at equal K >= 3): refuted at strong coupling."""
    bad = [(r.model, r.beta, k) for r in results.corrector.rows for k in (3, 4) if not _wins(r, k)]
    note = f"loses for {len(bad)} of {2 * len(results.corrector.rows)}, e.g. {bad[-1] if bad else None}"
    return decide(not bad, 2 * len(results.corrector.rows), None, note)


@condition("two-colour-corrector", tier="float64")
def weak_coupling_wins(results: Results) -> Outcome:
    """Weak coupling (beta = .1): a smaller KL at K = 3 and 4 than the best fixed schedule."""
    weak = [r for r in results.corrector.rows if r.beta == 0.1]
    factor = min(r.write_once[k - 1] / r.two_colour[k - 1] for r in weak for k in (3, 4))
    exact = results.corrector.through_g < 1e-12
    return decide(factor > 1 and exact, 2 * len(weak), factor, "beta = .1, K = 3, 4; factor >= the margin")


@condition("two-colour-corrector", tier="float64")
def beats_mixtures(results: Results) -> Outcome:
    """beta <= .2, 3x3, K = 3: smaller KL than every mixture of fixed schedules, by a certified lower bound."""
    weak = {b: m for b, m in results.corrector.mixtures.items() if b <= 0.2}
    factor = min(m.low / row(results, "grid 3x3", b).two_colour[2] for b, m in weak.items())
    return decide(factor > 1, len(weak), factor, "certified")


@tightness("two-colour-corrector", tier="float64")
def write_once_becomes_exact(results: Results) -> Outcome:
    """The comparison is honest: fixed schedules reach 0 at finite K, the corrector never does."""
    r = row(results, "grid 3x3", 0.1)
    return decide(
        r.write_once[4] < 1e-12 and (r.two_colour > 0).all(), 1, float(r.two_colour[4]), "3x3: exact at K = 5"
    )


@control("two-colour-corrector", tier="float64")
def strong_coupling_wins(results: Results) -> Outcome:
    r = row(results, "grid 3x3", 0.44)
    gap = float(r.two_colour[2] - r.write_once[2])
    return decide(_wins(r, 3), 1, gap, "beta = .44, K = 3: the best schedule has the smaller KL")


@control("two-colour-corrector", tier="float64")
def chain_needs_remask(results: Results) -> Outcome:
    return decide(_wins(row(results, "chain 9", 0.3), 3), 1, None, "chain 9: write-once wins")


def _wins(r, k: int) -> bool:
    return bool(r.two_colour[k - 1] < r.write_once[k - 1])


@check("remask-floor", tier="float64")
def single_site_is_exact(results: Results) -> Outcome:
    worst = max(f[0] for f in results.corrector.floors.values())
    return decide(worst < 1e-11, len(results.corrector.floors), worst, "size 1: stationary law = target, TV < 1e-11")


@tightness("remask-floor", tier="float64")
def all_at_once(results: Results) -> Outcome:
    """Size L forgets everything: the floor is the one-shot TV, .73104 for the chain with flip .1, L = 6."""
    return decide(abs(results.corrector.floors["Markov .1"][3] - 0.73104) < 1e-12, 1, 0, "floor = one-shot TV")


@control("remask-floor", tier="float64")
def pairs_are_exact(results: Results) -> Outcome:
    worst = min(f[1] for f in results.corrector.floors.values())
    return decide(worst < 1e-11, len(results.corrector.floors), worst, "size 2 leaves a floor on every target")


@control("remask-floor", tier="float64")
def alternating_is_exact(results: Results) -> Outcome:
    tv = results.corrector.alternating["HMM"]
    return decide(tv < 1e-11, 1, tv, "even/odd remask leaves a floor on the HMM")


@check("bisection-needs-no-remask", tier="float64")
def bisection_exact(results: Results) -> Outcome:
    values = [v for (name, _), v in results.corrector.bisection.items() if name == "Markov .1"]
    return decide(max(values) < 1e-12, len(values), max(values), "ceil(log2(L+1)) write-once steps")


@control("bisection-needs-no-remask", tier="float64")
def bisection_on_hmm(results: Results) -> Outcome:
    values = [v for (name, _), v in results.corrector.bisection.items() if name == "HMM"]
    return decide(min(values) < 1e-12, len(values), min(values), "hidden states: the same order is not exact")


not_claimed_tight("bisection-needs-no-remask", "an identity; whether fewer steps suffice is not claimed")


@check("remdm-hurts", tier="float64")
def many_steps(results: Results) -> Outcome:
    steps = max(k for _, k in results.corrector.remdm)
    rows = [tv for (_, k), tv in results.corrector.remdm.items() if k == steps]
    return decide(
        all(min(tv[1:]) > tv[0] for tv in rows), len(rows), None, f"K = {steps}: every eta > 0 has a larger TV"
    )


@tightness("remdm-hurts", tier="float64")
def two_steps_equal(results: Results) -> Outcome:
    rows = [tv for (_, k), tv in results.corrector.remdm.items() if k == 2]
    worst = max(max(tv) - min(tv) for tv in rows)
    return decide(worst < 1e-14, len(rows), worst, "K = 2: no remask can happen, all eta agree")


@control("remdm-hurts", tier="float64")
def few_steps(results: Results) -> Outcome:
    rows = [tv for (_, k), tv in results.corrector.remdm.items() if k == 4]
    return decide(all(min(tv[1:]) > tv[0] for tv in rows), len(rows), None, "K = 4: remask helps on some targets")


# --- learned --------------------------------------------------------------------------------------------------------
@construction("learned-parity", tier="sampled")
def learned(results: Results) -> Outcome:
    """219 parameters, seven transitions of length <= 3, equal to the rules at every length by a finite check."""
    right = sum(r for r, _ in results.learned.parity.values())
    total = sum(t for _, t in results.learned.parity.values())
    good = all(results.learned.certified) and right == total
    return decide(good, total, interval(right, total)[0], f"{right}/{total} up to n = {max(results.learned.parity)}")


@control("learned-parity", tier="sampled")
def relative_positions_generalise(results: Results) -> Outcome:
    """The same network without the index: length 2 does not carry over."""
    n, (right, trials) = max(results.learned.relative.items())
    return decide(right == trials, trials, 1 - right / trials, f"n = {n}: {right}/{trials} without position gains")


not_claimed_tight("learned-parity", "one trained network")


@construction("learned-sudoku", tier="sampled")
def learned_sudoku(results: Results) -> Outcome:
    right, trials = results.learned.sudoku
    low, _ = interval(right, trials)
    return decide(low > CHANCE, trials, low, f"{right}/{trials} held-out puzzles; shown: better than {CHANCE}")


@control("learned-sudoku", tier="sampled")
def untrained_sudoku(results: Results) -> Outcome:
    right, trials = results.learned.untrained
    low, _ = interval(right, trials)
    return decide(low > CHANCE, trials, low, f"one training step: {right}/{trials}")


not_claimed_tight("learned-sudoku", "one trained network")
