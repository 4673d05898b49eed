"""The bias of a sampler in nats: what its texts cost under the language beyond H(q), in three parts that add up.

Along a run the letter x_i is written in the call that saw y_i, with marginals pi_i = q(x_i = . | y_i). In the mean of
the runs that end in a text the language allows,

    E[-log q(x)] - H(q) =   E[-log q(x) - sum -log pi_i(x_i)]     written together: joint law against product
                          + E[sum (-log pi_i(x_i) - H(pi_i))]     off the marginals: temperature, truncation, rounding,
                                                                  positions chosen by what was drawn
                          + E[sum H(pi_i)] - H(q)                 contexts met: where the first two led, and the order

The first part is 0 for each text that is written one letter per call (the chain rule); the second has mean 0 where
letters are drawn from the marginals and positions chosen without looking at them; all three are 0 for such a sampler
with one letter per call. A negative sum is no merit: such texts are likelier than those of q.
"""

import numpy as np
from jaxtyping import Float

from toy_models.quantities.intervals import Estimate, student_interval

PARTS = ("written together", "off the marginals", "contexts met")


def excess_parts(
    paid: Float[np.ndarray, "n 2"], losses: Float[np.ndarray, " n"], entropy: float, confidence: float
) -> tuple[tuple[str, Estimate], ...]:
    """The three parts with Student's intervals; paid: sums over a text of -log pi_i(x_i) and of H(pi_i), in nats.

    losses: -log q(x) of the same n >= 2 texts, all finite.

    >>> from toy_models.audit.excess import excess_parts
    >>> both = np.log(2) * np.array([[2.0, 2.0], [2.0, 2.0]])  # two copies of a fair bit, written in one call
    >>> parts = excess_parts(both, np.log(2) * np.ones(2), np.log(2), 0.99)
    >>> [(name, round(float(part.value / np.log(2)), 12)) for name, part in parts]
    [('written together', -1.0), ('off the marginals', 0.0), ('contexts met', 1.0)]
    """
    columns = np.stack([losses - paid[:, 0], paid[:, 0] - paid[:, 1], paid[:, 1] - entropy], axis=1)
    found = student_interval(columns, confidence)
    return tuple((name, found.at(k)) for k, name in enumerate(PARTS))
