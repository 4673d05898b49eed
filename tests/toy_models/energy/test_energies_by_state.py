"""Integrated state sums: constants times the path energy, with an a-priori quadrature bound on one schedule."""

import numpy as np
import pytest

import toy_models as tm
from toy_models.energy.energies_by_state import full_support_constants, state_energies
from toy_models.energy.kinetic import kinetic_constant

PAIR = np.array([[0.5, 0.1], [0.15, 0.25]])


@pytest.mark.parametrize("pmf", [PAIR, np.diag([0.7, 0.3]), np.array([0.2, 0.3, 0.5])])
@pytest.mark.parametrize(
    "schedule", [tm.SineSquaredSchedule(), tm.schedules.SmoothstepSchedule(), tm.BetaSchedule(2.0, 2.0)]
)
def test_constants_times_path_energy(pmf, schedule):
    found = state_energies(pmf, schedule)
    constants = (kinetic_constant(pmf), *full_support_constants(pmf.shape[0], pmf.ndim)[1:])
    for value, constant in zip((found.kinetic, found.conditional, found.geodesic), constants, strict=True):
        assert value == pytest.approx(constant * tm.path_energy(schedule), rel=1e-10)
        assert abs(value - constant * tm.path_energy(schedule)) <= found.error + 1e-10


def test_smoothstep_within_the_ellipse_bound():
    """36/((3-2t)(1+2t)) = 36/(4 - x^2), x = 2t - 1: on the ellipse rho = 3.5, |x| <= 1.893, it is at most M = 86.5."""
    rho, nodes = 3.5, 6
    largest = 36 / (4 - ((rho + 1 / rho) / 2) ** 2)
    bound = 64 / 15 * largest * rho ** (-4 * nodes) / (1 - rho**-2) / 2  # 2 * nodes points, half of the x-interval
    found = state_energies(PAIR, tm.schedules.SmoothstepSchedule(), nodes=nodes)
    assert abs(found.geodesic / 2 - 9 * np.log(3)) <= bound < 1e-10
    coarse = state_energies(PAIR, tm.schedules.SmoothstepSchedule(), nodes=2)
    assert coarse.error > 1e-6  # the reported error sees a quadrature that is too coarse


def test_with_a_reference():
    found = state_energies(PAIR, tm.BetaSchedule(2.0, 2.0), tm.BetaSchedule(2.0, 2.0))
    assert found.geodesic == pytest.approx(2 * np.pi**2, rel=1e-10)


def test_infinite_with_its_reason():
    found = state_energies(PAIR, tm.LinearSchedule())
    assert (found.kinetic, found.conditional, found.geodesic) == (np.inf, np.inf, np.inf)
    assert "at t = 0" in found.reason
    with pytest.raises(ValueError, match="nodes = 0"):
        state_energies(PAIR, tm.SineSquaredSchedule(), nodes=0)
