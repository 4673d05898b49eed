"""Cases, densities and tolerances that several checks of training noise share."""

import numpy as np

from theory.variance.instances import EPSILON
from toy_models.variance import densities, p_pots

ROUNDING = 1e-11  # relative, of sums of at most 2^24 positive terms


TABLES = ("K1 oracle", "K1 smooth", "K1 temper", "K1 left-parent", "K2 oracle", "K2 temper")


def competitors(count: int, moments):
    rng = np.random.default_rng(5)
    edges = np.exp(np.linspace(np.log(EPSILON), 0.0, 9))
    edges[0], edges[-1] = EPSILON, 1.0
    random = [densities.from_cells(edges, rng.dirichlet(np.ones(8)), "random cells") for _ in range(count)]
    names = ("published", "pattern", "rate")
    return (
        random
        + [p_pots.optimal(moments, EPSILON, objective=n) for n in names]
        + [densities.power(c, EPSILON) for c in (1.0, 1.5, 2.0, 3.0)]
    )
