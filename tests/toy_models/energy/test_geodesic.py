"""Path energies: closed forms against quadrature and against mpmath, infinite cases by their reason, N steps."""

import mpmath
import numpy as np
import pytest
from flint import acb, arb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

import toy_models as tm
from toy_models.energy.chords import arc_energy, chord_energy, joint_chord_energy, optimal_chord_angles, step_angles
from toy_models.energy.geodesic import beta_energy, divergence, energy_quadrature, tanh_sinh

PI2 = np.pi**2
REFERENCES = [(0.5, 0.5), (1.0, 1.0), (0.9, 0.9), (0.9, 0.3), (1.0, 0.2), (0.3, 0.9)]
TABLE = [  # E / pi^2 to four digits, rows alpha and columns gamma
    [1.0, np.inf, 2.4491, 3.7420, np.inf, 3.7420],
    [1.2337, 1.0, 1.0072, 1.7953, 2.7778, 1.7953],
    [1.1774, 1.0091, 1.0, 1.7658, 2.7854, 1.7658],
    [2.4937, np.inf, np.inf, 1.0, 1.16, np.inf],
    [np.inf, np.inf, np.inf, 1.3728, 1.0, np.inf],
    [2.4937, np.inf, np.inf, np.inf, np.inf, 1.0],
]


def test_table_of_beta_energies():
    found = [[tm.path_energy(tm.BetaSchedule(*p), tm.BetaSchedule(*q)) / PI2 for q in REFERENCES] for p in REFERENCES]
    np.testing.assert_allclose(found, TABLE, atol=5.01e-5, rtol=0)


beta = st.floats(0.15, 3.0)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(beta, beta, beta, beta)
def test_closed_form_against_quadrature(p, q, a, b):
    own, reference = tm.BetaSchedule(p, q), tm.BetaSchedule(a, b)
    closed = beta_energy((p, q), (a, b))
    if np.isinf(closed):
        assert divergence(own, reference) != ""
    elif min(2 * p - a, 2 * q - b) > 0.1:  # nearer to the edge the integral converges too slowly for 1e-300 nodes
        value, error = energy_quadrature(own, reference)
        assert value == pytest.approx(closed, rel=1e-10)
        assert abs(value - closed) <= error + 1e-13 * closed


@pytest.mark.parametrize(("p", "q", "a", "b"), [(0.7, 1.3, 0.4, 2.0), (2.0, 2.0, 1.0, 1.0)])
def test_closed_form_against_thirty_digits(p, q, a, b):
    with mpmath.workdps(30):
        value = mpmath.quad(
            lambda t: mpmath.pi**2 * t ** (2 * (p - 1) - (a - 1)) * (1 - t) ** (2 * (q - 1) - (b - 1)), [0, 0.5, 1]
        )
        value = value * mpmath.beta(a, b) / mpmath.beta(p, q) ** 2
    assert beta_energy((p, q), (a, b)) == pytest.approx(float(value), rel=1e-12)


class TestClosedForms:
    def test_smoothstep(self):
        report = tm.energy.path_energy_report(tm.schedules.SmoothstepSchedule())
        assert report.value == 9 * np.log(3)
        assert report.error == 0
        value, error = energy_quadrature(tm.schedules.SmoothstepSchedule(), None)
        assert abs(value - 9 * np.log(3)) <= error < 1e-12

    def test_smoothstep_is_enclosed(self):
        """Ball integration of 36/((3-2t)(1+2t)) contains 9 ln 3 and excludes pi^2."""
        ctx.prec = 100
        value = acb.integral(lambda t, _analytic: 36 / ((3 - 2 * t) * (1 + 2 * t)), 0, 1).real
        assert value.contains(9 * arb(3).log())
        assert value > arb.pi() ** 2
        assert value.rad() < arb("1e-20")

    def test_sine_squared_under_the_linear_reference(self):
        assert tm.path_energy(tm.SineSquaredSchedule(), tm.LinearSchedule()) == pytest.approx(np.pi**4 / 8, rel=1e-14)

    def test_two_two(self):
        assert tm.path_energy(tm.BetaSchedule(2.0, 2.0)) == pytest.approx(1.2 * PI2, rel=1e-14)

    @pytest.mark.parametrize("eps", [(1e-3, 1e-3), (1e-4, 0.2), (0.3, 0.1)])
    def test_clipped_linear(self, eps):
        schedule = tm.schedules.KnotSchedule((0.0, 1.0), (eps[0], 1 - eps[1]))
        slope = 1 - sum(eps)
        expected = slope * sum(np.log((1 - e) / e) for e in eps)
        assert tm.path_energy(schedule) == pytest.approx(expected, rel=1e-12)
        assert energy_quadrature(schedule, None)[0] == pytest.approx(expected, rel=1e-10)
        best = 4 * (np.arcsin(np.sqrt(1 - eps[1])) - np.arcsin(np.sqrt(eps[0]))) ** 2
        assert tm.path_energy(schedule) > best
        if eps == (1e-3, 1e-3):
            assert round(expected, 4) == 13.7859
            assert round(best, 4) == 9.0907

    def test_many_knots_approach_the_smooth_schedule(self):
        t = np.linspace(0, 1, 2001)
        values = np.clip(tm.SineSquaredSchedule().alpha(t), 1e-9, 1 - 1e-9)
        assert tm.path_energy(tm.schedules.KnotSchedule(tuple(t), tuple(values))) == pytest.approx(PI2, rel=5e-3)

    def test_mirrored_beta_swaps_its_parameters(self):
        mirrored = tm.schedules.MirroredSchedule(tm.BetaSchedule(0.9, 0.4))
        assert tm.path_energy(mirrored) == tm.path_energy(tm.BetaSchedule(0.4, 0.9)) == np.inf
        assert tm.path_energy(mirrored, tm.LinearSchedule()) == tm.path_energy(
            tm.BetaSchedule(0.4, 0.9), tm.LinearSchedule()
        )


SMOOTH = [
    tm.LinearSchedule(),
    tm.SineSchedule(),
    tm.CosineSchedule(),
    tm.schedules.SmoothstepSchedule(),
    tm.PowerSchedule(2.0),
    tm.BetaSchedule(0.9, 0.3),
]


@pytest.mark.parametrize("schedule", SMOOTH, ids=repr)
def test_every_schedule_is_optimal_under_its_own_gamma(schedule):
    assert tm.path_energy(schedule, schedule) == PI2
    assert energy_quadrature(schedule, schedule)[0] == pytest.approx(PI2, rel=1e-12)


@pytest.mark.parametrize("schedule", SMOOTH, ids=repr)
@pytest.mark.parametrize("reference", SMOOTH, ids=repr)
def test_excess_is_chi_square_in_log_odds_quadrature(schedule, reference):
    """Second route: pi^2 (1 + chi^2) on a uniform grid of log-odds, trapezoidal; never below pi^2."""
    value = tm.path_energy(schedule, reference)
    assert value >= PI2 * (1 - 1e-12)
    if np.isfinite(value):
        x = np.linspace(-300, 300, 60001)
        t, u = 1 / (1 + np.exp(-x)), 1 / (1 + np.exp(x))
        own, given_ = (np.exp(s.log_speed(t, u)) for s in (schedule, reference))
        chi = np.sum((own - given_) ** 2 / given_ * t * u) * (x[1] - x[0])
        assert PI2 * (1 + chi) == pytest.approx(value, rel=1e-9)


class TestInfinite:
    @pytest.mark.parametrize(
        ("schedule", "ends"),
        [
            (tm.LinearSchedule(), (True, True)),
            (tm.SineSchedule(), (True, False)),
            (tm.CosineSchedule(), (False, True)),
            (tm.PowerSchedule(3.0), (False, True)),
            (tm.PowerSchedule(0.5), (True, True)),
            (tm.schedules.MirroredSchedule(tm.PowerSchedule(2.0)), (True, False)),
            (tm.BetaSchedule(0.9, 0.3), (False, True)),
        ],
    )
    def test_the_reason_names_the_end(self, schedule, ends):
        report = tm.energy.path_energy_report(schedule)
        assert report.value == np.inf
        assert report.method == "exponents at the ends"
        assert ("at t = 0" in report.reason, "at t = 1" in report.reason) == ends

    def test_exactly_on_the_edge(self):
        assert tm.path_energy(tm.BetaSchedule(0.5, 1.0)) == np.inf
        assert np.isfinite(tm.path_energy(tm.BetaSchedule(0.5 + 1e-9, 1.0)))

    @pytest.mark.parametrize("eps", [1e-2, 1e-4, 1e-8])
    def test_linear_diverges_like_two_logs(self, eps):
        """On [eps, 1-eps] the linear schedule has 2 ln((1-eps)/eps)."""
        value, _ = tanh_sinh(lambda t, u, w: w / (t * u), eps, 1 - eps)
        assert value == pytest.approx(2 * np.log((1 - eps) / eps), rel=1e-9)

    def test_a_kink_at_zero_inside(self):
        report = tm.energy.path_energy_report(tm.schedules.KnotSchedule((0.0, 0.5, 1.0), (0.0, 0.0, 0.9)))
        assert report.value == np.inf
        assert "at t = 0.5" in report.reason

    def test_flat_ends_are_finite(self):
        flat = tm.schedules.KnotSchedule((0.0, 0.2, 0.8, 1.0), (0.1, 0.1, 0.9, 0.9))
        assert tm.path_energy(flat) == pytest.approx(0.8 / 0.6 * 2 * np.log(9), rel=1e-12)

    def test_knots_from_zero_under_a_steep_gamma(self):
        """alpha linear at 0 under gamma' ~ t^(-1/2): finite, and equal to the integral of a smooth function."""
        schedule = tm.schedules.KnotSchedule((0.0, 0.5, 1.0), (0.0, 0.5, 1.0))
        assert tm.path_energy(schedule, tm.LinearSchedule()) == pytest.approx(PI2, rel=1e-10)


class TestRefusals:
    def test_not_a_schedule(self):
        class Falling(tm.LinearSchedule):
            def alpha(self, t):
                return 1.0 - np.asarray(t)

        class Outside(tm.LinearSchedule):
            def alpha(self, t):
                return 2.0 * np.asarray(t)

        with pytest.raises(ValueError, match="schedule: alpha falls"):
            tm.path_energy(Falling())
        with pytest.raises(ValueError, match=r"reference: alpha\(.*stays in"):
            tm.path_energy(tm.LinearSchedule(), Outside())

    def test_knots_as_reference(self):
        with pytest.raises(ValueError, match="gamma must be smooth"):
            tm.path_energy(tm.LinearSchedule(), tm.schedules.KnotSchedule((0.0, 1.0), (0.0, 1.0)))

    @pytest.mark.parametrize("pair", [(0.0, 1.0), (-1.0, 1.0), (np.nan, 1.0)])
    def test_beta_parameters(self, pair):
        with pytest.raises(ValueError, match="must be finite numbers > 0"):
            beta_energy(pair, (1.0, 1.0))

    @pytest.mark.parametrize(
        ("angles", "gaps", "message"),
        [
            (np.array([]), np.array([]), "one length >= 1"),
            (np.array([1.0, 0.5]), np.array([1.0, 0.0]), r"gaps\[1\] = 0.0"),
            (np.array([1.0, -0.1]), np.array([0.5, 0.5]), r"angles\[1\] = -0.1"),
        ],
    )
    def test_steps(self, angles, gaps, message):
        for energy in (arc_energy, chord_energy):
            with pytest.raises(ValueError, match=message):
                energy(angles, gaps)

    def test_no_steps(self):
        with pytest.raises(ValueError, match="steps = 0"):
            step_angles(tm.LinearSchedule(), 0)


class TestSteps:
    @pytest.mark.parametrize(("n", "value"), [(1, 2), (2, 2.343146), (3, 2.411543), (4, 2.435855), (8, 2.459484)])
    def test_sine_squared(self, n, value):
        found = chord_energy(step_angles(tm.SineSquaredSchedule(), n), np.full(n, 1 / n))
        assert found == pytest.approx(4 * n**2 * np.sin(np.pi / (4 * n)) ** 2, rel=1e-13)
        assert found == pytest.approx(value, abs=5.01e-7)

    @pytest.mark.parametrize(
        ("gaps", "best", "proportional"), [((0.8, 0.2), 2.192236, 2.216892), ((0.6, 0.3, 0.1), 2.337086, 2.346906)]
    )
    def test_unequal_gaps(self, gaps, best, proportional):
        gaps = np.array(gaps)
        angles = optimal_chord_angles(gaps)
        assert angles.sum() == pytest.approx(np.pi / 2, abs=1e-13)
        np.testing.assert_allclose(np.sin(angles) / gaps, np.sin(angles[0]) / gaps[0], rtol=1e-12)
        assert chord_energy(angles, gaps) == pytest.approx(best, abs=5.01e-7)
        assert chord_energy(np.pi / 2 * gaps, gaps) == pytest.approx(proportional, abs=5.01e-7)
        if len(gaps) == 2:
            np.testing.assert_allclose(angles, (1.325818, 0.244979), atol=5.01e-7)

    def test_optimal_angles_against_a_general_minimiser(self):
        gaps = np.array([0.45, 0.3, 0.05, 0.2])

        def cost(free):
            angles = np.append(free, np.pi / 2 - free.sum())
            return float((4 * np.sin(angles / 2) ** 2 / gaps).sum())

        found = minimize(cost, np.full(3, 0.3), method="BFGS", options={"gtol": 1e-9})
        np.testing.assert_allclose(found.x, optimal_chord_angles(gaps)[:3], atol=1e-6)

    def test_arcs(self):
        rng = np.random.default_rng(0)
        for n in (1, 2, 5):
            gaps, other = rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(n))
            assert arc_energy(np.pi / 2 * gaps, gaps) == pytest.approx(PI2 / 4, rel=1e-13)
            assert arc_energy(np.pi / 2 * other, gaps) >= PI2 / 4 * (1 - 1e-13)
            assert chord_energy(np.pi / 2 * other, gaps) <= arc_energy(np.pi / 2 * other, gaps)

    def test_growth(self):
        def at(schedule, n):
            return chord_energy(step_angles(schedule, n), np.full(n, 1 / n))

        assert at(tm.LinearSchedule(), 10**5) - 0.5 * np.log(10**5) == pytest.approx(1.99531, abs=5.01e-6)
        for schedule, slope in ((tm.SineSchedule(), np.pi / 8), (tm.PowerSchedule(2.0), 0.5)):
            assert (at(schedule, 2**16) - at(schedule, 2**15)) / np.log(2) == pytest.approx(slope, rel=1e-4)
        assert at(tm.schedules.SmoothstepSchedule(), 10**4) == pytest.approx(2.471878, abs=1e-6)

    def test_joint_law(self):
        jump = np.zeros(8)
        jump[3] = np.pi / 2
        equal = np.full(8, np.pi / 16)
        assert joint_chord_energy(equal, 256) == pytest.approx(15.89, abs=5e-3)
        assert joint_chord_energy(equal, 16) == pytest.approx(4.27, abs=5e-3)
        assert joint_chord_energy(jump, 256) == 2
        assert joint_chord_energy(equal, 1) == pytest.approx(chord_energy(equal, np.ones(8)), rel=1e-13)
