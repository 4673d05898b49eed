"""Properties on drawn rational instances: identities with ==, inequalities decided, float routes against rationals."""

from itertools import combinations, pairwise, permutations, product
from math import comb, factorial, log

import numpy as np
import pytest
from flint import fmpq
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import conditionals, hmm_law, ngram_law
from strategies import chains, hmms, laws, masked, ngrams, simplex, sizes

import toy_models as tm
from toy_models import exact
from toy_models.exact import LogSum, rational_law
from toy_models.quantities import lattice, trajectory_kl
from toy_models.quantities.information_curve import mean_subset_entropies
from toy_models.schedules import budget, optimal
from toy_models.targets import pair_language

ATOL = 1e-12
DESCENT = 1e-9  # nats; where the quasi-Newton descent stops
few = settings(max_examples=25)
some = settings(max_examples=60)


def order_law(pmf, steps):
    """p(x) when position i is written in step steps[i], straight from the definition; impossible runs are dropped."""
    result = np.full(pmf.shape, fmpq(0), dtype=object)
    oracle = rational_law.oracle_marginals(pmf)
    for x in product(range(pmf.shape[0]), repeat=pmf.ndim):
        value = fmpq(1)
        for j in sorted(set(steps)):
            given_marginals = oracle(tuple(t if s < j else -1 for t, s in zip(x, steps, strict=True)))
            if given_marginals is None:
                value = fmpq(0)
                break
            for i in np.flatnonzero(np.array(steps) == j):
                value *= given_marginals[i][x[i]]
        result[x] = value
    return result


def partition(order, cut):
    """Step of each position when `order` is cut into steps of the sizes `cut`."""
    labels = np.repeat(np.arange(len(cut)), cut)
    steps = [0] * len(order)
    for place, position in enumerate(order):
        steps[position] = int(labels[place])
    return steps


# ---------------------------------------------------------------- identities, in rationals


@few
@given(st.data())
def test_the_lattice_law_is_the_average_over_orders(data):
    pmf = data.draw(laws())
    cut = data.draw(sizes(pmf.ndim))
    law, impossible = exact.law(pmf, exact.fixed_size_stages(cut))
    orders = list(permutations(range(pmf.ndim)))
    mean = sum((order_law(pmf, partition(o, cut)) for o in orders), np.full(pmf.shape, fmpq(0), dtype=object))
    assert (law == mean / fmpq(len(orders))).all()
    assert law.sum() + impossible == 1


@few
@given(st.data())
def test_independent_reveal_is_the_average_over_steps(data):
    pmf = data.draw(laws())
    weights = [exact.rational(w) for w in data.draw(simplex(2))]
    law, impossible = exact.law(pmf, exact.independent_stages(weights))
    mean = np.full(pmf.shape, fmpq(0), dtype=object)
    for steps in product(range(2), repeat=pmf.ndim):
        chance = fmpq(1)
        for s in steps:
            chance *= weights[s]
        if chance:
            mean = mean + order_law(pmf, steps) * chance
    assert (law == mean).all()
    assert law.sum() + impossible == 1


@some
@given(laws())
def test_one_token_per_step_is_exact(pmf):
    law, impossible = exact.law(pmf, exact.fixed_size_stages((1,) * pmf.ndim))
    assert impossible == 0
    assert (law == pmf).all()


@some
@given(laws())
def test_one_step_is_the_product_of_the_marginals(pmf):
    law, impossible = exact.law(pmf, exact.independent_stages([1]))
    outer = np.array(fmpq(1), dtype=object)
    for axis in range(pmf.ndim):
        away = tuple(i for i in range(pmf.ndim) if i != axis)
        outer = np.multiply.outer(outer, pmf.sum(axis=away) if away else pmf)
    assert impossible == 0
    assert (law == outer).all()


def rational_curve(pmf):
    """g[k] from the subset entropies."""
    means = [LogSum() for _ in range(pmf.ndim + 1)]
    for subset, value in exact.subset_entropies(pmf).items():
        size = subset.bit_count()
        means[size] = means[size] + value.scaled(fmpq(1, comb(pmf.ndim, size)))
    return [b - a for a, b in pairwise(means)]


@few
@given(st.data())
def test_curve_identity(data):
    """E over orders of KL(q || p_order) = sum_j s_j g[N_{j-1}] - H, an equality of sums of logarithms."""
    pmf = data.draw(laws())
    cut = data.draw(sizes(pmf.ndim))
    g, orders = rational_curve(pmf), list(permutations(range(pmf.ndim)))
    mean = LogSum()
    for order in orders:
        mean = mean + exact.kl(pmf, order_law(pmf, partition(order, cut))).scaled(fmpq(1, len(orders)))
    by_curve, before = -exact.entropy(pmf), 0
    for size in cut:
        if size:
            by_curve = by_curve + g[before].scaled(size)
        before += size
    assert exact.decide_equal(mean, by_curve) == "PROVED"


# ---------------------------------------------------------------- inequalities, decided


@some
@given(laws())
def test_the_curve_falls_from_marginal_to_conditional_entropy(pmf):
    g = rational_curve(pmf)
    assert {exact.decide_at_most(b, a) for a, b in pairwise(g)} <= {"PROVED"}
    assert exact.decide_at_most(LogSum(), g[-1]) == "PROVED"
    assert exact.decide_equal(sum(g, LogSum()), exact.entropy(pmf)) == "PROVED"


@few
@given(st.data())
def test_the_law_of_the_text_is_closer_than_the_law_of_the_trajectory(data):
    pmf = data.draw(laws())
    cut = data.draw(sizes(pmf.ndim))
    law, _ = exact.law(pmf, exact.fixed_size_stages(cut))
    g, trajectory, before = rational_curve(pmf), -exact.entropy(pmf), 0
    for size in cut:
        if size:
            trajectory = trajectory + g[before].scaled(size)
        before += size
    marginal = exact.kl(pmf, law)
    assert exact.decide_at_most(LogSum(), marginal) == "PROVED"
    assert exact.decide_at_most(marginal, trajectory) == "PROVED"


@few
@given(st.data())
def test_sequence_error_is_bounded_by_the_divergence(data):
    """-log(1 - SER) <= KL."""
    pmf = data.draw(laws())
    law, _ = exact.law(pmf, exact.fixed_size_stages(data.draw(sizes(pmf.ndim))))
    valid = LogSum([(exact.support_mass(pmf, law), fmpq(-1))])
    assert exact.decide_at_most(valid, exact.kl(pmf, law)) == "PROVED"


# ---------------------------------------------------------------- marginals against enumeration


def same_marginals(target, law, y):
    """Float marginals against exact conditionals: the same zeros, the same impossible contexts, ATOL elsewhere."""
    wanted = conditionals(law, y, target.vocab_size)
    found = target.marginals(np.array([y]), on_impossible="nan")[0]
    if wanted is None:
        hidden = np.array(y) < 0
        assert np.isnan(found[hidden]).all()
        assert np.isnan(target.marginals(np.array([y]), on_impossible="nan")[0][~hidden]).sum() == 0
        with pytest.raises(tm.ImpossibleContext, match=r"row\(s\) 0 have probability 0"):
            target.marginals(np.array([y]))
        return
    assert ((found == 0) == (wanted == 0)).all()
    np.testing.assert_allclose(found, wanted, rtol=ATOL, atol=0)


@some
@given(st.data())
def test_chain_marginals(data):
    chain = data.draw(chains())
    initial, transition, emission, length = chain.floats
    y = data.draw(masked(length, len(initial)))
    law = hmm_law(initial, transition, emission, length)
    same_marginals(tm.MarkovChain(transition, length, initial), law, y)
    same_marginals(tm.HMM(initial, transition, emission, length), law, y)


@some
@given(st.data())
def test_hmm_marginals(data):
    hmm = data.draw(hmms())
    initial, transition, emission, length = hmm.floats
    y = data.draw(masked(length, emission.shape[1]))
    law = hmm_law(initial, transition, emission, length)
    same_marginals(tm.HMM(initial, transition, emission, length), law, y)


@some
@given(st.data())
def test_ngram_marginals(data):
    initial, conditional, length = data.draw(ngrams())
    y = data.draw(masked(length, 2))
    same_marginals(tm.NGram(conditional, length, initial), ngram_law(initial, conditional, length), y)


@some
@given(st.data())
def test_table_marginals(data):
    pmf = data.draw(laws())
    y = data.draw(masked(pmf.ndim, pmf.shape[0]))
    floats = exact.to_float(pmf)
    law = {x: exact_fraction(p) for x, p in np.ndenumerate(floats)}
    same_marginals(tm.Table(floats), law, y)


def exact_fraction(p):
    from fractions import Fraction

    return Fraction(float(p))


# ---------------------------------------------------------------- float routes against their rational twins


def float_twin(pmf):
    return tm.Table(exact.to_float(pmf))


@few
@given(st.data())
def test_sampler_law(data):
    pmf = data.draw(laws())
    cut = data.draw(sizes(pmf.ndim))
    for rule, stages in (
        (tm.RandomOrder(cut), exact.fixed_size_stages(cut)),
        (tm.IndependentReveal([0.25, 0.0, 0.75]), exact.independent_stages(["1/4", 0, "3/4"])),
    ):
        law, impossible = exact.law(pmf, stages)
        found = tm.sampler_law(float_twin(pmf), rule)
        np.testing.assert_allclose(found.pmf, exact.to_float(law), atol=1e-15, rtol=ATOL)
        assert found.impossible == pytest.approx(float(impossible), abs=1e-15, rel=ATOL)


@few
@given(laws(), st.sampled_from([tm.IndependentReveal([0.2, 0.0, 0.8]), tm.ShiftedReveal(3), None]))
def test_calls_of_the_law_where_nothing_stops(pmf, rule):
    """With full support the written text needs as many calls as the data."""
    floats = exact.to_float(pmf) + 0.1
    target = tm.Table(floats / floats.sum())
    rule = rule or tm.RandomOrder((0, pmf.ndim - 1, 0, 1))
    found = tm.sampler_law(target, rule)
    assert found.mean_steps == pytest.approx(tm.expected_calls(target, rule), abs=ATOL)
    assert found.impossible == 0.0


@pytest.mark.parametrize("rule", [tm.RandomOrder((1, 1)), tm.TopK(2)], ids=str)
def test_sampler_law_over_one_symbol(rule):
    found = tm.sampler_law(tm.Table(np.ones((1, 1))), rule)
    assert found.pmf.tolist() == [[1.0]]
    assert (found.impossible, found.mean_steps) == (0.0, float(tm.expected_calls(tm.Table(np.ones((1, 1))), rule)))


def test_calls_of_stopped_runs_by_hand():
    """Repetition of two tokens, sizes (2, 1): half the runs stop after one call, the others make two."""
    found = tm.sampler_law(lattice.to_table(tm.repetition(2, 3)), tm.RandomOrder((2, 1)))
    assert (found.mean_steps, found.impossible) == pytest.approx((1.5, 0.5), abs=1e-15)


@few
@given(st.data())
def test_quantities(data):
    pmf = data.draw(laws())
    cut = data.draw(sizes(pmf.ndim))
    target, rule = float_twin(pmf), tm.RandomOrder(cut)
    law, _ = exact.law(pmf, exact.fixed_size_stages(cut))
    assert tm.marginal_kl(target, rule) == pytest.approx(float(exact.kl(pmf, law)), abs=ATOL)
    assert tm.sequence_error(target, rule) == pytest.approx(float(1 - exact.support_mass(pmf, law)), abs=ATOL)
    orders = list(permutations(range(pmf.ndim)))
    mean = sum(float(exact.kl(pmf, order_law(pmf, partition(o, cut)))) for o in orders) / len(orders)
    assert tm.trajectory_kl(target, rule, method="curve") == pytest.approx(mean, abs=ATOL)
    assert tm.trajectory_kl(target, rule, method="enumeration") == pytest.approx(mean, abs=ATOL)
    assert tm.trajectory_kl(target, rule) == pytest.approx(mean, abs=ATOL)


@some
@given(laws())
def test_information(pmf):
    target, g = float_twin(pmf), np.array([float(v) for v in rational_curve(pmf)])
    np.testing.assert_allclose(tm.information_curve(target), g, atol=ATOL)
    np.testing.assert_allclose(np.diff(mean_subset_entropies(target)), g, atol=ATOL)
    entropies = exact.subset_entropies(pmf)
    everything, n = 2**pmf.ndim - 1, pmf.ndim
    total = float(entropies[everything])
    single = sum(float(entropies[1 << i]) for i in range(n))
    without = sum(float(entropies[everything]) - float(entropies[everything ^ 1 << i]) for i in range(n))
    assert tm.total_correlation(target) == pytest.approx(single - total, abs=ATOL)
    assert tm.dual_total_correlation(target) == pytest.approx(total - without, abs=ATOL)
    assert target.entropy() == pytest.approx(total, abs=ATOL)
    for a in (0.0, 0.3, 1.0):
        h = sum(comb(n - 1, k) * a**k * (1 - a) ** (n - 1 - k) * g[k] for k in range(n))
        assert float(tm.reveal_curve(g, a)) == pytest.approx(h, abs=ATOL)


@few
@given(st.data())
def test_subset_cross_entropies(data):
    pmf = data.draw(laws())
    target = float_twin(pmf)
    smoothed = rational_law.oracle_marginals(pmf)

    def blurred(state):
        known = smoothed(state)
        return [None if row is None else [(p + fmpq(1, pmf.shape[0])) / 2 for p in row] for row in known]

    for denoiser, model in ((None, smoothed), (tm.Smoothed(target, 0.5), blurred)):
        found = lattice.subset_cross_entropies(target, denoiser)
        wanted = exact.cross_entropies(pmf, model)
        for t, i in product(range(2**pmf.ndim), range(pmf.ndim)):
            value = 0.0 if t >> i & 1 else float(wanted.get((t, i), LogSum()))
            assert found[t, i] == pytest.approx(value, abs=ATOL)


@some
@given(laws())
def test_lattice_tables(pmf):
    target = float_twin(pmf)
    y = lattice.states(*target.pmf.shape[:1], pmf.ndim)
    assert [tuple(row) for row in y] == list(product(range(-1, pmf.shape[0]), repeat=pmf.ndim))
    x = lattice.sequences(pmf.shape[0], pmf.ndim)
    assert [tuple(row) for row in x] == list(product(range(pmf.shape[0]), repeat=pmf.ndim))
    sums = exact.context_sums(pmf)
    np.testing.assert_allclose(lattice.state_probabilities(target), exact.to_float(sums).ravel(), rtol=ATOL, atol=0)
    marginals = lattice.state_marginals(target)
    dead = np.isnan(marginals).any(axis=(1, 2))
    assert (dead == (exact.to_float(sums).ravel() == 0) & (y < 0).any(axis=1)).all()


# ---------------------------------------------------------------- adaptive rules, one state at a time


@few
@given(laws(), st.sampled_from([tm.TopK(2), tm.Threshold(0.7), tm.EntropyBounded(0.4)]))
def test_adaptive_law_by_replay(pmf, rule):
    """The law, its calls and its stopped mass by recursion on states."""
    target = float_twin(pmf)

    def push(y, mass, steps):
        hidden = np.array(y) < 0
        if not hidden.any():
            law[y] = law.get(y, 0.0) + mass
            calls.append(mass * steps)
            return
        given_marginals = target.marginals(np.array([y]), on_impossible="nan")
        if np.isnan(given_marginals).any():
            stopped.append(mass)
            calls.append(mass * steps)
            return
        chosen = np.flatnonzero(rule.select(given_marginals, hidden[None])[0])
        for tokens in product(range(pmf.shape[0]), repeat=len(chosen)):
            p, child = mass, list(y)
            for i, v in zip(chosen, tokens, strict=True):
                p *= given_marginals[0, i, v]
                child[i] = v
            if p > 0:
                push(tuple(child), p, steps + 1)

    law, calls, stopped = {}, [], []
    push((-1,) * pmf.ndim, 1.0, 0)
    found = tm.sampler_law(target, rule)
    for x, p in np.ndenumerate(found.pmf):
        assert p == pytest.approx(law.get(x, 0.0), abs=1e-15, rel=ATOL)
    assert found.impossible == pytest.approx(sum(stopped), abs=1e-15, rel=ATOL)
    assert found.mean_steps == pytest.approx(sum(calls), abs=ATOL)
    assert tm.expected_calls(target, rule, under="p") == found.mean_steps


# ---------------------------------------------------------------- schedules against brute force


def compositions(total, parts):
    return (c for c in product(range(total + 1), repeat=parts) if sum(c) == total)


@some
@given(laws(), st.integers(1, 3))
def test_optimal_sizes_by_brute_force(pmf, steps):
    g = tm.information_curve(float_twin(pmf))
    best = min(optimal.sizes_cost(g, np.array(c)) for c in compositions(len(g), steps))
    found = tm.optimal_sizes(g, steps)
    assert found.sum() == len(g)
    assert (found > 0).all()
    assert optimal.sizes_cost(g, found) == pytest.approx(best, abs=ATOL)


def tc_by_hand(length, zeta):
    cut = []
    while (length - sum(cut)) // zeta:
        cut.append((length - sum(cut)) // zeta)
    return cut + [1] * (length - sum(cut))


@pytest.mark.parametrize("length", [1, 2, 5, 12, 30])
@pytest.mark.parametrize("steps", [1, 2, 3, 7, 12, 40])
def test_tc_sizes_take_the_largest_zeta_that_fits(length, steps):
    fitting = [z for z in range(1, length + 1) if len(tc_by_hand(length, z)) <= steps]
    assert tm.tc_sizes(length, steps).tolist() == tc_by_hand(length, max(fitting))
    assert tm.dtc_sizes(length, steps).tolist() == tc_by_hand(length, max(fitting))[::-1]


def test_budget_only_weights_in_closed_form():
    assert tm.odds_geometric_weights(1).tolist() == [1.0]
    assert tm.odds_geometric_weights(2).tolist() == [0.5, 0.5]
    for steps in (3, 5, 9):
        cuts = np.cumsum(tm.odds_geometric_weights(steps))[:-1]
        odds = np.log(cuts / (1 - cuts))
        np.testing.assert_allclose(odds, np.linspace(-1, 1, steps - 1) * log(steps**2 - 1), atol=1e-9)
        kappa, delta = budget.odds_geometric_bound(steps)
        assert delta == 1 / steps**2
        assert kappa == pytest.approx((steps**2 - 1) ** (2 / (steps - 2)) - 1, rel=1e-12)
        assert cuts[0] == pytest.approx(delta, rel=1e-12)


@few
@given(st.integers(1, 3), st.data())
def test_collision_law_by_counting(pairs, data):
    cut = data.draw(sizes(2 * pairs))
    counts = np.zeros(pairs + 1)
    labels = np.repeat(np.arange(len(cut)), cut)
    for order in permutations(range(2 * pairs)):
        step = labels[list(order)]
        counts[(step[0::2] == step[1::2]).sum()] += 1
    wanted = counts / factorial(2 * pairs)
    np.testing.assert_allclose(pair_language.collision_law(np.array(cut), 2 * pairs), wanted, atol=ATOL)
    rule = tm.RandomOrder(cut)
    error = tm.sequence_error(lattice.to_table(tm.pairs(2, 2 * pairs)), rule)
    assert tm.sequence_error(tm.pairs(2, 2 * pairs), rule) == pytest.approx(error, abs=ATOL)
    assert tm.sequence_error(tm.pairs(3, 2 * pairs), rule) == pytest.approx(
        1 - float(wanted @ 3.0 ** -np.arange(pairs + 1)), abs=ATOL
    )


@few
@given(simplex(3), st.sampled_from([2, 4]))
def test_independent_pairs_against_the_lattice(weights, length):
    rule = tm.IndependentReveal([float(w) for w in weights])
    error = tm.sequence_error(lattice.to_table(tm.pairs(2, length)), rule)
    assert tm.sequence_error(tm.pairs(2, length), rule) == pytest.approx(error, abs=ATOL)
    assert tm.marginal_kl(tm.pairs(2, length), rule) == pytest.approx(
        tm.marginal_kl(lattice.to_table(tm.pairs(2, length)), rule), abs=1e-10
    )


def test_trajectory_quantities_of_a_long_chain_need_its_curve_alone():
    """One token per step is exact at any length; the enumeration of 2^60 texts is refused."""
    chain = tm.MarkovChain([[0.9, 0.1], [0.2, 0.8]], 60)
    assert tm.trajectory_kl(chain, tm.RandomOrder((1,) * 60)) == pytest.approx(0, abs=1e-10)
    assert tm.trajectory_kl(chain, tm.RandomOrder((60,))) == pytest.approx(tm.total_correlation(chain), abs=1e-10)
    with pytest.raises(tm.IntractableError, match="a table of all sequences"):
        tm.trajectory_kl(chain, tm.RandomOrder((60,)), method="enumeration")


@pytest.mark.parametrize("rule", [tm.IndependentReveal([0.2, 0.8]), tm.ShiftedReveal(3)], ids=str)
def test_independent_blocks_against_the_lattice(rule):
    target = tm.Blocks(tm.Table(np.array([[0.5, 0.0], [0.25, 0.25]])), 2)
    table = lattice.to_table(target)
    for quantity in (tm.sequence_error, tm.marginal_kl):
        assert quantity(target, rule) == pytest.approx(quantity(table, rule), abs=ATOL)
    assert tm.sequence_error(target, rule) > 0.05


def edge_target():
    """A chain with a forbidden transition, a law with a full support, and a denoiser that forgets."""
    return tm.Table(np.array([[[0.3, 0.0], [0.1, 0.2]], [[0.0, 0.15], [0.15, 0.1]]]))


@pytest.mark.parametrize("rule", [tm.TopK(1), tm.Threshold(0.6), tm.RandomOrder((1, 2)), tm.ShiftedReveal(3)], ids=str)
def test_generative_cross_entropy_from_the_law(rule):
    full = tm.Table(np.arange(1, 9).reshape(2, 2, 2) / 36)
    law = tm.sampler_law(full, rule).pmf
    assert tm.generative_cross_entropy(full, rule) == pytest.approx(-(law * np.log(full.pmf)).sum(), abs=ATOL)
    assert tm.generative_cross_entropy(edge_target(), tm.RandomOrder((3,))) == np.inf
    assert tm.generative_cross_entropy(edge_target(), tm.TopK(1)) == pytest.approx(edge_target().entropy(), abs=ATOL)


def test_a_stopped_run_costs_an_infinite_cross_entropy():
    """Half the runs of a repetition in sizes (2, 1) stop, and what the others write is valid."""
    target, rule = lattice.to_table(tm.repetition(2, 3)), tm.RandomOrder((2, 1))
    law = tm.sampler_law(target, rule)
    assert law.pmf[target.pmf == 0].sum() == 0.0 < law.impossible
    assert tm.generative_cross_entropy(target, rule) == np.inf


@pytest.mark.parametrize("cut", [(2,), (0, 2), (1, 1), (1, 0, 1)])
def test_what_the_denoiser_rules_out_costs_inf_in_every_schedule(cut):
    target = tm.Table(np.full((2, 2), 0.25))
    sure = tm.Table(np.array([[1.0, 0.0], [0.0, 0.0]]))
    assert tm.trajectory_kl(target, tm.RandomOrder(cut), sure) == np.inf
    assert tm.marginal_kl(target, tm.RandomOrder(cut), sure) == np.inf


@pytest.mark.parametrize("target", [tm.MarkovChain([[0.9, 0.1], [0.0, 1.0]], 4, initial=[0.5, 0.5]), tm.pairs(2, 4)])
@pytest.mark.parametrize(
    "rule", [tm.ShiftedReveal(3), tm.IndependentReveal([0.5, 0.5]), tm.RandomOrder((2, 2))], ids=str
)
def test_structured_routes_are_for_the_oracle_alone(target, rule):
    """With a denoiser of its own a structured target costs what its table costs, and not what the oracle costs."""
    table = lattice.to_table(target)
    denoiser = tm.Smoothed(table, 0.3)
    for quantity in (tm.sequence_error, tm.marginal_kl):
        found = quantity(target, rule, denoiser)
        assert found == pytest.approx(quantity(table, rule, denoiser), abs=ATOL)
        assert found > quantity(target, rule) + 0.01


def test_expected_calls_by_hand():
    target = edge_target()
    weights = np.array([0.2, 0.5, 0.3])
    calls = sum(1 - (1 - w) ** 3 for w in weights)
    assert tm.expected_calls(target, tm.IndependentReveal(weights)) == pytest.approx(calls, abs=ATOL)
    assert tm.expected_calls(target, tm.IndependentReveal([1.0])) == 1.0
    assert tm.expected_calls(target, tm.IndependentReveal([1.0 + 1e-10])) == 1.0  # a weight above 1 by rounding
    assert tm.expected_calls(target, tm.RandomOrder((0, 2, 0, 1))) == 2.0
    assert tm.expected_calls(target, tm.TopK(2)) == 2.0
    shifts = (np.arange(2000) + 0.5) / 2000
    grid = np.stack([shifts, np.ones_like(shifts), 1 - shifts]) / 2
    assert tm.expected_calls(target, tm.ShiftedReveal(3)) == pytest.approx(
        (1 - (1 - grid) ** 3).sum(0).mean(), abs=1e-6
    )
    with pytest.raises(ValueError, match='under = \'x\', allowed: "q", "p"'):
        tm.expected_calls(target, tm.TopK(2), under="x")


def test_shifted_grid_kl_is_the_mean_over_shifts():
    for steps in (2, 3, 6):
        rule = tm.ShiftedReveal(steps)
        shifts = (np.arange(4000) + 0.5) / 4000
        mean = np.mean([tm.trajectory_kl(edge_target(), rule.at_shift(float(u))) for u in shifts[::8]])
        by_curve = tm.trajectory_kl(edge_target(), rule)
        assert by_curve == pytest.approx(mean, abs=1e-4)
        assert tm.trajectory_kl(edge_target(), rule, method="enumeration") == pytest.approx(by_curve, abs=ATOL)
    chain = tm.MarkovChain([[0.9, 0.1], [0.0, 1.0]], 4, initial=[0.5, 0.5])
    for target in (chain, tm.pairs(2, 4)):
        by_mixture = tm.sequence_error(target, tm.ShiftedReveal(3))
        assert by_mixture == pytest.approx(tm.sequence_error(lattice.to_table(target), tm.ShiftedReveal(3)), abs=1e-10)


def test_methods_are_checked():
    with pytest.raises(
        ValueError, match=r"method = 'x' does not serve TopK on .* with itself, allowed: None, enumeration"
    ):
        tm.trajectory_kl(edge_target(), tm.TopK(1), method="x")
    for rule, denoiser in ((tm.TopK(1), None), (tm.RandomOrder((3,)), edge_target())):
        with pytest.raises(ValueError, match=r"method = 'curve' does not serve .*, allowed: None, enumeration"):
            tm.trajectory_kl(edge_target(), rule, denoiser, method="curve")


@settings(max_examples=10)
@given(laws(), st.integers(2, 3))
def test_optimal_weights_beat_a_fine_grid(pmf, steps):
    g = tm.information_curve(float_twin(pmf))
    found = tm.optimal_weights(g, steps, grid=64)
    assert found.sum() == pytest.approx(1, abs=ATOL)
    grid = np.linspace(0, 1, 21)
    cuts = [c for c in product(grid, repeat=steps - 1) if list(c) == sorted(c)]
    best = min(optimal.weights_cost(g, np.diff([0.0, *c, 1.0])) for c in cuts)
    assert optimal.weights_cost(g, found) <= best + DESCENT
    if len(found) == steps > 1:
        uniform = optimal.weights_cost(g, np.full(steps, 1 / steps))
        assert optimal.weights_cost(g, found) <= uniform + DESCENT


def test_schedules_refuse_bad_curves_and_sizes():
    with pytest.raises(ValueError, match=r"g must not increase, but g\[2\] - g\[1\] = 0.5"):
        tm.optimal_sizes(np.array([1.0, 0.5, 1.0]), 2)
    for wrong in ((-1, 3), (1, 2)):
        with pytest.raises(ValueError, match="sum to L = 2"):
            optimal.sizes_cost(np.array([1.0, 0.5]), np.array(wrong))


def test_which_laws_are_pair_languages():
    assert pair_language.is_pair_language(tm.pairs(3, 4))
    swapped = np.zeros((4, 4))
    swapped[2, 0] = swapped[3, 1] = 0.5
    uneven = np.zeros((4, 4))
    uneven[0, 2], uneven[1, 3] = 0.25, 0.75
    for other in (
        tm.Blocks(tm.Table(swapped), 2),
        tm.Blocks(tm.Table(uneven), 2),
        tm.Blocks(tm.Table(np.eye(3) / 3), 2),
        tm.Blocks(tm.repetition(2, 2), 2),
        tm.Blocks(lattice.to_table(tm.repetition(2, 3)), 2),
        lattice.to_table(tm.pairs(2, 2)),
    ):
        assert not pair_language.is_pair_language(other)


# ---------------------------------------------------------------- stages of sets


@few
@given(laws(), st.integers(1, 2**3 - 1))
def test_fixed_order_kl_over_all_pairs_of_blocks(pmf, subset):
    """Two blocks: KL = TC of the first + conditional TC of the second, from the subset entropies."""
    n = pmf.ndim
    subset &= 2**n - 1
    entropies = exact.subset_entropies(pmf)
    first = [i for i in range(n) if subset >> i & 1]
    second = [i for i in range(n) if not subset >> i & 1]
    total = -entropies[2**n - 1]
    for i in first:
        total = total + entropies[1 << i]
    for i in second:
        total = total + entropies[subset | 1 << i] - entropies[subset]
    rule = tm.FixedOrder((tuple(first), tuple(second)))
    found = tm.trajectory_kl(float_twin(pmf), rule)
    assert found == pytest.approx(float(total), abs=ATOL)
    assert tm.expected_calls(float_twin(pmf), rule) == sum(map(bool, (first, second)))


def test_inclusion_chance_by_counting():
    rng = np.random.default_rng(5)
    weights = np.zeros((5, 5))
    for m in range(5):
        for s in range(m + 1):
            weights[m, s] = rng.random()
        weights[m] /= sum(comb(m, s) * weights[m, s] for s in range(m + 1))
    for m in range(1, 5):
        sets = [s for k in range(m + 1) for s in combinations(range(m), k)]
        chance = sum(weights[m, len(s)] for s in sets if 0 in s)
        assert trajectory_kl._inclusion(weights)[m] == pytest.approx(chance, abs=ATOL)
    assert trajectory_kl._inclusion(weights)[0] == 0
