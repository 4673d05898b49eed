"""The conditional path: one data point with its own path and rates, and the model's rates as their posterior mean."""

import numpy as np

from toy_models.energy.kinetic import lattice_of


def point_mass(pmf, index: tuple[int, ...]) -> np.ndarray:
    """The law that puts all mass on `index`, in the number type of `pmf`.

    >>> tm.energy.point_mass(np.full((2, 2), 0.25), (0, 1)).tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """
    point = np.asarray(pmf) * 0
    point[index] = np.asarray(pmf).sum()
    return point


def marginalised_rates(pmf, alpha, slope) -> np.ndarray:
    """E over x1 given z of the conditional rates alpha'/(1-alpha) 1{x agrees with x1}, on the edges of the lattice.

    A second route to `rates` (Chen et al. 2025, eq. 6): the posterior of the data given z, state by state.

    >>> pmf = np.array([0.5, 0.5])
    >>> tm.energy.marginalised_rates(pmf, 0.5, 1.0).tolist()  # q / (1 - alpha), the rates of the model
    [1.0, 1.0]
    """
    pmf, whole = np.asarray(pmf), lattice_of(pmf)
    base, n = whole.vocab_size + 1, whole.length
    digits = np.stack(np.unravel_index(np.arange(base**n), (base,) * n), axis=1)
    result = []
    for z, x in zip(digits[whole.source], digits[whole.target], strict=True):
        agree_z = pmf[tuple(slice(None) if d == 0 else slice(d - 1, d) for d in z)].sum()
        agree_x = pmf[tuple(slice(None) if d == 0 else slice(d - 1, d) for d in x)].sum()
        result.append(slope / (1 - alpha) * (agree_x / agree_z))
    return np.array(result)
