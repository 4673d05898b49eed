"""Linear codes over GF(p) against the list of their words."""

import re
from fractions import Fraction
from itertools import product

import numpy as np
import oracles
import pytest

import toy_models as tm
from toy_models.quantities.lattice import sequences, states
from toy_models.targets.linear_code import row_echelon

CODES = {
    "GF(2), [5, 3]": ([[1, 0, 1, 1, 0], [0, 1, 1, 0, 1], [1, 1, 0, 0, 1]], 2),
    "GF(2), a position always zero": ([[1, 0, 1, 0], [1, 0, 0, 1]], 2),
    "GF(2), dependent rows": ([[1, 1, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1]], 2),
    "GF(3), tetracode": ([[1, 0, 1, 1], [0, 1, 1, 2]], 3),
    "GF(3), entries beyond 0..2": ([[4, -1, 2], [1, 5, -3]], 3),
    "GF(5), Reed-Solomon [4, 2]": ([[1, 1, 1, 1], [0, 1, 2, 3]], 5),
    "GF(5), repetition": ([[2, 2, 2]], 5),
}


def words(generator, p):
    """Every word of the row space, by running over all messages."""
    g = np.array(generator)
    return sorted({tuple(int(v) for v in np.array(u) @ g % p) for u in product(range(p), repeat=len(g))})


@pytest.mark.parametrize("name", CODES)
def test_marginals_match_enumeration(name):
    generator, p = CODES[name]
    code, listed = tm.LinearCode(np.array(generator), p), words(generator, p)
    law = {x: Fraction(1, len(listed)) for x in listed}
    y = states(p, code.length)
    found, impossible = code.marginals(y, on_impossible="nan"), []
    for row, context in enumerate(y):
        expected = oracles.conditionals(law, tuple(context), p)
        if expected is None:
            impossible.append(row)
            assert np.isnan(found[row][context < 0]).all()
        else:
            np.testing.assert_array_equal(found[row], expected)
    assert impossible
    with pytest.raises(tm.ImpossibleContext) as raised:
        code.marginals(y)
    assert raised.value.rows == impossible


@pytest.mark.parametrize("name", CODES)
def test_log_prob_entropy_and_rank(name):
    generator, p = CODES[name]
    code, listed = tm.LinearCode(np.array(generator), p), words(generator, p)
    x = sequences(p, code.length)
    inside = np.array([tuple(w) in set(listed) for w in x.tolist()])
    np.testing.assert_array_equal(np.isfinite(code.log_prob(x)), inside)
    np.testing.assert_allclose(code.log_prob(x[inside]), -np.log(len(listed)), rtol=1e-15)
    assert code.entropy() == pytest.approx(np.log(len(listed)), rel=1e-15)
    for revealed in product((False, True), repeat=code.length):
        seen = {tuple(v for v, r in zip(w, revealed, strict=True) if r) for w in listed}
        assert p ** code.rank(np.array(revealed)) == len(seen)


def test_row_echelon_keeps_the_row_space():
    rng = np.random.default_rng(3)
    for p, _ in product((2, 3, 5), range(20)):
        matrix = rng.integers(0, p, size=(3, 4))
        reduced = row_echelon(matrix, p)
        if len(reduced):
            assert words(reduced, p) == words(matrix, p)
            pivots = [int(np.flatnonzero(row)[0]) for row in reduced]
            assert pivots == sorted(set(pivots))
            assert (reduced[:, pivots] == np.eye(len(reduced), dtype=int)).all()
        else:
            assert not matrix.any()


def test_samples_are_uniform_on_the_words(rng):
    code = tm.LinearCode(np.array(CODES["GF(3), tetracode"][0]), 3)
    pmf = np.zeros((3,) * 4)
    for w in words(*CODES["GF(3), tetracode"]):
        pmf[w] = 1 / 9
    x = code.sample(20_000, rng)
    assert np.isfinite(code.log_prob(x)).all()
    radius = oracles.total_variation_radius(9, len(x))  # the support has 9 words
    assert oracles.total_variation(x, pmf) < radius
    assert oracles.total_variation(x[:, [1, 0, 2, 3]], pmf) > radius  # the tetracode is not symmetric


@pytest.mark.parametrize(
    ("generator", "modulus", "message"),
    [
        ([[1, 1]], 4, "modulus = 4, it must be prime"),
        ([[1, 1]], 1, "modulus = 1, it must be an integer >= 2"),
        ([[2, 4]], 2, "generator has rank 0: the code has a single word"),
        (np.zeros((0, 3), dtype=np.int64), 2, "generator must be a non-empty integer matrix, got int64 (0, 3)"),
    ],
)
def test_refused_codes(generator, modulus, message):
    with pytest.raises(ValueError, match=re.escape(message)) as raised:
        tm.LinearCode(np.array(generator), modulus)
    assert type(raised.value) is ValueError


def test_refused_tokens():
    code = tm.LinearCode(np.array([[1, 1, 1]]), 3)
    with pytest.raises(ValueError, match=re.escape("tokens[0, 2] = 3, allowed: 0..2 or MASK = -1")):
        code.marginals(np.array([[0, 0, 3]]))


def test_every_sample_of_a_large_prime_is_a_word():
    """Sums of products must fit 64 bits: at p = 2^31 - 1, L = 30 no sample of the code was one of its words."""
    rng = np.random.default_rng(0)
    p = 524_287
    code = tm.LinearCode(rng.integers(0, p, (20, 30)), p)
    assert np.isfinite(code.log_prob(code.sample(200, rng))).all()
    with pytest.raises(tm.IntractableError, match=re.escape("L = 30, p = 2147483647")):
        tm.LinearCode(rng.integers(0, 2**31 - 1, (20, 30)), 2**31 - 1)
    with pytest.raises(tm.IntractableError, match=re.escape("batch * L * V <=")):
        code.marginals(np.full((20, 30), tm.MASK))


@pytest.mark.parametrize("revealed", [np.array([0, 1, 1, 0, 1]), np.array([True, False])])
def test_rank_takes_booleans_only(revealed):
    code = tm.LinearCode(np.array(CODES["GF(2), [5, 3]"][0]), 2)
    with pytest.raises((ValueError, TypeError)):
        code.rank(revealed)
