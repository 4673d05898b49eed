"""Definitions that the lines rest on: intervals, the densities of every objective, the seven-parameter curve."""

import numpy as np

from theory.ledger.conformance import interval_gaps, is_accepted, is_refused
from theory.ledger.registry import Outcome, decide, definition
from theory.variance.checks.cases import small
from theory.variance.results import Results
from toy_models.variance import epr, p_pots

OBJECTIVES = ("total", "published", "pattern", "rate", "stratified")


@definition("training-spread", tier="float64")
def intervals_by_their_formulas(_: Results) -> Outcome:
    """Student's, Clopper and Pearson's and the empirical Bernstein interval against scipy and their formulas."""
    gaps = interval_gaps()
    return decide(max(gaps) < 1e-12, len(gaps), max(gaps))


@definition("ppots-optimal", tier="float64")
def densities_of_every_objective(_: Results) -> Outcome:
    """The density of each objective is proportional to the root of its moment, at five times."""
    moments = small()[1]
    t = np.array([0.003, 0.05, 0.3, 0.77, 0.99])
    found, gaps = {name: p_pots.optimal(moments, objective=name).pdf(t) for name in OBJECTIVES}, []
    m2, g2, square = moments.second_moment(t), moments.mean_square(t), moments.square_of_mean(t)
    wanted = {"total": m2, "published": m2 - (g2 - square), "pattern": m2 - g2, "rate": g2, "stratified": m2 - square}
    for name in OBJECTIVES:
        ratio = found[name] / np.sqrt(wanted[name])
        gaps.append(float(np.ptp(ratio) / ratio.mean()))
    return decide(max(gaps) < 1e-9, len(gaps), max(gaps))


@definition("epr-diverges", tier="float64")
def curve_found_again(_: Results) -> Outcome:
    """The fit of sqrt(a t^r + b (1-t)^q + A^2 exp(2 kappa t^m)) to one of its own curves: a distance below 1e-3."""
    t = np.linspace(0.0, 1.0, 82)[1:-1]

    def curve(a, b, scale, kappa, r, q, m):
        h = np.sqrt(a * t**r + b * (1 - t) ** q + scale**2 * np.exp(2 * kappa * t**m))
        return h / np.trapezoid(h, t)

    p = curve(0.5, 2.0, 0.6, 0.4, 1.5, 2.5, 2.0)
    gap = float(np.abs(curve(*epr.fit_epr(t, p)) / p - 1).max())
    return decide(gap < 1e-3, 1, gap)


@definition("ppots-optimal", tier="float64")
def edges_of_the_hypotheses(_: Results) -> Outcome:
    """0 < epsilon < upper <= 1 and objectives by name; the rest is refused."""
    moments = small()[1]
    good = [
        lambda: p_pots.optimal(moments, 1e-6),
        lambda: p_pots.optimal(moments, 0.45, 0.95),
        lambda: p_pots.optimal(moments, masks="mirror"),
    ]
    bad = [
        lambda: p_pots.optimal(moments, 0.0),
        lambda: p_pots.optimal(moments, 1.0),
        lambda: p_pots.optimal(moments, 0.5, 0.4),
        lambda: p_pots.optimal(moments, 0.1, 1.1),
        lambda: p_pots.optimal(moments, objective="luck"),
        lambda: p_pots.optimal(moments, masks="luck"),
    ]
    return decide(all(map(is_accepted, good)) and all(map(is_refused, bad)), len(good) + len(bad))
