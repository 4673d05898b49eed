"""P-POTS and the parts of the noise: what the density of t can and cannot lower."""

import numpy as np
import sympy

from theory.ledger.registry import Outcome, check, control, decide, not_claimed_tight
from theory.variance.checks.cases import TABLES, competitors
from theory.variance.instances import EPSILON
from theory.variance.results import Results
from toy_models import repetition
from toy_models.variance import decomposition as va
from toy_models.variance import densities
from toy_models.variance.loss_moments import loss_moments


@check("ppots-pareto", tier="float64")
def no_density_improves_both(results: Results) -> Outcome:
    """ppots-pareto: C is constant, and no competitor has A and B both at most those of p*."""
    count, holds, margin = 0, True, np.inf
    for name in TABLES:
        moments, best = results.instances[name].moments, results.instances[name].methods["P-POTS"].parts
        for density in competitors(12, moments):
            other = va.decompose(moments, density, EPSILON)
            holds &= abs(other.data - best.data) < 1e-14
            margin = min(margin, max(other.pattern - best.pattern, other.rate - best.rate))
            count += 1
    return decide(bool(holds and margin > 0), count, margin, "margin: the larger of the two rises, nats^2")


@check("ppots-pareto", tier="float64")
def rate_noise_may_rise_or_fall(results: Results) -> Outcome:
    """ppots-pareto: p* against uniform t raises B by 6.9 to 34 on the six cases and lowers A and B on repetition."""
    ratios = [_ratio_of_parts(results.instances[n].methods["P-POTS"].parts, _uniform(results, n)) for n in TABLES]
    pattern, rate = zip(*ratios, strict=True)
    moments = loss_moments(repetition(3, 4)).average
    fallen = _ratio_of_parts(va.decompose(moments, "optimal", EPSILON), va.decompose(moments, None, EPSILON))
    holds = 6.85 < min(rate) < 6.95 and 34.25 < max(rate) < 34.45 and 0.48 < min(pattern) <= max(pattern) < 0.53
    holds &= abs(fallen[0] - 0.8759) < 5e-5 and abs(fallen[1] - 0.2597) < 5e-5
    note = f"A x {min(pattern):.3f} to {max(pattern):.3f}, B x {min(rate):.1f} to {max(rate):.1f}"
    return decide(
        bool(holds), 7, None, f"{note}; repetition of 3 symbols at L = 4: A x {fallen[0]:.3f}, B x {fallen[1]:.3f}"
    )


@check("ppots-pareto", tier="symbolic")
def repetition_in_closed_form(results: Results) -> Outcome:
    """ppots-pareto on repetition at epsilon = 0: p* = (L/2) t^(L/2 - 1), B falls for every L >= 3, here L = 3..12."""
    t, holds = sympy.Symbol("t", positive=True), True
    for length in range(3, 13):
        density = sympy.Rational(length, 2) * t ** (sympy.Rational(length, 2) - 1)
        square = t ** (2 * length - 2)  # g^2, as S = log K if every token is masked and 0 else
        uniform = sympy.integrate(square, (t, 0, 1)) - sympy.Rational(1, length**2)
        best = sympy.integrate(sympy.powsimp(square / density), (t, 0, 1)) - sympy.Rational(1, length**2)
        holds &= uniform == sympy.Rational(1, 2 * length - 1) - sympy.Rational(1, length**2)
        holds &= best == sympy.Rational(1, 3 * length**2) and best < uniform
    return decide(bool(holds), 10, 0.0, "B / log^2 K: 1/(2L - 1) - 1/L^2 at uniform t, 1/(3 L^2) at p*")


def _uniform(results: Results, name: str):
    return results.instances[name].methods["uniform"].parts


def _ratio_of_parts(after, before) -> tuple[float, float]:
    return after.pattern / before.pattern, after.rate / before.rate


@control("ppots-pareto", tier="float64")
def ppots_lowers_each_part(results: Results) -> Outcome:
    """ppots-pareto read as: p* lowers each of A and B below uniform t."""
    ratios = [_ratio_of_parts(results.instances[n].methods["P-POTS"].parts, _uniform(results, n)) for n in TABLES]
    return decide(max(max(pair) for pair in ratios) <= 1, len(ratios))


@control("ppots-pareto", tier="float64")
def rate_noise_always_rises(results: Results) -> Outcome:
    """ppots-pareto with 'B itself rises' at every target."""
    moments = loss_moments(repetition(3, 4)).average
    return decide(va.decompose(moments, "optimal", EPSILON).rate > va.decompose(moments, None, EPSILON).rate, 1)


@control("ppots-pareto", tier="float64")
def every_density_is_pareto(results: Results) -> Outcome:
    """ppots-pareto: a density with most mass at large t has both A and B above those of p*."""
    moments, best = results.instances["K1 oracle"].moments, results.instances["K1 oracle"].methods["P-POTS"].parts
    steep = va.decompose(moments, densities.power(0.2, EPSILON), EPSILON)
    return decide(not (best.pattern < steep.pattern and best.rate < steep.rate), 1)


not_claimed_tight("ppots-pareto", "a statement about signs")
