"""The minimising schedule, for one gamma and for every gamma."""

from itertools import product

import numpy as np
import sympy as sp
from flint import arb, ctx, fmpq

import toy_models as tm
from theory.energy.checks.common import ALPHAS, SKEWED_WEIGHTS, ball, symbols
from theory.energy.instances import Composed, rational, sparse_tables
from theory.energy.paths import SKEWED
from theory.energy.results import Results
from theory.ledger.registry import check, control, decide, definition, not_claimed_tight, tightness
from toy_models.energy.energies_by_state import state_energies
from toy_models.energy.geodesic import beta_energy, energy_quadrature
from toy_models.energy.kinetic import (
    kinetic_constant,
    kinetic_sum,
    lattice_of,
    net_flow,
    path_probabilities,
    path_slopes,
    rates,
)


@check("energy-geodesic-minimiser", tier="symbolic")
def euler_lagrange(_: Results):
    """alpha = sin^2(pi gamma/2) solves the Euler-Lagrange equation for every gamma; its integrand is pi^2 gamma'."""
    t, gamma, _theta = symbols()
    x, v = sp.symbols("x v")
    lagrangian = v**2 / (sp.diff(gamma, t) * x * (1 - x))
    path = sp.sin(sp.pi * gamma / 2) ** 2
    at = {x: path, v: sp.diff(path, t)}
    residual = sp.diff(sp.diff(lagrangian, v).subs(at), t) - sp.diff(lagrangian, x).subs(at)
    value = sp.simplify(lagrangian.subs(at) - sp.pi**2 * sp.diff(gamma, t))
    return decide(sp.simplify(residual) == 0 and value == 0, 2)


@check("energy-geodesic-minimiser", tier="symbolic")
def completed_square(_: Results):
    """With d = theta' - pi gamma'/2: 4 theta'^2/gamma' = pi^2 gamma' + 4 d^2/gamma' + 4 pi d; d integrates to 0."""
    t, gamma, theta = symbols()
    dg, dt = sp.diff(gamma, t), sp.diff(theta, t)
    rest = dt - sp.pi * dg / 2
    alpha = sp.sin(theta) ** 2
    integrand = sp.diff(alpha, t) ** 2 / (dg * alpha * (1 - alpha))
    square = sp.pi**2 * dg + 4 * rest**2 / dg + 4 * sp.pi * rest
    return decide(sp.simplify(integrand - 4 * dt**2 / dg) == 0 and sp.simplify(4 * dt**2 / dg - square) == 0, 2)


@definition("energy-geodesic-minimiser", tier="float64")
def geodesic_energy_of_n_tokens(_: Results):
    """min E_g = n pi^2: 4 sum over tokens of |dy|^2, y = (sqrt(1-alpha), sqrt(alpha)) by differences, n = 1, 2, 3."""
    t, gaps = np.linspace(0.0, 1.0, 2001), []
    a = tm.SineSquaredSchedule().alpha(t)
    squares = (np.diff(np.sqrt(a)) ** 2 + np.diff(np.sqrt(1 - a)) ** 2).sum() * (len(t) - 1)
    for n in (1, 2, 3):
        found = state_energies(np.full((2,) * n, 0.5**n), tm.SineSquaredSchedule()).geodesic
        gaps += [abs(found / (n * np.pi**2) - 1), abs(4 * n * squares / found - 1)]
    return decide(max(gaps) < 1e-6, len(gaps), max(gaps), "n pi^2 for n tokens, not pi^2")


@control("energy-geodesic-minimiser", tier="float64")
def one_least_energy_for_every_length(_: Results):
    """The least geodesic energy of two tokens would be pi^2."""
    found = state_energies(np.full((2, 2), 0.25), tm.SineSquaredSchedule()).geodesic
    return decide(found < np.pi**2 * (1 + 1e-9), 1, found - np.pi**2, "two tokens: 2 pi^2")


@tightness("energy-geodesic-minimiser", tier="float64")
def neighbours_of_the_minimiser(_: Results):
    """The minimum is approached: Beta(1.01, 1) has an energy above pi^2 by a relative excess in (0, 1e-3)."""
    near = beta_energy((1.01, 1.0), (1.0, 1.0)) / np.pi**2 - 1
    return decide(0 < near < 1e-3, 1, near, "relative excess of Beta(1.01, 1) under gamma = t")


@control("energy-geodesic-minimiser", tier="enclosed")
def smoothstep_also_minimises(_: Results):
    """9 ln 3 <= pi^2, in ball arithmetic."""
    ctx.prec = 128
    gap = 9 * arb(3).log() - arb.pi() ** 2
    return ball(gap <= 0, gap > 0, 1, float(gap), f"9 ln 3 - pi^2 = {gap.str(12, radius=False)}")


@control("energy-geodesic-minimiser", tier="float64")
def one_schedule_for_every_gamma(_: Results):
    """sin^2(pi t/2) has energy pi^2 under every gamma."""
    value = tm.path_energy(tm.SineSquaredSchedule(), tm.LinearSchedule())
    return decide(
        value <= np.pi**2 * (1 + 1e-12), 1, value - np.pi**2, f"under the linear schedule's gamma E = {value:.6f}"
    )


@check("energy-three-minimisers", tier="float64")
def state_sums_have_one_minimiser(_: Results):
    """State sums in time: each energy of sin^2 is C pi^2, and every other schedule tried lies above, on two laws."""
    count, holds, worst = 0, True, np.inf
    others = [
        tm.schedules.SmoothstepSchedule(),
        tm.BetaSchedule(2.0, 2.0),
        tm.BetaSchedule(1.5, 1.5),
        tm.BetaSchedule(1.0, 2.0),
    ]
    for pmf in (np.array(SKEWED), np.diag([0.7, 0.3])):
        constants = np.array([kinetic_constant(pmf), 4, 2])
        least = energies(state_energies(pmf, tm.SineSquaredSchedule()))
        holds &= bool(np.allclose(least, constants * np.pi**2, rtol=1e-12, atol=0))
        for schedule in others:
            found = state_energies(pmf, schedule)
            holds &= bool((energies(found) - found.error > least).all())
            worst = min(worst, float((energies(found) / least).min() - 1))
            count += 1
    return decide(holds, count, worst, "margin: least relative excess of another schedule")


def energies(found) -> np.ndarray:
    return np.array([found.kinetic, found.conditional, found.geodesic])


@tightness("energy-three-minimisers", tier="float64")
def smoothstep_is_close(_: Results):
    """The smoothstep lies 0.18 % above, on all three energies alike."""
    least, found = (
        state_energies(np.array(SKEWED), s) for s in (tm.SineSquaredSchedule(), tm.schedules.SmoothstepSchedule())
    )
    ratios = energies(found) / energies(least)
    return decide(bool((np.abs(ratios - 9 * np.log(3) / np.pi**2) < 1e-12).all()), 3, float(ratios.max() - 1))


@control("energy-three-minimisers", tier="float64")
def one_minimiser_without_a_mask(res: Results):
    """Uniform source: the marginal and the conditional energy choose the same path."""
    found = res.optima
    gap = found.half_conditional - found.half_marginal
    note = f"kappa(1/2): conditional {found.half_conditional:.4f}, marginal {found.half_marginal:.4f}"
    return decide(abs(gap) < 1e-4, 1, gap, note)


@control("energy-three-minimisers", tier="float64")
def one_minimiser_with_weight_one(res: Results):
    """With weight 1 in place of 1/p(x) marginal and conditional energy would share their minimiser at t = 1/2."""
    found = res.optima
    gap = found.weight_one_half_marginal - found.weight_one_half_conditional
    both = found.weight_one_half_conditional, found.weight_one_half_marginal
    note = f"alpha(1/2): conditional {both[0]:.4f}, marginal {both[1]:.4f}"
    return decide(abs(gap) < 1e-4, 1, gap, note)


@check("energy-time-change", tier="rational")
def time_change(_: Results):
    """energy-time-change: Q(gamma_t) gamma'_t generates p(gamma_t); its integrand under gamma is gamma' times Q's."""
    count, holds = 0, True
    for pmf, s, speed in product((rational(SKEWED_WEIGHTS), *sparse_tables()[:3]), ALPHAS, (fmpq(1, 3), fmpq(5, 2))):
        lattice = lattice_of(pmf)
        p, q_rates = path_probabilities(lattice, s**2), rates(lattice, s**2, 2 * s)  # alpha(s) = s^2
        moved = kinetic_sum(lattice, p, q_rates * speed) / speed
        holds &= moved == speed * kinetic_sum(lattice, p, q_rates)
        holds &= bool((net_flow(lattice, p, q_rates * speed) == path_slopes(lattice, s**2, 2 * s * speed)).all())
        count += 1
    return decide(holds, count, 0.0)


@check("energy-time-change", tier="float64")
def time_change_of_schedules(_: Results):
    """E(alpha o gamma, gamma) = E(alpha, t), by quadrature: alpha smoothstep, gamma = CDF of Beta(2, 2)."""
    moved = Composed(tm.schedules.SmoothstepSchedule(), tm.schedules.SmoothstepSchedule())
    value, error = (lambda r: (r.value, r.error))(tm.energy.path_energy_report(moved, tm.BetaSchedule(2.0, 2.0)))
    gap = abs(value - 9 * np.log(3))
    return decide(gap <= 1e-10 and error < 1e-12, 1, gap, "estimated quadrature error below 1e-12")


@control("energy-time-change", tier="rational")
def factor_forgotten(_: Results):
    """Rates Q(gamma_t) without gamma'_t: they generate no such path, and the energies differ."""
    lattice = lattice_of(rational(SKEWED_WEIGHTS))
    p, q_rates = path_probabilities(lattice, fmpq(1, 4)), rates(lattice, fmpq(1, 4), fmpq(1))
    speed = fmpq(5, 2)
    return decide(kinetic_sum(lattice, p, q_rates) / speed == speed * kinetic_sum(lattice, p, q_rates), 1)


not_claimed_tight("energy-time-change", "an identity")


@check("energy-fix-gamma-first", tier="float64")
def every_schedule_is_optimal_for_its_own(_: Results):
    """E(s, s) = pi^2 by quadrature for eight schedules, and no other of them is as cheap under that gamma."""
    shown = [tm.LinearSchedule(), tm.SineSchedule(), tm.CosineSchedule(), tm.SineSquaredSchedule()]
    shown += [
        tm.schedules.SmoothstepSchedule(),
        tm.PowerSchedule(2.0),
        tm.PowerSchedule(3.0),
        tm.BetaSchedule(0.9, 0.3),
    ]
    holds, worst, closest = True, 0.0, np.inf
    for own, other in product(shown, shown):
        if own == other:
            value, _error = energy_quadrature(own, own)
            worst = max(worst, abs(value - np.pi**2))
        else:
            closest = min(closest, tm.path_energy(other, own) - np.pi**2)
    holds = worst <= 1e-10 and closest > 1e-6
    return decide(holds, len(shown) ** 2, closest, "least excess over pi^2 of another schedule")


@control("energy-fix-gamma-first", tier="float64")
def all_optimal_for_one_gamma(res: Results):
    """Under gamma = t all named schedules have energy pi^2."""
    others = [row.energy for row in res.schedules if row.name != "sin²"]
    return decide(all(e <= np.pi**2 * (1 + 1e-9) for e in others), len(others), min(others) - np.pi**2)


not_claimed_tight("energy-fix-gamma-first", "an identity: E(s, s) = pi^2 for every schedule")
