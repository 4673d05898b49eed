"""log p(x) by gaps: printed values, the lattice law on and off the support, loops, band against full table."""

import numpy as np
import pytest
from slow_chains import naive_log_likelihood

import toy_models as tm
from toy_models.chains import likelihood as gap_likelihood
from toy_models.quantities import lattice

CHAIN_A = np.array([[0.7, 0.3, 0], [0, 0.6, 0.4], [0.5, 0, 0.5]])


def sparse_chain(vocab_size: int, length: int, rng: np.random.Generator, stationary: bool) -> tm.MarkovChain:
    rows = rng.dirichlet(np.ones(vocab_size), vocab_size) * (rng.random((vocab_size, vocab_size)) > 0.35)
    rows += 0.3 * np.roll(np.eye(vocab_size), 1, axis=1)
    rows[0, 0] += 0.1
    initial = None if stationary else np.r_[0.0, rng.dirichlet(np.ones(vocab_size - 1))]
    return tm.MarkovChain(rows / rows.sum(axis=1, keepdims=True), length, initial)


def lattice_log_p(chain: tm.MarkovChain, weights) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(tm.sampler_law(chain, tm.IndependentReveal(np.asarray(weights))).pmf.ravel())


def test_printed_values():
    x = np.array([[0, 1, 2, 0, 1, 1, 2, 2, 0, 0, 1, 2]])
    found = tm.chains.gap_log_likelihood(tm.MarkovChain(CHAIN_A, 12), 64, x)
    printed = [-13.44701472, -11.07623120, -10.67261385, -10.51281097, -10.31562999, -10.17915687]
    assert [round(float(found.log_p[0, n - 1]), 8) for n in (1, 2, 3, 4, 8, 64)] == printed
    assert found.band == 13
    assert found.log_p.shape == (1, 64)


@pytest.mark.parametrize("seed", range(6))
def test_every_sequence_agrees_with_the_lattice_law(seed):
    """On and off the support, uniform and other weights, stationary or not; sums to one minus the stopped mass."""
    rng = np.random.default_rng(seed)
    chain = sparse_chain(2 + seed % 3, 5 if seed % 3 else 7, rng, stationary=seed < 3)
    x = lattice.sequences(chain.vocab_size, chain.length)
    uniform = tm.chains.gap_log_likelihood(chain, 3, x)
    others = [rng.dirichlet(np.ones(4)), np.array([0.0, 0.5, 0.0, 0.5, 0.0]), np.array([1.0])]
    found = [uniform.log_p[:, k] for k in range(3)] + [
        tm.chains.gap_log_likelihood(chain, w, x).log_p[:, 0] for w in others
    ]
    weights = [np.full(n, 1 / n) for n in (1, 2, 3)] + others
    for value, w in zip(found, weights, strict=True):
        truth = lattice_log_p(chain, w)
        np.testing.assert_array_equal(np.isfinite(value), np.isfinite(truth))
        finite = np.isfinite(truth)
        np.testing.assert_allclose(value[finite], truth[finite], rtol=0, atol=1e-12)


def test_one_step_writes_every_sequence_and_most_are_invalid():
    """Independent draws give all 243 sequences of chain A positive probability; 195 of them are off the support."""
    chain = tm.MarkovChain(CHAIN_A, 5)
    x = lattice.sequences(3, 5)
    found = tm.chains.gap_log_likelihood(chain, 2, x).log_p
    assert (~np.isfinite(chain.log_prob(x))).sum() == 195
    np.testing.assert_allclose(found[:, 0], np.log(chain.initial)[x].sum(axis=1), rtol=1e-13)
    assert np.exp(found[:, 0]).sum() == pytest.approx(1.0, abs=1e-13)
    assert np.exp(found[:, 1]).sum() < 1.0 - 1e-3  # the rest stopped at an impossible context


def test_corner_chains():
    """Periodic, reducible with a transient token, a step of probability 1e-14, one position."""
    rows = [
        (np.array([[0.0, 1.0], [1.0, 0.0]]), 5),
        (np.array([[1.0, 0.0], [0.5, 0.5]]), 5),
        (np.array([[1 - 1e-14, 1e-14], [0.5, 0.5]]), 5),
        (np.array([[0.5, 0.5], [0.5, 0.5]]), 1),
    ]
    for transition, length in rows:
        chain = tm.MarkovChain(transition, length, np.array([0.25, 0.75]))
        x = lattice.sequences(2, length)
        weights = np.array([0.3, 0.3, 0.4])
        truth = lattice_log_p(chain, weights)
        found = tm.chains.gap_log_likelihood(chain, weights, x).log_p[:, 0]
        np.testing.assert_array_equal(np.isfinite(found), np.isfinite(truth))
        finite = np.isfinite(truth)
        np.testing.assert_allclose(found[finite], truth[finite], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_full_table_agrees_with_loops(seed):
    rng = np.random.default_rng(seed)
    chain = sparse_chain(2 + seed, 12, rng, stationary=seed != 1)
    x = chain.sample(1, rng)
    hazards = [0.3, 0.2, 0.5, 1.0]
    weights = np.array([0.3, 0.14, 0.28, 0.28])
    found = tm.chains.gap_log_likelihood(chain, weights, x, band=13).log_p[0, 0]
    assert found == pytest.approx(naive_log_likelihood(chain, hazards, x[0]), abs=1e-12)


def test_band_against_the_full_table_and_the_automatic_width():
    """The estimate covers the error; the automatic width is within 1e-10, a band that is too narrow is not."""
    chain = tm.MarkovChain(CHAIN_A, 100)
    x = chain.sample(3, np.random.default_rng(5))
    full = tm.chains.gap_log_likelihood(chain, 12, x, band=101)
    assert full.error_estimate.max() == 0.0
    for band in (12, 20, 32):
        found = tm.chains.gap_log_likelihood(chain, 12, x, band=band)
        assert found.band == band
        worst = np.abs(found.log_p - full.log_p).max()
        assert worst <= found.error_estimate.max()
        if band == 12:
            assert worst > 1e-5
    automatic = tm.chains.gap_log_likelihood(chain, 12, x)
    assert automatic.band < 101
    assert automatic.error_estimate.max() <= gap_likelihood.TOLERANCE
    np.testing.assert_allclose(automatic.log_p, full.log_p, rtol=0, atol=gap_likelihood.TOLERANCE)


def test_one_token_per_step_is_the_chain_itself():
    """N -> infinity: log p -> log q at rate 1/N."""
    chain = tm.MarkovChain(CHAIN_A, 8)
    x = chain.sample(4, np.random.default_rng(0))
    found = tm.chains.gap_log_likelihood(chain, 4096, x).log_p
    distance = found[:, [1023, 2047, 4095]] - chain.log_prob(x)[:, None]
    np.testing.assert_allclose(distance[:, :-1] / distance[:, 1:], 2.0, rtol=0.02)


def test_mean_over_the_chain_is_the_cross_entropy():
    """The average of -log p under q exceeds H(q) by KL(q || p), printed for L = 6."""
    chain = tm.MarkovChain(CHAIN_A, 6)
    x = lattice.sequences(3, 6)
    x = x[np.isfinite(chain.log_prob(x))]
    q = np.exp(chain.log_prob(x))
    for weights, printed in ((np.full(3, 1 / 3), 0.48693491), (np.array([0.2, 0.5, 0.3]), 0.55658694)):
        kl = q @ (chain.log_prob(x) - tm.chains.gap_log_likelihood(chain, weights, x).log_p[:, 0])
        assert kl == pytest.approx(printed, abs=5.1e-9)


def test_long_sequence_is_rescaled():
    """L = 3000 in the band: p(x) far below float64; the two widths agree."""
    chain = tm.MarkovChain(CHAIN_A, 3000)
    x = chain.sample(1, np.random.default_rng(2))
    found = tm.chains.gap_log_likelihood(chain, 3, x)
    assert found.log_p[0, 0] < -1500
    other = tm.chains.gap_log_likelihood(chain, 3, x, band=found.band + 16)
    np.testing.assert_allclose(found.log_p, other.log_p, rtol=0, atol=1e-10)


def test_too_much_work_is_refused():
    chain = tm.MarkovChain(np.array([[0.9999, 0.0001], [0.0001, 0.9999]]), 3000)
    with pytest.raises(tm.IntractableError, match=r"full table: 1 rows, L = 3000, 64 steps"):
        tm.chains.gap_log_likelihood(chain, 64, np.zeros((1, 3000), dtype=np.int64))
    chain = tm.MarkovChain(CHAIN_A, 1000)
    with pytest.raises(tm.IntractableError, match="outside the support"):
        tm.chains.gap_log_likelihood(chain, 64, np.tile([0, 2], 500)[None])


@pytest.mark.parametrize(
    ("steps", "x", "message"),
    [
        (0, [[0, 1]], "max_steps = 0"),
        (2, [[0, -1]], r"tokens\[0, 1\] = -1"),
        (2, [[0, 1, 1]], r"shape \(batch, 2\)"),
        ([0.5, 0.4], [[0, 1]], "weights sum to"),
    ],
)
def test_bad_input(steps, x, message):
    with pytest.raises(ValueError, match=message):
        tm.chains.gap_log_likelihood(tm.MarkovChain(CHAIN_A, 2), steps, np.array(x))


def test_empty_batch():
    assert tm.chains.gap_log_likelihood(
        tm.MarkovChain(CHAIN_A, 4), 5, np.empty((0, 4), dtype=np.int64)
    ).log_p.shape == (0, 5)
