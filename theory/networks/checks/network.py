"""What a small trained network loses in each context, enumerated."""

import numpy as np

import toy_models as tm
from theory.networks.small import Small
from toy_models.quantities import lattice

ROUNDING = 1e-9  # of sums of at most 4^6 * 6 * 3 terms of order one in float64, with a wide margin


def context_divergences(small: Small) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(revealed sets T, q(x_T), KL(q(.|x_T) || p(.|x_T)) at each position) over all states."""
    states = lattice.states(3, 6)
    q, p = lattice.state_marginals(small.target), small.network.table
    with np.errstate(divide="ignore", invalid="ignore"):
        kl = np.where(q > 0, q * np.log(q / p), 0.0).sum(axis=2)
    return states != tm.MASK, lattice.state_probabilities(small.target), kl


def open_costs(small: Small) -> tuple[np.ndarray, np.ndarray]:
    """(revealed sets T, q(x_T) KL at each open position, 0 where revealed or impossible) over all states."""
    revealed, weight, kl = context_divergences(small)
    return revealed, np.where(revealed | (weight == 0)[:, None], 0.0, kl * weight[:, None])
