"""Checks on inputs. Every message names the argument, the offending index and its value, and what is allowed."""

import numpy as np
from jaxtyping import Float, Int

MASK = -1
SUM_TOLERANCE = 1e-9  # rows are accepted within this of one, then used as given


def probabilities(name: str, values, ndim: int | None = None) -> Float[np.ndarray, "..."]:
    """A read-only float64 array whose last axis holds probability vectors."""
    array = np.array(values, dtype=np.float64)
    if ndim is not None and array.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} axes, got shape {array.shape}")
    if array.ndim == 0 or array.size == 0:
        raise ValueError(f"{name} must not be empty, got shape {array.shape}")
    nonnegative(name, array)
    sums = array.sum(axis=-1)
    wrong = np.abs(sums - 1.0) > SUM_TOLERANCE
    if wrong.any():
        index = tuple(int(k) for k in np.argwhere(wrong)[0])
        where = f"row {index if len(index) != 1 else index[0]} of {name}" if index else name
        raise ValueError(f"{where} sums to {float(sums[index]):.12g}, it must sum to 1")
    array.setflags(write=False)
    return array


def nonnegative(name: str, array: np.ndarray) -> None:
    """Raise unless every entry is finite and at least zero."""
    wrong = ~np.isfinite(array) | (array < 0)
    if wrong.any():
        index = tuple(int(k) for k in np.argwhere(wrong)[0])
        raise ValueError(f"{name}{list(index)} = {array[index]}, every entry must be finite and >= 0")


def positive_int(name: str, value, minimum: int = 1) -> int:
    """`value` as an int of at least `minimum`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < minimum:
        raise ValueError(f"{name} = {value!r}, it must be an integer >= {minimum}")
    return int(value)


def confidence_level(value) -> float:
    """`value` if it lies strictly between 0 and 1."""
    if not 0 < value < 1:
        raise ValueError(f"confidence = {value}, it must lie strictly between 0 and 1")
    return float(value)


def tokens(y, vocab_size: int, length: int, masks: bool) -> Int[np.ndarray, "batch L"]:
    """`y` as a (batch, length) int64 array of tokens 0..V-1, with MASK = -1 where `masks` allows it."""
    array = np.asarray(y)
    if array.ndim != 2 or array.shape[1] != length:
        raise ValueError(f"tokens must have shape (batch, {length}), got {array.shape}")
    if array.dtype.kind not in "iu":
        raise ValueError(f"tokens must be integers, got dtype {array.dtype}")
    array = array.astype(np.int64, copy=False)
    low = MASK if masks else 0
    wrong = (array < low) | (array >= vocab_size)
    if wrong.any():
        row, position = (int(k) for k in np.argwhere(wrong)[0])
        value = int(array[row, position])
        allowed = f"0..{vocab_size - 1}" + (" or MASK = -1" if masks else "")
        hint = " (a masked sequence has no probability; use marginals)" if value == MASK and not masks else ""
        raise ValueError(f"tokens[{row}, {position}] = {value}, allowed: {allowed}{hint}")
    return array


def on_impossible_choice(value: str) -> str:
    if value not in ("raise", "uniform", "nan"):
        raise ValueError(f'on_impossible = {value!r}, allowed: "raise", "uniform", "nan"')
    return value
