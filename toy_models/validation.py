"""Checks on inputs. Every message names the argument, the offending index and its value, and what is allowed.

Probability vectors go through one door, `distribution`: a sum within SUM_TOLERANCE of one is accepted and repaired on
the spot by one division, so that no later sum sees the defect; a sum that misses one by rounding alone is left as it
is, bit for bit.
"""

import numpy as np
from jaxtyping import Float, Int

MASK = -1
SUM_TOLERANCE = 1e-9  # sums are accepted within this of one, and divided by
LARGEST_INT = 2**63 - 1  # integers are held as int64
SHOWN = 80  # characters of a value in a message


def shown(value) -> str:
    """The value on one line, cut to a readable length."""
    text = " ".join(repr(value).split())
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."


def reals(name: str, values) -> Float[np.ndarray, "..."]:
    """A fresh float64 array of `values`: numbers only, real, none of them masked out."""
    array = _plain(name, values)
    whole = array.dtype.kind in "biuf"
    # exact numbers (fractions, flint's rationals) come as objects that know their nearest float
    if not whole and not (array.dtype == object and all(hasattr(v, "__float__") for v in array.ravel())):
        raise ValueError(f"{name} has dtype {array.dtype}, it must hold real numbers")
    return np.array(array, dtype=np.float64)


def integers(name: str, values, low: int | None = None, high: int | None = None, also: str = "") -> np.ndarray:
    """`values` as int64, never cut or wrapped: an integer dtype is required, and low <= entry <= high."""
    array = _plain(name, values)
    upper = "2^63 - 1" if high is None else high
    allowed = f"at most {upper}" if low is None else f"{low}..{upper}"
    if array.dtype.kind in "iu":
        wrong = array > (LARGEST_INT if high is None else high)
        if low is not None:
            wrong |= array < low
        got = ""
    else:
        cut = array != np.floor(array) if array.dtype.kind == "f" else np.ones(array.shape, dtype=bool)
        wrong = cut if cut.any() else np.ones(array.shape, dtype=bool)  # the first entry that would not survive
        got, allowed = f" (dtype {array.dtype})", "integers" if low is None and high is None else f"integers {allowed}"
        if array.size == 0 and array.dtype != np.float64:  # numpy gives an empty list this dtype
            raise ValueError(f"{name} is empty{got}, allowed: {allowed}{also}")
    if wrong.any():
        index = tuple(int(k) for k in np.argwhere(wrong)[0])
        where = f"[{', '.join(map(str, index))}]" if index else ""
        raise ValueError(f"{name}{where} = {array[index]}{got}, allowed: {allowed}{also}")
    return array.astype(np.int64, copy=False)


def _plain(name: str, values) -> np.ndarray:
    """`values` as an array; a mask or a ragged nesting would be dropped or guessed at, so it is refused."""
    if isinstance(values, np.ma.MaskedArray):
        raise ValueError(f"{name} is a masked array, it must be a plain one (fill or drop the masked entries)")
    try:
        return np.asarray(values)
    except ValueError:
        raise ValueError(f"{name} is ragged, its rows must have the same length") from None


def distribution(name: str, values, axes: int | None = None) -> Float[np.ndarray, "..."]:
    """A read-only float64 array of finite entries >= 0 whose sum over the last `axes` axes (None: over all) is one.

    A sum within SUM_TOLERANCE of one is divided by, unless it misses one by no more than a sum of n float64 numbers
    may, n 2^-52; so the division is done once, and a second pass changes nothing.
    """
    array = reals(name, values)
    if array.ndim == 0 or array.size == 0:
        raise ValueError(f"{name} must not be empty, got shape {array.shape}")
    nonnegative(name, array)
    over = tuple(range(array.ndim))[-(axes or array.ndim) :]
    sums = array.sum(axis=over, keepdims=True)
    wrong = np.abs(sums - 1.0) > SUM_TOLERANCE
    if wrong.any():
        index = tuple(int(k) for k in np.argwhere(wrong)[0])
        total, index = float(sums[index]), index[: array.ndim - len(over)]
        where = f"row {index if len(index) != 1 else index[0]} of {name}" if index else name
        divisor = f"{name}.sum(axis=-1, keepdims=True)" if index else f"{name}.sum()"
        how = f"within {SUM_TOLERANCE:g}; to normalise: {name} / {divisor}"
        says, it = ("sum", "they") if where == name and name.endswith("s") else ("sums", "it")
        raise ValueError(f"{where} {says} to {total:.12g}, {it} must sum to 1 ({how})")
    count = np.prod([array.shape[axis] for axis in over])
    exact = np.abs(sums - 1.0) <= count * np.finfo(float).eps
    array /= np.where(exact, 1.0, sums)
    array.setflags(write=False)
    return array


def probabilities(name: str, values, ndim: int | None = None) -> Float[np.ndarray, "..."]:
    """A `distribution` over the last axis in each row."""
    array = reals(name, values)
    if ndim is not None and array.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} axes, got shape {array.shape}")
    return distribution(name, array, axes=1)


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
    array = _plain("tokens", y)
    if array.ndim != 2 or array.shape[1] != length:
        raise ValueError(f"tokens must have shape (batch, {length}), got {array.shape}")
    if masks:
        unmasked = np.where(array == MASK, 0, array) if array.dtype.kind in "iu" else array
        integers("tokens", unmasked, 0, vocab_size - 1, " or MASK = -1")
        return array.astype(np.int64, copy=False)
    wrong = array[(array < 0) | (array >= vocab_size)]
    hint = " (a masked sequence has no probability; use marginals)" if wrong.size and wrong[0] == MASK else ""
    return integers("tokens", array, 0, vocab_size - 1, hint)


def on_impossible_choice(value: str) -> str:
    if value not in ("raise", "uniform", "nan"):
        raise ValueError(f'on_impossible = {value!r}, allowed: "raise", "uniform", "nan"')
    return value
