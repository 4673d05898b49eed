"""Energies of schedules: Beta landscapes, named schedules, the great circle, N steps."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.ticker import FixedLocator, NullLocator

from figures.layout import LINES, MARKERS, Drawn
from figures.registry import figure
from theory.energy.results import Results
from theory.energy.schedules import NAMED


@figure(
    "energy-landscape",
    claims=("energy-beta-closed-form", "energy-fix-gamma-first"),
    kind="exact",
    note="schedule α = sin²(π/2 I_t(a′, b′)); star: γ's own (least); circle: linear; square: sin²; grey: E = ∞",
)
def landscapes(res: Results) -> Drawn:
    """E / pi^2 over the parameters of the schedule, one reference gamma per panel; grey: infinite."""
    fig, axes = plt.subplots(2, 2, figsize=(7.6, 6.8), sharex=True, sharey=True)
    levels = (1.01, 1.1, 1.5, 2, 4, 10)
    for axis, land in zip(axes.flat, res.landscapes, strict=True):
        finite = np.where(np.isfinite(land.values), land.values, np.nan)
        axis.set_facecolor("0.85")
        shade = axis.pcolormesh(land.axis, land.axis, finite.T, norm=LogNorm(1, 20), cmap="viridis", rasterized=True)
        lines = axis.contour(land.axis, land.axis, finite.T, levels, colors="white", linewidths=0.8)
        axis.clabel(lines, levels[1:], fontsize=7, fmt="%g")
        axis.plot(*land.reference, "*", ms=12, mfc="white", mec="black", mew=0.8)
        axis.plot(0.5, 0.5, "o", ms=6, mfc="none", mec="black", mew=1.2)
        axis.plot(1, 1, "s", ms=6, mfc="none", mec="black", mew=1.2)
        a, b = land.reference
        axis.set_title(f"γ = Beta({a:g}, {b:g})")
        axis.grid(False)
        axis.set_aspect("equal")
    fig.supylabel("b′ of the schedule", fontsize=10)
    for axis in axes[1]:
        axis.set_xlabel("a′ of the schedule")
    bar = fig.colorbar(shade, ax=axes, shrink=0.8, label="energy E / π²", extend="max")
    bar.ax.yaxis.set_major_locator(FixedLocator([1, 2, 5, 10, 20]))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.ax.set_yticklabels(["1", "2", "5", "10", "20"])
    return fig, {"landscapes": list(res.landscapes), "table": res.table}


@figure(
    "energy-schedules",
    claims=("energy-chi-square", "energy-beta-pairs"),
    kind="exact",
    accuracy={"schedules.fit": 1e-6},
)
def schedules(res: Results) -> Drawn:
    """alpha(t) of the named schedules and their interpolation functions eta(t) - t, with energies."""
    t = np.linspace(0, 1, 201)
    fig, (left, right) = plt.subplots(1, 2, figsize=(9.4, 4.3))
    for k, row in enumerate(res.schedules):
        schedule = NAMED[row.name]
        energy = "∞" if np.isinf(row.energy) else f"{row.energy / np.pi**2:.4f}"
        fit = f"({row.fit.a:.3g}, {row.fit.b:.3g})" + ("" if row.fit.exact else "*")
        kind = {"ls": LINES[k], "marker": MARKERS[k], "markevery": (5 * k % 20, 20)}
        left.plot(t, schedule.alpha(t), **kind, label=row.name)
        label = f"{row.name}: {energy}, {row.energy_under_linear / np.pi**2:.4f}, {fit}"
        right.plot(t, 2 / np.pi * np.arcsin(np.sqrt(schedule.alpha(t))) - t, **kind, label=label)
    left.set(title="schedule", xlabel="generation time t", ylabel="revealed fraction α(t)")
    right.set(
        title="its own interpolation function", xlabel="generation time t", ylabel="η(t) − t,  η = (2/π) arcsin √α"
    )
    left.legend(fontsize=8)
    handles, labels = right.get_legend_handles_labels()
    fig.legend(
        handles,
        labels,
        loc="outside right center",
        fontsize=8,
        title="E/π² for γ = t,  for γ of linear,\nBeta (a, b)   (* fitted)",
        title_fontsize=8,
    )
    return fig, {"schedules": list(res.schedules)}


@figure(
    "energy-great-circle",
    claims=("energy-geodesic-minimiser",),
    kind="exact",
    accuracy={"schedules.fit": 1e-6},
    note="γ = t, nine equally spaced times per row; a token is masked with probability cos² θ",
)
def great_circle(res: Results) -> Drawn:
    """The angle of one token's law on the quarter circle, a row per schedule: equal arcs only for the minimiser."""
    times = np.arange(9) / 8
    names = ("sin²", "3t²-2t³", "linear", "1-cos", "sin")
    fig, axis = plt.subplots(figsize=(7.2, 3.4))
    for k, name in enumerate(names):
        energy = next(row.energy for row in res.schedules if row.name == name)
        text = "∞" if np.isinf(energy) else f"{energy / np.pi**2:.4f} π²"
        theta = np.arcsin(np.sqrt(NAMED[name].alpha(times)))
        axis.plot([0, np.pi / 2], [-k, -k], color="0.85", lw=1.0, zorder=1)
        axis.plot(theta, np.full(9, -k), MARKERS[k], color=f"C{k}", ms=6, zorder=2)
        axis.annotate(f"E = {text}", (np.pi / 2, -k), (14, 0), textcoords="offset points", va="center", fontsize=9)
    axis.set_yticks(-np.arange(len(names)), names)
    axis.set_xticks(np.arange(5) * np.pi / 8, ["0\nall masked", "π/8", "π/4", "3π/8", "π/2\nrevealed"])
    axis.set(xlabel="angle θ on the quarter circle", ylim=(-len(names) + 0.5, 0.5), xlim=(-0.06, np.pi / 2 + 0.42))
    axis.set_title("Only sin² moves at constant speed: E is least, π²", loc="left")
    axis.grid(axis="y", visible=False)
    return fig, {"schedules": list(res.schedules)}


@figure(
    "energy-steps",
    claims=("energy-discrete-spacing",),
    kind="exact",
    note="equal steps in time",
)
def steps(res: Results) -> Drawn:
    """Chord energy of N steps: convergence for finite energies, logarithmic growth for infinite ones."""
    s = res.spacing
    fig, axis = plt.subplots()
    for k, (name, values) in enumerate(s.curves.items()):
        axis.plot(s.steps, values, ls=LINES[k], marker=MARKERS[k], label=name)
    axis.axhline(np.pi**2 / 4, color="0.4", lw=1, ls=":")
    axis.annotate(
        "π²/4, reached by sin²; 3t² − 2t³ tends to (9/4) ln 3",
        (1024, np.pi**2 / 4),
        (0, 7),
        textcoords="offset points",
        fontsize=9,
        ha="right",
    )
    axis.set_xscale("log", base=2)
    axis.set_xticks([1, 4, 16, 64, 256, 1024], ["1", "4", "16", "64", "256", "1024"])
    axis.set(xlabel="number of steps N", ylabel="chord energy (sphere normalisation)")
    axis.legend()
    return fig, {"spacing": res.spacing}
