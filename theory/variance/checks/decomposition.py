"""Pattern, rate and data noise: the decomposition and its limits."""

from fractions import Fraction
from random import Random

import numpy as np

from theory.ledger.registry import Outcome, check, control, decide, not_claimed_tight
from theory.variance import exact
from theory.variance.checks.cases import ROUNDING, TABLES
from theory.variance.results import Results
from toy_models import Tempered
from toy_models.targets import instances
from toy_models.variance import decomposition as va


def _instances(seed: int, count: int):
    generator = Random(seed)
    return [exact.random_instance(generator) for _ in range(count)]


@check("variance-abc", tier="rational")
def abc_adds_up(results: Results) -> Outcome:
    """variance-abc on random rational losses, and the same A with t outermost."""
    cases = [exact.parts(*case) for case in _instances(1, 40)]
    right = all(a + b + c == total and a + first + rest == total for a, b, c, total, first, rest in cases)
    return decide(right, len(cases), 0.0, "A+B+C and A + Var_t E_x g + E_t Var_x g both equal Var(l) exactly")


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
    """pattern-noise-diverges: A(1e-8) - A(1e-7) over ln 10 against a = E sum c_i(x, {i})^2 / L^2."""
    worst = 0.0
    for name in TABLES:
        moments = results.instances[name].moments
        slope = (va.decompose(moments, None, 1e-8).pattern - va.decompose(moments, None, 1e-7).pattern) / np.log(10)
        worst = max(worst, abs(slope / (moments.second[1] / moments.length**2) - 1))
    return decide(worst < 1e-4, len(TABLES), worst, "margin: relative error of the slope")


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
