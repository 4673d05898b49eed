"""What happens to the rows of a batch of contexts that have probability zero."""

import numpy as np
from jaxtyping import Bool, Float, Int

from toy_models.errors import ImpossibleContext
from toy_models.validation import MASK, on_impossible_choice


def reveal_one_hot(
    marginals: Float[np.ndarray, "batch L V"], y: Int[np.ndarray, "batch L"]
) -> Float[np.ndarray, "batch L V"]:
    """Overwrite, in place, the marginal of every revealed position by the one-hot of its token."""
    row, position = np.nonzero(y != MASK)
    marginals[row, position] = 0.0
    marginals[row, position, y[row, position]] = 1.0
    return marginals


def settle_impossible(
    marginals: Float[np.ndarray, "batch L V"],
    y: Int[np.ndarray, "batch L"],
    impossible: Bool[np.ndarray, " batch"],
    on_impossible: str,
) -> Float[np.ndarray, "batch L V"]:
    """Apply the caller's choice to impossible rows: raise, or uniform / nan at their masked positions (in place)."""
    on_impossible_choice(on_impossible)
    if impossible.any():
        if on_impossible == "raise":
            raise ImpossibleContext(np.flatnonzero(impossible).tolist())
        fill = np.nan if on_impossible == "nan" else 1.0 / marginals.shape[2]
        marginals[impossible[:, None] & (y == MASK)] = fill
    return marginals
