"""Schedules trained together with a network: the loss of every order, and the paths of the log-weights."""

import matplotlib.pyplot as plt
import numpy as np

from figures.layout import LINES, Drawn
from figures.registry import figure
from theory.networks.figures_small import measured
from theory.networks.results import Results

MARKS = (  # label, field, marker, colour
    ("planted order", "planted", "D", "C4"),
    ("order of the learned w", "loss", "o", "C2"),
    ("learned w (NELBO)", "nelbo", "s", "C1"),
    ("uniform orders (w = 1)", "uniform", "|", "0.15"),
)


@figure(
    "networks-planted",
    claims=("descent-finds-best-order", "parent-pointer-order"),
    kind="trained",
    note=(
        "then enumerated on all 4⁵ contexts; a position sees itself and its planted parent; "
        "in brackets: pairs out of order; right: planted places"
    ),
)
def planted(results: Results) -> Drawn:
    """Left: each run between its best and its worst order. Right: log-weights of a natural and of a scrambled order."""
    runs = results.planted
    fig = plt.figure(figsize=(11.0, 4.6))
    grid = fig.add_gridspec(2, 2, width_ratios=(1.6, 1.0))
    left = fig.add_subplot(grid[:, 0])
    place = np.arange(len(runs))[::-1]
    left.hlines(place, 0.0, [r.worst - r.best for r in runs], color="0.8", lw=5, label="best to worst order", zorder=1)
    for k, (label, field, marker, color) in enumerate(MARKS):
        values = [getattr(r, field) - r.best if has(r, field) else np.nan for r in runs]
        left.plot(
            values, place, marker, color=color, ms=(7, 6, 5, 12)[k], mew=1.6, ls="none", label=label, zorder=2 + k
        )
    left.set(yticks=place, yticklabels=[named(r) for r in runs], xlabel="loss above the best order, nats per sequence")
    left.set_ylim(-0.6, len(runs) + 1.0)
    left.legend(fontsize=7.5, ncols=3, loc="upper left")
    shown = [next((r for r in runs if r.case.name == name), runs[-1]) for name in ("natural, w = 1", "scrambled")]
    for row, run in enumerate(shown):
        ax = fig.add_subplot(grid[row, 1])
        steps = np.arange(len(run.path))
        for place_in_order, position in enumerate(run.case.rho):
            ax.plot(steps, run.path[:, position], ls=LINES[place_in_order], color=f"C{place_in_order}")
            ends = (steps[-1], run.path[-1, position])
            ax.annotate(f"{place_in_order + 1}", ends, (3, -3), textcoords="offset points", fontsize=8)
        ax.set(ylabel="log w, mean 0", title=f"{run.case.name}: {run.distance} pairs out of order")
        if row:
            ax.set_xlabel("training step")
    return fig, measured(results, {r.case.name: r for r in runs})


def has(run, field: str) -> bool:
    """A fixed schedule has no learned order, and a network without the restriction no planted one."""
    return {"loss": run.case.parameters != "fixed", "planted": run.case.restricted}.get(field, True)


def named(run) -> str:
    return f"{run.case.name} ({run.distance})" if has(run, "loss") and has(run, "planted") else run.case.name
