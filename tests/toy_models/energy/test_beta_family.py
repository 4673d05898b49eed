"""Where the common schedules sit in the Beta family."""

import numpy as np
import pytest

import toy_models as tm
from toy_models.energy.beta_family import beta_parameters

FITS = [
    (tm.SineSchedule(), 0.5625, 0.8862, 0.0079),
    (tm.CosineSchedule(), 0.8862, 0.5625, 0.0079),
    (tm.PowerSchedule(2.0), 0.9106, 0.5211, 0.0038),
    (tm.schedules.MirroredSchedule(tm.PowerSchedule(2.0)), 0.5211, 0.9106, 0.0038),
    (tm.PowerSchedule(3.0), 1.3122, 0.5301, 0.0060),
    (tm.schedules.SmoothstepSchedule(), 0.9418, 0.9418, 0.0015),
]


@pytest.mark.parametrize(("schedule", "a", "b", "sup"), FITS, ids=repr)
def test_printed_fits(schedule, a, b, sup):
    fit = tm.energy.best_fit_beta(schedule)
    assert (fit.a, fit.b) == (pytest.approx(a, abs=5.1e-5), pytest.approx(b, abs=5.1e-5))
    assert fit.sup_error == pytest.approx(sup, abs=5.1e-5)
    assert not fit.exact


@pytest.mark.parametrize("schedule", [case[0] for case in FITS], ids=repr)
def test_no_neighbour_fits_better(schedule):
    fit = tm.energy.best_fit_beta(schedule)
    t = (np.arange(4000) + 0.5) / 4000

    def miss(a, b):
        return ((tm.BetaSchedule(a, b).angle(t) - schedule.angle(t)) ** 2).mean()

    least = miss(fit.a, fit.b)
    for da, db in ((0.01, 0), (-0.01, 0), (0, 0.01), (0, -0.01)):
        assert miss(fit.a + da, fit.b + db) > least


def test_exact_members():
    assert beta_parameters(tm.LinearSchedule()) == (0.5, 0.5)
    assert beta_parameters(tm.SineSquaredSchedule()) == (1.0, 1.0)
    assert beta_parameters(tm.schedules.MirroredSchedule(tm.BetaSchedule(0.9, 0.3))) == (0.3, 0.9)
    assert beta_parameters(tm.schedules.MirroredSchedule(tm.SineSchedule())) is None
    fit = tm.energy.best_fit_beta(tm.LinearSchedule())
    assert (fit.a, fit.b, fit.sup_error, fit.exact) == (0.5, 0.5, 0.0, True)


def test_exponents_at_the_ends_fit_worse_uniformly():
    """(r/2, s/2) is right at the ends and off by 0.06 to 0.12 in between."""
    t = np.linspace(0, 1, 2001)
    for schedule in (tm.SineSchedule(), tm.PowerSchedule(2.0), tm.schedules.SmoothstepSchedule()):
        r, s = schedule.endpoint_exponents()
        sup = np.abs(tm.BetaSchedule(r / 2, s / 2).alpha(t) - schedule.alpha(t)).max()
        assert sup > 2 * tm.energy.best_fit_beta(schedule).sup_error
