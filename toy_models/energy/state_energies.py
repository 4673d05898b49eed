"""The three energies of a schedule, integrated over time from their state sums."""

from dataclasses import dataclass

import numpy as np
from numpy.polynomial.legendre import leggauss

from toy_models.energy.path_energy import divergence, require_schedule
from toy_models.energy.path_rates import energy_integrands
from toy_models.schedules import Schedule
from toy_models.validation import positive_int


@dataclass(frozen=True)
class StateEnergies:
    """Integrals over t of the three integrands divided by gamma', Fisher-Rao normalisation; inf with the reason."""

    kinetic: float
    conditional: float
    geodesic: float
    error: float  # largest change when the number of nodes is doubled
    reason: str = ""


def state_energies(pmf, schedule: Schedule, reference: Schedule | None = None, nodes: int = 16) -> StateEnergies:
    """(E_k, E_c, E_g) by Gauss-Legendre in time over sums on all (K+1)^n states; nothing is cancelled beforehand.

    For schedules whose integrand is smooth (sin^2, smoothstep, Beta(a, b) under a Beta with equal end exponents) the
    error falls geometrically with `nodes`: an integrand analytic in the ellipse of parameter rho and bounded there by M
    gives at most (64/15) M rho^(-2 nodes) / (1 - rho^-2). No closed form of `path_energy` is used. 1 - alpha is formed
    by subtraction, so a schedule flatter than (1-t)^4 at the end loses digits.
    """
    require_schedule(schedule, "schedule")
    positive_int("nodes", nodes)
    reason = divergence(schedule, reference)
    if reason:
        return StateEnergies(np.inf, np.inf, np.inf, 0.0, reason)
    coarse, fine = (_integrate(pmf, schedule, reference, count) for count in (nodes, 2 * nodes))
    return StateEnergies(*(float(v) for v in fine), float(np.abs(fine - coarse).max()))


def _integrate(pmf, schedule, reference, count: int) -> np.ndarray:
    x, weights = leggauss(count)
    total = np.zeros(3)
    for t, w in zip((1 + x) / 2, weights / 2, strict=True):
        at = energy_integrands(pmf, float(schedule.alpha(t)), float(schedule.slope(t)))
        density = 1.0 if reference is None else float(np.exp(reference.log_speed(t, 1.0 - t)))
        total += w / density * np.array([at.kinetic, at.conditional, at.geodesic])
    return total
