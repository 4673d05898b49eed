"""Quantities that are >= 0 by theorem, computed as differences: zero where rounding alone went below it.

An entropy difference a - b of float64 sums carries an error near 1e-16 (|a| + |b|) times the depth of the sums. What
falls below zero by at most ROUNDING times the magnitude is set to zero; anything lower is a fault and is raised.
"""

import numpy as np
from jaxtyping import Float

ROUNDING = 2.0**-36  # 1.5e-11 relative: sums of up to 1e5 terms, each to a few units of rounding


def settle(values, magnitude) -> Float[np.ndarray, "..."]:
    """`values` with entries in [-ROUNDING magnitude, 0] set to +0.0; lower ones stay as they are."""
    values, bound = np.asarray(values, dtype=np.float64), ROUNDING * np.abs(magnitude)
    return np.where((values <= 0) & (values >= -bound), 0.0, values)


def nonnegative_measure(name: str, value, magnitude) -> float:
    """`value` >= 0, up to rounding of terms of size `magnitude`; ArithmeticError when it is lower or not a number."""
    result = float(settle(value, magnitude))
    if not result >= 0.0:
        raise ArithmeticError(f"{name} = {result}, below 0 by more than rounding allows ({ROUNDING * magnitude:.3g})")
    return result


def nonnegative_curve(name: str, values: Float[np.ndarray, "..."], magnitude) -> Float[np.ndarray, "..."]:
    """The same, entry by entry."""
    result = settle(values, magnitude)
    if not (result >= 0.0).all():
        k = int(np.flatnonzero(~(result.ravel() >= 0.0))[0])
        raise ArithmeticError(f"{name}[{k}] = {result.ravel()[k]}, below 0 by more than rounding allows")
    return result


def probability(name: str, value, terms: float = 1.0) -> float:
    """`value` in [0, 1], up to rounding of a sum of `terms` units."""
    result = nonnegative_measure(name, value, terms)
    return 1.0 - nonnegative_measure(f"1 - {name}", 1.0 - result, terms) if result > 1.0 else result
