"""The loss of a schedule is an average over decoding orders."""

import numpy as np

import toy_models as tm
from theory.learned_order.checks.common import ROUNDING, rational_weights
from theory.learned_order.instances import FOUR_SCHEDULES
from theory.learned_order.results import Results
from theory.ledger.registry import Outcome, check, control, correction, decide, not_claimed_tight
from toy_models.learned_order.nelbo import schedule_nelbo
from toy_models.learned_order.plackett_luce import plackett_luce
from toy_models.learned_order.reveal_times import NoisePowerSchedule
from toy_models.learned_order.reveal_weights import inclusion_exclusion_reveals, plackett_luce_reveals
from toy_models.learned_order.time_dependent import TimeTempered, timed_nelbo, timed_order_average
from toy_models.targets.instances import k1


@check("nelbo-is-order-average", tier="float64")
def published_sort(results: Results) -> Outcome:
    """nelbo-is-order-average with the orders read as printed: positions in ascending masking time."""
    worst = max(results.identities, key=lambda row: row.ascending)
    note = f"ascending sort: off by {worst.ascending:.3f} nats on {worst.instance}, {worst.schedules}"
    return decide(worst.ascending <= ROUNDING, len(results.identities), worst.ascending, note)


@correction("nelbo-is-order-average", tier="float64")
def descending_sort(results: Results) -> Outcome:
    """nelbo-is-order-average per sequence, with the decoding order descending in masking time."""
    gap = max(row.descending for row in results.identities)
    return decide(gap <= ROUNDING, len(results.identities), gap, "largest per-sequence gap in nats, sort descending")


@correction("nelbo-is-order-average", tier="rational")
def descending_sort_exactly(results: Results) -> Outcome:
    """nelbo-is-order-average: the weight of every (revealed set, next position), inclusion-exclusion against orders."""
    cases = rational_weights(3, 6, 4)
    same = all((inclusion_exclusion_reveals(w) == plackett_luce_reveals(w)).all() for w in cases)
    return decide(same, len(cases), 0.0, "exact equality of the coefficients of every conditional")


@control("nelbo-is-order-average", tier="rational")
def coefficients_of_reversed_orders(results: Results) -> Outcome:
    """nelbo-is-order-average with each order replaced by its reverse."""
    for w in rational_weights(3, 6, 4):
        table = inclusion_exclusion_reveals(w)
        found = plackett_luce(w)
        second = sum(p for o, p in found.items() if o[::-1][0] == 0)
        if second != table[0, 0]:
            return decide(False, 1)
    return decide(True, 6)


@control("nelbo-is-order-average", tier="float64")
def time_dependent_denoiser(results: Results) -> Outcome:
    """nelbo-is-order-average for a denoiser that changes with noise time, its conditionals frozen at s = 1/2."""
    target, made = k1(3), TimeTempered(k1(3), 0.3, 1.5)
    x = np.array([2, 0, 1])
    frozen = schedule_nelbo(target, made.at_noise_time(0.5), (3.0, 1.0, 2.0), x=x[None])[0]
    moving = timed_nelbo(made, [NoisePowerSchedule(w) for w in (3.0, 1.0, 2.0)], x)
    return decide(abs(frozen - moving) <= ROUNDING, 1, abs(frozen - moving))


not_claimed_tight("nelbo-is-order-average", "an identity")


@check("time-dependent-average", tier="float64")
def average_over_orders_and_times(results: Results) -> Outcome:
    """time-dependent-average: quadrature over noise time against nested integrals over each order's times."""
    made = TimeTempered(k1(3), 0.3, 1.5)
    gaps = []
    for x in ([0, 1, 2], [2, 2, 0]):
        for s in (FOUR_SCHEDULES[:3], (tm.LinearSchedule(),) * 3):
            gaps.append(abs(timed_nelbo(made, s, np.array(x)) - timed_order_average(made, s, np.array(x))))
    return decide(max(gaps) <= ROUNDING, len(gaps), max(gaps), "margin: largest gap in nats")


@control("time-dependent-average", tier="float64")
def time_reversed_denoiser(results: Results) -> Outcome:
    """time-dependent-average with the denoiser's clock reversed in the order average."""
    x, s = np.array([0, 1, 2]), FOUR_SCHEDULES[:3]
    gap = abs(
        timed_nelbo(TimeTempered(k1(3), 0.3, 1.5), s, x) - timed_order_average(TimeTempered(k1(3), 1.5, 0.3), s, x)
    )
    return decide(gap <= ROUNDING, 1, gap)


not_claimed_tight("time-dependent-average", "an identity")
