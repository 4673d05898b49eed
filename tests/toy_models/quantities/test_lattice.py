"""The lattice of masked sequences against sums written out in rationals."""

import re
from itertools import product

import numpy as np
import oracles
import pytest

import toy_models as tm
from toy_models.quantities import lattice


def test_states_and_sequences_in_index_order():
    assert lattice.states(2, 3).tolist() == [[a, b, c] for a, b, c in product((-1, 0, 1), repeat=3)]
    assert lattice.require_lattice(2, 3, "all states") == len(lattice.states(2, 3))
    assert lattice.sequences(3, 2).tolist() == [list(x) for x in product(range(3), repeat=2)]


def test_state_probabilities_and_marginals_by_summation(chain_a):
    chain = tm.MarkovChain(chain_a.transition, 4)
    law = oracles.ngram_law(chain.initial, chain.transition, 4)
    probability, marginals = lattice.state_probabilities(chain), lattice.state_marginals(chain)
    for k, y in enumerate(lattice.states(3, 4)):
        mass = sum(w for x, w in law.items() if all(t in (-1, v) for t, v in zip(y, x, strict=True)))
        assert probability[k] == pytest.approx(float(mass), abs=1e-15)
        expected = oracles.conditionals(law, tuple(y), 3)
        if expected is None:
            assert np.isnan(marginals[k][y < 0]).all()
        else:
            np.testing.assert_allclose(marginals[k], expected, rtol=0, atol=2e-15)


def test_to_table_is_the_law(chain_a):
    law = oracles.ngram_law(chain_a.initial, chain_a.transition, 6)
    table = lattice.to_table(chain_a)
    np.testing.assert_allclose(table.pmf, np.reshape([float(w) for w in law.values()], (3,) * 6), atol=1e-16)
    assert lattice.to_table(table) is table


def test_chunks_change_nothing(chain_a, monkeypatch):
    marginals, table = lattice.state_marginals(chain_a), lattice.to_table(chain_a).pmf
    monkeypatch.setattr(lattice, "CHUNK", 500)
    np.testing.assert_array_equal(lattice.state_marginals(chain_a), marginals)
    np.testing.assert_array_equal(lattice.to_table(chain_a).pmf, table)


def test_subset_cross_entropies_by_definition(chain_a):
    """C[T, i] = sum over x of q(x) (-log p(x_i | x_T)), with the oracle and with another denoiser."""
    chain = tm.MarkovChain(chain_a.transition, 3)
    q, words = lattice.to_table(chain).pmf.ravel(), lattice.sequences(3, 3)
    for denoiser in (None, tm.Smoothed(chain, 0.2)):
        found = lattice.subset_cross_entropies(chain, denoiser)
        for subset, i in product(range(8), range(3)):
            context = np.where([subset >> k & 1 == 1 for k in range(3)], words, -1)
            p = (denoiser or chain).marginals(context, on_impossible="nan")[np.arange(27), i, words[:, i]]
            expected = 0.0 if subset >> i & 1 else -(q[q > 0] * np.log(p[q > 0])).sum()
            assert found[subset, i] == pytest.approx(expected, abs=1e-14)


def test_a_denoiser_that_rules_out_the_truth_costs_inf():
    chain = tm.MarkovChain([[0.5, 0.5], [0.5, 0.5]], 2)
    sure = tm.MarkovChain([[1.0, 0.0], [1.0, 0.0]], 2, [1.0, 0.0])
    loss = lattice.subset_cross_entropies(chain, sure)
    assert np.isinf(loss[0]).all()
    assert loss[1, 0] == 0.0


def test_limits_count_numbers_held_and_are_allowed_themselves(monkeypatch):
    """V = 2, L = 3: 27 states of 3 x 2 marginals, 8 sequences."""
    monkeypatch.setattr(lattice, "MAX_ENTRIES", 27 * 3 * 2)
    monkeypatch.setattr(lattice, "MAX_SEQUENCES", 8)
    chain = tm.MarkovChain([[0.5, 0.5], [0.25, 0.75]], 3)
    assert lattice.state_marginals(chain).size == lattice.MAX_ENTRIES
    assert lattice.to_table(chain).pmf.size == lattice.MAX_SEQUENCES
    monkeypatch.setattr(lattice, "MAX_ENTRIES", 27 * 3 * 2 - 1)
    monkeypatch.setattr(lattice, "MAX_SEQUENCES", 7)
    for call in (lattice.state_marginals, lattice.to_table):
        with pytest.raises(tm.IntractableError, match="beyond the exact limit"):
            call(chain)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: lattice.state_marginals(tm.pairs(8, 64)), "V = 16, L = 64, hence (V+1)^L ="),
        (lambda: lattice.state_marginals(tm.pairs(8, 64)), f"states * L * V <= {2**30 // 8}"),  # 1 GiB
        (lambda: lattice.to_table(tm.pairs(8, 64)), "V^L = 16^64 ="),
        (lambda: lattice.to_table(tm.pairs(8, 64)), f"V^L <= {2**22}"),
        (lambda: tm.sampler_law(tm.pairs(8, 64), tm.TopK(1)), "V = 16, L = 64"),
    ],
)
def test_sizes_beyond_the_lattice(call, message):
    with pytest.raises(tm.IntractableError, match=re.escape(message)) as raised:
        call()
    assert "is beyond the exact limit" in str(raised.value)
    assert "estimate_ function" in str(raised.value)
