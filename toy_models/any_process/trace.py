"""A run as text and as a space-time grid."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int

from toy_models.validation import MASK

EMPTY = -2  # beyond the end of a shorter sequence


def render(states: Sequence[Sequence[int]], symbols: Mapping[int, str] | None = None, first_step: int = 0) -> str:
    """One line per step: the step, the length, the sequence; `symbols` names tokens, a mask is `_`.

    >>> print(tm.any_process.render([(-1, 0), (1, 0)]))
       0 |   2 | _ 0
       1 |   2 | 1 0
    """
    names = {MASK: "_", **(symbols or {})}
    width = max((len(names.get(v, str(v))) for x in states for v in x), default=1)
    lines = [
        f"{first_step + t:4d} |{len(x):4d} | " + " ".join(names.get(v, str(v)).rjust(width) for v in x)
        for t, x in enumerate(states)
    ]
    return "\n".join(line.rstrip() for line in lines)


def grid(states: Sequence[Sequence[int]]) -> Int[np.ndarray, "steps context"]:
    """Row t = the sequence after t steps, filled with EMPTY = -2 on the right.

    >>> tm.any_process.grid([(0,), (0, 1)]).tolist()
    [[0, -2], [0, 1]]
    """
    result = np.full((len(states), max((len(x) for x in states), default=0)), EMPTY, dtype=np.int64)
    for t, x in enumerate(states):
        result[t, : len(x)] = x
    return result
