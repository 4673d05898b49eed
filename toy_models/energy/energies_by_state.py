"""The three energies of a schedule, integrated over time from their state sums."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.polynomial.legendre import leggauss

from toy_models.energy.conditional_kinetic import point_mass
from toy_models.energy.geodesic import divergence, require_schedule
from toy_models.energy.kinetic import kinetic_sum, lattice_of, path_probabilities, rates
from toy_models.schedules.protocol import Schedule
from toy_models.validation import positive_int


@dataclass(frozen=True)
class StateEnergies:
    """Integrals over t of the three integrands divided by gamma', Fisher-Rao normalisation; inf with the reason.

    >>> energies = tm.energy.state_energies(np.array([0.5, 0.5]), tm.SineSquaredSchedule())
    >>> round(energies.geodesic / np.pi**2, 9)
    1.0
    """

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

    >>> energies = tm.energy.state_energies(np.array([0.5, 0.5]), tm.SineSquaredSchedule())
    >>> round(energies.kinetic / energies.geodesic, 9)  # C_k / C_g of one token
    1.0
    """
    require_schedule(schedule, "schedule")
    positive_int("nodes", nodes)
    reason = divergence(schedule, reference)
    if reason:
        return StateEnergies(np.inf, np.inf, np.inf, 0.0, reason)
    coarse, fine = (_integrate(pmf, schedule, reference, count) for count in (nodes, 2 * nodes))
    kinetic, conditional, geodesic = (float(v) for v in fine)
    return StateEnergies(kinetic, conditional, geodesic, float(np.abs(fine - coarse).max()))


def _integrate(pmf, schedule, reference, count: int) -> np.ndarray:
    x, weights = leggauss(count)
    total = np.zeros(3)
    for t, w in zip((1 + x) / 2, weights / 2, strict=True):
        at = energy_integrands(pmf, float(schedule.alpha(t)), float(schedule.slope(t)))
        density = 1.0 if reference is None else float(np.exp(reference.log_speed(t, 1.0 - t)))
        total += w / density * np.array([at.kinetic, at.conditional, at.geodesic])
    return total


@dataclass(frozen=True)
class EnergyIntegrands:
    """The three energies before division by gamma', at one time, and base = alpha'^2 / (alpha (1-alpha)).

    >>> tm.energy.energy_integrands(np.array([0.5, 0.5]), 0.5, 1.0).geodesic
    4.0
    """

    kinetic: Any
    conditional: Any
    geodesic: Any  # Fisher-Rao normalisation: four times the squared speed on the sphere, summed over tokens
    base: Any


def energy_integrands(pmf, alpha, slope, weight: str = "inverse") -> EnergyIntegrands:
    """Kinetic, conditional kinetic and geodesic integrands by summing over all states (and all data points).

    The conditional sum runs over each data point x1 with its own path and rates, averaged under q; the geodesic one
    over the two states of each token. Nothing is simplified first, so that constant ratios are a finding.

    >>> found = tm.energy.energy_integrands(np.array([0.5, 0.5]), 0.5, 1.0)
    >>> float(found.kinetic), float(found.conditional), float(found.geodesic)
    (4.0, 4.0, 4.0)
    """
    pmf = np.asarray(pmf)
    whole = lattice_of(pmf)
    kinetic = kinetic_sum(whole, path_probabilities(whole, alpha), rates(whole, alpha, slope), weight)
    conditional = 0
    for index in np.argwhere(pmf != 0):
        one = lattice_of(point_mass(pmf, tuple(int(i) for i in index)))
        p = path_probabilities(one, alpha)
        conditional += pmf[tuple(index)] * kinetic_sum(one, p, rates(one, alpha, slope), weight)
    token = slope**2 / alpha + slope**2 / (1 - alpha)
    return EnergyIntegrands(kinetic, conditional, whole.length * token, slope**2 / (alpha * (1 - alpha)))


def full_support_constants(vocab_size: int, length: int) -> tuple[int, int, int]:
    """(C_k, C_c, C_g) = (n (K+1)^(n-1), n 2^(n-1), n).

    >>> tm.energy.full_support_constants(2, 3)
    (27, 12, 3)
    """
    return length * (vocab_size + 1) ** (length - 1), length * 2 ** (length - 1), length
