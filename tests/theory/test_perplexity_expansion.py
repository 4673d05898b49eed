"""The expansion of the written law in 1/N: known values, and the chain against the rational law."""

import numpy as np
import pytest
from flint import fmpq, fmpq_poly

import toy_models as tm
from theory.perplexity import expansion as ex
from toy_models import exact

GOLDEN = exact.chain_pmf(["2/3", "1/3"], [["1/2", "1/2"], [1, 0]], 3)


def test_two_tokens():
    pmf = np.array([[fmpq(4, 10), fmpq(1, 10)], [fmpq(2, 10), fmpq(3, 10)]], dtype=object)
    assert ex.psi(pmf) == {(0, 0): fmpq(-1, 4), (0, 1): fmpq(1), (1, 0): fmpq(1, 2), (1, 1): fmpq(-1, 3)}
    assert ex.clash_rate(pmf) == 0
    for n, value in ((2, 0.0917352121), (8, 0.1001046862), (64, 0.1036131565)):
        target = tm.Table(exact.to_float(pmf))
        assert n**2 * tm.marginal_kl(target, tm.IndependentReveal(np.full(n, 1 / n))) == pytest.approx(value, abs=5e-11)


def test_golden_mean():
    """psi, kappa_L and the sequence error as a polynomial: 41/432 and 83/1728 at N = 2, 4."""
    assert ex.clash_rate(GOLDEN) == fmpq(7, 36)
    assert ex.psi(GOLDEN)[0, 0, 0] == fmpq(7, 9)
    assert ex.psi(GOLDEN)[0, 1, 0] == fmpq(-23, 36)
    valid = sum(ex.written_polynomials(GOLDEN).values(), fmpq_poly())
    assert 1 - valid(fmpq(1, 2)) == fmpq(41, 432)
    assert 1 - valid(fmpq(1, 4)) == fmpq(83, 1728)
    assert not ex.has_product_support(GOLDEN)


def test_parity_needs_its_contexts():
    pmf = np.full((2, 2, 2), fmpq(0), dtype=object)
    pmf[np.indices((2, 2, 2)).sum(axis=0) % 2 == 0] = fmpq(1, 4)
    assert ex.clash_rate(pmf) == fmpq(3, 4)


@pytest.mark.parametrize("length", [1, 2, 4])
def test_chain_psi_is_the_rational_one(length):
    chain = tm.MarkovChain([[0.5, 0.5], [1.0, 0.0]], length)
    x, log_q = ex.possible_texts(chain)
    assert np.exp(log_q).sum() == pytest.approx(1.0, abs=1e-14)
    known = ex.psi(exact.chain_pmf(["2/3", "1/3"], [["1/2", "1/2"], [1, 0]], length))
    for text, value in zip(map(tuple, x.tolist()), ex.chain_psi(chain, x), strict=True):
        assert value == pytest.approx(int(known[text].p) / int(known[text].q), abs=1e-13)


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_written_kl_is_the_lattice_value(steps):
    chain = tm.MarkovChain([[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]], 4)
    rule = tm.IndependentReveal(np.full(steps, 1 / steps))
    assert ex.written_kl(chain, steps) == pytest.approx(tm.marginal_kl(chain, rule), rel=1e-11)
