"""Where N steps are placed: chords and arcs."""

from itertools import product

import numpy as np
from flint import arb, ctx, fmpq

from theory.energy.checks.common import ball
from theory.energy.results import Results
from theory.ledger.instances import instances
from theory.ledger.registry import check, condition, control, decide, tightness
from toy_models.energy.chords import optimal_chord_angles


def arb_angles(parts) -> list[arb]:
    """Rational shares of pi/2 as balls."""
    return [arb.pi() / 2 * arb(p) for p in parts]


def arb_chords(angles, gaps) -> arb:
    return sum((4 * (a / 2).sin() ** 2 / arb(g) for a, g in zip(angles, gaps, strict=True)), arb(0))


@check("energy-discrete-spacing", tier="enclosed")
def proportional_chords_are_least(_: Results):
    """Gaps (4/5, 1/5): the split of the angle in these shares against (0.84404, 0.15596), which is cheaper."""
    ctx.prec = 128
    gaps = [fmpq(4, 5), fmpq(1, 5)]
    other = [fmpq(84404, 100000), fmpq(15596, 100000)]
    gap = arb_chords(arb_angles(other), gaps) - arb_chords(arb_angles(gaps), gaps)
    cost = float(arb_chords(arb_angles(other), gaps))
    note = f"for this reading, chords: gaps (0.8, 0.2), proportional 2.216892, another split {cost:.6f}"
    return ball(gap >= 0, gap < 0, 1, float(gap), note)


@condition("energy-discrete-spacing", tier="enclosed")
def equal_gaps(res: Results):
    """Equal gaps: every other split of the angle tried costs more chords than equal ones, 4 N^2 sin^2(pi/4N)."""
    ctx.prec = 128
    rng, count, holds, fails, least = np.random.default_rng(5), 0, True, False, np.inf
    for n, scale in product((2, 3, 4, 8), (2, 10, 1000)):
        formula = 4 * n * n * (arb.pi() / (4 * n)).sin() ** 2
        for _repeat in range(instances(res, 1, 84)):
            w = rng.integers(0, scale, n) + scale
            w[0] += 1
            w[1] = max(w[1] - 1, 0)
            if len(set(w.tolist())) == 1:
                w[0] += 1
            shares = [fmpq(int(v), int(w.sum())) for v in w]
            gap = arb_chords(arb_angles(shares), [fmpq(1, n)] * n) - formula
            holds, fails, count = holds and bool(gap > 0), fails or bool(gap < 0), count + 1
            least = min(least, float(gap))
    return ball(holds, fails, count, least, "least excess over 4 N^2 sin^2(pi/4N)")


@condition("energy-discrete-spacing", tier="rational")
def arcs_proportional(res: Results):
    """Arcs: sum of x_k^2/g_k >= 1 for shares x of the angle, equality iff x = g; every gap, decided in rationals."""
    rng, count, holds = np.random.default_rng(6), 0, True
    for n in (1, 2, 3, 5):
        for _repeat in range(instances(res, 10, 250)):
            g, x = (rng.integers(1, 50, n) for _side in range(2))
            gaps, shares = ([fmpq(int(v), int(w.sum())) for v in w] for w in (g, x))
            cost = sum((s**2 / d for s, d in zip(shares, gaps, strict=True)), fmpq(0))
            holds &= cost == 1 if shares == gaps else cost > 1
            holds &= sum((d**2 / d for d in gaps), fmpq(0)) == 1
            count += 1
    return decide(holds, count, 0.0)


@condition("energy-discrete-spacing", tier="enclosed")
def sine_rule(res: Results):
    """Chords with any gaps: sin(angle)/gap constant. The split found beats proportional and its own neighbours."""
    ctx.prec = 128
    holds, fails, count = True, False, 0
    for gaps in res.spacing.gaps:
        best = [arb(float(a)) for a in optimal_chord_angles(np.array(gaps))]
        least = arb_chords(best, gaps)
        for i, j in product(range(len(gaps)), repeat=2):
            if i != j:
                moved = [a + (arb("0.001") if k == i else arb("-0.001") if k == j else 0) for k, a in enumerate(best)]
                gap = arb_chords(moved, gaps) - least
                holds, fails, count = holds and bool(gap > 0), fails or bool(gap < 0), count + 1
    return ball(holds, fails, count)


@tightness("energy-discrete-spacing", tier="float64")
def chords_reach_the_continuum(res: Results):
    """4 N^2 sin^2(pi/4N) rises to pi^2/4 with relative gap pi^2/(48 N^2)."""
    n = res.spacing.steps[-1]
    gap = 1 - res.spacing.least[-1] / (np.pi**2 / 4)
    return decide(0 < gap < 1.01 * np.pi**2 / (48 * n**2), 1, gap)


@control("energy-discrete-spacing", tier="enclosed")
def joint_law_equal_spacing(_: Results):
    """Hellinger steps of the joint law of 256 tokens, 8 steps: equal spacing 15.89 against one jump 2."""
    ctx.prec = 128
    equal = 16 * (1 - (arb.pi() / 16).cos() ** 256)
    return ball(equal <= 2, equal > 2, 1, float(equal - 2), f"equal {float(equal):.4f}, one jump 2")


@control("energy-discrete-spacing", tier="float64")
def linear_converges(res: Results):
    """The chord energy of the linear schedule stays below 9/4 ln 3 as N grows; it rises like (ln N)/2."""
    curve = res.spacing.curves["linear"]
    slope = float(curve[-1] - curve[-2]) / np.log(2)
    return decide(curve[-1] < 9 / 4 * np.log(3), len(curve), slope, f"growth per unit of ln N: {slope:.6f}")
