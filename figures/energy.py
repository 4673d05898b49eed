"""Figures of masked diffusion as energy minimisation: pure functions of theory.energy.Results."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from figures import STYLE
from figures.save import save
from theory.energy import NAMED, Results

STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)), (0, (3, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<")


def foot(fig: Figure, text: str) -> None:
    fig.supxlabel(text, fontsize=7, color="0.45", x=0.01, ha="left")


def note(axis, text: str, at, offset) -> None:
    """Small label on a light patch, readable on any colour."""
    patch = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.75}
    axis.annotate(text, at, offset, textcoords="offset points", fontsize=8, bbox=patch)


def integrands(res: Results) -> Figure:
    """Three energies of the masked path, parallel on a log scale, beside a source without masks where they are not."""
    r = res.ratios
    base = 1 / (r.alpha * (1 - r.alpha))
    with plt.style.context(STYLE):
        fig, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.9))
        masked = (("kinetic", r.kinetic), ("conditional kinetic", r.conditional), ("geodesic", r.geodesic))
        for k, (name, ratio) in enumerate(masked):
            left.plot(r.alpha, ratio * base, ls=STYLES[k], marker=MARKERS[k], markevery=len(base) // 10, label=name)
            left.annotate(f"{ratio[0]:.0f} × base", (0.5, ratio[0] * 4 * 1.06), ha="center", va="bottom", fontsize=8)
        left.set(title="masked source, n = 2, K = 2", xlabel="revealed fraction α (α′ = 1)", ylabel="energy integrand")
        source = (
            ("kinetic", r.source_kinetic),
            ("conditional kinetic = conditional Fisher", r.source_conditional),
            ("marginal Fisher information", r.source_fisher_marginal),
        )
        for k, (name, value) in enumerate(source):
            right.plot(r.alpha, value, ls=STYLES[k], marker=MARKERS[k], markevery=len(base) // 10, label=name)
        right.set(title="uniform source, no mask, n = 1", xlabel="data fraction κ (κ′ = 1)")
        for axis in (left, right):
            axis.set_yscale("log")
            axis.legend(loc="upper center")
            low, high = axis.get_ylim()
            axis.set_ylim(low, high * 4)
        foot(fig, "claims: energy-kinetic-constant, energy-conditional-constant, energy-score-variance")
    return fig


def landscapes(res: Results) -> Figure:
    """E / pi^2 over the parameters of the schedule, one reference gamma per panel; grey: infinite."""
    with plt.style.context(STYLE):
        fig, axes = plt.subplots(2, 2, figsize=(7.6, 6.8), sharex=True, sharey=True)
        levels = (1.01, 1.1, 1.5, 2, 4, 10)
        for axis, land in zip(axes.flat, res.landscapes, strict=True):
            finite = np.where(np.isfinite(land.values), land.values, np.nan)
            axis.set_facecolor("0.85")
            shade = axis.pcolormesh(
                land.axis, land.axis, finite.T, norm=LogNorm(1, 20), cmap="viridis", rasterized=True
            )
            lines = axis.contour(land.axis, land.axis, finite.T, levels, colors="white", linewidths=0.8)
            axis.clabel(lines, levels[1:], fontsize=7, fmt="%g")
            axis.plot(*land.reference, "*", ms=12, mfc="white", mec="black", mew=0.8)
            axis.plot(0.5, 0.5, "o", ms=6, mfc="none", mec="black", mew=1.2)
            axis.plot(1, 1, "s", ms=6, mfc="none", mec="black", mew=1.2)
            a, b = land.reference
            axis.set_title(f"γ = Beta({a:g}, {b:g})")
            axis.grid(False)
            axis.set_aspect("equal")
        fig.supylabel("b′", fontsize=10)
        axes[1, 0].set_xlabel("a′")
        axes[1, 1].set_xlabel("a′")
        bar = fig.colorbar(shade, ax=axes, shrink=0.8, label="energy E / π²", extend="max")
        bar.ax.yaxis.set_major_locator(FixedLocator([1, 2, 5, 10, 20]))
        bar.ax.yaxis.set_minor_locator(NullLocator())
        bar.ax.set_yticklabels(["1", "2", "5", "10", "20"])
        foot(
            fig,
            "star: γ's own schedule (1); circle: linear; square: sin²; grey: infinite   claim: energy-beta-closed-form",
        )
    return fig


def schedules(res: Results) -> Figure:
    """alpha(t) of the named schedules and their interpolation functions eta(t) - t, with energies."""
    t = np.linspace(0, 1, 201)
    with plt.style.context(STYLE):
        fig, (left, right) = plt.subplots(1, 2, figsize=(9.4, 4.3))
        for k, row in enumerate(res.schedules):
            schedule = NAMED[row.name]
            energy = "∞" if np.isinf(row.energy) else f"{row.energy / np.pi**2:.4f}"
            fit = f"({row.fit.a:.3g}, {row.fit.b:.3g})" + ("" if row.fit.exact else "*")
            kind = {"ls": STYLES[k], "marker": MARKERS[k], "markevery": (5 * k % 20, 20)}
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
        foot(fig, "claims: energy-chi-square, energy-beta-pairs")
    return fig


def toy(res: Results) -> Figure:
    """Three steps on five tokens: illegal mass of the schedules on both targets, and over the two cuts."""
    x = res.toy
    with plt.style.context(STYLE):
        fig, axes = plt.subplots(1, 3, figsize=(11.4, 4.2), width_ratios=(1.05, 1.05, 0.95))
        cases = (("aaaaa or bbbbb", x.left_map, x.left_best), ("two or three a", x.right_map, x.right_best))
        for axis, (name, values, best) in zip(axes[:2], cases, strict=True):
            shade = axis.contourf(x.axis, x.axis, values.T, 16, cmap="viridis")
            fig.colorbar(shade, ax=axis, shrink=0.9, pad=0.01)
            axis.plot(best[1], best[2], "*", ms=13, mfc="C1", mec="black", mew=0.7, zorder=5)
            note(axis, f"best {best[0]:.4f}", (best[1], best[2]), (8, -14))
            for k, short in enumerate(("linear", "sin", "sin²", "1-cos")):
                cuts = NAMED[short].alpha(np.array([1, 2]) / 3)
                axis.plot(*cuts, MARKERS[k], color="C2", mec="white", ms=6.5)
                note(axis, short, tuple(cuts), (7, 4))
            axis.grid(False)
            axis.plot([0, 1], [0, 1], color="0.6", lw=0.8)
            axis.set(
                title=f"illegal mass, target {name}", xlabel="revealed after step 1", ylabel="revealed after step 2"
            )
            axis.set(xlim=(0, 1), ylim=(0, 1))
        rows = np.arange(len(x.names))[::-1]
        axis = axes[2]
        axis.hlines(rows, np.minimum(x.left, x.right), np.maximum(x.left, x.right), color="0.8", lw=1.5, zorder=0)
        axis.plot(x.left, rows, "o", color="C0", label="aaaaa or bbbbb")
        axis.plot(x.right, rows, "s", color="C2", label="two or three a")
        for k, energy in zip(rows, x.energy, strict=True):
            text = "∞" if np.isinf(energy) else f"{energy / np.pi**2:.3f}"
            axis.annotate(text, (1.0, k), xycoords=("axes fraction", "data"), ha="right", va="center", fontsize=8)
        axis.annotate("E/π²", (1.0, 1.0), xycoords="axes fraction", ha="right", va="top", fontsize=8)
        axis.set_yticks(rows, x.names, fontsize=8)
        axis.set_ylim(-1.6, len(rows) - 0.2)
        axis.set(title="nine schedules, three steps", xlabel="illegal mass = total variation", xlim=(0, 1.05))
        axis.legend(loc="lower right", fontsize=8, ncols=2)
        axis.grid(axis="y", visible=False)
        foot(fig, "claim: energy-blind-to-target")
    return fig


def beta_search(res: Results) -> Figure:
    """KL over the Beta family on one target, and what each schedule costs against the optimum, per target."""
    found = res.search
    rows = [r for r in res.budgets if r.steps == 16 and r.rule == "sizes"]
    optimum = next(r.optimum for r in rows if r.target == res.search_target)
    with plt.style.context(STYLE):
        fig, (left, right) = plt.subplots(1, 2, figsize=(10.2, 4.3), width_ratios=(1, 1.05))
        ratio = found.grid_kl / optimum
        shade = left.pcolormesh(
            found.a_grid, found.b_grid, ratio.T, norm=LogNorm(1, 30), cmap="viridis", rasterized=True
        )
        lines = left.contour(found.a_grid, found.b_grid, ratio.T, (1.1, 1.5, 2, 3, 5), colors="white", linewidths=0.8)
        left.clabel(lines, fontsize=7, fmt="%g")
        left.plot(found.a, found.b, "*", ms=13, mfc="C1", mec="black", mew=0.7)
        for (a, b), name, mark in (((0.5, 0.5), "linear", "o"), ((1, 1), "sin²", "s")):
            left.plot(a, b, mark, ms=6, mfc="none", mec="white", mew=1.3)
            note(left, name, (a, b), (8, 4))
        note(left, f"best ({found.a:.2f}, {found.b:.2f})", (found.a, found.b), (8, -16))
        left.set(xscale="log", yscale="log", xlabel="a", ylabel="b", title=f"{res.search_target}: KL / optimum")
        for one in (left.xaxis, left.yaxis):
            one.set_major_locator(FixedLocator([0.1, 0.3, 1, 3]))
            one.set_minor_locator(NullLocator())
            one.set_ticklabels(["0.1", "0.3", "1", "3"])
        left.grid(False)
        bar = fig.colorbar(shade, ax=left, extend="max")
        bar.ax.yaxis.set_major_locator(FixedLocator([1, 3, 10, 30]))
        bar.ax.yaxis.set_minor_locator(NullLocator())
        bar.ax.set_yticklabels(["1", "3", "10", "30"])
        y = np.arange(len(rows))[::-1]
        shown = (
            ("linear", "linear", "o", "C0"),
            ("sin²", "sine_squared", "s", "C2"),
            ("best Beta", "best_beta", "*", "C1"),
        )
        for name, field, mark, colour in shown:
            values = np.array([getattr(r, field) / r.optimum for r in rows])
            right.plot(values, y, mark, color=colour, label=name, ms=8 if mark == "*" else 7, mec="black", mew=0.5)
        right.axvline(1, color="0.4", lw=1)
        right.set_yticks(y, [f"{r.target}\noptimum {r.optimum:.3g} nats" for r in rows], fontsize=8)
        right.set_ylim(-0.6, len(rows) - 0.4)
        right.set(xlabel="KL / KL of the optimal sizes", title="16 steps, fixed sizes")
        right.legend(loc="lower right")
        right.grid(axis="y", visible=False)
        length = len(res.curves[res.search_target])
        foot(fig, f"L = {length}, exact trajectory KL in nats per sequence     claim: energy-beta-against-optimum")
    return fig


def great_circle(res: Results) -> Figure:
    """The law of one token as a point on the quarter circle, at nine equally spaced times, per schedule."""
    times = np.arange(9) / 8
    with plt.style.context(STYLE):
        fig, axis = plt.subplots(figsize=(6.2, 5.4))
        arc = np.linspace(0, np.pi / 2, 100)
        for k, name in enumerate(("sin²", "linear", "1-cos", "sin", "3t²-2t³")):
            radius = 1 - 0.13 * k
            energy = next(row.energy for row in res.schedules if row.name == name)
            text = "∞" if np.isinf(energy) else f"{energy / np.pi**2:.4f} π²"
            theta = np.arcsin(np.sqrt(NAMED[name].alpha(times)))
            axis.plot(radius * np.cos(arc), radius * np.sin(arc), color=f"C{k}", lw=1.0, ls=STYLES[k])
            points = np.stack([radius * np.cos(theta), radius * np.sin(theta)])
            axis.plot(*points, MARKERS[k], color=f"C{k}", label=f"{name}: E = {text}", ms=6)
        axis.set(xlabel="√ probability of the mask", ylabel="√ probability of the token", aspect="equal")
        axis.set(xlim=(-0.03, 1.2), ylim=(-0.03, 1.12))
        axis.annotate("t = 0:\nmask", (1, 0), (9, 0), textcoords="offset points", fontsize=8)
        axis.annotate("t = 1: token", (0.0, 1.0), (4, 8), textcoords="offset points", fontsize=8)
        axis.set(xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
        axis.legend(loc="upper right", title="eight equal steps in time, γ = t", title_fontsize=8.5)
        foot(fig, "radii below 1 only separate the curves     claims: energy-geodesic-minimiser, energy-chi-square")
    return fig


def cheapest_rates(res: Results) -> Figure:
    """Energy at alpha = 1/4 of the model's rates and of the cheapest rates on three edge sets."""
    rows = res.rates
    with plt.style.context(STYLE):
        fig, axis = plt.subplots(figsize=(7.6, 4.2))
        y = np.arange(len(rows))[::-1]
        shown = (
            ("model", "model", "o", "C0", 9),
            ("cheapest, unmasking only", "unmask", "s", "C1", 6),
            ("cheapest, one token at a time", "single_site", "^", "C2", 5),
            ("cheapest, all pairs of states", "all_pairs", "D", "C4", 5),
        )
        for name, field, mark, colour, size in shown:
            values = [getattr(r, field) for r in rows]
            axis.plot(
                values, y, mark, color=colour, ms=size, mfc="none" if field == "model" else colour, mew=1.3, label=name
            )
        for k, r in zip(y, rows, strict=True):
            if r.model - r.unmask > 1e-9:
                axis.annotate(
                    f"{r.model:g} → {r.unmask:.3f} → {r.single_site:.3f}",
                    (r.model, k),
                    (9, -3),
                    textcoords="offset points",
                    fontsize=8,
                )
        names = [r.name if r.name.startswith("cond") else f"marginal, q = {r.name}" for r in rows]
        axis.set_yticks(y, names, fontsize=8.5)
        axis.set(xlabel="energy integrand / base, at α = 1/4", xlim=(0, 13.5))
        axis.legend(loc="center right", bbox_to_anchor=(1.0, 0.42))
        axis.grid(axis="y", visible=False)
        foot(fig, "claims: energy-rates-conditional, energy-rates-marginal")
    return fig


def steps(res: Results) -> Figure:
    """Chord energy of N steps: convergence for finite energies, logarithmic growth for infinite ones."""
    s = res.spacing
    with plt.style.context(STYLE):
        fig, axis = plt.subplots()
        for k, (name, values) in enumerate(s.curves.items()):
            axis.plot(s.steps, values, ls=STYLES[k], marker=MARKERS[k], label=name)
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
        foot(fig, "claim: energy-discrete-spacing")
    return fig


FIGURES = {
    "energy-integrands": (
        integrands,
        ("energy-kinetic-constant", "energy-conditional-constant", "energy-mask-count", "energy-score-variance"),
    ),
    "energy-landscape": (landscapes, ("energy-beta-closed-form",)),
    "energy-schedules": (
        schedules,
        ("energy-chi-square", "energy-beta-pairs", "energy-time-change", "energy-fix-gamma-first"),
    ),
    "energy-toy": (toy, ("energy-blind-to-target",)),
    "energy-beta-search": (beta_search, ("energy-beta-against-optimum",)),
    "energy-great-circle": (great_circle, ("energy-geodesic-minimiser", "energy-three-minimisers")),
    "energy-rates": (
        cheapest_rates,
        ("energy-rates-conditional", "energy-rates-marginal", "energy-not-over-all-paths"),
    ),
    "energy-steps": (steps, ("energy-discrete-spacing",)),
}


def data_of(name: str, res: Results):
    """What the figure of that name draws."""
    return {
        "energy-integrands": {"ratios": res.ratios, "optima": res.optima},
        "energy-landscape": {"landscapes": list(res.landscapes), "table": res.table},
        "energy-schedules": {"schedules": list(res.schedules)},
        "energy-toy": {"toy": res.toy},
        "energy-beta-search": {"budgets": list(res.budgets), "search": res.search, "target": res.search_target},
        "energy-great-circle": {"schedules": list(res.schedules)},
        "energy-rates": {"rates": list(res.rates)},
        "energy-steps": {"spacing": res.spacing},
    }[name]


def save_all(results: Results, out_dir: str | Path, parameters, seed: int) -> list[Path]:
    """Write every figure of the topic and return the paths of their JSON files."""
    depends = ("theory/energy.py", "figures/energy.py", "figures/mdm.mplstyle")
    return [
        save(
            draw(results),
            name,
            out_dir,
            data=data_of(name, results),
            claims=claims,
            kind="exact",
            parameters=parameters,
            seed=seed,
            depends=depends,
        )
        for name, (draw, claims) in FIGURES.items()
    ]
