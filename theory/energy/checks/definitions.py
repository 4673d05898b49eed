"""Definitions that the lines rest on: energies under a weight, single steps, what is refused, what is finite."""

import numpy as np
from scipy.integrate import quad

import toy_models as tm
from theory.energy.results import Results
from theory.ledger.conformance import ATOL, is_accepted, is_refused, rises_to_one, rule_gaps, target_gaps
from theory.ledger.registry import Outcome, decide, definition
from toy_models.energy.chords import chord_energy, optimal_chord_angles
from toy_models.energy.energies_by_state import state_energies
from toy_models.energy.geodesic import energy_quadrature

KNOTS = tm.schedules.KnotSchedule


@definition("energy-three-minimisers", tier="float64")
def state_sums_under_a_weight(_: Results) -> Outcome:
    """E_k, E_c, E_g under gamma of Beta(1.5, 1.5): sums over states = constants times the integral of base/gamma'."""
    own, given = tm.BetaSchedule(2.0, 2.0), tm.BetaSchedule(1.5, 1.5)
    found = state_energies(np.array([[0.5, 0.1], [0.15, 0.25]]), own, given)

    def density(t):
        return np.exp(given.log_speed(t, 1 - t))

    def integrand(t):
        a = own.alpha(t)
        return own.slope(t) ** 2 / (a * (1 - a)) / density(t)

    plain = quad(integrand, 1e-9, 1 - 1e-9, limit=200)[0]
    mass = quad(density, 0, 1)[0]
    gaps = [
        abs(found.geodesic / 2 / plain - 1),
        abs(found.conditional / 4 / plain - 1),
        abs(found.kinetic / 6 / plain - 1),
    ]
    value, error = energy_quadrature(own, given)
    gaps += [abs(value / plain - 1), abs(mass - 1), float(not 0 <= error < 1e-9 * value), abs(found.error) * 1e-3]
    return decide(max(gaps) < 1e-6, len(gaps), max(gaps))


@definition("energy-discrete-spacing", tier="float64")
def few_steps(_: Results) -> Outcome:
    """N = 1: one angle of pi/2; N = 2 with gaps (1/2, 1/2): pi/4 each; N = 3: one constant sin/gap, sum pi/2."""
    one, two = optimal_chord_angles(np.array([1.0])), optimal_chord_angles(np.array([0.5, 0.5]))
    gaps_of_three = np.array([0.2, 0.5, 0.3])
    three = optimal_chord_angles(gaps_of_three)
    ratio = np.sin(three) / gaps_of_three
    gaps = [abs(one - np.pi / 2).max(), abs(two - np.pi / 4).max(), abs(three.sum() - np.pi / 2), np.ptp(ratio)]
    gaps.append(abs(chord_energy(three, gaps_of_three) - (4 * np.sin(three / 2) ** 2 / gaps_of_three).sum()))
    return decide(max(gaps) < 1e-9, len(gaps), max(gaps))


@definition("energy-geodesic-minimiser", tier="float64")
def where_the_energy_is_finite(_: Results) -> Outcome:
    """Knots: finite inside (0, 1) and where clipped; infinite where alpha meets 0 or 1 with a kink; own gamma pi^2."""
    finite = [
        KNOTS((0.0, 1.0), (0.1, 0.9)),
        KNOTS((0.0, 0.5, 1.0), (0.1, 0.1, 0.9)),
        KNOTS((0.0, 0.5, 1.0), (0.1, 0.9, 0.9)),
    ]
    infinite = [
        KNOTS((0.0, 1.0), (0.0, 1.0)),
        KNOTS((0.0, 1.0), (0.0, 0.9)),
        KNOTS((0.0, 1.0), (0.1, 1.0)),
        KNOTS((0.0, 0.5, 1.0), (0.0, 0.0, 0.9)),
        KNOTS((0.0, 0.5, 1.0), (0.1, 1.0, 1.0)),
    ]
    holds = all(np.isfinite(tm.path_energy(s)) for s in finite) and all(np.isinf(tm.path_energy(s)) for s in infinite)
    inner = [tm.energy.path_energy_report(s).reason for s in infinite[3:]]
    holds &= all("inside (0, 1)" in why for why in inner)
    clipped = [finite[0], KNOTS((0.0, 1.0), (0.1, 1.0)), KNOTS((0.0, 1.0), (0.0, 0.9))]
    holds &= all(is_refused(lambda s=s: tm.path_energy(s, s)) for s in clipped)  # gamma must run from 0 to 1
    own = [tm.path_energy(s, s) for s in (infinite[0], tm.PowerSchedule(3.0), tm.CosineSchedule(), tm.LinearSchedule())]
    gaps = [abs(value / np.pi**2 - 1) for value in own]
    return decide(holds and max(gaps) < 1e-12, len(finite) + len(infinite) + len(own), max(gaps))


@definition("energy-beta-against-optimum", tier="float64")
def blocks_and_schedules(_: Results) -> Outcome:
    """The blocks of the sweep at L = 4 by sums over words, and three schedules by differences of alpha."""
    gaps = target_gaps(("blocks", "one block", "pairs", "repetition")) + rule_gaps(
        ("independent", "random order"), ("blocks", "blocks with zeros", "pairs")
    )
    gaps += [
        rises_to_one(s)
        for s in (tm.BetaSchedule(0.7, 1.3), tm.SineSquaredSchedule(), KNOTS((0.0, 0.3, 1.0), (0.0, 0.5, 1.0)))
    ]
    return decide(max(gaps) < 1e-9, len(gaps), max(gaps), f"{ATOL:g} but for differences")


@definition("energy-geodesic-minimiser", tier="float64")
def edges_of_the_hypotheses(_: Results) -> Outcome:
    """Schedules that rise from 0 to 1, flat stretches included, are taken; falling, short or nan ones are refused."""
    angles, even = np.full(2, np.pi / 4), np.full(2, 0.5)
    flat = KNOTS((0.0, 0.3, 0.6, 1.0), (0.0, 0.5, 0.5, 1.0))
    good = [
        lambda: flat,
        lambda: flat.weights(7),
        lambda: tm.path_energy(KNOTS((0.0, 1.0), (0.2, 0.7))),
        lambda: tm.PowerSchedule(0.1),
        lambda: tm.BetaSchedule(0.1, 9.0),
        lambda: chord_energy(np.array([0.0, np.pi / 2]), even),
        lambda: tm.energy.energy_integrands(np.array([1.0, 0.0]), 0.5, 0.0),
    ]
    bad = [
        lambda: tm.PowerSchedule(0.0),
        lambda: tm.PowerSchedule(-1.0),
        lambda: tm.BetaSchedule(0.0, 1.0),
        lambda: tm.BetaSchedule(1.0, -1.0),
        lambda: KNOTS((0.0, 0.5, 1.0), (0.0, 0.6, 0.5)),
        lambda: KNOTS((0.0, 0.5, 0.5), (0.0, 0.6, 1.0)),
        lambda: KNOTS((0.0, 1.0), (-0.1, 1.0)),
        lambda: KNOTS((0.0, 1.0), (0.0, 1.1)),
        lambda: chord_energy(angles, np.array([0.5, 0.0])),
        lambda: chord_energy(angles, np.ones(3)),
        lambda: chord_energy(-angles, even),
        lambda: chord_energy(3 * angles, even),
        lambda: tm.energy.beta_energy((0.0, 1.0), (1.0, 1.0)),
        lambda: tm.energy.energy_integrands(np.array([0.5, 0.5]), 0.0, 1.0),
        lambda: tm.energy.energy_integrands(np.array([0.5, 0.5]), 1.0, 1.0),
        lambda: tm.energy.energy_integrands(np.array([0.5, 0.6]), 0.5, 1.0),
        lambda: tm.LinearSchedule().weights(0),
        lambda: tm.energy.search_beta(np.array([1.0, np.nan]), 2),
        lambda: tm.energy.search_beta(np.array([1.0, 0.0]), 2, "luck"),
        lambda: tm.LinearSchedule().alpha(np.array(1.5)),
        lambda: tm.LinearSchedule().alpha(np.array(-0.1)),
    ]
    return decide(all(map(is_accepted, good)) and all(map(is_refused, bad)), len(good) + len(bad))
