"""What the energy does not see: illegal mass on two targets, and the best Beta schedule."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.ticker import FixedLocator, NullLocator

from figures.layout import MARKERS, Drawn, note
from figures.registry import figure
from theory.energy.results import Results
from theory.energy.schedules import NAMED


@figure(
    "energy-toy",
    claims=("energy-blind-to-target",),
    kind="exact",
    accuracy={f"toy.{side}_{what}": 1e-6 for side in ("left", "right") for what in ("best", "beta")},
)
def toy(res: Results) -> Drawn:
    """Three steps on five tokens: illegal mass of the schedules on both targets, and over the two cuts."""
    x = res.toy
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
        axis.set(title=f"illegal mass, target {name}", xlabel="revealed after step 1", ylabel="revealed after step 2")
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
    return fig, {"toy": res.toy}


@figure(
    "energy-beta-search",
    claims=("energy-beta-against-optimum", "curve-identity-sizes"),
    kind="exact",
    accuracy={f"budgets.{name}": 1e-4 for name in ("a", "b")}  # minimised to 1e-5 in their logarithms
    | {"budgets.best_beta": 1e-6}
    | {f"search.{name}": 1e-6 for name in ("a", "b", "kl")},
    note=lambda res: f"L = {len(res.curves[res.search_target])}, trajectory KL in nats per sequence",
)
def beta_search(res: Results) -> Drawn:
    """KL over the Beta family on one target, and what each schedule costs against the optimum, per target."""
    found = res.search
    rows = [r for r in res.budgets if r.steps == 16 and r.rule == "sizes"]
    optimum = next(r.optimum for r in rows if r.target == res.search_target)
    fig, (left, right) = plt.subplots(1, 2, figsize=(10.2, 4.3), width_ratios=(1, 1.05))
    ratio = found.grid_kl / optimum
    shade = left.pcolormesh(found.a_grid, found.b_grid, ratio.T, norm=LogNorm(1, 30), cmap="viridis", rasterized=True)
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
    return fig, {"budgets": list(res.budgets), "search": res.search, "target": res.search_target}
