"""Gaps split between far ends: the theorem on random chains, the table it serves, and faults that break it."""

import numpy as np
import pytest
from slow_chains import naive_sequence_error

import toy_models as tm
from toy_models.chains import far_ends
from toy_models.chains.far_ends import FarEnds, _beta, far_split, split_levels
from toy_models.chains.recursion import exact_levels
from toy_models.chains.tables import gap_powers, stationary_distances

CHAIN_A = np.array([[0.7, 0.3, 0], [0, 0.6, 0.4], [0.5, 0, 0.5]])
LENGTHS = np.arange(1, 161)
# worst-case rounding of the exact reference: N (n^2 V/2 + 20 n) 2^-53 at n = 161, V = 5, N = 5
ROUNDING = 5 * (161**2 * 2.5 + 20 * 161) * 2.0**-53


def sparse_chain(seed: int) -> tm.MarkovChain:
    """Rows with zeros, some started off their stationary law."""
    rng = np.random.default_rng(seed)
    v = 2 + seed % 4
    rows = rng.dirichlet(np.ones(v), v) * (rng.random((v, v)) > 0.35) + 0.3 * np.roll(np.eye(v), 1, axis=1)
    rows[0, 0] += 0.1
    return tm.MarkovChain(rows / rows.sum(axis=1, keepdims=True), 2, np.eye(v)[v - 1] if seed % 2 else None)


def log_valid(chain: tm.MarkovChain, reveals, n_max: int = 161) -> np.ndarray:
    n = np.arange(n_max + 1)
    with np.errstate(divide="ignore"):
        return np.stack([np.log(w[:, -1, -1]) + n * g for w, g in exact_levels(chain, reveals, n_max)])


def ends_at(chain: tm.MarkovChain, cut: int) -> FarEnds:
    return FarEnds(cut, _beta(stationary_distances(chain, 4 * (cut + 1)), cut))


@pytest.mark.parametrize("seed", range(16))
@pytest.mark.parametrize("tail", [False, True])
def test_theorem_on_random_sparse_chains(seed, tail):
    """No violation at any length up to 160, N = 5, at the first cut that the theorem allows and at a later one."""
    chain = sparse_chain(seed)
    reveals = [1.0, *np.random.default_rng(seed).uniform(0.05, 0.9, size=4)]
    truth = log_valid(chain, reveals)[:, 2:]
    first = next(c for c in range(1, 80) if np.isfinite(ends_at(chain, c).beta))
    for cut in (first, 2 * first):
        reach = 2 * cut + 6 if tail else 161
        for level, found in enumerate(split_levels(chain, reveals, ends_at(chain, cut), reach, tail)):
            error = np.abs(found.log_valid(LENGTHS) - truth[level])
            assert (error <= found.bound(LENGTHS) + ROUNDING).all()
            assert error[2 * cut >= LENGTHS + 1].max() < 1e-12  # distances up to 2c are exact


def test_the_truncation_is_seen_and_a_bound_too_narrow_is_rejected():
    """Chain A at c = 8: errors far above rounding, inside the bound, outside a bound a million times smaller."""
    chain, reveals = tm.MarkovChain(CHAIN_A, 2), [1.0 / m for m in range(1, 5)]
    truth = log_valid(chain, reveals)[3, 2:]
    found = list(split_levels(chain, reveals, ends_at(chain, 8), 30))[3]
    error = np.abs(found.log_valid(LENGTHS) - truth)
    assert np.isfinite(found.epsilon)
    assert error[-1] > 1e-7
    assert (error <= found.bound(LENGTHS) + ROUNDING).all()
    assert (error > found.bound(LENGTHS) / 1e6 + ROUNDING).any()


@pytest.mark.parametrize("fault", ["law", "cut", "reveal"])
def test_a_fault_in_the_split_breaks_the_bound(monkeypatch, fault):
    """A wrong law in the middle, a position left out at the cut, and a wrong reveal probability are all outside."""
    chain, reveals = tm.MarkovChain(CHAIN_A, 2), [1.0 / m for m in range(1, 5)]
    truth = log_valid(chain, reveals)[3, 2:]
    split = far_ends._split

    def wrong(power, kept, law, r, c):
        if fault == "law":
            law = law * 1.001
        if fault == "reveal":
            r = r * 0.999
        value, right = split(power, kept, law, r, c)
        return (value * (1.0 - 1e-4) if fault == "cut" else value), right

    monkeypatch.setattr(far_ends, "_split", wrong)
    found = list(split_levels(chain, reveals, ends_at(chain, 24), 60))[3]
    assert (np.abs(found.log_valid(LENGTHS) - truth) > found.bound(LENGTHS) + ROUNDING).any()


@pytest.mark.parametrize("seed", range(6))
def test_beta_bounds_every_bridge(seed):
    """All factors of a gap together, by their powers: at most beta, at every distance from 2c + 1 on."""
    chain = sparse_chain(seed)
    cut = next(c for c in range(1, 80) if np.isfinite(ends_at(chain, c).beta))
    power = gap_powers(chain, 6 * cut)
    v = chain.vocab_size
    law = np.append(np.linalg.matrix_power(chain.transition, 4096)[0], 1.0)
    for n in (2 * cut + 1, 3 * cut, 6 * cut):
        total = 0.0
        for s in range(1, n):
            left, right = power[s, :, :v], power[n - s, :v]
            bridge = left[:, :, None] * right[None] / power[n][:, None, :]
            stand_in = {
                "left": np.broadcast_to(left[:, :, None], bridge.shape),
                "right": law[:v, None] * right / law * np.ones_like(bridge),
                "middle": law[:v, None] * np.ones_like(bridge),
            }["left" if s <= cut else "right" if n - s <= cut else "middle"]
            assert ((bridge > 0) == (stand_in > 0)).all()  # zeros are kept
            seen = bridge > 0
            total += np.abs(np.log(bridge[seen] / stand_in[seen])).max()
        assert total <= ends_at(chain, cut).beta


def test_table_to_a_tolerance():
    """Within its bound of the exact route, which is taken where it is cheaper, and of the plain loops."""
    chain = tm.MarkovChain(CHAIN_A, 2)
    lengths = [3, 60, 200]
    exact = tm.sequence_error_table(chain, 6, lengths, method="exact")
    found = tm.sequence_error_table(chain, 6, lengths, tolerance=1e-5)
    assert found.method == ("exact", "split", "split")
    assert 0 < found.error_bound[:, 1:].max() <= 1e-5
    assert (np.abs(found.log_valid - exact.log_valid) <= found.error_bound + exact.error_bound).all()
    assert tm.sequence_error_table(chain, 2, [8], tolerance=1e-5).method == ("exact",)
    assert found.error[1, 0] == pytest.approx(naive_sequence_error(chain, [0.5, 1.0], 3), abs=1e-12)
    long = tm.sequence_error_table(chain, 4, [10**4], tolerance=1e-6)
    certified = tm.sequence_error_table(chain, 4, [10**4], method="certified")
    assert (np.abs(long.log_valid - certified.log_valid) <= long.error_bound + certified.error_bound).all()


def test_english_bigrams_at_a_short_length():
    """27 letters: the split route at L = 34 within its bound of the exact one."""
    chain = tm.corpus.language(2, 34)
    exact = tm.sequence_error_table(chain, 2, [34], method="exact")
    found = tm.sequence_error_table(chain, 2, [34], method="split", tolerance=1e-3)
    assert found.method == ("split",)
    assert (np.abs(found.log_valid - exact.log_valid) <= found.error_bound).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tolerance": 0.0}, r"tolerance = 0.0, it must be a number between 0 and 1"),
        ({"method": "split"}, r"tolerance = None, it must be"),
        ({"method": "nearly", "tolerance": 1e-3}, r'method = \'nearly\', allowed: None, "exact"'),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        tm.sequence_error_table(tm.MarkovChain(CHAIN_A, 2), 2, [10], **arguments)


def test_refusals():
    periodic = tm.MarkovChain(np.array([[0.0, 1.0], [1.0, 0.0]]), 2)
    with pytest.raises(tm.IntractableError, match="mixes too slowly"):
        tm.sequence_error_table(periodic, 2, [10], method="split", tolerance=1e-3)
    assert far_split(periodic, 1e-3) is None
    assert tm.sequence_error_table(periodic, 2, [10], tolerance=1e-3).method == ("exact",)
