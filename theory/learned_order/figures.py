"""Figures of the learned-order topic: pure functions of theory.learned_order.results.Results."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from figures.layout import Drawn
from figures.registry import figure, no_figure
from theory.learned_order.results import Results

EXACT = 1e-12  # nats: an entropy of eight bits is rounded at 1e-15


@figure(
    "learned-order-laws",
    claims=("scalar-schedule-uniform-orders", "power-family-is-plackett-luce"),
    kind="exact",
)
def laws(results: Results) -> Drawn:
    """Which position is decoded when: four schedules, four positions."""
    fig, axes = plt.subplots(1, 4, figsize=(9.6, 2.9), sharey=True)
    for ax, (name, table) in zip(axes, results.law_maps.items(), strict=True):
        image = ax.imshow(table, vmin=0, vmax=1, cmap="Blues", aspect="equal")
        for i in range(4):
            for k in range(4):
                colour = "white" if table[i, k] > 0.55 else "0.15"
                ax.text(k, i, f"{table[i, k]:.2f}", ha="center", va="center", fontsize=8, color=colour)
        ax.set(title=name, xlabel="decoded at place", xticks=range(4), xticklabels=range(1, 5), yticks=range(4))
        ax.grid(False)
    axes[0].set_ylabel("position")
    fig.colorbar(image, ax=axes, label="probability", shrink=0.85, pad=0.01)
    return fig, results.law_maps


@figure(
    "learned-order-nelbo",
    claims=("nelbo-is-order-average", "optimum-is-one-order", "oracle-every-order-equal"),
    kind="exact",
)
def nelbo(results: Results) -> Drawn:
    """NELBO against the ratio of neighbouring weights, in the written order, with the sort both ways."""
    fig, axes = plt.subplots(1, 4, figsize=(11.0, 3.2))
    for ax, curve in zip(axes, results.curves, strict=True):
        ax.axhspan(curve.best, curve.worst, color="0.5", alpha=0.1, lw=0)
        ax.axhline(curve.uniform, color="0.45", lw=0.9, ls=":")
        ax.plot(curve.ratio, curve.loss, label="descending (exact identity)")
        ax.plot(curve.ratio, curve.ascending, "--", label="ascending (as printed)")
        ax.set(xscale="log", xlabel="weight ratio of neighbours", title=curve.name)
        if curve.worst - curve.best < 1e-9:
            ax.set_ylim(curve.best - 0.01, curve.best + 0.01)
            ax.text(1.2, curve.best + 0.001, "every order costs the entropy", fontsize=8)
        ax.ticklabel_format(axis="y", useOffset=False)
    axes[0].set_ylabel("loss (nats per sequence)")
    axes[0].text(20, results.curves[0].uniform, "uniform orders", fontsize=8, va="bottom", color="0.3", clip_on=False)
    handles, labels = axes[0].get_legend_handles_labels()
    handles.append(Rectangle((0, 0), 1, 1, color="0.5", alpha=0.15, lw=0))
    fig.legend(handles, [*labels, "best to worst order"], loc="outside upper center", ncol=3)
    return fig, {"curves": results.curves}


@figure(
    "learned-order-pareto",
    claims=("chain-partition-front", "markov-bisection-front"),
    kind="exact",
    note=lambda results: f"text: the chain K1, L = {len(results.fronts[0].best)}; panels: four denoisers",
)
def pareto(results: Results) -> Drawn:
    """Loss above the entropy against the number of parallel steps: chosen positions against random ones.

    Where it is 0 the curve ends and the panel says from which N on.
    """
    fig, axes = plt.subplots(1, 4, figsize=(11.0, 3.2), sharey=True)
    for ax, front in zip(axes, results.fronts, strict=True):
        steps = np.arange(1, len(front.best) + 1)
        rows = ((front.random, "s--", "C1", "random positions, best sizes"), (front.best, "o-", "C0", "best partition"))
        for k, (loss, style, colour, label) in enumerate(rows):
            exact = loss < EXACT
            ax.plot(steps, np.where(exact, np.nan, loss), style, color=colour, label=label)
            if exact.any():  # zero has no place on a logarithmic axis
                first = steps[exact.argmax()]
                ax.text(8, 2e-3 * 2.0 ** (1 - k), f"0 from N = {first}", fontsize=8.5, color=colour, ha="right")
        ax.set(yscale="log", ylim=(1e-3, 4), xlabel="steps N", title=front.name, xticks=steps, xlim=(0.6, 8.4))
    axes[0].set_ylabel("loss above the entropy (nats)")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncol=2)
    # best partitions tie, and which of them is found is a matter of rounding: their costs are the data
    return fig, {"fronts": [{"name": f.name, "best": f.best, "random": f.random} for f in results.fronts]}


@figure(
    "learned-order-reachable",
    claims=("independent-times-bound", "two-way-gap"),
    kind="exact",
)
def reachable(results: Results) -> Drawn:
    """Both directions of three positions: what independent times can reach."""
    fig, ax = plt.subplots(figsize=(5.4, 4.6))
    a = np.linspace(0, 1, 201)
    ax.fill_between(a**2, 0, (1 - a) ** 2, color="C0", alpha=0.15, lw=0)
    ax.plot(a**2, (1 - a) ** 2, color="C0", label=r"limit $\sqrt{p}+\sqrt{q}=1$")
    ax.plot([0, 1], [1, 0], ":", color="0.4", label="limit of all order laws")
    ax.plot(*results.sandwiches.T, ".", color="C3", ms=2, alpha=0.5, label="random independent times")
    ax.plot(*results.sandwich_pl.T, "--", color="C2", label="Plackett-Luce, weights (1, w, 1)")
    points = {"best mixture: 0.693": (0.5, 0.5, "*"), "best independent: 1.386": (0.25, 0.25, "D")}
    points["best Plackett-Luce: 1.763"] = (3 - 2 * 2**0.5, 3 - 2 * 2**0.5, "^")
    plate = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.8}
    for name, (p, q, marker) in points.items():
        ax.plot(p, q, marker, color="black", ms=9 if marker == "*" else 6)
        offset = (8, 4) if marker != "^" else (8, -9)
        ax.annotate(name + " nats", (p, q), xytext=offset, textcoords="offset points", fontsize=8.5, bbox=plate)
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel="p = P(0 before 1 before 2)")
    ax.set_ylabel("q = P(2 before 1 before 0)")
    ax.set_aspect("equal")
    ax.legend(loc="upper right")
    return fig, {"random": results.sandwiches, "plackett_luce": results.sandwich_pl}


no_figure("time-dependent-average", "an identity: both sides would be one curve")
no_figure("reverse-plackett-luce", "an identity of laws, the panels of learned-order-laws read backwards")
no_figure("score-term-needed", "a sign, and an identity of gradients")
no_figure("mixture-below-nelbo", "an inequality that holds text by text")
no_figure("window-interval-growth", "a count of orders")
no_figure("learned-schedules-lower-loss", "published numbers, not rerun here")
