"""Energies of schedules: the named ones, Beta schedules on a grid, and where N steps are placed."""

from dataclasses import dataclass

import numpy as np

import toy_models as tm
from toy_models.energy.beta_family import BetaFit
from toy_models.energy.chords import chord_energy, optimal_chord_angles, step_angles
from toy_models.energy.geodesic import beta_energy

REFERENCES = ((0.5, 0.5), (1.0, 1.0), (0.9, 0.9), (0.9, 0.3), (1.0, 0.2), (0.3, 0.9))


NAMED = {
    "linear": tm.LinearSchedule(),
    "sin": tm.SineSchedule(),
    "sin²": tm.SineSquaredSchedule(),
    "1-cos": tm.CosineSchedule(),
    "t²": tm.PowerSchedule(2.0),
    "1-(1-t)²": tm.schedules.MirroredSchedule(tm.PowerSchedule(2.0)),
    "t³": tm.PowerSchedule(3.0),
    "3t²-2t³": tm.schedules.SmoothstepSchedule(),
}


@dataclass(frozen=True)
class ScheduleRow:
    """One schedule: its Beta parameters, its energy under gamma = t and under the linear schedule's own gamma."""

    name: str
    fit: BetaFit
    energy: float
    reason: str
    energy_under_linear: float


@dataclass(frozen=True, eq=False)
class Landscape:
    """E / pi^2 of Beta(a', b') schedules, values[i, j] at (axis[i], axis[j]), under gamma = CDF of Beta(reference)."""

    reference: tuple[float, float]
    axis: np.ndarray
    values: np.ndarray


@dataclass(frozen=True, eq=False)
class Spacing:
    """Chord energies of N steps, sphere normalisation, gamma = t; and two splits of unequal gaps."""

    steps: np.ndarray
    least: np.ndarray
    curves: dict[str, np.ndarray]
    gaps: tuple[tuple[float, ...], ...]
    best: tuple[float, ...]
    proportional: tuple[float, ...]


def schedule_row(name: str, schedule) -> ScheduleRow:
    report = tm.energy.path_energy_report(schedule)
    under_linear = tm.path_energy(schedule, tm.LinearSchedule())
    return ScheduleRow(name, tm.energy.best_fit_beta(schedule), report.value, report.reason, under_linear)


def landscape(reference: tuple[float, float], points: int) -> Landscape:
    axis = np.linspace(0.1, 2.0, points)
    values = np.array([[beta_energy((float(a), float(b)), reference) / np.pi**2 for b in axis] for a in axis])
    return Landscape(reference, axis, values)


def spacing(steps: tuple[int, ...]) -> Spacing:
    even = {n: np.full(n, 1 / n) for n in steps}
    shown = ("linear", "sin", "t²", "3t²-2t³", "sin²")
    gaps = ((0.8, 0.2), (0.6, 0.3, 0.1))
    return Spacing(
        np.array(steps),
        np.array([4 * n * n * np.sin(np.pi / (4 * n)) ** 2 for n in steps]),
        {name: np.array([chord_energy(step_angles(NAMED[name], n), even[n]) for n in steps]) for name in shown},
        gaps,
        tuple(chord_energy(optimal_chord_angles(np.array(g)), np.array(g)) for g in gaps),
        tuple(chord_energy(np.pi / 2 * np.array(g), np.array(g)) for g in gaps),
    )
