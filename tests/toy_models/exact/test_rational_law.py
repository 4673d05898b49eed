"""Rational laws against fractions by hand, and the float routes inside the enclosures of the rational ones."""

from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pytest
from flint import arb, fmpq
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import hmm_law
from strategies import chains, hmms, laws, sizes

import toy_models as tm
from toy_models import exact
from toy_models.exact import LogSum, rational_law


def test_rational_reads_every_kind_of_number():
    assert exact.rational("2/6") == fmpq(1, 3)
    assert exact.rational(0.1) == fmpq((0.1).as_integer_ratio()[0], (0.1).as_integer_ratio()[1])
    assert exact.rational(Fraction(3, 7)) == exact.rational(fmpq(3, 7)) == fmpq(3, 7)
    assert exact.rational(4) == 4


@settings(max_examples=40)
@given(hmms(length=3))
def test_hmm_law_against_hidden_paths(hmm):
    pmf = exact.hmm_pmf(hmm.initial, hmm.transition, hmm.emission, hmm.length)
    for x, p in np.ndenumerate(pmf):
        total = Fraction(0)
        for path in product(range(len(hmm.initial)), repeat=hmm.length):
            term = hmm.initial[path[0]]
            for s, t in pairwise(path):
                term *= hmm.transition[s][t]
            for s, v in zip(path, x, strict=True):
                term *= hmm.emission[s][v]
            total += term
        assert Fraction(int(p.p), int(p.q)) == total


@settings(max_examples=40)
@given(chains())
def test_chain_law_against_the_product_and_its_float_twin(chain):
    pmf = exact.chain_pmf(chain.initial, chain.transition, chain.length)
    for x, p in np.ndenumerate(pmf):
        term = chain.initial[x[0]]
        for a, b in pairwise(x):
            term *= chain.transition[a][b]
        assert Fraction(int(p.p), int(p.q)) == term
    initial, transition, emission, length = chain.floats
    floats = hmm_law(initial, transition, emission, length)
    for x, p in np.ndenumerate(exact.to_float(pmf)):
        assert float(floats[x]) == pytest.approx(p, rel=1e-14, abs=0)


def test_laws_that_do_not_sum_to_one_are_refused():
    with pytest.raises(ValueError, match="sums to 5/6"):
        exact.chain_pmf(["1/2", "1/3"], [[1, 0], [0, 1]], 2)
    with pytest.raises(ValueError, match="weights sum to 3/4"):
        exact.independent_stages(["1/2", "1/4"])
    with pytest.raises(ValueError, match="must be >= 0"):
        exact.independent_stages(["3/2", "-1/2"])
    pmf = exact.chain_pmf(["1/2", "1/2"], [[1, 0], [0, 1]], 3)
    with pytest.raises(ValueError, match="do not cover the sequence"):
        exact.law(pmf, exact.fixed_size_stages([1, 1]))
    with pytest.raises(ValueError, match="exceed the sequence"):
        exact.law(pmf, exact.fixed_size_stages([2, 2]))


def test_infinite_divergence_is_refused():
    q = np.array([fmpq(1, 2), fmpq(1, 2)], dtype=object)
    p = np.array([fmpq(1), fmpq(0)], dtype=object)
    with pytest.raises(ValueError, match="infinite"):
        exact.kl(q, p)
    assert exact.kl(p, q).terms == {fmpq(2): fmpq(1)}
    with pytest.raises(ValueError, match="shorter"):
        exact.kl(p, q[:1])
    assert exact.support_mass(p, q) == fmpq(1, 2)


def test_there_is_one_entropy_per_set_and_one_cross_entropy_per_set_and_position_outside():
    pmf = exact.chain_pmf(["1/2", "1/2"], [[1, 0], ["1/2", "1/2"]], 3)
    assert sorted(exact.subset_entropies(pmf)) == list(range(8))
    found = exact.cross_entropies(pmf, rational_law.oracle_marginals(pmf))
    assert sorted(found) == [(t, i) for t in range(8) for i in range(3) if not t >> i & 1]
    entropies = exact.subset_entropies(pmf)
    for (t, i), value in found.items():  # chain rule
        assert exact.decide_equal(value, entropies[t | 1 << i] - entropies[t]) == "PROVED"


def test_a_two_state_law_by_hand():
    """Repetition of two tokens, both written in one step: each word has probability 1/4."""
    pmf = exact.chain_pmf(["1/2", "1/2"], [[1, 0], [0, 1]], 2)
    law, impossible = exact.law(pmf, exact.independent_stages([1]))
    assert (law == fmpq(1, 4)).all()
    assert impossible == 0
    mixed, _ = exact.law(pmf, exact.independent_stages(["1/3", "2/3"]))
    together = fmpq(1, 9) + fmpq(4, 9)
    assert mixed[0, 0] == mixed[1, 1] == (1 - together) / 2 + together / 4
    assert mixed[0, 1] == mixed[1, 0] == together / 4


def test_a_learned_denoiser_reaches_impossible_contexts():
    """Stopped runs: the first step writes 01 with probability 1/4 + 1/4 of mixed pairs, the third token never comes."""
    pmf = exact.chain_pmf(["1/2", "1/2"], [[1, 0], [0, 1]], 3)
    law, impossible = exact.law(pmf, exact.fixed_size_stages([2, 1]))
    assert impossible == fmpq(1, 2)
    assert law[0, 0, 0] == law[1, 1, 1] == fmpq(1, 4)
    assert law.sum() + impossible == 1


# ---------------------------------------------------------------- a faster tier lies inside the tier above


def inside(value: float, ball: arb, ulps: float = 64.0) -> bool:
    """Whether the ball meets value +- ulps roundings of max(1, |value|)."""
    return (arb(value) + arb(0, ulps * np.finfo(float).eps * max(1.0, abs(value)))).overlaps(ball)


@settings(max_examples=40)
@given(st.data())
def test_float_quantities_lie_in_the_balls(data):
    pmf = data.draw(laws())
    cut = data.draw(sizes(pmf.ndim))
    law, impossible = exact.law(pmf, exact.fixed_size_stages(cut))
    target, rule = tm.Table(exact.to_float(pmf)), tm.RandomOrder(cut)
    found = tm.sampler_law(target, rule)
    for x, p in np.ndenumerate(law):
        assert inside(float(found.pmf[x]), arb(p))
    assert inside(found.impossible, arb(impossible))
    assert inside(target.entropy(), exact.entropy(pmf).enclosure())
    assert inside(tm.marginal_kl(target, rule), exact.kl(pmf, law).enclosure())
    assert inside(tm.sequence_error(target, rule), arb(1 - exact.support_mass(pmf, law)))


def test_the_inclusion_test_can_fail():
    ball = LogSum([(fmpq(2), fmpq(1))]).enclosure()
    assert inside(0.6931471805599453, ball)
    assert not inside(0.6931471805599, ball)


def test_three_letters_eight_steps():
    """V = 3, L = 5, N = 8: the rational law sums to one and the enclosure of its KL is positive."""
    rng = np.random.default_rng(0)
    rows = [[Fraction(int(w), int(r.sum())) for w in r] for r in rng.integers(1, 9, size=(3, 3))]
    pmf = exact.chain_pmf(rows[0], rows, 5)
    law, impossible = exact.law(pmf, exact.independent_stages([Fraction(1, 8)] * 8))
    ball = exact.kl(pmf, law).enclosure()
    assert law.sum() == 1
    assert impossible == 0
    assert ball > 0


def test_context_sums_and_oracle():
    pmf = exact.hmm_pmf(["1/3", "2/3"], [["1/2", "1/2"], [0, 1]], [["1/4", "3/4"], [1, 0]], 3)
    sums = exact.context_sums(pmf)
    oracle = rational_law.oracle_marginals(pmf)
    for state in product((-1, 0, 1), repeat=3):
        chosen = [x for x in product((0, 1), repeat=3) if all(s in (-1, t) for s, t in zip(state, x, strict=True))]
        total = sum((pmf[x] for x in chosen), fmpq(0))
        assert sums[tuple(t + 1 for t in state)] == total
        known = oracle(state)
        if total == 0:
            assert known is None
            continue
        for i, token in enumerate(state):
            if token >= 0:
                assert known[i] is None
            else:
                assert known[i] == [sum((pmf[x] for x in chosen if x[i] == v), fmpq(0)) / total for v in (0, 1)]
