"""Figures of the training-noise topic: pure functions of theory.variance.results.Results."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import NullFormatter

from figures.layout import LINES, MARKERS, Drawn
from figures.registry import figure, no_figure
from theory.variance.figures_methods import colours
from theory.variance.results import Results


@figure(
    "variance-densities",
    claims=("ppots-optimal", "ppots-estimator-optimal", "epr-diverges"),
    kind="exact",
    accuracy={"densities.EPR fit": 1e-5, "epr_total": 1e-6},  # a fit of seven parameters
)
def densities(results: Results) -> Drawn:
    """Second-moment parts as functions of t, and the densities that answer them."""
    curves = results.curves
    fig, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.8))
    rows = (
        (curves.pattern, "E v: pattern", 0.02, (6, 4), "left"),
        (curves.mean**2, "(E g)²: squared mean", 0.012, (0, -13), "center"),
        (curves.spread, "Var g: between sequences", 0.012, (0, -14), "center"),
    )
    for (values, label, where, offset, align), style in zip(rows, LINES, strict=False):
        (line,) = left.plot(curves.t, values, linestyle=style)
        k = int(np.argmin(abs(curves.t - where)))
        left.annotate(
            label, (curves.t[k], values[k]), xytext=offset, textcoords="offset points", color=line.get_color(),
            fontsize=8.5, ha=align,
        )  # fmt: skip
    left.set(xscale="log", yscale="log", xlabel="mask probability t", ylabel="nats² per token²", ylim=(0.01, 500))
    left.set_title("what the draw at t contributes (K1 oracle)")
    for (name, values), style in zip(curves.densities.items(), LINES, strict=False):
        right.plot(curves.t, values, linestyle=style, label=name)
    right.set(xscale="log", yscale="log", xlabel="mask probability t", ylabel="density p(t)")
    right.set_title("densities of t")
    right.legend()
    return fig, {
        "t": curves.t,
        "mean": curves.mean,
        "pattern": curves.pattern,
        "spread": curves.spread,
        "densities": curves.densities,
        "epr_total": curves.epr_total,
    }


@figure(
    "variance-mirror",
    claims=("mirror-never-hurts", "mirror-additive", "mirror-gradient", "mirror-noisy-repetition"),
    kind="exact",
)
def mirrored(results: Results) -> Drawn:
    """rho(t) of mirrored masks, with the counterexample, and the shrinking margin of noisy repetition."""
    curves, family = results.curves, results.family
    shown = ("K1 oracle", "K1 temper", "K2 oracle", "additive loss", "anti-copy", "gradient, table")
    fig, (left, right) = plt.subplots(1, 2, figsize=(8.8, 3.9), width_ratios=(1.25, 1))
    for k, name in enumerate(shown):
        every = slice(k, None, 14)
        left.plot(curves.rho_t, curves.rho[name], linestyle=LINES[k], marker=MARKERS[k], markevery=every, label=name)
    left.axhline(0.0, color="0.3", lw=0.8)
    left.set(xlabel="mask probability t", ylabel="correlation ρ(t) of the two losses", ylim=(-1.05, 1.25))
    left.legend(fontsize=8, ncols=3, loc="upper center")
    left.set_title("above 0: worse than two independent masks")
    rows = ((-family.correlation, "−ρ"), (-family.against_own, "−(Cov/Var + Cov/D)"), (-family.covariance, "−Cov"))
    for k, (values, label) in enumerate(rows):
        right.plot(family.length, values, linestyle=LINES[k], marker=MARKERS[k], label=label)
    right.set(xscale="log", yscale="log", xlabel="length L", ylabel="distance from 0")
    right.set_xticks(family.length, [str(n) if n not in (10, 80) else "" for n in family.length])
    right.xaxis.set_minor_formatter(NullFormatter())
    right.legend(fontsize=8, loc="lower left")
    right.set_title("noisy repetition, exact denoiser")
    return fig, {"t": curves.rho_t, "rho": curves.rho, "family": family}


@figure(
    "variance-front",
    claims=("ppots-pareto", "pattern-noise-diverges", "schedule-is-density"),
    kind="exact",
    accuracy={"best_exponent": 1e-5},
    note="K1 oracle",
)
def front(results: Results) -> Drawn:
    """The (A, B) trade, A against epsilon, and the variance of the schedules s^c."""
    curves, table = results.curves, results.instances["K1 oracle"].methods
    fig, (left, middle, right) = plt.subplots(1, 3, figsize=(10.2, 3.6))
    left.plot(curves.front[:, 0], curves.front[:, 1], label="√(E v + w E g²), w = 0…∞")
    for k, (name, text) in enumerate((("uniform", "uniform"), ("P-POTS", "p*"))):
        point = table[name].parts
        left.plot(point.pattern, point.rate, MARKERS[k], color=colours()[k + 1], ms=7, label=text)
    left.set(yscale="log", xlabel="A, pattern", ylabel="B, rate")
    left.legend(fontsize=8, loc="upper right")
    left.set_title("A and B trade")
    slope = results.instances["K1 oracle"].moments.second[1] / 16
    middle.plot(curves.epsilons, curves.pattern_of_epsilon, "o-", label="A(ε), uniform t")
    anchor = curves.pattern_of_epsilon[-1] + slope * np.log(curves.epsilons[-1] / curves.epsilons)
    middle.plot(curves.epsilons, anchor, "--", label=f"slope a = {slope:.4f}")
    middle.set(xscale="log", xlabel="ε", ylabel="A (nats² per token²)")
    middle.invert_xaxis()
    middle.legend(fontsize=8)
    middle.set_title("no limit as ε → 0")
    right.plot(curves.exponents, curves.total_of_exponent)
    best = curves.total_of_exponent.min()
    right.plot(curves.best_exponent, best, "D", color=colours()[2])
    right.annotate(
        f"c = {curves.best_exponent:.3f}", (curves.best_exponent, best), xytext=(10, 30),
        textcoords="offset points", fontsize=8.5, ha="center",
    )  # fmt: skip
    right.axvline(1.0, color="0.3", lw=0.8, ls=":")
    right.set(xlabel="exponent c of the schedule sᶜ", ylabel="total variance, ε = 0", xlim=(0.9, 4.05))
    right.set_title("linear (c = 1) is infinite")
    return fig, {
        "front": curves.front,
        "epsilon": curves.epsilons,
        "pattern": curves.pattern_of_epsilon,
        "exponent": curves.exponents,
        "total": curves.total_of_exponent,
        "best_exponent": curves.best_exponent,
    }


no_figure("mirror-fourier", "an identity: both sides would be one curve")
no_figure("mirror-monotone", "a statement on whole classes of losses, decided instance by instance")
no_figure("mirror-two-positions", "a sign that is the same at every point")
no_figure("released-sampler-unbiased", "one number, the bias of a sampler")
no_figure("isad-unbiased", "one number, the bias of a weighting")
no_figure("isad-moves-minimiser", "one prediction against its true value, two numbers")
no_figure("syrm-variance", "an identity: both sides would be one curve")
no_figure("strats-variance", "an identity: both sides would be one curve")
no_figure("ema-reduces-noise", "the gradient does not change at all")
no_figure("low-discrepancy-times", "an identity, and a table of numbers on the page")
no_figure("sizes-at-length", "two crossings, stated as lengths")
