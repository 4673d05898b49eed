"""The NELBO of per-position schedules: four routes per sequence, the gradient, the variance."""

from fractions import Fraction

import numpy as np
import pytest

from toy_models.learned_order.nelbo import (
    METHODS,
    nelbo_gradient,
    nelbo_gradient_by_time,
    nelbo_of_orders,
    nelbo_of_schedules,
    nelbo_variance,
    schedule_nelbo,
)
from toy_models.learned_order.plackett_luce import plackett_luce, reversed_law, uniform_orders
from toy_models.learned_order.reveal_times import NoisePowerSchedule, order_law
from toy_models.learned_order.reveal_weights import (
    inclusion_exclusion_reveals,
    order_reveals,
    plackett_luce_reveals,
    quadrature_reveals,
)
from toy_models.learned_order.subset_losses import mean_cross_entropies, sequence_cross_entropies
from toy_models.learned_order.time_dependent import TimeTempered, timed_nelbo, timed_order_average
from toy_models.quantities.lattice import sequences, to_table
from toy_models.schedules.named import LinearSchedule, PowerSchedule, SineSchedule
from toy_models.targets.denoisers import ParentPointer, Smoothed, Tempered
from toy_models.targets.instances import k1, k2

LEFT = (-1, 0, 1, 2)
X = sequences(3, 4)


@pytest.mark.parametrize("denoiser", [Tempered(k1(), 0.5), ParentPointer(k1(), LEFT), Smoothed(k1(), 0.2)])
def test_four_routes_per_sequence(denoiser):
    found = {m: schedule_nelbo(k1(), denoiser, (3.0, 0.5, 2.0, 1.2), x=X, method=m) for m in METHODS}
    for method in METHODS:
        np.testing.assert_allclose(found[method], found["orders"], atol=1e-12, rtol=0)
    mean = schedule_nelbo(k1(), denoiser, (3.0, 0.5, 2.0, 1.2))
    assert mean == pytest.approx(found["orders"] @ to_table(k1()).pmf.ravel(), abs=1e-12)


def test_reference_values_and_the_ascending_control():
    left, temper = ParentPointer(k1(), LEFT), Tempered(k1(), 0.5)
    w = (3.0, 0.5, 2.0, 1.2)
    for denoiser, right, uniform, ascending in (
        (temper, 3.84065694, 3.84298690, 3.84299242),
        (left, 3.95120838, 3.98664349, 4.02207860),
    ):
        assert schedule_nelbo(k1(), denoiser, w) == pytest.approx(right, abs=1e-8)
        assert nelbo_of_orders(k1(), denoiser, uniform_orders(4)) == pytest.approx(uniform, abs=1e-8)
        assert nelbo_of_orders(k1(), denoiser, reversed_law(plackett_luce(w))) == pytest.approx(ascending, abs=1e-8)
    w = (4.0, 2.0, 1.0, 0.5)
    assert schedule_nelbo(k1(), left, w) == pytest.approx(3.8883060952, abs=1e-10)
    assert schedule_nelbo(k2(), ParentPointer(k2(), LEFT), w) == pytest.approx(3.8685550998, abs=1e-10)


def test_any_schedules_and_scale_invariance():
    made = [NoisePowerSchedule(2.5), PowerSchedule(2.0), SineSchedule(), LinearSchedule()]
    left = ParentPointer(k1(), LEFT)
    by_time = nelbo_of_schedules(k1(), left, made, x=X)
    law = order_law(made)
    np.testing.assert_allclose(by_time, nelbo_of_orders(k1(), left, law, x=X), atol=1e-12, rtol=0)
    assert np.abs(by_time - nelbo_of_orders(k1(), left, reversed_law(law), x=X)).max() > 1.0
    np.testing.assert_allclose(
        schedule_nelbo(k1(), left, (3.0, 0.5, 2.0, 1.2), x=X),
        schedule_nelbo(k1(), left, (30.0, 5.0, 20.0, 12.0), x=X),
        atol=1e-12,
    )


def test_oracle_is_minus_log_q_for_every_schedule():
    found = schedule_nelbo(k2(), None, (3.0, 0.5, 2.0, 1.2), x=X)
    np.testing.assert_allclose(found, -k2().log_prob(X), atol=1e-12)


def test_reveal_weights_exactly():
    w = [Fraction(3), Fraction(1, 2), Fraction(2), Fraction(6, 5)]
    exact = plackett_luce_reveals(w)
    assert (exact == inclusion_exclusion_reveals(w)).all()
    assert (exact.sum(axis=0) == 1).all()
    assert (exact != inclusion_exclusion_reveals(w[::-1])).any()
    floats = [float(v) for v in w]
    wanted = exact.astype(float)
    np.testing.assert_allclose(plackett_luce_reveals(floats), wanted, atol=1e-15)
    np.testing.assert_allclose(order_reveals(plackett_luce(floats)), wanted, atol=1e-15)
    np.testing.assert_allclose(quadrature_reveals([NoisePowerSchedule(v) for v in floats]), wanted, atol=1e-13)


def test_gradient_three_ways_and_without_the_score():
    table = mean_cross_entropies(k1(), Tempered(k1(), 0.5))
    w = np.array([1.7, 1.2, 2.3, 1.5])
    gradient = nelbo_gradient(table, w)
    np.testing.assert_allclose(gradient, nelbo_gradient_by_time(table, w), atol=1e-12)
    np.testing.assert_allclose(gradient, [-0.001233, 0.001835, 0.000693, -0.001133], atol=6e-7)
    for k in range(4):
        step = np.eye(4)[k] * 1e-4
        up, down = (schedule_nelbo(k1(), Tempered(k1(), 0.5), w + s) for s in (step, -step))
        assert (up - down) / 2e-4 == pytest.approx(gradient[k], abs=1e-8)
    assert abs(w @ gradient) < 1e-13
    direct = nelbo_gradient_by_time(table, w, score=False)
    np.testing.assert_allclose(direct, [0.5707, 0.7497, 0.4243, 0.6649], atol=6e-5)


def test_variance_values_and_threshold():
    each = sequence_cross_entropies(Tempered(k1(), 0.5), X)
    q = to_table(k1()).pmf.ravel()
    w = np.array([1.7, 1.2, 2.3, 1.5]) / 1.2
    for scale, wanted in ((1.5, 18.09), (2.0, 23.18), (3.0, 36.11)):
        assert nelbo_variance(each, q, scale * w) == pytest.approx(wanted, abs=6e-3)
    assert nelbo_variance(each, q, w) == np.inf
    limit = each[0b1101, 1] ** 2 @ q  # position 1 given all others
    assert 1e-6 * nelbo_variance(each, q, (1 + 1e-6) * w) == pytest.approx(limit, rel=1e-3)


def test_variance_against_draws():
    each = sequence_cross_entropies(ParentPointer(k1(), LEFT), X)
    q, w, rng, size = to_table(k1()).pmf.ravel(), np.array([4.0, 3.0, 5.0, 3.5]), np.random.default_rng(3), 400_000
    s = 1.0 - rng.random(size)
    masked = rng.random((size, 4)) < s[:, None] ** w
    row = rng.choice(81, size=size, p=q)
    f = (each[15 - masked @ [1, 2, 4, 8], :, row] * masked * w).sum(axis=1) / s
    exact = nelbo_variance(each, q, w)
    error = np.sqrt(((f - f.mean()) ** 2).var() / size)
    assert abs(f.var() - exact) < 5.4 * error
    assert abs(f.var() - 1.3 * exact) > 5.4 * error


def test_time_dependent_denoiser_two_routes():
    made = TimeTempered(k1(3), 0.3, 1.5)
    s, x = [NoisePowerSchedule(2.0), PowerSchedule(1.5), SineSchedule()], np.array([2, 0, 1])
    found = timed_nelbo(made, s, x)
    assert found == pytest.approx(timed_order_average(made, s, x), abs=1e-12)
    assert abs(found - timed_order_average(TimeTempered(k1(3), 1.5, 0.3), s, x)) > 0.01
    constant = TimeTempered(k1(3), 0.5, 0.5)
    plain = nelbo_of_schedules(k1(3), Tempered(k1(3), 0.5), s, x=x[None])[0]
    assert timed_nelbo(constant, s, x) == pytest.approx(plain, abs=1e-12)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="TimeTempered depends on noise time"):
        schedule_nelbo(k1(3), TimeTempered(k1(3), 0.3, 1.5), (1.0, 1.0, 1.0))
    with pytest.raises(ValueError, match="method = 'exact', allowed: subsets"):
        schedule_nelbo(k1(3), None, (1.0, 1.0, 1.0), method="exact")
    with pytest.raises(ValueError, match="weights has 2 entries, the target has length 3"):
        schedule_nelbo(k1(3), None, (1.0, 1.0))
    with pytest.raises(ValueError, match=r"weights\[2\] = 0"):
        schedule_nelbo(k1(3), None, (1.0, 1.0, 0.0))
    with pytest.raises(ValueError, match="schedules has 2 entries"):
        nelbo_of_schedules(k1(3), None, [LinearSchedule()] * 2)
