"""Energies of Beta schedules in closed form."""

from itertools import pairwise, product

import numpy as np
import sympy as sp
from scipy.integrate import quad

import toy_models as tm
from theory.energy.checks.common import symbols
from theory.energy.instances import closed_form, polynomial_density
from theory.energy.results import Results
from theory.ledger.registry import check, control, decide, definition, not_claimed_tight, tightness
from toy_models.energy.geodesic import beta_energy


@check("energy-beta-pairs", tier="symbolic")
def beta_pairs(_: Results):
    """d/dt (2/pi) arcsin sqrt t is the Beta(1/2, 1/2) density, and eta = t gives sin^2(pi t/2)."""
    t = sp.symbols("t", positive=True)
    density = 1 / (sp.beta(sp.Rational(1, 2), sp.Rational(1, 2)) * sp.sqrt(t * (1 - t)))
    gap = sp.simplify((sp.diff(2 / sp.pi * sp.asin(sp.sqrt(t)), t) - density).rewrite(sp.gamma))
    inverse = sp.simplify(sp.sin(sp.pi / 2 * (2 / sp.pi * sp.asin(sp.sqrt(t)))) ** 2 - t)
    return decide(gap == 0 and inverse == 0 and sp.integrate(sp.Integer(1), (t, 0, t)) == t, 3)


@control("energy-beta-pairs", tier="float64")
def pairs_swapped(_: Results):
    """The pairs exchanged: Beta(1, 1) would be the linear schedule, sup |alpha(t) - t| = 0 on nine points."""
    gap = float(np.abs(tm.BetaSchedule(1.0, 1.0).alpha(np.linspace(0, 1, 9)) - np.linspace(0, 1, 9)).max())
    return decide(gap < 1e-12, 9, gap, f"Beta(1, 1) is {gap:.3f} away from the linear schedule")


@control("energy-beta-pairs", tier="float64")
def sine_is_in_the_family(_: Results):
    """The best fit of the sine schedule is no Beta schedule."""
    fit = tm.energy.best_fit_beta(tm.SineSchedule())
    return decide(
        fit.sup_error < 1e-6, 1, fit.sup_error, f"nearest ({fit.a:.4f}, {fit.b:.4f}), off by {fit.sup_error:.4f}"
    )


not_claimed_tight("energy-beta-pairs", "an identity of functions")


@check("energy-chi-square", tier="symbolic")
def chi_square_identity(_: Results):
    """alpha'^2/(gamma' alpha(1-alpha)) = pi^2 [gamma' + (eta'-gamma')^2/gamma' + 2 (eta'-gamma')], eta = 2 theta/pi."""
    t, gamma, theta = symbols()
    eta, alpha = 2 * theta / sp.pi, sp.sin(theta) ** 2
    dg, de = sp.diff(gamma, t), sp.diff(eta, t)
    left = sp.diff(alpha, t) ** 2 / (dg * alpha * (1 - alpha))
    return decide(sp.simplify(left - sp.pi**2 * (dg + (de - dg) ** 2 / dg + 2 * (de - dg))) == 0, 1)


@check("energy-chi-square", tier="rational")
def chi_square_of_polynomials(_: Results):
    """1 + chi^2 = E / pi^2 in rationals for integer Beta parameters, where both sides are rational."""
    count, holds = 0, True
    for a, b, p, q in product((1, 2), (1, 2), (2, 3), (2, 3)):
        own, given = polynomial_density(p, q), polynomial_density(a, b)
        t = sp.symbols("t")
        chi = sp.integrate(sp.cancel((own - given) ** 2 / given), (t, 0, 1))
        holds &= 1 + chi == closed_form(p, q, a, b)
        count += 1
    return decide(holds, count, 0.0)


@control("energy-chi-square", tier="rational")
def arguments_swapped(_: Results):
    """chi^2(gamma' || eta') in place of chi^2(eta' || gamma'): 1/5 against infinity for Beta(2, 2) under gamma = t."""
    own, swapped = closed_form(2, 2, 1, 1) - 1, beta_energy((1.0, 1.0), (2.0, 2.0))
    return decide(float(own) == swapped, 1, None, f"{own} against {swapped}")


@control("energy-chi-square", tier="rational")
def twice_kullback_leibler(_: Results):
    """E = pi^2 (1 + 2 KL): Beta(2, 1) under gamma = t has KL = ln 2 - 1/2, chi^2 = 1/3."""
    excess = closed_form(2, 1, 1, 1) - 1
    return decide(bool(sp.Eq(excess, 2 * (sp.log(2) - sp.Rational(1, 2)))), 1, None, f"chi^2 = {excess}")


not_claimed_tight("energy-chi-square", "an identity")


@check("energy-beta-closed-form", tier="rational")
def beta_integrals(_: Results):
    """integral of eta'^2/gamma' of polynomials against the Beta functions, integer parameters."""
    t = sp.symbols("t")
    count, holds = 0, True
    for a, b, p, q in product((1, 2, 3), (1, 2), (2, 3), (1, 2)):
        if 2 * p > a and 2 * q > b:
            own, given = polynomial_density(p, q), polynomial_density(a, b)
            holds &= sp.integrate(sp.cancel(own**2 / given), (t, 0, 1)) == closed_form(p, q, a, b)
            count += 1
    return decide(holds, count, 0.0)


@check("energy-beta-closed-form", tier="float64")
def infinite_exactly_outside(_: Results):
    """On a grid of quarter integers: finite iff 2a' > a and 2b' > b, by closed form and by the ends of the schedule."""
    values, count, holds = np.arange(1, 9) / 4, 0, True
    for p, q, a, b in product(values, values, (0.5, 1.0, 1.5), (0.5, 1.0)):
        finite = 2 * p > a and 2 * q > b
        report = tm.energy.path_energy_report(tm.BetaSchedule(float(p), float(q)), tm.BetaSchedule(a, b))
        holds &= np.isfinite(report.value) == finite and (report.reason == "") == finite
        count += 1
    return decide(bool(holds), count)


@definition("energy-beta-closed-form", tier="float64")
def clipped_linear(_: Results):
    """Linear on [e, 1 - e], slope l = 1 - 2e: E = 2 l log((1-e)/e), finite only because it is clipped; kinks add up."""
    gaps = []
    for end in (1e-1, 1e-3):
        clipped = tm.schedules.KnotSchedule((0.0, 1.0), (end, 1 - end))
        kinked = tm.schedules.KnotSchedule((0.0, 0.25, 1.0), (end, 0.5, 1 - end))
        logit = np.log((1 - end) / end)
        gaps.append(abs(tm.path_energy(clipped) - 2 * (1 - 2 * end) * logit))
        gaps.append(abs(tm.path_energy(kinked) - (0.5 - end) * logit * (4 + 4 / 3)))
    whole = tm.path_energy(tm.schedules.KnotSchedule((0.0, 1.0), (0.0, 1.0)))
    return decide(max(gaps) < 1e-10 and np.isinf(whole), len(gaps) + 1, max(gaps))


@definition("energy-beta-closed-form", tier="float64")
def knots_by_plain_quadrature(_: Results):
    """Piecewise linear alpha: E = int alpha'^2/(alpha (1-alpha) gamma') dt with gamma' = 1/(pi sqrt(t(1-t))).

    Under its own gamma E = pi^2; a clipped path has none.
    """
    gaps = []
    for times, values in (((0.0, 0.25, 1.0), (0.1, 0.5, 0.8)), ((0.0, 0.25, 0.5, 1.0), (0.0, 0.1, 0.6, 1.0))):
        knots, plain = tm.schedules.KnotSchedule(times, values), 0.0
        for low, high in pairwise(times):
            slope = (np.interp(high, times, values) - np.interp(low, times, values)) / (high - low)

            def speed(t, slope=slope, times=times, values=values):
                alpha = np.interp(t, times, values)
                return slope**2 / (alpha * (1 - alpha)) * np.pi * np.sqrt(t * (1 - t))

            plain += quad(speed, low, high, epsabs=1e-11, epsrel=1e-11, limit=200)[0]
        gaps.append(abs(tm.path_energy(knots, tm.LinearSchedule()) / plain - 1))
        try:
            own = tm.path_energy(knots, knots)
        except ValueError:
            own = np.inf
        gaps.append(abs(own / np.pi**2 - 1) if values[0] == 0 else float(np.isfinite(own)))
    return decide(max(gaps) < 1e-9, len(gaps), max(gaps))


@tightness("energy-beta-closed-form", tier="float64")
def blows_up_at_the_edge(_: Results):
    """At 2a' = a (1 + 1e-6) the value is finite and within 1e-5 of its leading term."""
    value = beta_energy((0.5 * (1 + 1e-6), 1.0), (1.0, 1.0))
    leading = np.pi**2 * 1e6 * 0.25
    return decide(abs(value / leading - 1) < 1e-5, 1, abs(value / leading - 1))


@control("energy-beta-closed-form", tier="float64")
def edge_counted_as_finite(_: Results):
    """The edge 2a' = a counted as finite: the linear schedule, a' = 1/2, under gamma = t would have E < infinity."""
    report = tm.energy.path_energy_report(tm.LinearSchedule())
    return decide(bool(np.isfinite(report.value)), 1, None, report.reason)


@control("energy-beta-closed-form", tier="rational")
def factor_two_dropped(_: Results):
    """E / pi^2 of Beta(3, 3) under gamma = t is the integral of eta'^2; the formula at a' = b' = 2 would give it."""
    t = sp.symbols("t")
    value = sp.integrate(polynomial_density(3, 3) ** 2 / polynomial_density(1, 1), (t, 0, 1))
    return decide(value == closed_form(2, 2, 1, 1), 1)
