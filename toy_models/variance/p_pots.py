"""P-POTS: the density of noise times of least loss variance (Jia et al. 2025, arXiv 2511.18159)."""

import numpy as np

from toy_models.variance.densities import Density, proportional, second_moment
from toy_models.variance.loss_moments import Moments


def optimal(
    moments: Moments, epsilon: float = 1e-3, upper: float = 1.0, masks: str = "single", objective: str = "total"
) -> Density:
    """The density of least variance, p(t) proportional to the root of the objective's second moment.

    objective: "total" sqrt(m2), the P-POTS optimum with g^2 + v read as E_x[g^2 + v]; "published"
    sqrt((E_x g)^2 + E_x v), which leaves out Var_x g; "pattern" sqrt(E_x v), the A-minimiser; "rate" sqrt(E_x g^2), the
    B-minimiser; "stratified" sqrt(m2 - (E_x g)^2), the optimum when t is finely stratified over the batch (Neyman
    allocation).
    """
    objectives = {
        "total": lambda t: second_moment(moments, t, masks),
        "published": lambda t: second_moment(moments, t, masks) - moments.spread_of_mean(t),
        "pattern": lambda t: second_moment(moments, t, masks) - moments.mean_square(t),
        "rate": moments.mean_square,
        "stratified": lambda t: second_moment(moments, t, masks) - moments.square_of_mean(t),
    }
    if objective not in objectives:
        raise ValueError(f"objective = {objective!r}, allowed: {', '.join(map(repr, objectives))}")
    square = objectives[objective]
    kinks = (0.5,) if masks == "mirror" else ()
    return proportional(
        lambda t: np.sqrt(np.maximum(square(t), 0.0)), epsilon, upper, f"optimal ({objective}, {masks})", kinks
    )
