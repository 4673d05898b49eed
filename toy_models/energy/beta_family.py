"""Where a schedule sits in the Beta family: eta = (2/pi) arcsin sqrt(alpha) as the CDF of Beta(a, b)."""

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.polynomial.legendre import leggauss
from scipy.special import betainc

from toy_models.schedules.beta import BetaSchedule
from toy_models.schedules.knots import MirroredSchedule
from toy_models.schedules.named import LinearSchedule, SineSquaredSchedule
from toy_models.schedules.protocol import Schedule

NODES = 128


@dataclass(frozen=True)
class BetaFit:
    """Beta(a, b) closest to eta, and how far the schedules are apart.

    >>> tm.energy.best_fit_beta(tm.SineSquaredSchedule())
    BetaFit(a=1.0, b=1.0, sup_error=0.0, exact=True)
    """

    a: float
    b: float
    sup_error: float  # max over t of |alpha - alpha of the fit|
    exact: bool


def beta_parameters(schedule: Schedule) -> tuple[float, float] | None:
    """(a, b) with alpha = sin^2(pi/2 I_t(a, b)) exactly, where known (Chen et al. 2025, Prop. 3.7); else None.

    >>> tm.energy.beta_parameters(tm.SineSquaredSchedule())
    (1.0, 1.0)
    """
    if isinstance(schedule, LinearSchedule):
        return 0.5, 0.5
    if isinstance(schedule, SineSquaredSchedule):
        return 1.0, 1.0
    if isinstance(schedule, BetaSchedule):
        return schedule.a, schedule.b
    if isinstance(schedule, MirroredSchedule):
        inner = beta_parameters(schedule.inner)
        return None if inner is None else (inner[1], inner[0])
    return None


def best_fit_beta(schedule: Schedule) -> BetaFit:
    """argmin over (a, b) of the integral over t of (eta(t) - I_t(a, b))^2; the exact pair where there is one.

    Gauss-Legendre with 128 nodes; the sup error is read on 20001 points.

    >>> fit = tm.energy.best_fit_beta(tm.BetaSchedule(2.0, 3.0))
    >>> fit.a, fit.b, fit.exact
    (2.0, 3.0, True)
    """
    exact = beta_parameters(schedule)
    if exact is not None:
        return BetaFit(*exact, 0.0, True)
    nodes, weights = leggauss(NODES)
    t, root = (1 + nodes) / 2, np.sqrt(weights / 2)
    eta = 2 / np.pi * np.asarray(schedule.angle(t))

    def residual(logs):
        return root * (betainc(*np.exp(logs), t) - eta)

    fit = scipy.optimize.least_squares(residual, np.zeros(2), xtol=1e-15, ftol=1e-15, gtol=1e-15)
    a, b = (float(v) for v in np.exp(fit.x))
    grid = np.linspace(0.0, 1.0, 20001)
    sup = np.abs(BetaSchedule(a, b).alpha(grid) - schedule.alpha(grid)).max()
    return BetaFit(a, b, float(sup), False)
