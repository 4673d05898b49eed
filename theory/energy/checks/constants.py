"""Constants between the energies, and the mask count that decides every divergence."""

from itertools import product

import numpy as np
from flint import fmpq

from theory.energy.checks.common import ALPHAS
from theory.energy.instances import full_tables, positive_marginals, rational, sparse_tables
from theory.energy.results import Results
from theory.ledger.registry import check, condition, control, decide, not_claimed_tight, tightness
from toy_models.energy.conditional_kinetic import point_mass
from toy_models.energy.energies_by_state import energy_integrands, full_support_constants
from toy_models.energy.fisher_rao import (
    binomial_path,
    chi_square,
    fisher_information,
    information_split,
    mask_value_dependent,
    mixture_kinetic,
    total_variation,
    uniform_mixture,
)
from toy_models.energy.kinetic import kinetic_constant, lattice_of, path_probabilities, path_slopes


@check("energy-kinetic-constant", tier="rational")
def kinetic_ratio_as_published(_: Results):
    """E_k / E_c = n (K+1)^(n-1) / (n 2^(n-1)), the ratio of full support, for every law, sparse ones included."""
    tables = full_tables() + sparse_tables()
    failed = []
    for pmf in tables:
        at = energy_integrands(pmf, ALPHAS[1], fmpq(2, 7))
        c_k, c_c, _c_g = full_support_constants(pmf.shape[0], pmf.ndim)
        if at.kinetic * c_c != at.conditional * c_k:
            failed.append((pmf, at))
    first = failed[0][1] if failed else None
    note = (
        ""
        if first is None
        else (
            f"for this reading, all states: uniform on 000 and 111 has E_k / base = {first.kinetic / first.base}, "
            f"not n (K+1)^(n-1) = 27; {len(failed)} of {len(tables)} laws fail"
        )
    )
    return decide(not failed, len(tables), None, note)


@condition("energy-kinetic-constant", tier="rational")
def kinetic_ratio_by_support(_: Results):
    """E_k = C_k(q) base, C_k(q) = sum over S of (n-|S|) |supp q_S|; full iff all (n-1)-marginals are positive."""
    count, holds = 0, True
    for pmf, alpha in product(full_tables() + sparse_tables(), ALPHAS):
        at = energy_integrands(pmf, alpha, fmpq(3, 11))
        full, conditional, geodesic = full_support_constants(pmf.shape[0], pmf.ndim)
        constant = kinetic_constant(pmf)
        holds &= at.kinetic == constant * at.base
        holds &= at.conditional == conditional * at.base and at.geodesic == geodesic * at.base
        holds &= (constant == full) == positive_marginals(pmf)
        count += 1
    return decide(holds, count, 0.0)


@control("energy-kinetic-constant", tier="rational")
def weight_one_keeps_the_ratio(_: Results):
    """Weight 1 in place of 1/p(x), n = 2: the ratio of marginal to conditional moves with alpha."""
    pmf = rational([[9, 1], [1, 9]])
    ratios = [(lambda e: e.kinetic / e.conditional)(energy_integrands(pmf, a, fmpq(1), "one")) for a in ALPHAS]
    return decide(len(set(ratios)) == 1, len(ratios), None, f"ratios {', '.join(map(str, ratios))}")


@control("energy-kinetic-constant", tier="rational")
def uniform_source_keeps_the_ratio(_: Results):
    """From a uniform source the ratio of marginal to conditional kinetic energy would not move with alpha."""
    pmf = rational([7, 2, 1])
    ratios = [(lambda pair: pair[0] / pair[1])(mixture_kinetic(pmf, k)) for k in ALPHAS]
    return decide(len(set(ratios)) == 1, len(ratios), None, f"ratios {[round(float(r), 4) for r in ratios]}")


@control("energy-kinetic-constant", tier="rational")
def mask_not_counted(_: Results):
    """The constant with K in place of K + 1."""
    pmf = full_tables()[-2]
    at = energy_integrands(pmf, ALPHAS[0], fmpq(1))
    n, k = pmf.ndim, pmf.shape[0]
    return decide(at.kinetic * 2 ** (n - 1) == at.conditional * k ** (n - 1), 1)


not_claimed_tight("energy-kinetic-constant", "an identity at every time")


@check("energy-conditional-constant", tier="rational")
def conditional_ratio(_: Results):
    """E_c = 2^(n-1) E_g and E_g = n base, as integrands in rationals, on full and sparse laws at three alpha."""
    count, holds = 0, True
    for pmf, alpha in product(full_tables() + sparse_tables(), ALPHAS):
        at = energy_integrands(pmf, alpha, fmpq(5, 3))
        holds &= at.conditional == 2 ** (pmf.ndim - 1) * at.geodesic and at.geodesic == pmf.ndim * at.base
        count += 1
    return decide(holds, count, 0.0)


@control("energy-conditional-constant", tier="rational")
def sphere_normalisation_left_in(_: Results):
    """Geodesic energy without the factor 4 of the Fisher-Rao normalisation: the constant 2^(n-1) fails."""
    at = energy_integrands(full_tables()[-1], ALPHAS[0], fmpq(1))
    return decide(at.conditional == 2 * at.geodesic / 4, 1)


@control("energy-conditional-constant", tier="rational")
def weight_one_conditional(_: Results):
    """With weight 1 in place of 1/p(x), E_c / E_g would be one number for all alpha."""
    pmf = rational([[9, 1], [1, 9]])
    ratios = [(lambda e: e.conditional / e.geodesic)(energy_integrands(pmf, a, fmpq(1), "one")) for a in ALPHAS]
    return decide(len(set(ratios)) == 1, len(ratios), None, f"ratios {', '.join(map(str, ratios))}")


not_claimed_tight("energy-conditional-constant", "an identity at every time")


@check("energy-mask-count", tier="rational")
def divergences_of_mask_count(_: Results):
    """p_t/p_s depends on the mask count alone, whose law is binomial; TV, chi^2, Fisher information agree."""
    count, holds = 0, True
    now, later = fmpq(1, 4), fmpq(3, 5)
    for pmf in full_tables() + sparse_tables():
        n = pmf.ndim
        first = tuple(int(i) for i in np.argwhere(pmf != 0)[0])
        laws = [lattice_of(pmf), lattice_of(point_mass(pmf, first))]
        binomial = [binomial_path(n, a, fmpq(2))[0] for a in (now, later)]
        for lattice in laws:
            p, r = (path_probabilities(lattice, a) for a in (now, later))
            dp = path_slopes(lattice, now, fmpq(2))
            live = p != 0
            ratio = [(later / now) ** (n - m) * ((1 - later) / (1 - now)) ** m for m in lattice.masks[live].tolist()]
            holds &= bool((r[live] / p[live] == np.array(ratio, dtype=object)).all())  # so every f-divergence agrees
            holds &= all(p[lattice.masks == m].sum() == binomial[0][m] for m in range(n + 1))
            holds &= total_variation(p, r) == total_variation(*binomial)
            holds &= chi_square(p, r) == chi_square(*binomial)
            holds &= fisher_information(p, dp) == n * fmpq(4) / (now * (1 - now))
            holds &= fisher_information(p, dp) == fisher_information(*binomial_path(n, now, fmpq(2)))
            count += 1
    return decide(holds, count, 0.0)


@control("energy-mask-count", tier="rational")
def value_dependent_schedule(_: Results):
    """Two tokens with their own schedules: the posterior moves with time, marginal < conditional."""
    path = mask_value_dependent(np.array([fmpq(1, 4), fmpq(1, 16)]), np.array([fmpq(1), fmpq(1, 2)]))
    given, mixed, _rest = information_split(rational([1, 1]), *path)
    return decide(mixed == given, 1, None, f"marginal {mixed} against conditional {given}")


@control("energy-mask-count", tier="rational")
def uniform_source_fisher(_: Results):
    """From a uniform source the marginal path would have the Fisher information of the conditional paths."""
    given, mixed, _rest = information_split(rational([7, 2, 1]), *uniform_mixture(rational([7, 2, 1]), fmpq(1, 2)))
    return decide(mixed == given, 1, None, f"marginal {float(mixed):.6f} against conditional {float(given):.6f}")


not_claimed_tight("energy-mask-count", "an equality of divergences")


@check("energy-score-variance", tier="rational")
def variance_identity(_: Results):
    """E I(p_t|1) = I(p_t) + E Var(score | z), on uniform-source paths and on masks whose rate depends on the value."""
    count, holds = 0, True
    rng = np.random.default_rng(3)
    for size in (2, 3, 4):
        for _repeat in range(4):
            pmf = rational(rng.integers(1, 30, size))
            paths = [uniform_mixture(pmf, fmpq(int(rng.integers(0, 9)), 10))]
            alphas, slopes = (np.array([fmpq(int(v), 20) for v in rng.integers(1, 20, size)]) for _side in range(2))
            paths.append(mask_value_dependent(alphas, slopes))
            for path in paths:
                given, mixed, variance = information_split(pmf, *path)
                holds &= given == mixed + variance
                count += 1
    return decide(holds, count, 0.0)


@control("energy-score-variance", tier="rational")
def variance_left_out(_: Results):
    """The identity without its variance term, E I(p_t|1) = I(p_t), on a uniform-source path."""
    given, mixed, variance = information_split(rational([7, 2, 1]), *uniform_mixture(rational([7, 2, 1]), fmpq(1, 2)))
    return decide(given == mixed, 1, float(variance), f"the variance term is {float(variance):.6f}")


@tightness("energy-score-variance", tier="rational")
def equal_schedules_close_the_gap(_: Results):
    """One schedule for all tokens: the variance vanishes; schedules 1 % apart leave 1e-4 of it."""
    same = mask_value_dependent(np.array([fmpq(1, 4)] * 2), np.array([fmpq(1)] * 2))
    near = mask_value_dependent(np.array([fmpq(1, 4), fmpq(101, 400)]), np.array([fmpq(1)] * 2))
    law = rational([1, 1])
    exact, close = (information_split(law, *path) for path in (same, near))
    return decide(exact[2] == 0 and 0 < close[2] < fmpq(1, 1000) * close[0], 2, float(close[2] / close[0]))
