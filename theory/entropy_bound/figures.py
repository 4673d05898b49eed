"""Figures of the entropy-bound topic: Results -> Figure, nothing computed but axes."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from figures.layout import Drawn
from figures.registry import figure
from theory.entropy_bound.results import Case, Results

FAMILIES = {  # family prefix -> (colour of the cycle, marker, label)
    "EB": ("C0", "o", "entropy-bounded"),
    "top-k": ("C1", "s", "top-k"),
    "threshold": ("C4", "^", "threshold"),
}


FRONT, FIXED, RANDOM = "0.1", "C2", "C8"


@figure(
    "entropy-bound-fronts",
    claims=("optimal-front", "front-is-a-hull", "eb-largest-set", "eb-binary-proxies", "random-below-front"),
    kind="exact",
)
def fronts(results: Results) -> Drawn:
    """Exact calls and KL of every rule, one panel per target; the shaded region is closed to deterministic rules."""
    columns = 3
    rows = -(-len(results.cases) // columns)
    fig, axes = plt.subplots(rows, columns, figsize=(10.5, 3.0 * rows + 0.6), squeeze=False)
    for ax, case in zip(axes.flat, results.cases, strict=False):
        draw_case(ax, case)
    for ax in axes.flat[len(results.cases) :]:
        ax.set_axis_off()
    for ax in axes[:, 0]:
        ax.set_ylabel("KL(q‖p) / TC(q)")
    for column in range(columns):
        last = [ax for ax in axes[:, column] if ax.axison][-1]
        last.set_xlabel("expected calls under q")
    fig.legend(handles=legend(), loc="outside upper center", ncols=4)
    return fig, {"cases": results.cases}


def draw_case(ax, case: Case) -> None:
    """Points only: between two rules of a family nothing is reached. The hull is linear in KL, so curved here."""
    tc = case.total_correlation
    calls = np.linspace(1.0, case.length + 0.4, 400)
    hull = np.interp(calls, case.front_calls, case.front_kl) / tc
    ax.fill_between(calls, 0.0, hull, color="0.90", lw=0, zorder=0)
    ax.plot(calls, hull, color=FRONT, lw=1.8, zorder=2)
    for curve in case.curves:
        prefix, proxy = curve.family.split()
        colour, marker, _ = FAMILIES[prefix]
        fill = {"entropy": colour, "confidence": "white", "margin": "none"}[proxy]
        size = {"entropy": 3.5, "confidence": 4.5, "margin": 6.5}[proxy]
        ax.plot(
            curve.calls, curve.kl / tc, ls="none", color=colour, marker=marker, ms=size, mfc=fill, mew=0.9, zorder=3
        )
    ax.plot(
        case.fixed_steps, case.fixed_kl / tc, color=FIXED, ls="none", marker="D", ms=6, mfc="none", mew=1.3, zorder=5
    )
    for kl, marker in ((case.random_trajectory_kl, "x"), (case.random_marginal_kl, "+")):
        ax.plot(case.fixed_steps, kl / tc, color=RANDOM, ls="none", marker=marker, ms=6, mew=1.3, zorder=4)
    ax.set_yscale("symlog", linthresh=0.01, linscale=0.5)
    ax.set_ylim(-0.001, 1.35)
    ax.set_yticks([0, 0.01, 0.1, 1], ["0", "0.01", "0.1", "1"])
    ax.set_xlim(0.7, case.length + 0.3)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    ax.set_title(case.label)


def legend() -> list[Line2D]:
    handles = [Line2D([], [], color=FRONT, lw=2, label="optimal policies (hull)")]
    for colour, marker, label in FAMILIES.values():
        handles.append(Line2D([], [], color=colour, marker=marker, ls="none", label=label))
    handles += [
        Line2D([], [], color=FIXED, marker="D", mfc="none", ls="none", label="best fixed schedule"),
        Line2D([], [], color=RANDOM, marker="x", ls="none", label="random order, KL per order"),
        Line2D([], [], color=RANDOM, marker="+", ls="none", label="random order, KL of its text"),
        Line2D([], [], color="0.4", marker="o", ls="none", mfc="0.4", label="filled: entropy proxy"),
        Line2D([], [], color="0.4", marker="o", ls="none", mfc="white", label="open: confidence; ring: margin"),
    ]
    return handles


@figure(
    "entropy-bound-speedup",
    claims=("eb-pairs-gap", "optimal-front"),
    kind="exact",
    note="exact denoiser; grey: from EB to the optimum; stars mix two policies, hence no whole calls",
)
def speedup(results: Results) -> Drawn:
    """Tokens per call at matched KL: length / fewest expected calls with KL <= 1 % of TC(q)."""
    rows = sorted(results.cases, key=lambda c: c.length / c.optimal_calls)
    place = np.arange(len(rows))
    series = [
        ("optimal policies (hull)", [c.optimal_calls for c in rows], FRONT, "*", 8),
        ("best fixed schedule", [c.fixed_calls for c in rows], FIXED, "D", 5.5),
        ("entropy-bounded, best γ of a grid and proxy", [c.best_calls("EB") for c in rows], "C0", "o", 6),
        ("top-k, best k and proxy", [c.best_calls("top-k") for c in rows], "C1", "s", 5),
        ("threshold, best value of a grid and proxy", [c.best_calls("threshold") for c in rows], "C4", "^", 5),
    ]
    fig, ax = plt.subplots(figsize=(7.4, 0.55 * len(rows) + 1.6))
    for k, c in enumerate(rows):
        ax.plot(
            [c.length / c.best_calls("EB"), c.length / c.optimal_calls],
            [k, k],
            color="0.88",
            lw=13,
            solid_capstyle="butt",
            zorder=1,
        )
    for row, (label, calls, colour, marker, size) in enumerate(series):
        speed = np.array([c.length for c in rows]) / np.array(calls)
        where = place + 0.13 * (2 - row)  # side by side, for several often coincide
        fill = "none" if marker == "D" else colour
        ax.plot(speed, where, ls="none", marker=marker, ms=size, color=colour, mfc=fill, mew=1.4, label=label)
    ax.axvline(1.0, color="0.5", lw=0.8)
    most = max(c.best_calls("EB") / c.optimal_calls for c in rows)
    ahead = sum(c.fixed_calls < c.best_calls("EB") - 1e-9 for c in rows)
    ax.set_title(
        f"EB makes up to {most:.1f} times the optimal calls; a fixed schedule beats it on {ahead} of {len(rows)}",
        loc="right",
        fontsize=10,
    )
    ax.set_yticks(place, [f"{c.label} " for c in rows])
    ax.set_xlabel("tokens per call at KL ≤ 1 % of TC(q); Top-1 is 1")
    ax.set_xlim(0.85, None)
    ax.grid(axis="y", visible=False)
    ax.legend(loc="lower right")
    return fig, {"calls": matched_calls(results)}


def matched_calls(results: Results) -> list[dict]:
    """What the speed-up figure draws, as numbers."""
    return [
        {
            "target": c.name,
            "length": c.length,
            "EB": c.best_calls("EB"),
            "top-k": c.best_calls("top-k"),
            "threshold": c.best_calls("threshold"),
            "fixed": c.fixed_calls,
            "optimal": c.optimal_calls,
            "distance": c.distance,
        }
        for c in results.cases
    ]
