"""Which orders are exact, and in how many steps."""

from itertools import product
from math import ceil, log2

import numpy as np

import toy_models as tm
from theory.ledger.instances import all_hold
from theory.ledger.registry import Outcome, check, control, decide, not_claimed_tight
from theory.perplexity.results import uniform
from theory.sequence_error.checks.instances import rational_pairs
from theory.sequence_error.results import Results
from toy_models import exact
from toy_models.exact import LogSum, decide_equal
from toy_models.exact import curves as ec


@check("odd-then-even", tier="rational")
def odd_then_even(results: Results) -> Outcome:
    """odd-then-even: on the pair language KL = 0 in two steps, first symbols and then their partners."""
    verdicts = []
    for K, length in ((2, 2), (2, 4), (3, 2)):
        pmf = rational_pairs(K, length)
        steps = [i % 2 for i in range(length)]
        verdicts.append(decide_equal(ec.total_correlation_of(exact.subset_entropies(pmf), steps), LogSum()))
    return all_hold(verdicts, 0.0)


@control("odd-then-even", tier="rational")
def halves_in_two(results: Results) -> Outcome:
    """odd-then-even with the left and then the right half."""
    entropies = exact.subset_entropies(rational_pairs(2, 4))
    return all_hold([decide_equal(ec.total_correlation_of(entropies, [0, 0, 1, 1]), LogSum())])


not_claimed_tight("odd-then-even", "an exactness statement")


@check("bisection-exact", tier="rational")
def bisection_exact(results: Results) -> Outcome:
    """bisection-exact: a Markov chain in ceil(log2(L+1)) steps, middle first, KL = 0; zeros, V = 3, changing rows."""
    rng, verdicts = np.random.default_rng(27), []
    for size, length, fixed in ((2, 3, True), (2, 4, False), (3, 4, False), (3, 5, True), (2, 7, False)):
        rows = [_rational_stochastic(rng, size) for _ in range(length)]
        pmf = _path_pmf(rows[0][0], [rows[1]] * (length - 1) if fixed else rows[1:])
        order = tm.bisection(length)
        steps = [next(j for j, block in enumerate(order.blocks) if i in block) for i in range(length)]
        verdicts.append(decide_equal(ec.total_correlation_of(exact.subset_entropies(pmf), steps), LogSum()))
        library = tm.trajectory_kl(tm.Table(exact.to_float(pmf)), order)
        verdicts.append("PROVED" if abs(library) < 1e-12 else "REFUTED")
    for length in range(1, 200):
        verdicts.append("PROVED" if tm.bisection(length).steps == ceil(log2(length + 1)) else "REFUTED")
    return all_hold(verdicts, 0.0)


def _path_pmf(initial, transitions) -> np.ndarray:
    """q(x) = initial(x_1) prod_i P_i(x_i, x_{i+1}), rational."""
    pmf = np.array([exact.rational(p) for p in initial], dtype=object)
    for rows in transitions:
        pmf = pmf[..., None] * np.array([[exact.rational(p) for p in row] for row in rows], dtype=object)
    return pmf


def _rational_stochastic(rng: np.random.Generator, size: int) -> list[list[str]]:
    """Random rows, an entry in four zero."""
    rows = rng.integers(1, 9, size=(size, size)) * (rng.random((size, size)) >= 0.25)
    rows[rows.sum(axis=1) == 0] = 1
    return [[f"{w}/{row.sum()}" for w in row] for row in rows]


@control("bisection-exact", tier="rational")
def bisection_on_hmm(results: Results) -> Outcome:
    """bisection-exact for a hidden Markov model: a revealed token does not screen."""
    pmf = exact.hmm_pmf(["1/2", "1/2"], [["9/10", "1/10"], ["1/10", "9/10"]], [["9/10", "1/10"], ["1/10", "9/10"]], 3)
    return all_hold([decide_equal(ec.total_correlation_of(exact.subset_entropies(pmf), [1, 0, 1]), LogSum())])


@control("bisection-exact", tier="rational")
def bisection_one_step_short(results: Results) -> Outcome:
    """bisection-exact in one step less: no order in two steps is exact for four tokens of a positive chain."""
    pmf = _path_pmf(["1/2", "1/2"], [[["4/5", "1/5"], ["7/20", "13/20"]]] * 3)
    entropies = exact.subset_entropies(pmf)
    costs = [ec.total_correlation_of(entropies, steps) for steps in product((0, 1), repeat=4)]
    return all_hold([decide_equal(min(costs, key=float), LogSum())])


not_claimed_tight("bisection-exact", "an exactness statement")


@check("independent-not-exact", tier="float64")
def independent_not_exact(results: Results) -> Outcome:
    """independent-not-exact: with N = L, independent reveal errs (.355 at L = 512, K = 8), fixed sizes do not."""
    pairs = tm.pairs(8, 512)
    random_count = tm.sequence_error(pairs, uniform(512))
    fixed = tm.sequence_error(pairs, tm.RandomOrder((1,) * 512))
    known = abs(random_count - 0.3546) < 5e-5 and abs(tm.sequence_error(pairs, uniform(2048)) - 0.1036) < 5e-5
    return decide(known and fixed == 0.0, 3, random_count, "margin: sequence error of independent reveal at N = L")


@control("independent-not-exact", tier="float64")
def independent_exact_at_l(results: Results) -> Outcome:
    """independent-not-exact denied: SER = 0 at N = L for independent reveal."""
    return decide(tm.sequence_error(tm.pairs(8, 512), uniform(512)) == 0.0, 1)


not_claimed_tight("independent-not-exact", "an existence statement")
