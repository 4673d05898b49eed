"""Enclosures of reveal curves, entropies and trajectory KL against enumeration, the gap formula and each other."""

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest

import toy_models as tm
from toy_models.hidden_chains import tighten as curve_tighten
from toy_models.hidden_chains.cells import Exact, Extremal, Grid, Hybrid
from toy_models.hidden_chains.window import TooManyAtoms, curve_bound, entropy_bound, hidden_form, one_sided_lists
from toy_models.quantities import lattice
from toy_models.targets.markov import stationary_law

INF = math.inf
A1, B1 = np.array([[0.8, 0.2], [0.1, 0.9]]), np.array([[0.7, 0.3, 0.0], [0.0, 0.25, 0.75]])
A2, B2 = np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([[0.85, 0.15], [0.3, 0.7]])
A3 = np.array([[0.8, 0.15, 0.05], [0.1, 0.8, 0.1], [0.05, 0.25, 0.7]])
B3 = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.15, 0.15, 0.7]])
Q1 = np.array([[0.1, 0.7], [0.4, 0.8]])  # P(1 | u, v)
CHAIN_A = np.array([[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]])


def hmm(transition, emission, length: int) -> tm.HMM:
    return tm.HMM(stationary_law(transition), transition, emission, length)


def trigram(length: int) -> tm.NGram:
    return tm.NGram(np.stack([1 - Q1, Q1], axis=-1), length)


def enumerated(target, a: float) -> float:
    """h(a) by H(X_i | X_T) of every set T."""
    entropies = lattice.subset_cross_entropies(target)
    free = target.length - 1
    sizes = np.array([subset.bit_count() for subset in range(2**target.length)])
    weight = a**sizes * (1 - a) ** np.maximum(free - sizes, 0)
    return float((weight[:, None] * entropies).sum() / target.length)


def enumerated_kl(target, weights) -> float:
    """E KL(q || p_tau) over all assignments of positions to steps."""
    entropies = lattice.subset_cross_entropies(target)
    total = 0.0
    for steps in product(range(len(weights)), repeat=target.length):
        revealed = [sum(1 << m for m, other in enumerate(steps) if other < own) for own in steps]
        cost = sum(entropies[subset, i] for i, subset in enumerate(revealed))
        total += float(np.prod(weights[list(steps)])) * cost
    return total - target.entropy()


def random_hmm(rng: np.random.Generator, states: int, vocab_size: int, length: int, stationary: bool) -> tm.HMM:
    transition = rng.dirichlet(np.full(states, 0.6), states)
    emission = rng.dirichlet(np.full(vocab_size, 0.5), states)
    if rng.random() < 0.5:
        emission[0] = np.eye(vocab_size)[0]
    initial = stationary_law(transition) if stationary else rng.dirichlet(np.full(states, 0.5))
    return tm.HMM(initial, transition, emission, length)


def contains(bounds, value, rounding: float = 2e-15) -> bool:
    return bool(np.all(bounds.low <= value + rounding) and np.all(value <= bounds.high + rounding))


SMALL = [
    (hmm(A1, B1, 6), hmm(A1, B1, 6), (0.977037793, 0.906991774, 0.842476892)),
    (hmm(A2, B2, 8), hmm(A2, B2, 8), (0.624614707, 0.610246722, 0.595626441)),
    (hmm(A3, B3, 6), hmm(A3, B3, 6), (1.026172433, 0.985674243, 0.945375939)),
    (trigram(8), trigram(8), (0.547585955, 0.443518582, 0.372504448)),
]


@pytest.mark.parametrize(("target", "law", "printed"), SMALL, ids=["H1", "H2", "H3", "trigram"])
def test_short_sequences_are_exact(target, law, printed):
    a = np.array([0.2, 0.5, 0.9])
    bounds = tm.reveal_curve_bounds(target, a, 1e-12, method="exact")
    assert (bounds.high - bounds.low).max() < 1e-14
    np.testing.assert_allclose(bounds.low, [enumerated(law, v) for v in a], rtol=0, atol=3e-15)
    np.testing.assert_allclose(bounds.low, printed, rtol=0, atol=6e-10)


@pytest.mark.parametrize(
    ("target", "tolerance", "printed"),
    [
        (hmm(A1, B1, 3), 1.5e-8, ((0.954864899025, 0.954864900410), (0.872868436119, 0.872868436335))),
        (hmm(A2, B2, 3), 2e-7, ((0.621350417, 0.621350443), (0.604393699, 0.604393721))),
        (hmm(A3, B3, 3), 4e-4, (None, (0.964618, 0.964691))),
        (trigram(3), 4e-4, (None, (0.4059102406, 0.4059126162))),
    ],
    ids=["H1", "H2", "H3", "trigram"],
)
def test_infinite_length_contains_the_narrower_enclosures(target, tolerance, printed):
    for a, interval in zip((0.2, 0.5), printed, strict=True):
        if interval is not None:
            bounds = tm.reveal_curve_bounds(target, a, tolerance, length=INF)
            assert bounds.low < interval[1]
            assert bounds.high > interval[0]
            assert 0 < bounds.high - bounds.low <= tolerance


def test_trigram_by_exact_windows_to_ten_digits():
    bounds = tm.reveal_curve_bounds(trigram(3), [0.5, 0.8], 2.4e-6, length=INF)
    np.testing.assert_allclose(bounds.low, [0.4059102406, 0.3533354578], rtol=0, atol=6e-11)
    np.testing.assert_allclose(bounds.high, [0.4059126162, 0.3533354582], rtol=0, atol=6e-11)
    assert bounds.window.tolist() == [11, 11]


@pytest.mark.parametrize("stationary", [True, False])
def test_no_violation_on_random_hidden_chains(stationary):
    rng = np.random.default_rng(11)
    checked = 0
    for states in (2, 3, 4):
        for length in (1, 2, 5):
            target = random_hmm(rng, states, int(rng.integers(2, 4)), length, stationary)
            form = hidden_form(target)
            kinds = [Exact(), Grid(5), Hybrid(6, 3), *([Extremal(6)] if form.states == 2 else [])]
            for a in (0.15, 0.6):
                exact = enumerated(target, a)
                for kind in kinds:
                    for window in {1, 2, length}:
                        low = curve_bound(form, a, length, window, kind, False)
                        high = curve_bound(form, a, length, window, kind, True)
                        assert low <= exact + 3e-15
                        assert exact <= high + 3e-15
                        checked += 1
            exact = target.entropy()
            for kind in kinds:
                assert entropy_bound(form, length, 2, kind, False) <= exact + 1e-14
                assert entropy_bound(form, length, 2, kind, True) >= exact - 1e-14
    assert checked > 120


def test_control_swapped_reductions_violate_the_bounds():
    """Splitting where atoms should be added, and the other way round, lands on the wrong side."""

    @dataclass(frozen=True)
    class Swapped:
        cells: int

        def shorten(self, atoms, upper):
            return Extremal(self.cells).shorten(atoms, not upper)

    form = hidden_form(hmm(A2, B2, 7))
    exact = enumerated(hmm(A2, B2, 7), 0.5)
    assert curve_bound(form, 0.5, 7, 7, Swapped(4), True) < exact - 1e-6
    assert curve_bound(form, 0.5, 7, 7, Swapped(4), False) > exact + 1e-6


def test_control_window_starts_swapped_violate_the_bounds():
    """The window's gap is real: at one step forgetting and disclosing differ by far more than the tolerance."""
    form = hidden_form(hmm(A2, B2, 3))
    low, high = (curve_bound(form, 0.5, INF, 1, Exact(), upper) for upper in (False, True))
    assert low == pytest.approx(0.604393710 - 0.067470, abs=1e-4)
    assert high - low == pytest.approx(7.89e-2, abs=1e-4)
    widths = [
        curve_bound(form, 0.5, INF, w, Exact(), True) - curve_bound(form, 0.5, INF, w, Exact(), False)
        for w in range(2, 7)
    ]
    ratios = np.array(widths[1:]) / widths[:-1]
    assert ((ratios > 0.3) & (ratios < 0.45)).all()  # geometric, .38 per step in the limit


@pytest.mark.parametrize("kind", [Extremal, Grid])
def test_width_falls_with_the_square_of_the_cells(kind):
    form = hidden_form(hmm(A2, B2, 3))
    widths = [
        curve_bound(form, 0.5, INF, 40, kind(cells), True) - curve_bound(form, 0.5, INF, 40, kind(cells), False)
        for cells in (50, 200, 800)
    ]
    slopes = np.log(np.array(widths[:-1]) / widths[1:]) / np.log(4.0)
    assert (np.abs(slopes - 2.0) < 0.15).all()


def test_routes_overlap_where_several_apply():
    for target, methods in (
        (hmm(A2, B2, 3), ("extremal", "grid", "hybrid", "exact")),
        (hmm(A3, B3, 3), ("exact", "grid", "hybrid")),
    ):
        for length in (INF, 12):
            found = [tm.reveal_curve_bounds(target, 0.6, 5e-3, length=length, method=m) for m in methods]
            assert max(float(f.low) for f in found) <= min(float(f.high) for f in found)


def test_a_chain_written_as_an_hmm_gives_the_gap_formula():
    a = np.array([0.3, 0.7])
    chain = tm.MarkovChain(CHAIN_A, 30)
    disguised = tm.HMM(chain.initial, CHAIN_A, np.eye(3), 30)
    for length in (30, 500, INF):
        exact = tm.reveal_curve_bounds(chain, a, 1e-9, length=length)
        assert exact.method == "gap"
        hidden = tm.reveal_curve_bounds(disguised, a, 1e-9, length=length)
        assert contains(hidden, exact.low)
        assert (hidden.high - hidden.low).max() <= 1e-9
    value, _ = tm.hidden_chains.entropy_bounds(chain, 1e-9)
    low, high = tm.hidden_chains.entropy_bounds(disguised, 1e-9)
    assert low <= value + 1e-13
    assert value <= high + 1e-13
    bigram = tm.NGram(CHAIN_A, 30, chain.initial)
    assert tm.reveal_curve_bounds(bigram, 0.3, 1e-9).method == "gap"
    unigram = tm.NGram(chain.initial, 30)
    assert tm.reveal_curve_bounds(unigram, 0.3, 1e-9).low == pytest.approx(
        -float(chain.initial @ np.log(chain.initial)), abs=1e-15
    )


def test_start_off_the_stationary_law_at_a_length_beyond_enumeration():
    chain = tm.MarkovChain(CHAIN_A, 300, np.array([0.0, 1.0, 0.0]))
    disguised = tm.HMM(chain.initial, CHAIN_A, np.eye(3), 300)
    exact = tm.reveal_curve_bounds(chain, 0.4, 1e-9)
    assert contains(tm.reveal_curve_bounds(disguised, 0.4, 1e-8), exact.low)
    stationary = tm.reveal_curve_bounds(tm.MarkovChain(CHAIN_A, 300), 0.4, 1e-9)
    assert abs(float(exact.low - stationary.low)) > 1e-4  # the start matters, so this is no empty check


def test_the_curve_integrates_to_the_entropy():
    nodes, weights = np.polynomial.legendre.leggauss(4)
    for target, printed in (
        (hmm(A1, B1, 6), 5.495917072),
        (hmm(A2, B2, 8), 4.893257416),
        (hmm(A3, B3, 6), 5.939565340),
    ):
        bounds = tm.reveal_curve_bounds(target, (1 + nodes) / 2, 1e-11, method="exact")
        low, high = tm.hidden_chains.entropy_bounds(target, 1e-11)
        assert target.length * float(weights @ bounds.low) / 2 == pytest.approx(low, abs=1e-13)
        assert low <= high == pytest.approx(printed, abs=6e-10)


TRAJECTORY = [
    (hmm(A1, B1, 512), 4, 4e-4, (16.61409, 16.61447)),
    (hmm(A1, B1, 512), 16, 2e-2, (3.96042, 3.96084)),
    (hmm(A2, B2, 512), 4, 4e-4, (3.429674, 3.429894)),
    (hmm(A2, B2, 512), 16, 0.02, (0.830000, 0.830242)),
    (hmm(A2, B2, 10**6), 4, 2.0, (6714.772, 6715.203)),
    (hmm(A3, B3, 512), 4, 0.9, (9.814, 10.034)),
]


@pytest.mark.parametrize(("target", "steps", "tolerance", "printed"), TRAJECTORY)
def test_trajectory_kl_enclosures_meet_the_printed_ones(target, steps, tolerance, printed):
    low, high = tm.hidden_chains.trajectory_kl_bounds(target, np.full(steps, 1 / steps), tolerance)
    assert 0 < high - low <= tolerance
    assert low < printed[1]
    assert high > printed[0]


def test_trajectory_kl_of_a_short_sequence_is_the_enumerated_one():
    target = hmm(A1, B1, 6)
    for steps, printed in ((2, 0.34088475), (3, 0.22108339)):
        weights = np.full(steps, 1 / steps)
        low, high = tm.hidden_chains.trajectory_kl_bounds(target, weights, 1e-9)
        exact = enumerated_kl(target, weights)
        assert low - 1e-14 <= exact <= high + 1e-14
        assert exact == pytest.approx(printed, abs=5e-9)
    low, high = tm.hidden_chains.trajectory_kl_bounds(target, np.array([0.0, 0.2, 0.8, 0.0]), 1e-9)
    assert low - 1e-14 <= enumerated_kl(target, np.array([0.2, 0.8])) <= high + 1e-14


def test_entropy_per_token_at_length_512():
    for target, low_printed, high_printed in (
        (hmm(A1, B1, 512), 0.887160871, 0.887161160),
        (hmm(A2, B2, 512), 0.606546406, 0.606546551),
    ):
        low, high = tm.hidden_chains.entropy_bounds(target, 1e-5)
        assert low_printed * 512 < low < high < high_printed * 512


def test_ends_of_the_curve():
    target = hmm(A2, B2, 40)
    bounds = tm.reveal_curve_bounds(target, [0.0, 1.0], 1e-5)
    law = stationary_law(A2) @ B2
    assert bounds.low[0] == bounds.high[0] == pytest.approx(-float(law @ np.log(law)), abs=1e-14)
    assert bounds.low.shape == (2,)
    assert tm.reveal_curve_bounds(target, 0.5, 1e-4).low.shape == ()


def test_relabelling_and_reversal_leave_the_curve_alone():
    swap = hmm(A2[::-1, ::-1].copy(), B2[::-1].copy(), 50)
    plain = tm.reveal_curve_bounds(hmm(A2, B2, 50), 0.4, 1e-5)
    swapped = tm.reveal_curve_bounds(swap, 0.4, 1e-5)
    assert plain.low <= swapped.high
    assert swapped.low <= plain.high
    pi = stationary_law(A3)
    reverse = (pi[:, None] * A3 / pi).T
    forward = tm.reveal_curve_bounds(hmm(A3, B3, 6), 0.4, 1e-12, method="exact")
    backward = tm.reveal_curve_bounds(hmm(reverse, B3, 6), 0.4, 1e-12, method="exact")
    assert float(forward.low) == pytest.approx(float(backward.low), abs=2e-15)


def test_doubled_hidden_state_changes_nothing():
    split = np.array([[0.45, 0.45, 0.1], [0.45, 0.45, 0.1], [0.1, 0.1, 0.8]])
    doubled = tm.HMM(np.array([1 / 3, 1 / 3, 1 / 3]), split, B2[[0, 0, 1]], 7)
    plain = tm.reveal_curve_bounds(hmm(A2, B2, 7), 0.4, 1e-12, method="exact")
    other = tm.reveal_curve_bounds(doubled, 0.4, 1e-12, method="exact")
    assert float(plain.low) == pytest.approx(float(other.low), abs=2e-15)


def test_a_tolerance_out_of_reach_names_the_width():
    wide = np.random.default_rng(3).dirichlet(np.ones(29), 3)
    with pytest.raises(tm.IntractableError, match=r"h\(0.5\) within 1e-12: a width of .*reached with window"):
        tm.reveal_curve_bounds(hmm(A3, wide, 30), 0.5, 1e-12, length=INF, method="exact")
    form = hidden_form(hmm(A3, B3, 3))
    with pytest.raises(TooManyAtoms):
        one_sided_lists(form.stationary[None], B3.T, form.transition, 12, Exact(), True, 100)


def test_a_frozen_hidden_state_is_told(monkeypatch):
    monkeypatch.setattr(curve_tighten, "MAX_WINDOW", 64)
    frozen = tm.HMM(np.array([0.3, 0.7]), np.eye(2), B2, 9)
    with pytest.raises(tm.IntractableError, match="width"):
        tm.reveal_curve_bounds(frozen, 1e-3, 1e-2, length=INF)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tolerance": 0.0}, "tolerance = 0.0"),
        ({"tolerance": math.nan}, "tolerance = nan"),
        ({"a": 1.5}, r"a = 1.5, a reveal fraction must lie in \[0, 1\]"),
        ({"length": 0}, "length = 0"),
        ({"method": "guess"}, "method = 'guess', allowed"),
        ({"method": "gap"}, "method = 'gap', allowed for this target: None, exact"),
        ({"target": hmm(A3, B3, 5), "method": "extremal"}, "needs two hidden states, the target has 3"),
        ({"target": hmm(np.full((7, 7), 1 / 7), B2[[0, 1] * 3 + [0]], 5), "method": "grid"}, "at most 6 hidden states"),
        ({"target": tm.pairs(2, 4)}, "allowed: HMM, NGram, MarkovChain"),
    ],
)
def test_bad_input_is_told(change, message):
    arguments = {"target": hmm(A2, B2, 5), "a": 0.5, "tolerance": 1e-4} | change
    with pytest.raises(ValueError, match=message):
        tm.reveal_curve_bounds(**arguments)


def test_three_positions_by_hand():
    """Three positions, two states: every term written out."""
    form = hidden_form(hmm(A2, B2, 3))
    a, pi = 0.3, stationary_law(A2)
    shows = [np.full(2, 1 - a), a * B2[:, 0], a * B2[:, 1]]
    total = 0.0
    for left in shows:
        for right in shows:
            middle = ((pi * left) @ A2) * (A2 @ right)
            joint = middle @ B2
            total -= float(joint @ np.log(joint / joint.sum()))
    assert curve_bound(form, a, 3, 2, Exact(), True) == pytest.approx(
        (total + 2 * _end_by_hand(A2, B2, pi, a)) / 3, abs=1e-15
    )


def _end_by_hand(transition, emission, pi, a: float) -> float:
    """H(X_0 | X_1, X_2 each shown w.p. a) for a chain whose two ends have the same curve (two states: reversible)."""
    total = 0.0
    shows = [np.full(2, 1 - a), a * emission[:, 0], a * emission[:, 1]]
    for near in shows:
        for far in shows:
            joint = (pi * (transition @ (near * (transition @ far)))) @ emission
            total -= float(joint @ np.log(joint / joint.sum()))
    return total
