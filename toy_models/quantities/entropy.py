"""Shannon entropy of rows of probabilities, in nats, with 0 log 0 = 0."""

import numpy as np
from jaxtyping import Float
from scipy.special import entr

from toy_models.rounding import settle


def entropy_of_rows(p: Float[np.ndarray, "... V"]) -> Float[np.ndarray, "..."]:
    """-sum over v of p log p along the last axis.

    >>> entropy_of_rows(np.array([[0.5, 0.5], [1.0, 0.0]])) / np.log(2)
    array([1., 0.])
    """
    return settle(entr(p).sum(axis=-1), 1.0)
