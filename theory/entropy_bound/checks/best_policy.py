"""The best adaptive policy and its front of calls against divergence."""

from itertools import product

import numpy as np

import toy_models as tm
from theory.entropy_bound.checks.instances import ROUNDING, table_of
from theory.entropy_bound.results import PROXIES, Results, random_orders, text_kl
from theory.entropy_bound.targets import sticky_hmm
from theory.ledger.registry import Outcome, check, control, decide, not_claimed_tight, tightness
from toy_models.exact import trajectories as exact
from toy_models.quantities.lattice import to_table
from toy_models.rules.optimal_policy import optimal_policy
from toy_models.rules.policy_front import optimal_front
from toy_models.rules.policy_search import all_policies, hull, pareto


def tiny_tables(seed: int) -> list[tm.Table]:
    rng = np.random.default_rng(seed)
    shapes = [(2, 2), (2, 3), (2, 3), (3, 2)]
    tables = [tm.Table(rng.dirichlet(np.full(v**n, 0.5)).reshape((v,) * n)) for v, n in shapes]
    return [*tables, to_table(tm.zero_sum(2, 3)), to_table(tm.pairs(2, 2))]


@check("optimal-front", tier="float64")
def recursion_against_every_policy(results: Results) -> Outcome:
    """J_c = min over the list of all policies of KL + c E[calls], at four costs c, on every tiny table."""
    gaps = []
    for table in tiny_tables(11):
        reached = all_policies(table)
        for step_cost in (0.003, 0.05, 0.2, 1.0):
            policy = optimal_policy(table, step_cost)
            least = (reached[:, 1] + step_cost * reached[:, 0]).min()
            gaps += [abs(policy.cost - least), abs(policy.cost - policy.value)]
    return decide(max(gaps) < ROUNDING, len(gaps), max(gaps), "Bellman = list of all policies, L <= 3; margin: nats")


@check("optimal-front", tier="float64")
def front_is_below_every_rule(results: Results) -> Outcome:
    """KL >= J_c - c E[calls] for all c, for EB sweeps, fixed schedules and random orders on every case."""
    margins = []
    for case in results.cases:
        bound = Supporting(case)
        margins += [(curve.kl - bound(curve.calls)).min() for curve in case.curves]
        margins += [(case.fixed_kl - bound(case.fixed_steps)).min()]
        margins += [(case.random_trajectory_kl - bound(np.arange(1, case.length + 1))).min()]
    points = sum(len(c.kl) for case in results.cases for c in case.curves)
    return decide(min(margins) >= -ROUNDING, points, note="KL - (front at the same calls) over every rule tried")


class Supporting:
    """The front's supporting lines: the least KL at given expected calls."""

    def __init__(self, case):
        self.case = case

    def __call__(self, calls) -> np.ndarray:
        calls = np.asarray(calls, dtype=np.float64)
        return np.maximum((self.case.costs - self.case.step_costs * calls[..., None]).max(axis=-1), 0.0)


@tightness("optimal-front", tier="float64")
def policy_attains_its_promise(results: Results) -> Outcome:
    """The law that the best policy's sampler writes has exactly the KL that the recursion promises."""
    gaps = []
    for table in tiny_tables(11):
        policy = optimal_policy(table, 0.05)
        gaps.append(abs(text_kl(table, policy) - policy.kl))
    return decide(max(gaps) < ROUNDING, len(gaps), max(gaps), "exact law of the policy's sampler")


@control("optimal-front", tier="float64")
def greedy_is_optimal(results: Results) -> Outcome:
    """In each state the set with the least (step cost + total correlation) per token revealed."""
    rng, gaps = np.random.default_rng(13), []
    for _ in range(4):
        law = exact.random_law(2, 3, rng)
        table = table_of(law)
        for step_cost in (0.05, 0.2, 0.5):
            gaps.append(greedy_cost(law, step_cost) - optimal_policy(table, step_cost).cost)
    return decide(max(gaps) < ROUNDING, len(gaps), max(gaps), "largest excess of the greedy policy, nats")


def greedy_cost(law: exact.RationalLaw, step_cost: float) -> float:
    def price(y, s):
        return step_cost + float(law.total_correlation(y, s))

    def choose(y):
        return min(exact.subsets(exact.masked(y)), key=lambda s: price(y, s) / len(s))

    return sum(float(weight) * price(y, s) for y, s, weight in exact.visits(law, choose))


@check("front-is-a-hull", tier="float64")
def sweep_finds_the_hull(results: Results) -> Outcome:
    """The swept front and the lower convex hull of all policies agree, each evaluated at the other's vertices."""
    gaps = []
    for table in tiny_tables(12):
        front = optimal_front(table)
        vertices = hull(all_policies(table))
        at = np.interp(front.calls, vertices[:, 0], vertices[:, 1])
        gaps += [abs(at - front.kl).max(), abs(front.lower_bound(vertices[:, 0]) - vertices[:, 1]).max()]
    return decide(max(gaps) < 1e-5, len(gaps), max(gaps), "gap in nats; the right end is solved at 1e-6 nats per call")


@control("front-is-a-hull", tier="float64")
def every_pareto_point_is_on_the_hull(results: Results) -> Outcome:
    """Every Pareto-optimal policy would lie on the hull; some lie strictly above it."""
    missed = 0
    for table in tiny_tables(12):
        reached = pareto(all_policies(table))
        front = optimal_front(table)
        missed += int((reached[:, 1] - np.interp(reached[:, 0], front.calls, front.kl) > 1e-5).sum())
    return decide(missed == 0, missed, note=f"{missed} Pareto-optimal policies lie above the hull")


not_claimed_tight("front-is-a-hull", "an identity of two sets")


@check("eb-pairs-gap", tier="float64")
def pairs_cost_eb_half_the_length(results: Results) -> Outcome:
    """m pairs: EB makes m + 1 calls at KL = 0 for every proxy and gamma < log K; two fixed calls have KL = 0."""
    found = []
    for count in (1, 2, 3, 4):
        target = tm.pairs(2, 2 * count)
        fixed = tm.rules.fixed_schedule_front(target, steps=2)[-1].loss - target.entropy()
        for proxy, gamma in product(PROXIES, (0.0, 0.3, 0.69)):
            value = tm.rules.evaluate_rule(target, tm.EntropyBounded(gamma, proxy))
            found.append(abs(value.calls - (count + 1)) + abs(value.kl) + abs(fixed) < ROUNDING)
    return decide(all(found), len(found), note="m pairs: m + 1 calls at KL 0 for every gamma < log K, the best needs 2")


@tightness("eb-pairs-gap", tier="float64")
def two_calls_are_needed(results: Results) -> Outcome:
    """On two pairs the front ends at two calls: just below it every policy has KL > 0."""
    front = optimal_front(tm.pairs(2, 4))
    return decide(abs(float(front.lower_bound(1.999))) > 1e-4 and abs(front.calls[-1] - 2) < ROUNDING, 1, 0.0)


@control("eb-pairs-gap", tier="float64")
def larger_gamma_helps_pairs(results: Results) -> Outcome:
    """At gamma = log K, no longer below it, EB on pairs would still have KL = 0."""
    value = tm.rules.evaluate_rule(tm.pairs(2, 6), tm.EntropyBounded(np.log(2)))
    return decide(value.kl < ROUNDING, 1, value.kl, "gamma = log K: fewer calls, but KL = 3 log 2")


@check("random-below-front", tier="float64")
def random_order_writes_below_the_front(results: Results) -> Outcome:
    """KL(q || p) of a random order in two calls < the least KL of deterministic rules with two expected calls."""
    target = to_table(sticky_hmm(5))
    front = optimal_front(target)
    _, text = random_orders(target, tm.rules.subset_entropies(target))
    margin = float(front.lower_bound(2.0)) - float(text[1])
    return decide(
        margin > 0.01,
        1,
        margin,
        f"two calls: text KL {text[1]:.4f}, best deterministic {front.lower_bound(2.0):.4f} nats",
    )


not_claimed_tight("random-below-front", "an existence statement")


@control("random-below-front", tier="float64")
def random_order_pays_less_per_order(results: Results) -> Outcome:
    """The same for the KL averaged over orders, the trajectory KL: it would lie below the front too."""
    target = to_table(sticky_hmm(5))
    trajectory, _ = random_orders(target, tm.rules.subset_entropies(target))
    bound = float(optimal_front(target).lower_bound(2.0))
    return decide(float(trajectory[1]) < bound, 1, float(trajectory[1]) - bound, "KL averaged over orders stays above")
