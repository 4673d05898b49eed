"""Truncated marginals by sorting in fractions, the two nucleus conventions, and Gumbel noise of few bits."""

from fractions import Fraction as F

import numpy as np
import pytest

import toy_models as tm
from toy_models.targets import gumbel_share, nucleus, top_tokens


def cut(law, size):
    """The `size` largest entries, the first of equals, renormalised."""
    order = sorted(range(len(law)), key=lambda v: (-law[v], v))[:size]
    total = sum(law[v] for v in order)
    return [law[v] / total if v in order else F(0) for v in range(len(law))]


def smallest_at_least(law, p):
    ordered = sorted(law, reverse=True)
    return next(k for k in range(1, len(law) + 1) if sum(ordered[:k]) >= p)


def largest_at_most(law, p):
    ordered = sorted(law, reverse=True)
    return max([k for k in range(1, len(law) + 1) if sum(ordered[:k]) <= p], default=1)


def random_laws(seed, count=40, vocab_size=5):
    rng = np.random.default_rng(seed)
    weights = rng.integers(0, 4, (count, vocab_size))  # zeros and ties
    weights[:, 0] += 1
    return [[F(int(w), int(row.sum())) for w in row] for row in weights]


@pytest.mark.parametrize("p", [F(1, 10), F(1, 2), F(3, 5), F(9, 10), F(1)])
def test_nucleus_by_definition(p):
    laws = random_laws(0)
    rows = np.array([[float(v) for v in law] for law in laws])
    for mass, size in (("at least", smallest_at_least), ("at most", largest_at_most)):
        expected = np.array([[float(v) for v in cut(law, size(law, p))] for law in laws])
        np.testing.assert_allclose(nucleus(rows, float(p), mass), expected, atol=1e-15)


@pytest.mark.parametrize("k", [1, 2, 5, 9])
def test_top_tokens_by_definition(k):
    laws = random_laws(1)
    rows = np.array([[float(v) for v in law] for law in laws])
    expected = np.array([[float(v) for v in cut(law, k)] for law in laws])
    np.testing.assert_allclose(top_tokens(rows, k), expected, atol=1e-15)


def test_published_witnesses():
    """(.6, .4) at .9 becomes greedy, (.45, .44, .11) keeps .89; the definition keeps all."""
    rows = np.array([[0.45, 0.44, 0.11]])
    np.testing.assert_allclose(nucleus(rows, 0.9, "at most"), [[0.45 / 0.89, 0.44 / 0.89, 0.0]], rtol=1e-14)
    np.testing.assert_allclose(nucleus(rows, 0.9, "at least"), rows, rtol=1e-14)
    chain = tm.MarkovChain([[0.7, 0.3], [0.2, 0.8]], 6)
    law = tm.sampler_law(tm.TopP(chain, 0.9, "at most"), tm.IndependentReveal([0.25] * 4))
    assert law.pmf.max() == 1.0  # one text, whatever the order
    whole = tm.sampler_law(tm.TopP(chain, 0.92), tm.RandomOrder([1] * 6))  # no conditional exceeds .9143
    np.testing.assert_allclose(whole.pmf, tm.quantities.to_table(chain).pmf, atol=1e-14)


def test_wrappers_are_denoisers():
    chain = tm.MarkovChain([[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]], 3)
    y = np.array([[-1, 0, -1], [0, 2, -1], [2, 0, 1]])
    for model in (tm.TopP(chain, 0.8), tm.TopTokens(chain, 2), tm.Argmax(chain), tm.RoundedGumbel(chain, 8)):
        found = model.marginals(y, "nan")
        assert np.isnan(found[1, 2]).all()  # 0 2 is impossible
        np.testing.assert_allclose(found[0].sum(axis=1), 1.0)
        np.testing.assert_array_equal(found[2], np.eye(3)[[2, 0, 1]])
        with pytest.raises(tm.ImpossibleContext):
            model.marginals(y)
    exact = chain.marginals(y, "nan")
    np.testing.assert_array_equal(tm.TopTokens(chain, 3).marginals(y, "nan"), exact)
    assert (tm.Argmax(chain).marginals(y[:1]).max(axis=2) == 1.0).all()


# float32 Gumbel noise


def race(q, bits):
    """P(a token of probability q beats the rest): its u on the lattice, the rest continuous at rate 1 - q."""
    h = 2.0**-bits
    u = 1.0 - h * np.arange(1, 2**bits)
    return h * (u ** ((1.0 - q) / q)).sum()


@pytest.mark.parametrize("bits", [12, 16])
def test_gumbel_share_is_a_lattice_race(bits):
    for power in (bits + 1, bits, bits - 2, bits - 5):
        q = 2.0**-power
        assert gumbel_share(np.array([q]), bits)[0] == pytest.approx(race(q, bits), rel=3 * q)
    assert gumbel_share(np.array([0.0]), bits)[0] == 0.0


def test_more_steps_are_colder():
    """Zipf over 50257 tokens, first ancestral step of N: a token is written with probability w/N."""
    zipf = 1.0 / np.arange(1, 50258)
    zipf /= zipf.sum()
    assert -(zipf * np.log(zipf)).sum() == pytest.approx(7.57, abs=0.005)
    published = {32: (0.956, 7.35), 128: (0.870, 6.89), 1000: (0.690, 5.90), 10000: (0.489, 4.79)}
    for steps, (share, surprise) in published.items():
        written = gumbel_share(zipf / steps)
        assert written.sum() * steps == pytest.approx(share, abs=5.1e-4)
        assert -(written @ np.log(zipf)) / written.sum() == pytest.approx(surprise, abs=5.1e-3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda q: tm.TopP(q, 0.0), "p = 0.0, it must lie in"),
        (lambda q: tm.TopP(q, 0.5, "below"), "mass = 'below', allowed: at least, at most"),
        (lambda q: tm.TopTokens(q, 0), "k = 0, it must be an integer >= 1"),
        (lambda q: tm.RoundedGumbel(q, 0), "bits = 0"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call(tm.repetition(2, 2))
