"""Pattern, rate and data noise: the decomposition and its limits."""

from fractions import Fraction
from random import Random

import numpy as np

from theory.ledger.registry import Outcome, check, control, decide, definition, not_claimed_tight
from theory.variance import definitions, exact
from theory.variance.checks.cases import PRINTED, ROUNDING, TABLES, small
from theory.variance.instances import EPSILON
from theory.variance.results import Results
from toy_models import Tempered
from toy_models.targets import instances
from toy_models.variance import decomposition as va
from toy_models.variance import densities, p_pots
from toy_models.variance.decomposition import CALLS


def _instances(seed: int, count: int):
    generator = Random(seed)
    return [exact.random_instance(generator) for _ in range(count)]


@check("variance-abc", tier="rational")
def abc_adds_up(results: Results) -> Outcome:
    """variance-abc on random rational losses, and the same A with t outermost."""
    cases = [exact.parts(*case) for case in _instances(1, 40)]
    right = all(a + b + c == total and a + first + rest == total for a, b, c, total, first, rest in cases)
    return decide(right, len(cases), 0.0, "A+B+C and A + Var_t E_x g + E_t Var_x g both equal Var(l) exactly")


@definition("variance-abc", tier="float64")
def parts_are_the_definition(results: Results) -> Outcome:
    """variance-abc: A, B, C of the library against the law of total variance carried out over every x, t and mask."""
    losses, moments = small()
    gaps = []
    for masks in CALLS:
        for density in (densities.uniform(EPSILON), p_pots.optimal(moments, EPSILON, masks=masks)):
            found = definitions.parts(losses, density.pdf, EPSILON, 1.0, masks, density.breaks)
            gaps.append(found.gap(va.decompose(moments, density, EPSILON, masks)))
    return decide(max(gaps) < ROUNDING, len(gaps), ROUNDING - max(gaps), "one mask, two, and a mirrored pair")


@definition("variance-abc", tier="float64")
def printed_table(results: Results) -> Outcome:
    """variance-abc: the table of the page, to its last digit."""
    gaps = []
    for name, (pattern, rate, data, least) in PRINTED.items():
        plain, best = (results.instances[name].methods[m].parts for m in ("uniform", "P-POTS"))
        gaps += [plain.pattern - pattern, plain.rate - rate, plain.data - data, best.total - least]
    worst = float(np.abs(gaps).max())
    return decide(worst < 5.1e-9, len(gaps), 5.1e-9 - worst, "margin: half a unit of the last printed digit")


@control("variance-abc", tier="rational")
def abc_with_mixed_orders(results: Results) -> Outcome:
    """variance-abc with B from one conditioning order and C from the other."""
    cases = [exact.parts(*case) for case in _instances(1, 40)]
    return decide(all(a + first + c == total for a, _, c, total, first, _ in cases), len(cases))


not_claimed_tight("variance-abc", "an identity")


@check("data-noise-is-arm", tier="rational")
def data_noise_of_the_oracle(results: Results) -> Outcome:
    """data-noise-is-arm: E_t g(x, t) = -(1/L) log q(x) for every x, as coefficients of log q(x_T)."""
    for length in range(1, 9):
        found = exact.order_coefficients(length, exact.order_weight(length))
        wanted = dict.fromkeys(found, Fraction(0))
        wanted[0], wanted[2**length - 1] = Fraction(1), Fraction(-1)
        if found != wanted:
            return decide(False, length, note=f"L = {length}")
    return decide(True, 8, 0.0, "all coefficients of log q(x_T) cancel except T empty and T full, L = 1..8")


@definition("data-noise-is-arm", tier="float64")
def both_data_noises(results: Results) -> Outcome:
    """data-noise-is-arm: C at epsilon = 0 and C_ARM along three orders, both against Var_x log q(x) / L^2."""
    log_q = instances.k1().log_prob(results.instances["K1 oracle"].loss.x)
    q = np.exp(log_q)
    truth = float(q @ (log_q - q @ log_q) ** 2) / 16
    found = [va.size_decomposition(results.instances["K1 oracle"].moments).data]
    found += [va.arm_variance(instances.k1(), order) for order in (None, [3, 1, 0, 2], [2, 3, 1, 0])]
    gap = max(abs(v - truth) for v in found)
    return decide(gap < ROUNDING, len(found), ROUNDING - gap, f"C = {truth:.8f}")


@control("data-noise-is-arm", tier="rational")
def data_noise_with_equal_weights(results: Results) -> Outcome:
    """data-noise-is-arm with every mask weighted alike."""
    found = exact.order_coefficients(3, lambda k: Fraction(1, 8))
    return decide(all(v == 0 for t, v in found.items() if t not in (0, 7)), 1)


@control("data-noise-is-arm", tier="float64")
def data_noise_of_imperfect_denoisers(results: Results) -> Outcome:
    """data-noise-is-arm for an imperfect denoiser: C_MDM against C_ARM of the left-to-right order."""
    target = instances.k1()
    denoiser = Tempered(target, 0.5)
    c_mdm = va.size_decomposition(results.instances["K1 temper"].moments).data
    c_arm = va.arm_variance(target, None, denoiser)
    return decide(abs(c_mdm - c_arm) < ROUNDING, 1, abs(c_mdm - c_arm), f"C_MDM {c_mdm:.6f}, C_ARM {c_arm:.6f}")


not_claimed_tight("data-noise-is-arm", "an identity")


@check("pattern-noise-diverges", tier="float64")
def pattern_noise_slope(results: Results) -> Outcome:
    """pattern-noise-diverges: A(1e-8) - A(1e-7) over ln 10 against a = E sum c_i(x, {i})^2 / L^2; B and C settle.

    From 1e-7 to 1e-8 B and C move by less than 1e-6, and from 1e-4 to 1e-8 by less than 1e-3.
    """
    worst, moves = 0.0, []
    for name in TABLES:
        moments = results.instances[name].moments
        early, late, last = (va.decompose(moments, None, e) for e in (1e-4, 1e-7, 1e-8))
        slope = (last.pattern - late.pattern) / np.log(10)
        worst = max(worst, abs(slope / (moments.second[1] / moments.length**2) - 1))
        moves += [1e3 * abs(getattr(last, part) - getattr(late, part)) for part in ("rate", "data")]
        moves += [abs(getattr(last, part) - getattr(early, part)) for part in ("rate", "data")]
    note = "margin: relative error of the slope"
    return decide(worst < 1e-4 and max(moves) < 1e-3, len(TABLES) + len(moves), worst, note)


@control("pattern-noise-diverges", tier="float64")
def pattern_noise_converges(results: Results) -> Outcome:
    """pattern-noise-diverges against a bounded A: the last decade adds less than 1 % of the first."""
    a = results.curves.pattern_of_epsilon
    return decide(bool(a[-1] - a[-2] < 0.01 * (a[1] - a[0])), 1)


@control("pattern-noise-diverges", tier="float64")
def pattern_noise_slope_from_means(results: Results) -> Outcome:
    """pattern-noise-diverges with (sum c_i)^2 / L^3 in place of sum c_i^2 / L^2."""
    loss = results.instances["K1 oracle"].loss
    slope = (va.decompose(loss.average, None, 1e-8).pattern - va.decompose(loss.average, None, 1e-7).pattern) / np.log(
        10
    )
    false = float(loss.probability @ loss.first[:, 1] ** 2) / 4**3
    return decide(abs(slope / false - 1) < 1e-4, 1)


not_claimed_tight("pattern-noise-diverges", "an asymptotic identity")
