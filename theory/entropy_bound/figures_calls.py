"""Single runs and single calls: grids being filled, the bound of each call, a wrong model."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import PathCollection

from figures.layout import Drawn
from figures.registry import figure
from theory.entropy_bound.results import Results
from theory.entropy_bound.traces import Trace


@figure(
    "entropy-bound-trace",
    claims=("sudoku-four-calls", "eb-gamma-zero", "eb-order-free"),
    kind="exact",
)
def traces(results: Results) -> Drawn:
    """One Sudoku grid being filled: a row per rule, a panel per call, new cells shaded."""
    columns = max(int(t.step.max()) + 1 for t in results.traces)
    rows = len(results.traces)
    fig, axes = plt.subplots(rows, columns, figsize=(1.22 * columns + 0.4, 1.5 * rows + 0.5), squeeze=False)
    for row, trace in enumerate(results.traces):
        for call in range(columns):
            ax = axes[row, call]
            if call > trace.step.max():
                ax.set_axis_off()
                continue
            draw_grid(ax, trace, call)
            if call == 0:  # an annotation outside the layout: a title would widen the first column
                place = {"xycoords": "axes fraction", "textcoords": "offset points", "annotation_clip": False}
                ax.annotate(trace.label, (0, 1), (0, 5), fontsize=9.5, **place).set_in_layout(False)
            ax.set_xlabel(f"call {call + 1}", fontsize=8, labelpad=2)
    return fig, {"traces": results.traces}


def draw_grid(ax, trace: Trace, call: int) -> None:
    grid, step = trace.x.reshape(4, 4), trace.step.reshape(4, 4)
    shade = np.where(step == call, 1.0, np.where(step < call, 0.35, 0.0))
    ax.imshow(shade, cmap="Blues", vmin=0, vmax=2.2)
    for r in range(4):
        for c in range(4):
            if step[r, c] <= call:
                weight = "bold" if step[r, c] == call else "normal"
                ax.text(c, r, str(grid[r, c] + 1), ha="center", va="center", fontsize=9, weight=weight)
    for k in range(5):
        for line in (ax.axhline, ax.axvline):
            line(k - 0.5, color="0.35", lw=1.6 if k % 2 == 0 else 0.5)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.grid(False)
    for side in ax.spines.values():
        side.set_visible(False)


@figure(
    "entropy-bound-steps",
    claims=("eb-bound", "eb-monotone", "eb-kl-gamma"),
    kind="exact",
)
def steps(results: Results) -> Drawn:
    """The bound of one call against the total correlation it bounds; area is the probability of the state."""
    fig, ax = plt.subplots(figsize=(6.6, 4.6))
    top = max(float(s.bound.max(initial=0.1)) for s in results.steps) * 1.08
    ax.plot([0, top], [0, top], color="0.3", lw=1.2, zorder=1)
    note = {"fontsize": 8.5, "color": "0.3", "ha": "right"}
    angle = {"rotation": 45, "transform_rotates_text": True, "rotation_mode": "anchor"}
    ax.text(top * 0.97, top * 0.985, "tight: every token a function of one", **note, **angle, va="bottom")
    ax.text(top * 0.99, top * 0.04, "loose: independent tokens", **note)
    for k, (s, marker) in enumerate(zip(results.steps, "o^sDX", strict=False)):
        size = 14 + 220 * np.sqrt(s.probability)
        ax.scatter(
            s.bound,
            s.total_correlation,
            s=size,
            marker=marker,
            color=f"C{k}",
            alpha=0.55,
            lw=0.6,
            ec="0.2",
            label=s.label,
            zorder=3,
        )
    ax.set_xlim(-0.03 * top, top)
    ax.set_ylim(-0.03 * top, top)
    ax.set_title("Each call pays at most ΣH − max H; copies pay all of it", loc="left", fontsize=11)
    ax.set_xlabel("bound of the call: ΣH − max H (nats)")
    ax.set_ylabel("total correlation of the call (nats)")
    handles = ax.legend(loc="upper left", title="area grows with the state's probability", title_fontsize=8.5)
    for handle in handles.legend_handles:
        if isinstance(handle, PathCollection):
            handle.set_sizes([40])
    return fig, {"steps": results.steps}


@figure(
    "entropy-bound-decomposition",
    claims=("eb-decomposition", "eb-model-entropies", "eb-kl-gamma"),
    kind="exact",
    note="model error falls with the calls: with few tokens revealed the marginals, and the model, are near uniform",
)
def decompositions(results: Results) -> Drawn:
    """Wrong models under EB: KL = model error + joint dependence along gamma, and the calls spent."""
    fig, axes = plt.subplots(1, len(results.decompositions), figsize=(8.6, 3.9), sharey=True, squeeze=False)
    for ax, part in zip(axes[0], results.decompositions, strict=True):
        x = np.arange(len(part.gamma))
        ax.fill_between(x, 0, part.model_error, color="C1", alpha=0.55, lw=0)
        ax.fill_between(x, part.model_error, part.model_error + part.joint_dependence, color="C0", alpha=0.45, lw=0)
        ax.plot(x, part.kl, color="0.1", lw=1.6, marker="o", ms=3)
        shown = x[:: max(len(x) // 5, 1)]
        ax.set_xticks(shown, [f"{part.gamma[k]:.2g}\n{part.calls[k]:.1f}" for k in shown])
        ax.set_xlabel("γ (nats), and below it the expected calls")
        ax.set_title(part.label, fontsize=10)
        ax.set_ylim(0, None)
        ax.grid(axis="x", visible=False)
    axes[0, 0].set_ylabel("nats per sequence")
    axes[0, 0].text(0.03, 0.92, "line: KL(q‖p) of what is written", transform=axes[0, 0].transAxes, fontsize=9)
    part = results.decompositions[-1]
    end = len(part.gamma) - 1
    k = end // 4
    axes[0, -1].text(k, part.model_error[k] / 2, "model error", ha="center", va="center", fontsize=9)
    k = end - 1
    middle = part.model_error[k] + part.joint_dependence[k] / 2
    axes[0, -1].text(end, middle, "joint dependence ", ha="right", va="center", fontsize=9)
    return fig, {"models": results.decompositions}
