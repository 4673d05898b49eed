"""Every refusal names the argument, the offending index, its value and what is allowed."""

import re

import numpy as np
import pytest

from toy_models.validation import (
    confidence_level,
    nonnegative,
    on_impossible_choice,
    positive_int,
    probabilities,
    tokens,
)


@pytest.mark.parametrize(
    ("values", "ndim", "message"),
    [
        ([[0.5, 0.5], [0.3, 0.6]], 2, "row 1 of rows sums to 0.9, it must sum to 1"),
        ([[[1.0], [1.0]], [[1.0], [0.5]]], 3, r"row (1, 1) of rows sums to 0.5, it must sum to 1"),
        ([0.5, 0.6], 1, "rows sums to 1.1, it must sum to 1"),
        ([0.5, 0.5 + 2e-9], 1, "it must sum to 1"),
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


def test_probabilities_are_kept_as_given_and_read_only():
    given = np.array([0.25, 0.75 + 5e-10])
    kept = probabilities("rows", given)
    assert kept.tolist() == given.tolist()
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
        ([[0.0, 1.0, 2.0]], False, "tokens must be integers, got dtype float64"),
        ([[True, False, True]], False, "tokens must be integers, got dtype bool"),
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
