"""Masked forward-backward: float64 and extended range against sums over all paths in rationals, and hmmlearn."""

from fractions import Fraction

import numpy as np
import oracles
import pytest
from hmmlearn.hmm import CategoricalHMM
from hypothesis import given, settings
from hypothesis import strategies as st

from toy_models.errors import ImpossibleContext
from toy_models.quantities.lattice import states as every_context
from toy_models.targets.kernels import extended_range, forward_backward
from toy_models.targets.kernels.forward_backward import masked_marginals, posterior, safe_cadence, sequence_log_prob


def tolerance(states: int, length: int) -> float:
    """Relative error of sums and products of non-negative numbers: two passes of L steps of S + 4 roundings."""
    return 2 * length * (states + 4) * oracles.EPS


def extended(initial, transition, emission, y):
    """The same marginals, every row in extended range."""
    result, impossible = np.zeros((*y.shape, emission.shape[1])), np.zeros(len(y), dtype=bool)
    split = forward_backward._split_all(initial, transition, forward_backward.mask_first_likelihood(emission))
    extended_range.hmm_marginals(*split, emission, y, impossible, result)
    result[y >= 0] = np.eye(emission.shape[1])[y[y >= 0]]
    return result, impossible


def require_equal(found, impossible, law, y, rtol):
    for row, context in enumerate(y):
        expected = oracles.conditionals(law, tuple(context), found.shape[2])
        assert impossible[row] == (expected is None)
        if expected is not None:
            np.testing.assert_allclose(found[row], expected, rtol=rtol, atol=1e-290)


CORNERS = {
    "generic": ([0.5, 0.5], [[0.75, 0.25], [0.5, 0.5]], [[0.5, 0.25, 0.25], [0.125, 0.125, 0.75]]),
    "zeros": ([1, 0], [[0, 1], [0.5, 0.5]], [[1, 0, 0], [0, 0.5, 0.5]]),
    "near deterministic": ([1e-14, 1 - 1e-14], [[1 - 1e-14, 1e-14], [1e-14, 1 - 1e-14]], [[1 - 1e-14, 1e-14], [0, 1]]),
    "beyond float64": ([1, 0], [[1, 1e-200], [1e-200, 1]], [[1, 0], [1e-200, 1]]),
    "subnormal": ([1, 5e-324], [[1, 1e-310], [0, 1]], [[1, 1e-320], [1e-300, 1]]),
    "duplicated states": ([0.25, 0.25, 0.5], [[0.25, 0.25, 0.5]] * 3, [[0.5, 0.5]] * 2 + [[1, 0]]),
    "decaying state": ([1, 0], [[1e-60, 1], [0, 1]], [[0.5, 0.5], [1, 0]]),
    "one state": ([1], [[1]], [[0.25, 0.75, 0]]),
}


@pytest.mark.parametrize("name", CORNERS)
@pytest.mark.parametrize("length", [1, 2, 4])
def test_every_context_of_the_corners_matches_the_sum_over_paths(name, length):
    initial, transition, emission = (np.array(p, dtype=float) for p in CORNERS[name])
    y = every_context(emission.shape[1], length)
    law = oracles.hmm_law(initial, transition, emission, length)
    rtol = tolerance(len(initial), length)
    require_equal(*posterior(initial, transition, emission, y), law, y, rtol)
    require_equal(*extended(initial, transition, emission, y), law, y, rtol)


@pytest.mark.parametrize("name", CORNERS)
def test_rescaling_at_every_step_keeps_the_corners(name, monkeypatch):
    """Marginals, impossible contexts and log q when also a message of total 0 is rescaled."""
    monkeypatch.setattr(forward_backward, "MAX_CADENCE", 1)
    initial, transition, emission = (np.array(p, dtype=float) for p in CORNERS[name])
    y = every_context(emission.shape[1], 3)
    law = oracles.hmm_law(initial, transition, emission, 3)
    require_equal(*posterior(initial, transition, emission, y), law, y, tolerance(len(initial), 3))
    found = sequence_log_prob(initial, transition, emission, np.array(list(law)))
    np.testing.assert_allclose(found, [log_of(w) for w in law.values()], rtol=8 * oracles.EPS, atol=64 * oracles.EPS)


def decaying():
    """State 0 survives a step with probability 2^-60; token 1 shows it."""
    leave = 2.0**-60
    return np.array([1.0, 0.0]), np.array([[leave, 1 - leave], [0.0, 1.0]]), np.array([[0.5, 0.5], [1.0, 0.0]])


def test_a_state_that_decays_step_by_step_is_not_lost():
    """Every step is harmless, forty in a row are not: token 1 at the end has probability 2^-2341, not 0."""
    model = decaying()
    y = np.full((3, 40), -1)
    y[0, 39], y[1, 20], y[2, [5, 30]] = 1, 1, [1, 0]
    found, impossible = posterior(*model, y)
    assert not impossible.any()
    for row in range(3):
        np.testing.assert_allclose(found[row], oracles.hmm_conditionals(*model, y[row]), rtol=1e-12, atol=1e-290)
    x = np.zeros((1, 40), dtype=np.int64)
    x[0, 39] = 1
    assert sequence_log_prob(*model, x)[0] == pytest.approx(-(39 * 60 + 40) * np.log(2), rel=1e-14)


def flags(model, y, cadence):
    """Which rows the forward pass alone flags, and which the two passes flag."""
    likelihood, tokens = forward_backward.mask_first_likelihood(model[2]), np.ascontiguousarray(y.T)
    predicted, log_prob = np.empty((y.shape[1], len(y), len(model[0]))), np.empty(len(y))
    flagged = np.zeros(len(y), dtype=bool)
    forward_backward.forward(*model[:2], likelihood, tokens, cadence, predicted, flagged, log_prob)
    first, result = flagged.copy(), np.empty((*y.shape, model[2].shape[1]))
    transposed = np.ascontiguousarray(model[1].T)
    forward_backward.backward(transposed, model[2], likelihood, tokens, cadence, predicted, flagged, result)
    return first.tolist(), flagged.tolist()


def test_a_positive_message_under_the_limit_flags_its_row():
    """Forward: state 0 decays. Backward: state 1, entered again and again, explains late tokens 2^60 times worse."""
    y = np.full((2, 9), -1)
    assert flags(decaying(), y, 1) == ([True, True], [True, True])
    assert flags(decaying(), y[:, :4], 1) == ([False, False], [False, False])
    rare = 2.0**-60
    mixed = np.array([0.5, 0.5]), np.array([[0.5, 0.5], [0.0, 1.0]]), np.array([[0.0, 1.0], [1 - rare, rare]])
    y[1, 1:] = 1
    assert flags(mixed, y, 1) == ([False, False], [False, True])
    assert flags(mixed, y[:, :3], 1) == ([False, False], [False, False])


def test_log_prob_of_long_texts_of_independent_tokens():
    """log q = sum of log p of the tokens, far below the smallest float64."""
    p = np.array([2.0**-10, 1 - 2.0**-10])
    x = np.array([[0] * 400, [1, 0] * 200, [1] * 400])
    wanted = np.log(p)[x].sum(axis=1)
    np.testing.assert_allclose(sequence_log_prob(np.ones(1), np.ones((1, 1)), p[None], x), wanted, rtol=1e-12)


def test_blocks_of_rows_fit_memory_and_threads(monkeypatch):
    monkeypatch.setattr(forward_backward, "get_num_threads", lambda: 4)
    assert [forward_backward.block_rows(batch, 10) for batch in (1, 4, 5, 8, 9, 10**6)] == [1, 1, 2, 2, 3, 32]
    held = forward_backward.SCRATCH
    for numbers in (held // 40, held // 5, held, 2 * held):
        rows = forward_backward.block_rows(10**6, numbers)
        assert rows == max(1, min(32, held // numbers))


def test_ordinary_rows_need_no_extended_range(monkeypatch):
    rng = np.random.default_rng(6)
    model = rng.dirichlet(np.ones(3)), rng.dirichlet(np.ones(3), 3), rng.dirichlet(np.ones(2), 3)
    y = rng.integers(-1, 2, size=(4, 30))
    expected, _ = extended(*model, y)

    def refuse(*_):
        raise AssertionError("extended range was called")

    monkeypatch.setattr(extended_range, "hmm_marginals", refuse)
    monkeypatch.setattr(extended_range, "hmm_log_prob", refuse)
    np.testing.assert_allclose(posterior(*model, y)[0], expected, rtol=tolerance(3, 30))
    assert np.isfinite(sequence_log_prob(*model, y)).all()


@st.composite
def models(draw):
    """Rows of small integers over their sum, zeros and 1e-14 among them."""
    states, vocab = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    weight = st.sampled_from([0.0, 0.0, 1.0, 2.0, 3.0, 1e-14, 1e-200])

    def rows(count, width):
        row = st.lists(weight, min_size=width, max_size=width)
        table = np.array(draw(st.lists(row, min_size=count, max_size=count)))
        table[table.sum(axis=1) == 0, 0] = 1.0
        return table / table.sum(axis=1, keepdims=True)

    return rows(1, states)[0], rows(states, states), rows(states, vocab), draw(st.integers(1, 3))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(models())
def test_random_models_match_the_sum_over_paths(model):
    initial, transition, emission, length = model
    y = every_context(emission.shape[1], length)
    law = oracles.hmm_law(initial, transition, emission, length)
    require_equal(*posterior(initial, transition, emission, y), law, y, tolerance(len(initial), length))


def slow_switch(stay=1.0, switch=1e-200):
    """A hidden bit that switches with probability 1e-200 and shows itself: four switches have probability 1e-800."""
    emission = np.array([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]])
    return np.array([1.0, 0.0]), np.array([[stay, switch], [switch, stay]]), emission


def test_underflow_is_told_from_impossible():
    y = np.full((2, 40), -1)
    y[:, [0, 10, 20, 30, 39]] = [0, 2, 0, 2, 0]
    model = slow_switch()
    found, impossible = posterior(*model, y)
    assert not impossible.any()
    np.testing.assert_allclose(found[0], oracles.hmm_conditionals(*model, y[0]), rtol=tolerance(2, 40))
    log_prob = sequence_log_prob(*model, y)
    assert log_prob[0] == pytest.approx(4 * np.log(1e-200) + 4 * np.log(10) - 5 * np.log(2), abs=1.5)
    for on_impossible in ("uniform", "nan"):
        settled = masked_marginals(*slow_switch(switch=0.0), y, on_impossible)
        np.testing.assert_array_equal(settled[y < 0], 1 / 3 if on_impossible == "uniform" else np.nan)
    with pytest.raises(ImpossibleContext, match=r"row\(s\) 0, 1"):
        masked_marginals(*slow_switch(switch=0.0), y, "raise")
    assert (sequence_log_prob(*slow_switch(switch=0.0), y) == -np.inf).all()


def clamped_marginals(initial, transition, emission, y, floor):
    """The peers' mistake: every normalised message lifted to at least `floor`."""
    seen = [np.ones(len(initial)) if t < 0 else emission[:, t] for t in y]
    lift = lambda m: np.maximum(m / m.sum(), floor)  # noqa: E731
    forward, backward = [initial], [np.ones(len(initial))]
    for i in range(len(y) - 1):
        forward.append(lift(forward[i] * seen[i]) @ transition)
    for i in range(len(y) - 1, 0, -1):
        backward.insert(0, lift(transition @ (backward[0] * seen[i])))
    joint = np.array([f * b for f, b in zip(forward, backward, strict=True)]) @ emission
    return joint / joint.sum(axis=1, keepdims=True)


def test_control_a_clamp_is_rejected_on_a_near_deterministic_chain():
    transition = np.array([[1 - 1e-14, 1e-14], [1e-14, 1 - 1e-14]])
    model = np.array([1.0, 0.0]), transition, np.array([[1 - 1e-9, 1e-9], [0.0, 1.0]])
    y = np.full(12, -1)
    y[[3, 8]] = 1
    expected = oracles.hmm_conditionals(*model, y)
    masked = y < 0
    exact = posterior(*model, y[None])[0][0]
    np.testing.assert_allclose(exact, expected, rtol=tolerance(2, 12))
    np.testing.assert_allclose(clamped_marginals(*model, y, 0.0)[masked], expected[masked], rtol=1e-12)
    wrong = clamped_marginals(*model, y, 1e-15)[masked]
    assert np.abs(wrong - expected[masked]).max() > 1e-4


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_long_batches_match_hmmlearn_with_the_mask_as_one_more_symbol(share):
    rng = np.random.default_rng(3)
    initial, transition = rng.dirichlet(np.ones(4)), rng.dirichlet(np.ones(4), 4)
    emission = rng.dirichlet(np.ones(5), 4)
    y = np.where(rng.random((70, 90)) < share, rng.integers(5, size=(70, 90)), -1)
    peer = CategoricalHMM(n_components=4, n_features=6)
    peer.startprob_, peer.transmat_ = initial, transition
    peer.emissionprob_ = np.column_stack([emission / 2, np.full(4, 0.5)])
    states = peer.predict_proba(np.where(y < 0, 5, y).reshape(-1, 1), lengths=[90] * 70).reshape(70, 90, 4)
    expected = np.where((y < 0)[..., None], states @ emission, np.eye(5)[y])
    np.testing.assert_allclose(posterior(initial, transition, emission, y)[0], expected, rtol=1e-11)


@pytest.mark.parametrize("cadence", [1, 3, 8])
def test_rescaling_more_or_less_often_changes_nothing(cadence, monkeypatch):
    rng = np.random.default_rng(4)
    model = rng.dirichlet(np.ones(3)), rng.dirichlet(np.ones(3), 3), rng.dirichlet(np.ones(3), 3)
    y = rng.integers(-1, 3, size=(5, 77))
    monkeypatch.setattr(forward_backward, "safe_cadence", lambda *_: cadence)
    np.testing.assert_allclose(posterior(*model, y)[0], extended(*model, y)[0], rtol=tolerance(3, 77))


def test_cadence_leaves_room_for_every_positive_probability():
    assert safe_cadence(np.array([0.5, 0.5])) == 8
    assert safe_cadence(np.array([1 - 1e-5, 1e-5, 0.0])) == 6
    assert safe_cadence(np.array([1 - 1e-14, 1e-14])) == 2
    assert safe_cadence(np.array([1.0, 2.0**-70])) == 1
    assert safe_cadence(np.array([1.0, 2.0**-71])) == 0


def test_no_positive_product_of_trusted_messages_can_underflow():
    """The largest cadence c <= 8 with p_min^(2c) >= 2^-220; then messages > 2^-460, products f b p >= 2^-990."""
    for bits in range(1, 71):
        wanted = max(c for c in range(1, 9) if 2 * c * bits <= 220)
        assert safe_cadence(np.array([1.0, 2.0**-bits])) == wanted
    low = forward_backward.LOW * 2.0**-220
    assert low == 2.0**-460
    assert low * low * 2.0**-70 == 2.0**-990


def test_states_that_the_past_excludes_do_not_overflow_the_backward_messages():
    """State 1 is unreachable and explains the tokens 2^2000 times better than state 0."""
    model = np.array([1.0, 0.0]), np.eye(2), np.array([[1 - 2.0**-20, 2.0**-20], [0.5, 0.5]])
    y = np.ones((1, 120), dtype=np.int64)
    y[0, ::10] = -1
    found, impossible = posterior(*model, y)
    assert not impossible[0]
    np.testing.assert_allclose(found[0, ::10], np.broadcast_to(model[2][0], (12, 2)), rtol=tolerance(2, 120))


def test_compiled_kernels_equal_their_python_source():
    rng = np.random.default_rng(5)
    model = rng.dirichlet(np.ones(2)), rng.dirichlet(np.ones(2), 2), rng.dirichlet(np.ones(3), 2)
    y = rng.integers(-1, 3, size=(3, 40))
    likelihood = forward_backward.mask_first_likelihood(model[2])
    predicted, flagged, log_prob = np.empty((40, 3, 2)), np.zeros(3, dtype=bool), np.empty(3)
    tokens = np.ascontiguousarray(y.T)
    forward_backward._forward(*model[:2], likelihood, tokens, 4, predicted, flagged, log_prob)
    result = np.empty((3, 40, 3))
    transposed = np.ascontiguousarray(model[1].T)
    forward_backward._backward(transposed, model[2], likelihood, tokens, 4, predicted, flagged, result)
    assert not flagged.any()
    np.testing.assert_allclose(result, posterior(*model, y)[0], rtol=tolerance(2, 40))
    np.testing.assert_allclose(log_prob, sequence_log_prob(*model, y), rtol=tolerance(2, 40))


def log_of(weight: Fraction) -> float:
    """log of a rational, also where it is too small for a float."""
    shift = max(weight.denominator.bit_length() - weight.numerator.bit_length() - 500, 0)
    return float(np.log(float(weight * 2**shift)) - shift * np.log(2.0)) if weight else -np.inf


@pytest.mark.parametrize("name", CORNERS)
def test_log_prob_equals_the_logarithm_of_the_rational_law(name):
    initial, transition, emission = (np.array(p, dtype=float) for p in CORNERS[name])
    law = oracles.hmm_law(initial, transition, emission, 4)
    found = sequence_log_prob(initial, transition, emission, np.array(list(law)))
    np.testing.assert_allclose(found, [log_of(w) for w in law.values()], rtol=8 * oracles.EPS, atol=64 * oracles.EPS)


def test_an_empty_batch_stays_empty():
    model = [np.array(p, dtype=float) for p in CORNERS["generic"]]
    assert masked_marginals(*model, np.empty((0, 4), dtype=np.int64), "raise").shape == (0, 4, 3)
    assert sequence_log_prob(*model, np.empty((0, 4), dtype=np.int64)).shape == (0,)


@pytest.mark.parametrize("value", [0.0, 5e-324, 1e-310, 1e-200, 2.0**-256, 0.3, 1.0])
def test_split_keeps_every_float(value):
    significand, exponent = extended_range.split(np.array([value]))
    assert float(significand[0]) == 0 or 2.0**-256 <= significand[0] < 2.0**256
    assert Fraction(float(significand[0])) * Fraction(2) ** (512 * int(exponent[0])) == Fraction(value)
