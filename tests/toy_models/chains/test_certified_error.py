"""The length-independent sequence error: printed values, the theorem on random sparse chains, controls."""

import numpy as np
import pytest

import toy_models as tm
from toy_models.chains.certified_error import GeometricTail, certified_levels
from toy_models.chains.recursion import exact_levels
from toy_models.chains.tables import gap_powers, mixing, mixing_at

CHAIN_A = np.array([[0.7, 0.3, 0], [0, 0.6, 0.4], [0.5, 0, 0.5]])
CHAIN_B = np.array([[0.85, 0.15, 0], [0, 0.8, 0.2], [0.1, 0, 0.9]])
UNIFORM_16 = [1.0 / m for m in range(1, 17)]
# worst-case rounding of the exact reference: N (n^2 V/2 + 20 n) 2^-53 at n = 161, V = 4, N = 5
ROUNDING = 5 * (161**2 * 2 + 20 * 161) * 2.0**-53


def sparse_chain(vocab_size: int, rng: np.random.Generator, stationary: bool) -> tm.MarkovChain:
    rows = rng.dirichlet(np.ones(vocab_size), vocab_size) * (rng.random((vocab_size, vocab_size)) > 0.35)
    rows += 0.3 * np.roll(np.eye(vocab_size), 1, axis=1)
    rows[0, 0] += 0.1
    return tm.MarkovChain(
        rows / rows.sum(axis=1, keepdims=True), 2, None if stationary else np.eye(vocab_size)[vocab_size - 1]
    )


def log_valid_exact(chain: tm.MarkovChain, reveals, n_max: int) -> np.ndarray:
    """ln W_m(n, ∗, ∗), shape (levels, n_max+1)."""
    n = np.arange(n_max + 1)
    with np.errstate(divide="ignore"):
        return np.stack([np.log(w[:, -1, -1]) + n * g for w, g in exact_levels(chain, reveals, n_max)])


def test_printed_rates_and_values_of_chain_a():
    tails = list(certified_levels(tm.MarkovChain(CHAIN_A, 2), UNIFORM_16, mixing(tm.MarkovChain(CHAIN_A, 2))))
    rates = [np.exp(tails[steps - 1].log_rate) for steps in (2, 3, 4, 16)]
    expected = [0.86294581419381, 0.91336876887005, 0.93665740761966, 0.98500803034044]
    np.testing.assert_allclose(rates, expected, rtol=0, atol=5.1e-15)
    found = tails[15].log_valid(np.array([64, 128, 512, 10**4, 10**6]))
    printed = [-0.956917882709, -1.92366893637, -7.72417525831, -151.045018963, -15105.47538]
    digits = [12, 11, 11, 9, 5]
    assert [round(a, d) for a, d in zip(found, digits, strict=True)] == printed


def test_printed_rates_of_chain_b():
    """A shorter D than the automatic one keeps this slower chain cheap."""
    chain = tm.MarkovChain(CHAIN_B, 2)
    tails = list(certified_levels(chain, UNIFORM_16[:4], mixing_at(chain, 90)))
    assert np.exp(tails[1].log_rate) == pytest.approx(0.89509177, abs=5e-9)
    assert np.exp(tails[3].log_rate) == pytest.approx(0.95949471, abs=5e-9)


@pytest.mark.parametrize("seed", range(18))
def test_theorem_on_random_sparse_chains(seed):
    """No violation at any length up to 160, any N <= 5, for short, medium and long bands and any initial law."""
    rng = np.random.default_rng(100 + seed)
    chain = sparse_chain(2 + seed % 3, rng, stationary=seed % 2 == 0)
    tail = (10, 20, 30)[seed // 3 % 3]
    mix = mixing_at(chain, tail)
    assert mix is not None
    reveals = [1.0, *rng.uniform(0.05, 0.9, size=4)]
    truth = log_valid_exact(chain, reveals, 161)[:, 2:]
    lengths = np.arange(1, 161)
    for level, found in enumerate(certified_levels(chain, reveals, mix)):
        error = np.abs(found.log_valid(lengths) - truth[level])
        assert (error <= found.bound(lengths) + ROUNDING).all()
        inside = lengths + 1 <= tail
        assert error[inside].max() < 1e-13


def test_bound_covers_a_real_error_and_a_wrong_tail_breaks_it():
    """With T = 8 the error is far above rounding and below the bound; a rate off by twice the bound is rejected."""
    chain = tm.MarkovChain(CHAIN_A, 2)
    lengths = np.arange(1, 161)
    truth = log_valid_exact(chain, UNIFORM_16[:4], 161)[3, 2:]
    tail = list(certified_levels(chain, UNIFORM_16[:4], mixing_at(chain, 12), tail=8))[3]
    error = np.abs(tail.log_valid(lengths) - truth)
    assert error[-1] > 1e-9
    assert (error <= tail.bound(lengths) + ROUNDING).all()
    wrong = GeometricTail(tail.log_head, tail.log_rate + 2 * tail.epsilon, tail.epsilon)
    assert (np.abs(wrong.log_valid(lengths) - truth) > wrong.bound(lengths) + ROUNDING).any()


def test_table_agrees_with_the_exact_route_to_512():
    chain = tm.MarkovChain(np.array([[0.3, 0.7], [1.0, 0.0]]), 2)
    lengths = [3, 200, 300, 512]
    exact = tm.sequence_error_table(chain, 6, lengths, method="exact")
    certified = tm.sequence_error_table(chain, 6, lengths, method="certified")
    assert certified.method == ("exact", "certified", "certified", "certified")
    np.testing.assert_allclose(certified.log_valid, exact.log_valid, rtol=1e-13, atol=1e-13)
    assert certified.error_bound[-1, -1] < 1e-10


def test_a_million_tokens_mix_with_short_lengths():
    chain = tm.MarkovChain(CHAIN_A, 2)
    table = tm.sequence_error_table(chain, 4, [6, 10**6])
    assert table.method == ("exact", "certified")
    assert table.error[2, 0] == pytest.approx(0.37876189, abs=5e-9)
    assert table.error_bound[:, 1].max() < 1e-7
    tail = list(certified_levels(chain, UNIFORM_16[:4], mixing(chain)))[3]
    assert table.log_valid[3, 1] == pytest.approx(tail.log_valid(np.array([10**6]))[0], rel=1e-14)
    assert table.log_valid[3, 1] / 10**6 == pytest.approx(np.log(0.93665740761966), rel=1e-5)


def test_weights_with_zeros_and_a_point_mass():
    """Steps that reveal nothing change nothing; all mass in one step is the one-step sampler."""
    chain = tm.MarkovChain(CHAIN_A, 2)
    lengths = [40, 600]
    plain = tm.chains.gap_sequence_error(chain, [0.5, 0.5], lengths, method="certified")
    padded = tm.chains.gap_sequence_error(chain, [0.0, 0.5, 0.0, 0.5, 0.0], lengths, method="certified")
    np.testing.assert_array_equal(plain.log_valid, padded.log_valid)
    point = tm.chains.gap_sequence_error(chain, [0.0, 1.0], lengths, method="certified")
    one = tm.sequence_error_table(chain, 1, lengths, method="certified")
    np.testing.assert_array_equal(point.log_valid, one.log_valid)


def test_independent_tokens_have_no_error_at_any_length():
    chain = tm.MarkovChain(np.array([[0.25, 0.75], [0.25, 0.75]]), 2)
    assert mixing(chain).distance == 2
    table = tm.sequence_error_table(chain, 3, [10**6], method="certified")
    assert np.abs(table.log_valid).max() < 1e-9


def test_mixing_bounds_the_true_distance():
    """delta at half the reported D, where it is far above rounding, squares to the bound; slow or periodic: None."""
    chain = tm.MarkovChain(CHAIN_A, 2)
    mix = mixing(chain)
    power = gap_powers(chain, mix.distance)
    law = chain.initial
    half = np.abs(power[mix.distance // 2, :, :3] / law - 1).max()
    assert half**2 <= mix.delta <= (half + 1e-12) ** 2
    quarter = mix.distance // 4
    assert np.abs(power[2 * quarter, :, :3] / law - 1).max() <= mixing_at(chain, 2 * quarter).delta
    assert mixing(tm.MarkovChain(np.array([[0.0, 1.0], [1.0, 0.0]]), 2)) is None
    assert mixing(tm.MarkovChain(np.array([[1.0, 0.0], [0.0, 1.0]]), 2, np.array([0.5, 0.5]))) is None
    assert mixing(tm.MarkovChain(np.array([[1.0, 0.0], [0.5, 0.5]]), 2)) is None
    assert mixing(tm.MarkovChain(np.array([[0.9999, 0.0001], [0.0001, 0.9999]]), 2)) is None
    assert mixing_at(tm.MarkovChain(np.array([[0.9999, 0.0001], [0.0001, 0.9999]]), 2), 4).delta < 1.0
    assert mixing_at(tm.MarkovChain(np.array([[0.0, 1.0], [1.0, 0.0]]), 2), 5) is None


def test_certified_route_refused_where_no_certificate_exists():
    with pytest.raises(tm.IntractableError, match="mixes too slowly"):
        tm.sequence_error_table(tm.MarkovChain(np.array([[0.0, 1.0], [1.0, 0.0]]), 2), 2, [10], method="certified")
