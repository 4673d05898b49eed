"""log p(x): every route against every other, and against the lattice law."""

import re
from itertools import product

import numpy as np
import pytest

import toy_models as tm
from toy_models.quantities.lattice import sequences

CHAIN_A = [[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]]
ATOL = 1e-12
WEIGHTS = np.array([0.2, 0.5, 0.3])


def close(found, expected):
    """Equal up to ATOL, -inf in the same rows."""
    np.testing.assert_array_equal(np.isneginf(found), np.isneginf(expected))
    np.testing.assert_allclose(found, expected, rtol=0, atol=ATOL)


def law(denoiser, rule):
    with np.errstate(divide="ignore"):
        return np.log(tm.sampler_law(denoiser, rule).pmf.ravel())


CONTENT_FREE = {
    "independent": tm.IndependentReveal(WEIGHTS),
    "with empty steps": tm.IndependentReveal([0.0, 0.6, 0.0, 0.4, 0.0]),
    "shifted": tm.ShiftedReveal(3),
    "random order": tm.RandomOrder((1, 0, 3, 1)),
    "fixed order": tm.FixedOrder(((0, 3), (), (4,), (1, 2))),
}
TARGETS = {
    "chain": tm.MarkovChain(CHAIN_A, 5),
    "hmm": tm.HMM([1 / 3, 2 / 3], [[0.8, 0.2], [0.1, 0.9]], [[0.7, 0.3, 0.0], [0.0, 0.25, 0.75]], 5),
    "code": tm.LinearCode(np.array([[1, 0, 1, 1, 0], [0, 1, 1, 0, 1]]), 2),
    "permuted denoiser": tm.Smoothed(tm.MarkovChain(CHAIN_A, 5), 0.1),
}


@pytest.mark.parametrize("rule", CONTENT_FREE)
@pytest.mark.parametrize("target", TARGETS)
def test_subsets_against_the_lattice_law(target, rule):
    """On every word, written or not."""
    denoiser, rule = TARGETS[target], CONTENT_FREE[rule]
    x = sequences(denoiser.vocab_size, 5)
    close(tm.log_likelihood(denoiser, rule, x, "subsets"), law(denoiser, rule))


@pytest.mark.parametrize(
    "rule",
    [
        tm.TopK(1),
        tm.TopK(2, "entropy"),
        tm.Threshold(0.6, "confidence"),
        tm.EntropyBounded(0.3),
        tm.SemiAutoregressive(2, tm.TopK(1, "margin")),
        tm.FixedOrder(((4,), (0, 2), (1, 3))),
    ],
    ids=lambda rule: type(rule).__name__,
)
@pytest.mark.parametrize("target", TARGETS)
def test_replay_against_the_lattice_law(target, rule):
    denoiser = TARGETS[target]
    x = sequences(denoiser.vocab_size, 5)
    close(tm.log_likelihood(denoiser, rule, x), law(denoiser, rule))


def test_replay_against_subsets_in_a_fixed_order():
    chain, rule = tm.MarkovChain(CHAIN_A, 9), tm.FixedOrder(((8, 1), (4,), (0, 2, 6), (3, 5, 7)))
    x = np.concatenate([chain.sample(6, np.random.default_rng(1)), np.random.default_rng(2).integers(3, size=(6, 9))])
    close(tm.log_likelihood(chain, rule, x, "replay"), tm.log_likelihood(chain, rule, x, "subsets"))


@pytest.mark.parametrize("rule", [tm.IndependentReveal(WEIGHTS), tm.ShiftedReveal(4)], ids=["independent", "shifted"])
@pytest.mark.parametrize("length", [1, 2, 9])
def test_gap_recursion_against_subsets(rule, length):
    chain = tm.MarkovChain(CHAIN_A, length)
    rng = np.random.default_rng(3)
    x = np.concatenate([chain.sample(5, rng), rng.integers(3, size=(5, length))])
    close(
        tm.log_likelihood(chain, rule, x, "own"),
        tm.log_likelihood(chain, rule, x, "subsets"),
    )


@pytest.mark.parametrize("rule", [tm.IndependentReveal(WEIGHTS), tm.ShiftedReveal(3)], ids=["independent", "shifted"])
def test_blocks_against_subsets(rule):
    blocks = tm.Blocks(tm.MarkovChain(CHAIN_A, 3), 3)
    rng = np.random.default_rng(4)
    x = np.concatenate([blocks.sample(3, rng), rng.integers(3, size=(3, 9))])
    assert np.isneginf(blocks.log_prob(x)).sum() >= 2
    close(tm.log_likelihood(blocks, rule, x, "own"), tm.log_likelihood(blocks, rule, x, "subsets"))


def test_blocks_off_the_support():
    """A block that is already impossible stops the whole row: the product over blocks would count too much."""
    pairs = tm.pairs(2, 4)
    x = sequences(4, 4)
    for rule in (tm.IndependentReveal([0.5, 0.2, 0.3]), tm.ShiftedReveal(3)):
        close(tm.log_likelihood(pairs, rule, x, "own"), law(pairs, rule))
    rule = tm.IndependentReveal([0.5, 0.2, 0.3])
    naive = tm.log_likelihood(pairs.target, rule, x.reshape(-1, 2)).reshape(-1, 2).sum(axis=1)
    assert (naive > law(pairs, rule) + 0.1).any()


def test_shifted_grid_is_the_mean_over_shifts():
    """The Gauss-Legendre mixture against 200 midpoints, whose error is O(200^-2)."""
    chain, rule = tm.MarkovChain(CHAIN_A, 4), tm.ShiftedReveal(3)
    x = chain.sample(2, np.random.default_rng(5))
    shifts = (np.arange(200) + 0.5) / 200
    mean = np.mean([np.exp(tm.log_likelihood(chain, rule.at_shift(float(u)), x)) for u in shifts], axis=0)
    np.testing.assert_allclose(np.exp(tm.log_likelihood(chain, rule, x)), mean, rtol=0, atol=2e-6)


def test_pair_language_closed_form():
    """log p(x) - log q(x) = (L/2) log(1 - (1 - 1/K)/N) on the support, at any length; shifted by quadrature."""
    pairs = tm.pairs(8, 512)
    x = pairs.sample(3, np.random.default_rng(6))
    found = tm.log_likelihood(pairs, tm.IndependentReveal(np.full(64, 1 / 64)), x) - pairs.log_prob(x)
    np.testing.assert_allclose(found, 256 * np.log1p(-7 / 8 / 64), rtol=1e-12)
    short = tm.pairs(8, 64)
    x = short.sample(3, np.random.default_rng(7))
    found = tm.log_likelihood(short, tm.ShiftedReveal(9), x) - short.log_prob(x)
    u = (np.arange(20_000) + 0.5) / 20_000
    collision = (u**2 + 7 + (1 - u) ** 2) / 64
    np.testing.assert_allclose(found, np.log(np.mean((1 - 7 / 8 * collision) ** 32)), rtol=1e-9)


def test_default_routes_agree_with_every_forced_one():
    chain, x = tm.MarkovChain(CHAIN_A, 7), tm.MarkovChain(CHAIN_A, 7).sample(3, np.random.default_rng(8))
    rule = tm.IndependentReveal(WEIGHTS)
    for method in (None, "own", "subsets"):
        close(tm.log_likelihood(chain, rule, x, method), tm.log_likelihood(chain, rule, x, "subsets"))


def test_a_wrong_schedule_is_told_apart():
    chain = tm.MarkovChain(CHAIN_A, 6)
    x = chain.sample(20, np.random.default_rng(9))
    right, late = (tm.log_likelihood(chain, tm.IndependentReveal(w), x) for w in (WEIGHTS, WEIGHTS[::-1].copy()))
    assert np.abs(right - late).max() > 1e-2


@pytest.mark.parametrize(
    ("denoiser", "rule", "method", "message"),
    [
        (
            tm.MarkovChain(CHAIN_A, 5),
            tm.TopK(1),
            "magic",
            "method = 'magic' does not serve TopK on MarkovChain, allowed: None, replay",
        ),
        (
            tm.MarkovChain(CHAIN_A, 5),
            tm.TopK(1),
            "subsets",
            "method = 'subsets' does not serve TopK on MarkovChain, allowed: None, replay",
        ),
        (
            tm.MarkovChain(CHAIN_A, 5),
            tm.RandomOrder((5,)),
            "own",
            "method = 'own' does not serve RandomOrder on MarkovChain, allowed: None, subsets",
        ),
        (
            TARGETS["hmm"],
            tm.IndependentReveal(WEIGHTS),
            "own",
            "method = 'own' does not serve IndependentReveal on HMM, allowed: None, subsets",
        ),
        (
            tm.MarkovChain(CHAIN_A, 5),
            tm.FixedOrder(((0,), (1, 2))),
            None,
            "blocks cover 3 positions, the length is 5",
        ),
        (tm.MarkovChain(CHAIN_A, 5), tm.RandomOrder((2, 2)), None, "they must sum to the length 5"),
    ],
)
def test_refused(denoiser, rule, method, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        tm.log_likelihood(denoiser, rule, np.zeros((1, 5), dtype=np.int64), method)


def test_refused_tokens_and_sizes():
    chain, rule = tm.MarkovChain(CHAIN_A, 3), tm.IndependentReveal([1.0])
    with pytest.raises(ValueError, match="a masked sequence has no probability; use marginals"):
        tm.log_likelihood(chain, rule, np.array([[0, -1, 0]]))
    with pytest.raises(ValueError, match=re.escape("tokens[0, 1] = 3, allowed: 0..2")):
        tm.log_likelihood(chain, rule, np.array([[0, 3, 0]]))
    hmm = tm.HMM([1.0], [[1.0]], [[0.5, 0.5]], 17)
    with pytest.raises(tm.IntractableError, match=re.escape("L = 17, hence 3^17 terms per step is beyond")):
        tm.log_likelihood(hmm, rule, np.zeros((1, 17), dtype=np.int64))


def test_total_probability_is_one_for_a_full_support_chain():
    chain = tm.MarkovChain([[0.6, 0.4], [0.3, 0.7]], 6)
    x = np.array(list(product((0, 1), repeat=6)))
    for rule in (tm.IndependentReveal(WEIGHTS), tm.ShiftedReveal(5), tm.RandomOrder((4, 2)), tm.TopK(2)):
        assert np.exp(tm.log_likelihood(chain, rule, x)).sum() == pytest.approx(1.0, abs=1e-12)
