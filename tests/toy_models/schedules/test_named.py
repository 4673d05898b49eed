"""Schedules: endpoints, derivatives, accuracy near the ends, and refusals."""

import mpmath
import numpy as np
import pytest

import toy_models as tm
from toy_models.schedules.protocol import Schedule

SCHEDULES = [
    tm.LinearSchedule(),
    tm.CosineSchedule(),
    tm.SineSchedule(),
    tm.SineSquaredSchedule(),
    tm.schedules.SmoothstepSchedule(),
    tm.PowerSchedule(2.0),
    tm.PowerSchedule(0.5),
    tm.BetaSchedule(0.9, 0.3),
    tm.BetaSchedule(0.5, 0.5),
    tm.BetaSchedule(0.3, 2.0),
    tm.schedules.MirroredSchedule(tm.PowerSchedule(3.0)),
    tm.schedules.KnotSchedule((0.0, 0.25, 1.0), (0.0, 0.7, 1.0)),
]
SMOOTH = SCHEDULES[:-1]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
class TestEverySchedule:
    def test_runs_from_zero_to_one(self, schedule):
        values = schedule.alpha(np.linspace(0, 1, 101))
        assert values[0] == 0
        assert values[-1] == 1
        assert (np.diff(values) >= 0).all()

    def test_slope_is_the_derivative(self, schedule):
        t, h = np.array([0.11, 0.4, 0.63, 0.9]), 1e-6
        numeric = (schedule.alpha(t + h) - schedule.alpha(t - h)) / (2 * h)
        np.testing.assert_allclose(schedule.slope(t), numeric, rtol=2e-8)

    def test_log_speed_is_the_slope_of_eta(self, schedule):
        t, h = np.array([0.11, 0.4, 0.63, 0.9]), 1e-6
        eta = [2 / np.pi * np.arcsin(np.sqrt(schedule.alpha(t + s * h))) for s in (1, -1)]
        np.testing.assert_allclose(np.exp(schedule.log_speed(t, 1 - t)), (eta[0] - eta[1]) / (2 * h), rtol=1e-7)

    def test_weights_and_sizes_spend_everything(self, schedule):
        assert schedule.weights(7).sum() == pytest.approx(1, abs=1e-15)
        assert (schedule.weights(7) >= 0).all()
        assert schedule.sizes(7, 50).sum() == 50

    def test_angle_gives_alpha(self, schedule):
        t = np.linspace(0, 1, 11)
        np.testing.assert_allclose(np.sin(schedule.angle(t)) ** 2, schedule.alpha(t), atol=2e-16)

    def test_rate_ends_at_infinity(self, schedule):
        assert schedule.rate(0.5) == schedule.slope(0.5) / (1 - schedule.alpha(0.5))
        assert schedule.rate(1.0) == np.inf

    @pytest.mark.parametrize("t", [-0.1, 1.5, np.nan])
    def test_time_outside_is_refused(self, schedule, t):
        for method in (schedule.alpha, schedule.slope):
            with pytest.raises(ValueError, match=r"time runs over \[0, 1\]"):
                method(t)


@pytest.mark.parametrize("schedule", SMOOTH, ids=repr)
def test_endpoint_exponents_are_the_log_slopes(schedule):
    r, s = schedule.endpoint_exponents()
    small = np.array([1e-9, 1e-10])
    low = schedule.log_speed(small, 1 - small)
    high = schedule.log_speed(1 - small, small)
    slope = [(v[0] - v[1]) / np.log(10) for v in (low, high)]  # eta' ~ t^(r/2 - 1)
    np.testing.assert_allclose(slope, [r / 2 - 1, s / 2 - 1], atol=1e-4)


@pytest.mark.parametrize("schedule", [s for s in SMOOTH if not isinstance(s, tm.BetaSchedule)], ids=repr)
def test_log_speed_near_both_ends_against_fifty_digits(schedule):
    """At distance 1e-12 from either end, where 1 - alpha has no digits left in float64."""
    for t, u in ((1e-12, 1 - 1e-12), (1 - 1e-12, 1e-12)):
        with mpmath.workdps(50):
            exact_t = mpmath.mpf(t) if t < 0.5 else 1 - mpmath.mpf(u)
            alpha = _high_precision(schedule)
            value = mpmath.diff(lambda x, f=alpha: _eta(f(x)), exact_t, h=mpmath.mpf(10) ** -24)
        assert np.exp(float(schedule.log_speed(np.float64(t), np.float64(u)))) == pytest.approx(float(value), rel=1e-9)


def _eta(alpha):
    return 2 / mpmath.pi * mpmath.asin(mpmath.sqrt(alpha))


def _high_precision(schedule):
    pi = mpmath.pi
    return {
        tm.LinearSchedule: lambda t: t,
        tm.CosineSchedule: lambda t: 1 - mpmath.cos(pi * t / 2),
        tm.SineSchedule: lambda t: mpmath.sin(pi * t / 2),
        tm.SineSquaredSchedule: lambda t: mpmath.sin(pi * t / 2) ** 2,
        tm.schedules.SmoothstepSchedule: lambda t: 3 * t**2 - 2 * t**3,
        tm.PowerSchedule: lambda t: t ** mpmath.mpf(getattr(schedule, "p", 1)),
        tm.schedules.MirroredSchedule: lambda t: 1 - (1 - t) ** 3,
    }[type(schedule)]


@pytest.mark.parametrize(("a", "first"), [(0.4, np.inf), (0.5, 1.0), (0.6, 0.0)])
def test_beta_slope_at_the_ends(a, first):
    assert tm.BetaSchedule(a, 0.5).slope(0.0) == (first if a != 0.5 else pytest.approx(1.0))
    assert tm.BetaSchedule(0.5, a).slope(1.0) == (first if a != 0.5 else pytest.approx(1.0))


def test_beta_half_half_is_linear_and_one_one_is_sine_squared():
    t = np.linspace(0, 1, 101)
    np.testing.assert_allclose(tm.BetaSchedule(0.5, 0.5).alpha(t), t, atol=5e-16)
    np.testing.assert_allclose(tm.BetaSchedule(1.0, 1.0).alpha(t), tm.SineSquaredSchedule().alpha(t), atol=5e-16)


class _Broken(Schedule):
    def __init__(self, function):
        self.alpha = function


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda t: 1.2 * t, r"alpha\(0.875\) = 1.05, a schedule stays in \[0, 1\]"),
        (lambda t: t - 0.1 * np.sin(4 * np.pi * t) ** 2 * (t < 0.9) * 3, "must not decrease|stays in"),
        (lambda t: 0.5 * t, "runs from 0 to 0.5, it must run from 0 to 1"),
        (lambda t: 0.1 + 0.9 * t, "runs from 0.1 to 1"),
        (lambda t: t * np.nan, "stays in"),
    ],
)
def test_wrong_schedules_are_refused(function, message):
    with pytest.raises(ValueError, match=message):
        _Broken(function).weights(8)


@pytest.mark.parametrize("steps", [0, -1, True])
def test_wrong_step_numbers_are_refused(steps):
    with pytest.raises(ValueError, match="steps = "):
        tm.LinearSchedule().weights(steps)
    with pytest.raises(ValueError, match="steps = "):
        tm.LinearSchedule().sizes(steps, 10)


@pytest.mark.parametrize(("a", "b"), [(0.0, 1.0), (1.0, -0.5), (np.inf, 1.0), (np.nan, 1.0)])
def test_wrong_beta_parameters_are_refused(a, b):
    with pytest.raises(ValueError, match="it must be a finite number > 0"):
        tm.BetaSchedule(a, b)


@pytest.mark.parametrize("p", [0.0, -1.0, np.nan, np.inf])
def test_wrong_powers_are_refused(p):
    with pytest.raises(ValueError, match="p = "):
        tm.PowerSchedule(p)


@pytest.mark.parametrize(
    ("times", "values", "message"),
    [
        ((0.0, 1.0), (0.0, 0.5, 1.0), "same length"),
        ((0.0,), (0.0,), "same length >= 2"),
        ((0.1, 1.0), (0.0, 1.0), "increase strictly from 0 to 1"),
        ((0.0, 0.5, 0.5, 1.0), (0.0, 0.1, 0.2, 1.0), "increase strictly"),
        ((0.0, 0.5, 1.0), (0.0, 0.7, 0.6), "alpha falls from 0.7 at t = 0.5"),
        ((0.0, 1.0), (0.0, 1.1), "stays in"),
    ],
)
def test_wrong_knots_are_refused(times, values, message):
    with pytest.raises(ValueError, match=message):
        tm.schedules.KnotSchedule(times, values)


def test_a_clipped_path_gives_no_sampler():
    with pytest.raises(ValueError, match=r"runs from 0\.001 to 0\.999"):
        tm.schedules.KnotSchedule((0.0, 1.0), (1e-3, 1 - 1e-3)).weights(4)


def test_endpoint_exponents_must_be_declared():
    with pytest.raises(NotImplementedError, match="does not declare endpoint_exponents"):
        _Broken(lambda t: t).endpoint_exponents()
