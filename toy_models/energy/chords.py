"""The N steps of a schedule on the quarter circle: arcs, chords, and the chords of least energy."""

import numpy as np
import scipy
from jaxtyping import Float

from toy_models.schedules.protocol import Schedule
from toy_models.validation import positive_int


def step_angles(schedule: Schedule, steps: int) -> Float[np.ndarray, " N"]:
    """theta(j/N) - theta((j-1)/N), theta = arcsin sqrt(alpha): the arcs of the N steps on the quarter circle.

    >>> (tm.energy.step_angles(tm.SineSquaredSchedule(), 2) / np.pi).round(12).tolist()
    [0.25, 0.25]
    """
    grid = np.arange(positive_int("steps", steps) + 1) / steps
    return np.diff(np.asarray(schedule.angle(grid), dtype=np.float64))


def arc_energy(angles: Float[np.ndarray, " N"], gaps: Float[np.ndarray, " N"]) -> float:
    """Sum over k of (angle_k)^2 / gap_k, sphere normalisation. With gaps summing to 1 it is at least (pi/2)^2.

    >>> round(float(tm.energy.arc_energy(np.full(4, np.pi / 8), np.full(4, 0.25)) / np.pi**2), 12)  # (pi/2)^2
    0.25
    """
    angles, gaps = _steps(angles, gaps)
    return float(np.sum(angles**2 / gaps))


def chord_energy(angles: Float[np.ndarray, " N"], gaps: Float[np.ndarray, " N"]) -> float:
    """Sum over k of |y_{k+1} - y_k|^2 / gap_k with |dy|^2 = 4 sin^2(angle / 2) (App. D.5, reconstructed).

    >>> round(float(tm.energy.chord_energy(np.array([np.pi / 2]), np.array([1.0]))), 12)  # 4 sin^2(pi/4)
    2.0
    """
    angles, gaps = _steps(angles, gaps)
    return float(np.sum(4.0 * np.sin(angles / 2) ** 2 / gaps))


def joint_chord_energy(angles: Float[np.ndarray, " N"], length: int) -> float:
    """Sum over k of 2 (1 - cos^n(angle_k)): squared Hellinger distances of the joint laws of n tokens.

    >>> round(float(tm.energy.joint_chord_energy(np.array([np.pi / 2]), 3)), 12)
    2.0
    """
    angles, _ = _steps(angles, np.ones(len(angles)))
    return float(np.sum(2.0 * (1.0 - np.cos(angles) ** positive_int("length", length))))


def optimal_chord_angles(gaps: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    """The angles summing to pi/2 that minimise the chord energy: sin(angle_k) / gap_k is the same for every k.

    1 - cos is convex on [0, pi/2], so the stationary point is the global minimum. Root of a monotone function of one
    constant; angles to about 1e-14.

    >>> (tm.energy.optimal_chord_angles(np.full(2, 0.5)) / np.pi).round(9).tolist()
    [0.25, 0.25]
    """
    _, gaps = _steps(np.zeros(len(gaps)), gaps)
    if len(gaps) == 1:
        return np.array([np.pi / 2])
    top = 1.0 / gaps.max()

    def excess(c):
        return np.arcsin(np.minimum(c * gaps, 1.0)).sum() - np.pi / 2

    return np.arcsin(np.minimum(scipy.optimize.brentq(excess, 0.0, top, xtol=1e-16, rtol=1e-15) * gaps, 1.0))


def _steps(angles, gaps):
    angles, gaps = np.asarray(angles, dtype=np.float64), np.asarray(gaps, dtype=np.float64)
    if angles.ndim != 1 or angles.shape != gaps.shape or not len(gaps):
        raise ValueError(f"angles and gaps must be vectors of one length >= 1, got {angles.shape} and {gaps.shape}")
    wrong = np.flatnonzero(~(np.isfinite(gaps) & (gaps > 0)))
    if wrong.size:
        raise ValueError(f"gaps[{wrong[0]}] = {gaps[wrong[0]]}, every gap of gamma must be a finite number > 0")
    wrong = np.flatnonzero(~((angles >= 0) & (angles <= np.pi / 2)))
    if wrong.size:
        raise ValueError(f"angles[{wrong[0]}] = {angles[wrong[0]]}, allowed: 0..pi/2 (the schedule must not decrease)")
    return angles, gaps
