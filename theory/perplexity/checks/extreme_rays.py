"""Costs that are linear in the information curve: L - 1 step curves decide every language."""

from fractions import Fraction

import numpy as np
from flint import fmpq

import toy_models as tm
from theory.ledger.instances import all_hold
from theory.ledger.registry import Outcome, check, control, decide, tightness
from theory.perplexity.rays import at_most_for_every_language, minimax_sizes, ray_values, sizes_rays, worst_ratio
from theory.perplexity.results import Results, uniform
from toy_models import exact
from toy_models.exact import curves as ec
from toy_models.exact import decide_at_most, decide_equal

VALUES = {
    (6, 2): "47/180",
    (6, 3): "25/204",
    (8, 2): "319/1120",
    (8, 3): "7/50",
    (12, 2): "25961/83160",
    (12, 3): "10043/61200",
    (12, 4): "14693/140166",
    (12, 6): "2617/50520",
}


def _same(holds: bool) -> str:
    return "PROVED" if holds else "REFUTED"


def _fmpq(text: str) -> fmpq:
    value = Fraction(text)
    return fmpq(value.numerator, value.denominator)


@check("extreme-rays", tier="rational")
def rays_decide(results: Results) -> Outcome:
    """extreme-rays: E KL of random laws, summed over all paths, is the ray values times the drops of g, so their max.

    Left side by definition (all assignments of steps); alpha TC + beta DTC with random weights; the minimax values are
    solved in Q for both players and compared with those of the page.
    """
    rng, verdicts = np.random.default_rng(43), []
    for pmf in ec.random_pmfs(43, 60 if results.profile == "full" else 12):
        length, g = pmf.ndim, ec.curve(pmf)
        weights = ec.random_weights(rng, 2)
        row = ec.weights_row(length, weights)
        cost = ec.mean_path_kl(pmf, weights)
        drops = [g.at(ec.unit_row(length, k - 1) - ec.unit_row(length, k)) for k in range(1, length)]
        by_rays = sum((d.scaled(v) for d, v in zip(drops, ray_values(row)[:-1], strict=True)), cost - cost)
        verdicts += [decide_equal(cost, by_rays), _same(ray_values(row)[-1] == 0)]
        alpha, beta = (fmpq(int(n), 7) for n in rng.integers(1, 8, size=2))
        scale = ec.tc_row(length) * alpha + ec.dtc_row(length) * beta
        verdicts.append(decide_at_most(cost, g.at(scale).scaled(worst_ratio(row, scale))))
    for k in range(1, 5):  # a row that is negative on one step curve alone is refuted
        only = ec.unit_row(5, k) - ec.unit_row(5, k - 1)
        verdicts.append(_same(at_most_for_every_language(ec.unit_row(5, 0) * fmpq(0), only) == "REFUTED"))
    for (length, steps), value in VALUES.items():
        verdicts.append(_same(minimax_sizes(length, steps).value == _fmpq(value)))
    return all_hold(verdicts)


@tightness("extreme-rays", tier="rational")
def rays_attained(results: Results) -> Outcome:
    """extreme-rays: a [4, 2] MDS code over F_3 has c/TC equal to the value of its ray, by all paths."""
    pmf = np.full((3,) * 4, fmpq(0), dtype=object)
    for u in range(3):
        for v in range(3):
            pmf[u, v, (u + v) % 3, (u + 2 * v) % 3] = fmpq(1, 9)
    weights = [fmpq(1, 3), fmpq(2, 3)]
    ray = ray_values(ec.weights_row(4, weights))[1]
    return all_hold([decide_equal(ec.mean_path_kl(pmf, weights), exact.log_sum.log(3).scaled(ray))], 0.0)


@control("extreme-rays", tier="rational")
def rays_without_repetition(results: Results) -> Outcome:
    """extreme-rays with the ray k = 1 left out of the maximum: the repetition language exceeds it."""
    first, *others = sizes_rays([4, 2])
    return decide(first <= max(others), 1)


@control("extreme-rays", tier="float64")
def rays_for_the_written_law(results: Results) -> Outcome:
    """extreme-rays for KL(q || p) of the written law: two laws with one curve have .1720 and .2877 at N = 2."""
    noisy = tm.Table(np.full((4, 4), 0.1892896249 / 12) + np.eye(4) * (1 - 0.1892896249 * 4 / 3) / 4)
    partners = tm.Table((np.eye(4) + np.roll(np.eye(4), 1, axis=1)) / 8)
    curves = [tm.information_curve(t) for t in (noisy, partners)]
    written = [tm.marginal_kl(t, uniform(2)) for t in (noisy, partners)]
    one_curve = np.abs(curves[0] - curves[1]).max() < 1e-9
    return decide(not one_curve or abs(written[0] - written[1]) < 0.01, 2, written[0] - written[1])


@control("extreme-rays", tier="rational")
def rays_with_an_increasing_curve(results: Results) -> Outcome:
    """extreme-rays for curves that may increase: -1[. < 1] would make the cost of two steps negative."""
    return decide(-ray_values(ec.sizes_row([2, 2]))[0] >= 0, 1)
