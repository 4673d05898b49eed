"""Which law over orders a schedule gives."""

from fractions import Fraction
from itertools import permutations

import numpy as np
import sympy

import toy_models as tm
from theory.learned_order.checks.common import ROUNDING, rational_weights
from theory.learned_order.results import Results
from theory.ledger.registry import Outcome, check, control, decide, not_claimed_tight
from toy_models.learned_order.plackett_luce import (
    pairwise,
    plackett_luce,
    positions_table,
    reverse_plackett_luce,
    reversed_law,
)
from toy_models.learned_order.reveal_times import NoisePowerSchedule, binned_order_law, order_law, pairwise_times


@check("scalar-schedule-uniform-orders", tier="float64")
def every_scalar_schedule(results: Results) -> Outcome:
    """scalar-schedule-uniform-orders: pi = 1/4! for six schedules."""
    made = (
        tm.LinearSchedule(),
        tm.CosineSchedule(),
        tm.SineSchedule(),
        tm.SineSquaredSchedule(),
        tm.PowerSchedule(3.0),
        tm.BetaSchedule(0.5, 0.7),
    )
    gap = max(abs(p - 1 / 24) for s in made for p in order_law([s] * 4).values())
    return decide(gap <= ROUNDING, 24 * len(made), gap, "margin: largest gap of a probability")


@check("scalar-schedule-uniform-orders", tier="rational")
def every_scalar_binned_law(results: Results) -> Outcome:
    """scalar-schedule-uniform-orders for random rational densities, exactly."""
    count = 0
    for w in rational_weights(5, 5, 4):
        masses = [[v / sum(w) for v in w]] * 3
        if any(p != Fraction(1, 6) for p in binned_order_law(masses).values()):
            return decide(False, 1)
        count += 6
    return decide(True, count, 0.0)


@control("scalar-schedule-uniform-orders", tier="float64")
def one_position_differs(results: Results) -> Outcome:
    """scalar-schedule-uniform-orders with one position on another schedule."""
    law = order_law([tm.LinearSchedule()] * 3 + [tm.CosineSchedule()])
    gap = max(abs(p - 1 / 24) for p in law.values())
    return decide(gap <= ROUNDING, 24, gap)


not_claimed_tight("scalar-schedule-uniform-orders", "an identity")


@check("power-family-is-plackett-luce", tier="symbolic")
def nested_integral_of_powers(results: Results) -> Outcome:
    """power-family-is-plackett-luce for three positions, integrated by sympy with symbolic weights."""
    w, s = sympy.symbols("w0:3", positive=True), sympy.Symbol("s", positive=True)
    right = 0
    for order in permutations(range(3)):
        inner = sympy.Integer(1)
        for i in order[::-1]:
            inner = sympy.powsimp(sympy.expand(w[i] * s ** (w[i] - 1) * inner))
            exponent = sympy.simplify(s * sympy.diff(inner, s) / inner)
            inner = inner * s / (exponent + 1)
        wanted = w[order[0]] / sum(w) * w[order[1]] / (w[order[1]] + w[order[2]])
        right += sympy.simplify(inner.subs(s, 1) - wanted) == 0
    return decide(right == 6, 6, 0.0)


@check("power-family-is-plackett-luce", tier="float64")
def quadrature_of_powers(results: Results) -> Outcome:
    """power-family-is-plackett-luce by nested quadrature, weights from 0.05 to 9."""
    gaps = []
    for w in ((3.0, 0.5, 2.0, 1.2), (4.0, 2.0, 1.0, 0.5), (0.05, 0.1, 3.0, 9.0)):
        times = [NoisePowerSchedule(v) for v in w]
        found, wanted = order_law(times), plackett_luce(w)
        gaps += [abs(found[o] - wanted[o]) for o in wanted]
        ratio = np.array(w)[:, None] / np.add.outer(w, w) * (1 - np.eye(4))  # P(i before j) = w_i / (w_i + w_j)
        gaps += [float(np.abs(table - ratio).max()) for table in (pairwise(wanted), pairwise_times(times))]
        gaps.append(float(np.abs(positions_table(wanted)[:, 0] - np.array(w) / sum(w)).max()))
    return decide(max(gaps) <= ROUNDING, len(gaps), max(gaps), "margin: largest gap of a probability")


@control("power-family-is-plackett-luce", tier="float64")
def small_weights_first(results: Results) -> Outcome:
    """power-family-is-plackett-luce with the reversed law (the ascending sort)."""
    w = (3.0, 0.5, 2.0, 1.2)
    found, wanted = order_law([NoisePowerSchedule(v) for v in w]), reversed_law(plackett_luce(w))
    gap = max(abs(found[o] - wanted[o]) for o in wanted)
    return decide(gap <= ROUNDING, len(wanted), gap)


not_claimed_tight("power-family-is-plackett-luce", "an identity")


@check("reverse-plackett-luce", tier="float64")
def quadrature_of_reverse_powers(results: Results) -> Outcome:
    """reverse-plackett-luce: 1 - m = (1 - s)^w by nested quadrature."""
    w = (3.0, 0.5, 2.0, 1.2)
    found, wanted = order_law([tm.PowerSchedule(v) for v in w]), reverse_plackett_luce(w)
    gap = max(abs(found[o] - wanted[o]) for o in wanted)
    return decide(gap <= ROUNDING, len(wanted), gap, "margin: largest gap of a probability")


@control("reverse-plackett-luce", tier="float64")
def reverse_family_is_not_forward(results: Results) -> Outcome:
    """reverse-plackett-luce: the same numbers read as forward Plackett-Luce of 1 / w."""
    w = (3.0, 0.5, 2.0, 1.2)
    found, wanted = order_law([tm.PowerSchedule(v) for v in w]), plackett_luce([1 / v for v in w])
    gap = max(abs(found[o] - wanted[o]) for o in wanted)
    return decide(gap <= ROUNDING, len(wanted), gap)


not_claimed_tight("reverse-plackett-luce", "an identity")
