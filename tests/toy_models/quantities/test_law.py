"""The lattice law against published values, against a slow twin by definition, and against samples."""

from itertools import product

import numpy as np
import pytest

import toy_models as tm
from toy_models.quantities import lattice
from toy_models.targets import controls
from toy_models.validation import MASK


def slow_law(denoiser, steps_law):
    """sum over assignments of steps of P(assignment) prod p(x_i | tokens of earlier steps), by definition."""
    vocab_size, length = denoiser.vocab_size, denoiser.length
    pmf = np.zeros((vocab_size,) * length)
    for steps, chance in steps_law:
        for x in product(range(vocab_size), repeat=length):
            value = chance
            for j in sorted(set(steps)):
                context = np.array([[t if s < j else MASK for t, s in zip(x, steps, strict=True)]])
                marginals = denoiser.marginals(context, on_impossible="nan")[0]
                value *= np.prod([marginals[i, x[i]] for i, s in enumerate(steps) if s == j])
            pmf[x] += 0.0 if np.isnan(value) else value
    return pmf


def independent(weights, length):
    return [(s, float(np.prod([weights[k] for k in s]))) for s in product(range(len(weights)), repeat=length)]


@pytest.mark.parametrize("make", [lambda: tm.MarkovChain([[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]], 4)])
def test_independent_reveal_by_definition(make):
    target = make()
    law = tm.sampler_law(target, tm.IndependentReveal([0.2, 0.5, 0.3]))
    np.testing.assert_allclose(law.pmf, slow_law(target, independent([0.2, 0.5, 0.3], 4)), atol=1e-15)


def test_random_order_by_definition():
    target = tm.HMM([0.5, 0.5], [[0.9, 0.1], [0.3, 0.7]], [[0.8, 0.2], [0.1, 0.9]], 4)
    orders = {p for p in product((0, 0, 1, 1), repeat=4) if sorted(p) == [0, 0, 1, 1]}
    law = tm.sampler_law(target, tm.RandomOrder((2, 2)))
    np.testing.assert_allclose(law.pmf, slow_law(target, [(p, 1 / len(orders)) for p in orders]), atol=1e-15)


def test_adaptive_rule_by_definition(chain_a):
    """TopK(1): follow the rule along every x."""
    target = tm.MarkovChain(chain_a.transition, 4)
    rule, law = tm.TopK(1), tm.sampler_law(target, tm.TopK(1))
    for x in product(range(3), repeat=4):
        y, p = np.full((1, 4), MASK), 1.0
        while (y == MASK).any() and p > 0:
            marginals = target.marginals(y, on_impossible="nan")
            if np.isnan(marginals).any():
                p = 0.0
                break
            chosen = rule.select(marginals, y == MASK)[0]
            p *= np.prod([marginals[0, i, x[i]] for i in np.flatnonzero(chosen)])
            y[0, chosen] = np.array(x)[chosen]
        assert law.pmf[x] == pytest.approx(p, abs=1e-15)


@pytest.mark.parametrize(
    ("rule", "trajectory", "marginal", "ser"),
    [
        (tm.RandomOrder((2, 2, 2)), 0.39425536, 0.26949450, 0.231625),
        (tm.RandomOrder((1, 2, 3)), 0.46410101, 0.33390709, 0.276364),
        (tm.RandomOrder((3, 2, 1)), 0.59549810, 0.46671463, 0.351709),
        (tm.RandomOrder((6,)), 2.12472679, 2.12472679, 0.865846),
        (tm.IndependentReveal(np.full(3, 1 / 3)), 0.66907880, 0.48693491, 0.378762),
        (tm.IndependentReveal([0.2, 0.5, 0.3]), 0.76193800, 0.55658694, 0.420110),
    ],
)
def test_chain_a_vectors(chain_a, rule, trajectory, marginal, ser):
    assert tm.trajectory_kl(chain_a, rule) == pytest.approx(trajectory, abs=5.1e-9)
    assert tm.marginal_kl(chain_a, rule) == pytest.approx(marginal, abs=5.1e-9)
    assert tm.sequence_error(chain_a, rule) == pytest.approx(ser, abs=5.1e-7)


@pytest.mark.parametrize(
    ("rule", "trajectory", "marginal"),
    [
        (tm.RandomOrder((2, 2, 2)), 0.12993412, 0.03903396),
        (tm.RandomOrder((3, 3)), 0.26947600, 0.13970763),
        (tm.IndependentReveal([0.5, 0.5]), 0.34088475, 0.18825713),
        (tm.IndependentReveal(np.full(3, 1 / 3)), 0.22108339, 0.08932306),
    ],
)
def test_hmm_b_vectors(hmm_b, rule, trajectory, marginal):
    assert tm.trajectory_kl(hmm_b, rule) == pytest.approx(trajectory, abs=5.1e-9)
    assert tm.marginal_kl(hmm_b, rule) == pytest.approx(marginal, abs=5.1e-9)
    assert tm.sequence_error(hmm_b, rule) == pytest.approx(0.0, abs=1e-13)


def test_mass_is_conserved_and_calls_are_counted(chain_a):
    for rule in (tm.RandomOrder((2, 4)), tm.IndependentReveal([0.3, 0.7]), tm.TopK(2), tm.ShiftedReveal(3)):
        law = tm.sampler_law(chain_a, rule)
        assert law.pmf.sum() + law.impossible == pytest.approx(1.0, abs=1e-12)
        assert 0 < law.impossible < 1
        assert 1.0 <= law.mean_steps <= 6.0


def test_empty_steps_make_no_call(chain_a):
    rule = tm.RandomOrder((0, 6, 0))
    assert tm.sampler_law(chain_a, rule).mean_steps == pytest.approx(1.0, abs=1e-12)
    assert tm.expected_calls(chain_a, rule) == 1.0


def test_one_token_per_step_is_exact_in_any_order(chain_a):
    q = lattice.to_table(chain_a).pmf
    for rule in (
        tm.RandomOrder((1,) * 6),
        tm.TopK(1, "entropy"),
        tm.FixedOrder(tuple((i,) for i in (3, 1, 0, 5, 2, 4))),
    ):
        np.testing.assert_allclose(tm.sampler_law(chain_a, rule).pmf, q, atol=1e-15)


def test_relabelling_and_reversal(chain_a):
    """Renaming tokens permutes the law; reversing a chain and the positions leaves it alone."""
    swap = [2, 0, 1]
    renamed = tm.MarkovChain(chain_a.transition[np.ix_(swap, swap)], 6)
    rule = tm.IndependentReveal([0.4, 0.6])
    law = tm.sampler_law(chain_a, rule).pmf
    np.testing.assert_allclose(tm.sampler_law(renamed, rule).pmf, law[np.ix_(*[swap] * 6)], atol=1e-15)
    pi = chain_a.initial
    backwards = tm.MarkovChain(chain_a.transition.T * pi[None] / pi[:, None], 6)
    np.testing.assert_allclose(tm.sampler_law(backwards, rule).pmf, law.transpose(), atol=1e-14)


def test_product_targets_cost_nothing():
    product_law = tm.MarkovChain(np.tile([0.2, 0.5, 0.3], (3, 1)), 5)
    assert tm.marginal_kl(product_law, tm.RandomOrder((5,))) == pytest.approx(0.0, abs=1e-14)


def test_shifted_reveal_is_the_average_over_shifts(chain_a):
    rule, pmf = tm.ShiftedReveal(4), np.zeros((3,) * 6)
    shifts = (np.arange(400) + 0.5) / 400
    for u in shifts:
        pmf += tm.sampler_law(chain_a, rule.at_shift(float(u))).pmf / len(shifts)
    np.testing.assert_allclose(tm.sampler_law(chain_a, rule).pmf, pmf, atol=2e-7)


def rule_of(length):
    return tm.RandomOrder((1,) * length)


def test_wrong_samplers_are_told_apart(chain_a):
    """Every named control changes the law by far more than rounding."""
    rule = tm.RandomOrder((1,) * 6)
    q = lattice.to_table(chain_a).pmf
    skewed = lattice.to_table(tm.MarkovChain([[0.9, 0.09, 0.01], [0.01, 0.9, 0.09], [0.09, 0.01, 0.9]], 4))
    assert np.abs(tm.sampler_law(controls.nucleus(skewed, 0.98), rule_of(4)).pmf - skewed.pmf).sum() > 1e-2
    for wrong in (
        tm.Tempered(chain_a, 1.01),
        controls.greedy(chain_a),
        controls.context_blind(chain_a),
        controls.swapped_rows(chain_a),
        controls.half_precision(chain_a),
    ):
        assert np.abs(tm.sampler_law(wrong, rule).pmf - q).sum() > 1e-4
    late = tm.sampler_law(chain_a, controls.off_by_one(np.array([0.5, 0.3, 0.2])))
    right = tm.sampler_law(chain_a, tm.IndependentReveal([0.5, 0.3, 0.2]))
    assert np.abs(late.pmf - right.pmf).sum() > 1e-2


def test_context_blind_costs_the_total_correlation(chain_a):
    for rule in (tm.RandomOrder((2, 2, 2)), tm.IndependentReveal(np.full(8, 1 / 8))):
        cost = tm.trajectory_kl(chain_a, rule, controls.context_blind(chain_a))
        assert cost == pytest.approx(tm.total_correlation(chain_a), abs=1e-12)


def test_size_limit_is_named():
    with pytest.raises(tm.IntractableError, match=r"\(V\+1\)\^L = .* states is beyond the exact limit"):
        tm.sampler_law(tm.MarkovChain([[0.9, 0.1], [0.1, 0.9]], 40), tm.TopK(2))
