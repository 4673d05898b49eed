"""Rational twins against the float samplers, and what they decide."""

import numpy as np
import pytest

import toy_models as tm
from toy_models.any_process.gibbs import Lowest, current_probability, gibbs_kernel

CHAIN = (["2/5", "3/5"], [["7/10", "3/10"], ["1/5", "4/5"]])
SPARSE = (["1/3", "1/3", "1/3"], [["1/2", "1/2", 0], [0, "1/3", "2/3"], ["1/4", 0, "3/4"]])


@pytest.mark.parametrize(("chain", "length"), [(CHAIN, 4), (SPARSE, 3)])
@pytest.mark.parametrize("draft", [1, 2, 3])
def test_speculative_is_lossless_in_rationals(chain, length, draft):
    pmf = tm.exact.chain_pmf(*chain, length)
    written, calls = tm.exact.speculative_law(pmf, draft)
    assert (written == pmf).all()
    assert calls <= length
    law = tm.sampler_law(tm.Table(tm.exact.to_float(pmf)), tm.Speculative(draft))
    assert law.mean_steps == pytest.approx(float(int(calls.p) / int(calls.q)), rel=1e-12)


@pytest.mark.parametrize(("chain", "length"), [(CHAIN, 4), (SPARSE, 3)])
def test_whose_choice_keeps_the_law(chain, length):
    pmf = tm.exact.chain_pmf(*chain, length)
    share = tm.exact.rational(f"1/{length}")
    assert (tm.exact.gibbs_step(pmf, pmf, lambda x, given: dict.fromkeys(range(length), share)) == pmf).all()

    def least_likely(x, given):
        return {min(range(length), key=lambda i: given[i][x[i]]): tm.exact.rational(1)}

    moved = tm.exact.gibbs_step(pmf, pmf, least_likely)
    assert (moved != pmf).any()
    q = tm.exact.to_float(pmf)
    by_matrix = q.ravel() @ gibbs_kernel(tm.Table(q), Lowest(current_probability))
    np.testing.assert_allclose(tm.exact.to_float(moved).ravel(), by_matrix, atol=1e-14)
