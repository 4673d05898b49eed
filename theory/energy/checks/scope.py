"""What the energy does not see: other paths, the target, the optimum."""

from fractions import Fraction
from itertools import product

import numpy as np
from flint import fmpq

import toy_models as tm
from theory.energy.checks.common import ALPHAS
from theory.energy.instances import full_tables, rational, rational_illegal_mass, sparse_tables
from theory.energy.results import Results
from theory.energy.toy import toy_targets
from theory.ledger.registry import check, control, decide, not_claimed_tight, tightness
from toy_models.energy.fisher_rao import fisher_information
from toy_models.energy.kinetic import (
    kinetic_constant,
    kinetic_sum,
    lattice_of,
    path_probabilities,
    path_slopes,
    rates,
)


@check("energy-not-over-all-paths", tier="rational")
def one_jump_path(_: Results):
    """cos^2 theta on all-masked + sin^2 theta on the data: Fisher base against n base, E_k base against C_k(q) base."""
    count, holds = 0, True
    for pmf, alpha in product(full_tables() + sparse_tables(), ALPHAS):
        n, base = pmf.ndim, 1 / (alpha * (1 - alpha))
        jump = fisher_information(np.array([1 - alpha, *(alpha * pmf.ravel())]), np.array([fmpq(-1), *pmf.ravel()]))
        lattice = lattice_of(pmf)
        model = fisher_information(path_probabilities(lattice, alpha), path_slopes(lattice, alpha, fmpq(1)))
        flux = pmf[pmf != 0]  # from all-masked to each word, alpha' = 1
        kinetic = (flux**2 / ((1 - alpha) * alpha * pmf[pmf != 0])).sum()
        masked = kinetic_sum(lattice, path_probabilities(lattice, alpha), rates(lattice, alpha, fmpq(1)))
        holds &= jump == base and model == n * base
        holds &= kinetic == base and masked == kinetic_constant(pmf) * base
        count += 1
    return decide(holds, count, 0.0, "pi^2 against n pi^2; in E_k pi^2 against C_k(q) pi^2")


@control("energy-not-over-all-paths", tier="rational")
def strictly_cheaper_at_one_token(_: Results):
    """n = 1: the two paths are the same, so no gain."""
    pmf, alpha = rational([7, 2, 1]), ALPHAS[0]
    jump = fisher_information(np.array([1 - alpha, *(alpha * pmf)]), np.array([fmpq(-1), *pmf]))
    lattice = lattice_of(pmf)
    return decide(
        jump < fisher_information(path_probabilities(lattice, alpha), path_slopes(lattice, alpha, fmpq(1))), 1
    )


not_claimed_tight("energy-not-over-all-paths", "an example of a cheaper path; the factor n is exact")


@check("energy-blind-to-target", tier="rational")
def two_targets_disagree(_: Results):
    """Three steps on five tokens: linear against sin^2 (weights 1/4, 1/2, 1/4), illegal mass in rationals."""
    thirds, quarters = [Fraction(1, 3)] * 3, [Fraction(1, 4), Fraction(1, 2), Fraction(1, 4)]
    left, right = ({tuple(int(v) for v in x) for x in np.argwhere(q.pmf > 0)} for q in toy_targets())
    linear, sine = ([rational_illegal_mass(s, w) for s in (left, right)] for w in (thirds, quarters))
    note = (
        f"aaaaa/bbbbb: linear {float(linear[0]):.5f}, sin^2 {float(sine[0]):.5f}; "
        f"two or three a: linear {float(linear[1]):.5f}, sin^2 {float(sine[1]):.5f}; margin: illegal mass"
    )
    return decide(sine[0] < linear[0] and linear[1] < sine[1], 2, float(sine[1] - linear[1]), note)


@control("energy-blind-to-target", tier="float64")
def energy_orders_the_error(res: Results):
    """On both targets a schedule of lower energy (gamma = t) has lower illegal mass."""
    energy, pairs = res.toy.energy, [res.toy.left, res.toy.right]
    cheaper = energy[:, None] < energy[None, :]
    wrong = sum(int((cheaper & (mass[:, None] > mass[None, :])).sum()) for mass in pairs)
    return decide(wrong == 0, 2 * int(cheaper.sum()), None, f"{wrong} of {2 * int(cheaper.sum())} pairs the wrong way")


@control("energy-blind-to-target", tier="float64")
def two_steps_tell_schedules_apart(_: Results):
    """Two steps: linear, sin^2 and Beta(.9, .9) differ. They do not: all reveal half of the tokens by symmetry."""
    shown = [tm.LinearSchedule(), tm.SineSquaredSchedule(), tm.BetaSchedule(0.9, 0.9)]
    gap = max(float(np.abs(s.weights(2) - 0.5).max()) for s in shown)
    return decide(gap > 1e-12, 3, gap, "margin: largest difference of a reveal probability from 1/2")


not_claimed_tight("energy-blind-to-target", "a statement about two named targets")


@check("energy-beta-against-optimum", tier="float64")
def best_beta_between(res: Results):
    """optimum <= best Beta <= min(linear, sin^2) for every target, budget and rule; margin: least share of the gain."""
    holds = all(
        row.optimum <= row.best_beta * (1 + 1e-9) and row.best_beta <= min(row.linear, row.sine_squared) * (1 + 1e-9)
        for row in res.budgets
    )
    least = min(row.reached for row in res.budgets if row.linear > row.optimum * (1 + 1e-6))
    worst = max(row.best_beta / row.optimum for row in res.budgets)
    note = f"best Beta at most {worst:.4f} times the optimum; margin: least share of the possible gain on linear"
    return decide(holds and worst < 1.1, len(res.budgets), least, note)


@tightness("energy-beta-against-optimum", tier="float64")
def beta_reaches_the_optimum(res: Results):
    """On the best listed target the best Beta schedule is within 0.5 % of the optimum KL*."""
    ratio = min(row.best_beta / row.optimum for row in res.budgets)
    return decide(ratio < 1.005, len(res.budgets), ratio - 1, "smallest relative excess over the optimum")


@control("energy-beta-against-optimum", tier="float64")
def energy_optimum_is_near(res: Results):
    """sin^2, the minimiser of the energy under gamma = t, is also within a tenth of the optimum."""
    worst = max(row.sine_squared / row.optimum for row in res.budgets)
    return decide(worst < 1.1, len(res.budgets), worst, f"sin^2 is up to {worst:.3f} times the optimum")


@control("energy-beta-against-optimum", tier="float64")
def sine_squared_beats_linear(res: Results):
    """sin^2 is at least as good as linear on every target."""
    losses = sorted({row.target for row in res.budgets if row.sine_squared > row.linear})
    return decide(not losses, len(res.budgets), None, f"worse on {', '.join(losses)}")
