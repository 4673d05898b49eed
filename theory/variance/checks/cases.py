"""Cases, densities and tolerances that several checks of training noise share."""

from functools import cache

import numpy as np

from theory.variance.definitions import Losses, losses_of
from theory.variance.instances import EPSILON
from toy_models import Tempered
from toy_models.targets import instances
from toy_models.variance import densities, p_pots
from toy_models.variance.loss_moments import Moments, loss_moments

ROUNDING = 1e-11  # relative, of sums of at most 2^24 positive terms


TABLES = ("K1 oracle", "K1 smooth", "K1 temper", "K1 left-parent", "K2 oracle", "K2 temper")


# A, B, C at uniform t on [1e-3, 1] and the total at p*, as the page prints them
PRINTED = {
    "K1 oracle": (1.66014588, 0.02080716, 0.08813913, 1.07691024),
    "K1 smooth": (1.44150441, 0.01359903, 0.05528265, 0.93325745),
    "K1 temper": (1.36953451, 0.00837074, 0.02804434, 0.86255790),
    "K1 left-parent": (1.75976931, 0.00690946, 0.04011930, 1.05034689),
    "K2 oracle": (1.74497134, 0.01061962, 0.09643880, 1.08189236),
    "K2 temper": (1.46116996, 0.00344952, 0.02825737, 0.87233929),
}


@cache
def small() -> tuple[Losses, Moments]:
    """Three positions of K1, tempered denoiser: the losses from their definition, the moments from the library."""
    target, denoiser = instances.k1(3), Tempered(instances.k1(3), 0.5)
    return losses_of(target, denoiser), loss_moments(target, denoiser, pairs=True).average


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
