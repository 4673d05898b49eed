"""What the rules are compared with, by listing: fixed schedules, random orders, the calls of one rule, the table."""

from itertools import combinations, product

import numpy as np

import toy_models as tm
from theory.entropy_bound.checks.best_policy import tiny_tables
from theory.entropy_bound.checks.instances import ROUNDING
from theory.entropy_bound.results import MATCHED, PROXIES, Case, Results, random_orders, text_kl
from theory.entropy_bound.targets import sticky_hmm
from theory.entropy_bound.traces import call_steps
from theory.ledger.registry import Outcome, decide, definition
from toy_models.quantities.lattice import to_table
from toy_models.rules.policy_front import optimal_front
from toy_models.rules.replay_law import visited_states


def ordered_partitions(positions: tuple[int, ...]) -> list[tuple[tuple[int, ...], ...]]:
    """Every ordered partition into nonempty blocks."""
    if not positions:
        return [()]
    sets = [s for k in range(1, len(positions) + 1) for s in combinations(positions, k)]
    return [(s, *rest) for s in sets for rest in ordered_partitions(tuple(i for i in positions if i not in s))]


def entropy(pmf: np.ndarray, subset) -> float:
    """H(X_S) by summing the table over the other axes."""
    p = pmf.sum(axis=tuple(i for i in range(pmf.ndim) if i not in subset)).ravel()
    return float(-(p[p > 0] * np.log(p[p > 0])).sum())


def cost_of_blocks(pmf: np.ndarray, blocks) -> float:
    """Sum over blocks of the conditional total correlation, from the table alone."""
    total, known = 0.0, ()
    for block in blocks:
        union = (*known, *block)
        total += sum(entropy(pmf, (*known, i)) - entropy(pmf, known) for i in block)
        total -= entropy(pmf, union) - entropy(pmf, known)
        known = union
    return total


@definition("optimal-front", tier="float64")
def fixed_schedules_by_listing(results: Results) -> Outcome:
    """The best fixed schedule of at most k calls = the least over every ordered partition, and its law has that KL."""
    gaps = []
    for table in [*tiny_tables(11)[2:4], to_table(tm.pairs(2, 4))]:
        pmf, length = table.pmf, table.length
        listed = {blocks: cost_of_blocks(pmf, blocks) for blocks in ordered_partitions(tuple(range(length)))}
        h = tm.rules.subset_entropies(table)
        gaps += [abs(h[s] - entropy(pmf, [i for i in range(length) if s >> i & 1])) for s in range(2**length)]
        increments = tm.rules.entropy_increments(h)
        for blocks, cost in listed.items():
            gaps.append(abs(tm.rules.schedule_loss(increments, tm.FixedOrder(blocks)) - h[-1] - cost))
        for steps, found in enumerate(tm.rules.fixed_schedule_front(table), start=1):
            least = min(cost for blocks, cost in listed.items() if len(blocks) <= steps)
            gaps += [abs(found.loss - h[-1] - least), abs(text_kl(table, found.rule) - least)]
            gaps.append(0.0 if len(found.rule.blocks) <= steps else np.inf)
    return decide(max(gaps) < ROUNDING, len(gaps), max(gaps), "L = 3 and 4, every ordered partition")


@definition("random-below-front", tier="float64")
def both_sides_by_listing(results: Results) -> Outcome:
    """L = 5, two calls: KL averaged over orders, KL of the mixture of their texts, best fixed pair, from the table."""
    target = to_table(sticky_hmm(5))
    orders = {}
    for size in range(1, 6):
        firsts = combinations(range(5), size)
        orders[size] = [(s, *((rest,) if (rest := tuple(i for i in range(5) if i not in s)) else ())) for s in firsts]
    costs = {size: [cost_of_blocks(target.pmf, blocks) for blocks in listed] for size, listed in orders.items()}
    best = min(costs, key=lambda size: float(np.mean(costs[size])))
    texts = [tm.sampler_law(target, tm.FixedOrder(blocks)).pmf for blocks in orders[best]]
    mixture, q = sum(texts) / len(texts), target.pmf
    text = float((q * np.log(q / mixture)).sum())
    trajectory, written = random_orders(target, tm.rules.subset_entropies(target))
    front = float(optimal_front(target).lower_bound(2.0))
    fixed = min(min(c) for c in costs.values())
    gaps = [abs(trajectory[1] - np.mean(costs[best])), abs(written[1] - text), abs(trajectory[4]), abs(written[4])]
    gaps += [abs(trajectory[0] - cost_of_blocks(q, (range(5),))), abs(written[0] - trajectory[0])]
    return decide(
        max(gaps) < ROUNDING and front <= fixed + ROUNDING and best in (2, 3),
        len(gaps),
        max(gaps),
        f"text {text:.4f}, front {front:.4f}, best fixed pair {fixed:.4f}, average over orders {trajectory[1]:.4f}",
    )


@definition("eb-bound", tier="float64")
def calls_of_a_rule(results: Results) -> Outcome:
    """Call by call along data: TC <= sum H - max H; weighted by their probabilities they add up to KL and bound."""
    gaps, margins = [], []
    for target, gamma in ((sticky_hmm(4), 1.0), (tm.permutations(4), 1.4), (tm.pairs(3, 4), np.log(3))):
        for proxy in PROXIES:
            rule = tm.EntropyBounded(gamma, proxy)
            steps, value = call_steps("", target, rule), tm.rules.evaluate_rule(target, rule)
            gaps += [abs(steps.probability @ steps.total_correlation - value.kl)]
            gaps += [
                abs(steps.probability @ steps.bound - value.bound),
                abs(steps.probability.sum() - value.multi_calls),
            ]
            gaps.append(0.0 if (steps.size >= 2).all() else np.inf)
            seen, h = visited_states(target, rule), target.entropy()
            gaps += [abs(seen.calls - value.calls), abs(seen.cross_entropy - h - value.kl)]
            gaps.append(abs(seen.probability.sum() - seen.calls))
            margins.append((steps.bound - steps.total_correlation).min())
    return decide(max(gaps) < ROUNDING and min(margins) > -ROUNDING, len(margins), max(gaps))


def least_calls(case: Case, prefix: str) -> float:
    """Fewest calls of a family at KL <= 1 % of TC, point by point."""
    best = np.inf
    for curve in case.curves:
        for calls, kl in zip(curve.calls, curve.kl, strict=True):
            if curve.family.split()[0] == prefix and kl <= MATCHED * case.total_correlation + ROUNDING:
                best = min(best, calls)
    return best


@definition("optimal-front", tier="float64")
def table_of_the_page(results: Results) -> Outcome:
    """Calls at KL <= 1 % of TC per family, on the hull, and EB's distance = max over c of EB's best cost over J_c."""
    gaps = []
    for case in results.cases:
        gaps += [abs(case.best_calls(name) - least_calls(case, name)) for name in ("EB", "top-k", "threshold")]
        own = [
            min((kl + c * n for f in case.curves if f.family[:2] == "EB" for n, kl in zip(f.calls, f.kl, strict=True)))
            / cost
            for c, cost in zip(case.step_costs, case.costs, strict=True)
        ]
        gaps.append(abs(case.distance - max(own)))
        limit = MATCHED * case.total_correlation
        fixed = [k for k, kl in zip(case.fixed_steps, case.fixed_kl, strict=True) if kl <= limit + ROUNDING]
        gaps += [abs(case.fixed_calls - min(fixed)), case.best_calls("EB") - case.length, abs(case.front_kl[-1])]
        gaps.append(abs(case.front_kl[0] - case.total_correlation) + abs(case.front_calls[0] - 1))
        lines = np.interp(case.optimal_calls, case.front_calls, case.front_kl)
        gaps.append(abs(lines - limit))
        gaps.append(abs(case.fixed_kl[0] - case.total_correlation))
    return decide(max(gaps) < 1e-5, len(gaps), max(gaps), "right end of the hull solved at 1e-6 nats per call")


@definition("eb-pairs-gap", tier="float64")
def pairs_of_the_sweep(results: Results) -> Outcome:
    """4 pairs in the sweeps: EB 5 calls, best fixed schedule 2, top-k and threshold no better than EB, distance 5/2."""
    case = results.case("pairs")
    values = [case.best_calls("EB") - 5, case.fixed_calls - 2, case.distance - 2.5, case.entropy - 4 * np.log(2)]
    values += [case.total_correlation - 4 * np.log(2), case.states - 5**8]
    gap = max(map(abs, values))
    others = min(case.best_calls("top-k"), case.best_calls("threshold"))
    return decide(gap < 1e-4 and others >= 5 - ROUNDING, len(values) + 1, gap)


@definition("eb-kl-gamma", tier="float64")
def sweeps_reach_their_ends(results: Results) -> Outcome:
    """Every EB sweep runs from KL 0 at gamma = 0 to one call at KL = TC at gamma = inf, over all listed rules."""
    found = []
    for case in results.cases:
        names = [f"{rule} {proxy}" for proxy, rule in product(PROXIES, ("EB", "top-k", "threshold"))]
        found.append([curve.family for curve in case.curves] == names)
        for curve in case.curves:
            ends = [curve.kl[-1] - case.total_correlation, curve.calls[-1] - 1, curve.kl[0]]
            if curve.family.startswith("EB"):
                found.append(
                    max(map(abs, ends)) < ROUNDING and curve.parameter[0] == 0 and curve.parameter[-1] == np.inf
                )
            if curve.family.startswith("top-k"):
                found.append(max(map(abs, [*ends, curve.calls[0] - case.length])) < ROUNDING)
    return decide(all(found), len(found))
