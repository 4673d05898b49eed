"""Every refusal names the argument, the offending index, its value and what is allowed."""

import re
from fractions import Fraction

import numpy as np
import pytest

import toy_models as tm
from toy_models.quantities import lattice
from toy_models.validation import (
    confidence_level,
    integers,
    nonnegative,
    on_impossible_choice,
    positive_int,
    probabilities,
    reals,
    tokens,
)

EPS = np.finfo(float).eps


@pytest.mark.parametrize(
    ("values", "ndim", "message"),
    [
        ([[0.5, 0.5], [0.3, 0.6]], 2, "row 1 of rows sums to 0.9, it must sum to 1"),
        ([[[1.0], [1.0]], [[1.0], [0.5]]], 3, r"row (1, 1) of rows sums to 0.5, it must sum to 1"),
        ([0.5, 0.6], 1, "rows sum to 1.1, they must sum to 1 (within 1e-09; to normalise: rows / rows.sum())"),
        ([0.5, 0.5 + 2e-9], 1, "they must sum to 1"),
        ([-0.1, 1.1], 1, "rows[0] = -0.1, every entry must be finite and >= 0"),
        ([[0.5, 0.5], [np.nan, 1.0]], 2, "rows[1, 0] = nan, every entry must be finite and >= 0"),
        ([np.inf, 0.0], 1, "rows[0] = inf, every entry must be finite and >= 0"),
        ([0.5, 0.5], 2, "rows must have 2 axes, got shape (2,)"),
        ([], None, "rows must not be empty, got shape (0,)"),
        (1.0, None, "rows must not be empty, got shape ()"),
    ],
)
def test_probabilities_refuses(values, ndim, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        probabilities("rows", values, ndim)


def test_accepted_sums_are_divided_by_once_and_exact_ones_kept_bit_for_bit():
    given = np.array([[0.25, 0.75 + 5e-10], [0.1, 0.9]])
    kept = probabilities("rows", given)
    assert abs(kept.sum(axis=1) - 1.0).max() <= 2 * EPS
    np.testing.assert_allclose(kept[0], given[0] / (1 + 5e-10), rtol=EPS)
    assert kept[1].tolist() == [0.1, 0.9]
    assert probabilities("rows", kept).tolist() == kept.tolist()


def test_probabilities_are_a_read_only_copy():
    given = np.array([0.25, 0.75])
    kept = probabilities("rows", given)
    given[0] = 7.0
    assert kept[0] == 0.25
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 0.0


def test_nonnegative_names_the_first_offender():
    nonnegative("a", np.zeros((2, 2)))
    with pytest.raises(ValueError, match=re.escape("a[1, 0] = -2.0, every entry must be finite and >= 0")):
        nonnegative("a", np.array([[1.0, 0.0], [-2.0, np.nan]]))


@pytest.mark.parametrize("value", [0, -3, 2.0, "2", True, None, np.float64(3)])
def test_positive_int_refuses(value):
    with pytest.raises(ValueError, match=re.escape(f"k = {value!r}, it must be an integer >= 1")):
        positive_int("k", value)


def test_positive_int_accepts():
    found = positive_int("k", np.int32(4), minimum=4)
    assert (found, type(found)) == (4, int)
    assert positive_int("k", 0, minimum=0) == 0
    with pytest.raises(ValueError, match="k = 3, it must be an integer >= 4"):
        positive_int("k", 3, minimum=4)


@pytest.mark.parametrize(
    ("y", "masks", "message"),
    [
        ([[0, 1, 3]], False, "tokens[0, 2] = 3, allowed: 0..2"),
        ([[0, 1, 2], [0, -2, 1]], True, "tokens[1, 1] = -2, allowed: 0..2 or MASK = -1"),
        ([[0, -1, 2]], False, "tokens[0, 1] = -1, allowed: 0..2 (a masked sequence has no probability; use marginals)"),
        ([0, 1, 2], False, "tokens must have shape (batch, 3), got (3,)"),
        ([[0, 1]], False, "tokens must have shape (batch, 3), got (1, 2)"),
        ([[0.0, 1.0, 2.0]], False, "tokens[0, 0] = 0.0 (dtype float64), allowed: integers 0..2"),
        ([[True, False, True]], True, "tokens[0, 0] = True (dtype bool), allowed: integers 0..2 or MASK = -1"),
    ],
)
def test_tokens_refuses(y, masks, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        tokens(np.array(y), 3, 3, masks)


def test_tokens_accepts_any_integer_dtype_and_empty_batches():
    assert tokens(np.array([[0, 2]], dtype=np.uint8), 3, 2, masks=False).dtype == np.int64
    assert tokens(np.array([[-1, 2]], dtype=np.int8), 3, 2, masks=True).tolist() == [[-1, 2]]
    assert tokens(np.zeros((0, 2), dtype=np.int64), 3, 2, masks=False).shape == (0, 2)


@pytest.mark.parametrize("value", [0.0, 1.0, -0.5, float("nan")])
def test_confidence_level(value):
    assert confidence_level(0.99) == 0.99
    with pytest.raises(ValueError, match=f"confidence = {value}, it must lie strictly between 0 and 1"):
        confidence_level(value)


def test_on_impossible_choice():
    assert on_impossible_choice("nan") == "nan"
    with pytest.raises(ValueError, match='on_impossible = \'zero\', allowed: "raise", "uniform", "nan"'):
        on_impossible_choice("zero")


RAGGED = [[0.5, 0.5], [1.0]]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["0.5", "0.5"], "a has dtype <U3, it must hold real numbers"),
        ([0.5 + 0.1j, 0.5], "a has dtype complex128, it must hold real numbers"),
        (np.ma.array([0.5, 0.5], mask=[0, 1]), "a is a masked array, it must be a plain one"),
        (RAGGED, "a is ragged, its rows must have the same length"),
        ([None, 1.0], "a has dtype object, it must hold real numbers"),
    ],
)
def test_reals_refuses(values, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        reals("a", values)


def test_reals_accepts_fractions_and_every_float():
    assert reals("a", [Fraction(1, 4), 0.75]).tolist() == [0.25, 0.75]
    assert reals("a", np.array([0.25, 0.75], dtype=np.float32)).dtype == np.float64


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0.0, 1.7], "k[1] = 1.7 (dtype float64), allowed: integers 0..4"),
        ([True], "k[0] = True (dtype bool), allowed: integers 0..4"),
        ([0, 5], "k[1] = 5, allowed: 0..4"),
        ([-1], "k[0] = -1, allowed: 0..4"),
        (np.array([2**64 - 1], np.uint64), "k[0] = 18446744073709551615, allowed: 0..4"),
        (np.ma.array([1, 2], mask=[0, 1]), "k is a masked array"),
        (["1"], "k[0] = 1 (dtype <U1), allowed: integers 0..4"),
        ([0.0, 2.0], "k[0] = 0.0 (dtype float64), allowed: integers 0..4"),
        (np.zeros(0, dtype=bool), "k is empty (dtype bool), allowed: integers 0..4"),
    ],
)
def test_integers_refuses(values, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        integers("k", values, 0, 4)


def test_integers_without_bounds_never_wrap():
    assert integers("k", np.array([3], np.uint64)).dtype == np.int64
    with pytest.raises(ValueError, match=re.escape("k[0] = 9223372036854775808, allowed: at most 2^63 - 1")):
        integers("k", np.array([2**63], np.uint64))


def test_unsigned_masks_are_not_masks():
    """2^64 - 1 was read as MASK = -1."""
    with pytest.raises(ValueError, match=re.escape("tokens[0, 0] = 18446744073709551615, allowed: 0..1 or MASK = -1")):
        tokens(np.array([[2**64 - 1, 0]], np.uint64), 2, 2, masks=True)


OFF = 9e-10


@pytest.mark.parametrize(
    "target",
    [
        lambda: tm.Table(np.array([[0.25 - OFF, 0.25], [0.25, 0.25]])),
        lambda: tm.MarkovChain([[0.5, 0.5 + OFF], [0.5, 0.5]], 4),
        lambda: tm.MarkovChain([[0.3333333333] * 3] * 3, 5, [0.3333333333] * 3),
        lambda: tm.NGram(np.full((2, 2, 2), 0.5 + OFF / 3), 5),
        lambda: tm.NGram(np.full((2, 2), 0.5), 5, np.array([0.5, 0.5 + OFF])),
        lambda: tm.HMM([0.5, 0.5 - OFF], [[0.5, 0.5 + OFF], [1.0, 0.0]], [[1.0, 0.0], [0.5, 0.5 + OFF]], 4),
    ],
)
def test_rounded_rows_are_repaired_everywhere(target):
    """They were used as given: KL of -9e-10, routes that disagreed, mass that grew by the step."""
    target = target()
    mass = np.exp(target.log_prob(lattice.sequences(target.vocab_size, target.length))).sum()
    assert mass == pytest.approx(1.0, abs=1e-14)
    rule = tm.RandomOrder([target.length])
    assert tm.trajectory_kl(target, rule, method="enumeration") == pytest.approx(
        tm.trajectory_kl(target, rule), abs=1e-14
    )
    assert tm.marginal_kl(target, rule) == pytest.approx(tm.trajectory_kl(target, rule), abs=1e-13)
    weights = tm.IndependentReveal([0.5 - OFF, 0.5]).weights
    assert weights.sum() == pytest.approx(1.0, abs=1e-15)


def test_a_long_entropy_does_not_feel_accepted_rounding():
    """1e5 tokens were off by 1.56 nats."""
    rounded, exact = (tm.MarkovChain([[0.5, 0.5 + off], [0.5, 0.5]], 10**5).entropy() for off in (OFF, 0.0))
    assert rounded == pytest.approx(exact, abs=1e-9)
