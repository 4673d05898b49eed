"""Any-process programs as diagrams of space and time, their layouts, and Dyck languages."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap

from figures.layout import GREY, Drawn, style
from figures.registry import figure, no_figure
from theory.any_process.results import Results
from toy_models.any_process.trace import EMPTY, grid
from toy_models.validation import MASK


def diagram(ax, trace, symbols: dict[int, str], title: str, palette: dict[int, str]) -> None:
    """Rows are steps, columns positions; masks are hatched grey, absent positions blank."""
    cells = grid(trace)
    tokens = sorted(set(np.unique(cells)) - {EMPTY, MASK})
    colours = ["white", "0.82", *(palette.get(int(v), "C0") for v in tokens)]
    code = np.zeros_like(cells)
    for k, v in enumerate([EMPTY, MASK, *tokens]):
        code[cells == v] = k
    ax.pcolormesh(code, cmap=ListedColormap(colours), vmin=-0.5, vmax=len(colours) - 0.5, edgecolors="white", lw=0.8)
    for t, x in enumerate(trace):
        for i, v in enumerate(x):
            ax.text(
                i + 0.5, t + 0.53, "?" if v == MASK else symbols.get(v, str(v)), ha="center", va="center", fontsize=7
            )
    ax.set(title=title, xlabel="position", ylabel="step")
    ax.set_xticks(np.arange(0, cells.shape[1], 4) + 0.5, np.arange(0, cells.shape[1], 4))
    stride = max(1, len(trace) // 8)
    ax.set_yticks(np.arange(0, len(trace), stride) + 0.5, np.arange(0, len(trace), stride))
    ax.invert_yaxis()
    ax.grid(False)
    ax.tick_params(length=0)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)


@figure(
    "any-process-space-time",
    claims=(
        "edit-transition",
        "parity-first-pair",
        "parity-edit-decision",
        "even-parity-generation",
        "pram-two-bank",
        "dyck-support",
    ),
    kind="exact",
    note="? = mask, A = inverse of a, slots 1, 2, 3, ■ hold the phase",
)
def space_time(results: Results) -> Drawn:
    """Five programs, one row per step."""
    fig, axes = plt.subplot_mosaic("AB;AC;DE", figsize=(9.6, 8.6), height_ratios=[1, 0.9, 1.7], width_ratios=[1, 1.2])
    bits = {0: "#bcd9f2", 1: "#3f90da", 2: "#ffd58a"}
    p, g = results.parity, results.generation
    marks = {2: "<"}
    diagram(axes["A"], p.traces["first pair"], marks, "parity, first pair: up to 2n − 2 steps", bits)
    diagram(axes["B"], p.traces["tournament"], marks, "parity, all pairs: at most 4 steps", bits)
    diagram(axes["C"], g.trace, marks, "uniform even string: 3 steps", bits)
    diagram(axes["D"], results.pram.trace, {}, "3-bit counter, two banks", bits)
    letters = {0: "a", 1: "A", 2: "b", 3: "B", 5: "1", 6: "2", 7: "3", 8: "■"}
    palette = {0: "#3f90da", 1: "#bcd9f2", 2: "#ffa90e", 3: "#ffe0a8", **dict.fromkeys(range(5, 9), "#d9c7e8")}
    diagram(axes["E"], results.dyck.growth, letters, "two-sided Dyck word by insertion", palette)
    return fig, {"parity": p.traces, "even_parity": g.trace, "counter": results.pram.trace, "dyck": results.dyck.growth}


@figure(
    "any-process-layouts",
    claims=("pram-write-once", "pram-two-bank", "write-once-step-bound"),
    kind="exact",
)
def layouts(results: Results) -> Drawn:
    """Context and steps against problem size on the two layouts."""
    fig, (left, right) = plt.subplots(1, 2, figsize=(9.2, 3.9))
    n = [s.size for s in results.pram.scan]
    for k, (attribute, label) in enumerate(
        (
            ("write_once", "context, write-once"),
            ("two_bank", "context, two banks"),
            ("serial", "steps, one token each"),
            ("steps", "steps, both layouts"),
        )
    ):
        left.loglog(n, [getattr(s, attribute) for s in results.pram.scan], label=label, **style(k))
    left.legend(loc="upper left")
    left.set_ylim(1.2, 1e5)
    left.set(xlabel="list length n", ylabel="tokens or steps", title="prefix products in S₃")
    c, g, q = results.pram.counter, results.pram.gray, results.pram.qbf_steps
    right.semilogy([s.two_bank for s in c], [s.steps for s in c], label="binary counter, two banks", **style(0))
    right.semilogy(list(g), [v[0] for v in g.values()], label="Gray walk, one bank", **style(1))
    right.semilogy([v[1] for v in q.values()], [v[0] for v in q.values()], label="QBF, two banks", **style(2))
    span = np.arange(2, 31)
    right.semilogy(span, span, color=GREY, lw=1.2, ls=":")
    note = "write-once ceiling: steps ≤ context"
    right.annotate(note, (30, 9), ha="right", fontsize=8, color=GREY)
    right.set(xlabel="context (tokens)", ylabel="steps", title="steps in a fixed context", ylim=(1.5, 2e4))
    right.legend(loc="upper left", bbox_to_anchor=(0.42, 1.0))
    return fig, {"scan": results.pram.scan, "counter": c, "gray": g, "qbf": q}


@figure(
    "any-process-dyck",
    claims=("dyck-support", "dyck-finite-state"),
    kind="exact",
)
def dyck(results: Results) -> Drawn:
    """Growth of the language, finite-state need, window over-generation, parallel decoding."""
    d = results.dyck
    fig, axes = plt.subplots(1, 3, figsize=(11.2, 3.8))
    for k in (1, 2, 3):
        n = [m for kk, m in d.sizes if kk == k]
        axes[0].semilogy(n, [d.sizes[k, m] for m in n], **style(k - 1))
        axes[0].annotate(
            f"k = {k}",
            (n[-1], d.sizes[k, n[-1]]),
            xytext=(3, 4),
            textcoords="offset points",
            fontsize=8,
            color=f"C{k - 1}",
        )
    axes[0].semilogy(list(d.classes), list(d.classes.values()), color=GREY, ls="--", marker="x")
    axes[0].annotate(
        "states needed, k = 2",
        (18, d.classes[18]),
        xytext=(0, 6),
        textcoords="offset points",
        ha="right",
        fontsize=8,
        color=GREY,
    )
    axes[0].set(xlabel="length n", ylabel="words, states", title="words of length n", xlim=(-0.5, 19.5))
    axes[0].set_xticks(range(0, 19, 2))
    for k, (n, sizes) in enumerate(d.windows.items()):
        axes[1].semilogy(range(n), sizes, label=f"n = {n}", **style(k))
        axes[1].axhline(d.sizes[2, n], color=f"C{k}", lw=0.9, ls=":")
    axes[1].set(xlabel="window (letters)", ylabel="strings generated", title="left-to-right generator, k = 2")
    axes[1].set_ylim(150, 3e5)
    axes[1].legend(title="dotted: the language", title_fontsize=8, loc="upper right", ncols=2)
    names = list(d.valid)
    axes[2].barh(range(len(names)), [float(v) for v in d.valid.values()], color="C0", height=0.62)
    for y, v in enumerate(d.valid.values()):
        inside = v > 0.7
        axes[2].text(
            float(v) + (-0.02 if inside else 0.02),
            y,
            str(v),
            va="center",
            ha="right" if inside else "left",
            fontsize=8,
            color="white" if inside else "black",
        )
    axes[2].set_yticks(range(len(names)), names)
    axes[2].set(xlim=(0, 1.02), xlabel="P(word of the language)", title="parallel decoding, k = 2, n = 6")
    axes[2].grid(axis="y", visible=False)
    return fig, {"sizes": d.sizes, "classes": d.classes, "windows": d.windows, "valid": numbers(d.valid)}


def numbers(values: dict) -> dict:
    """Fractions as floats."""
    return {k: v if isinstance(v, int) else float(v) for k, v in values.items()}


no_figure("any-order-emitter", "an identity of laws")
no_figure("parity-light-cone", "a step from 1/2 to 1 at r T = n")
no_figure("sudoku-no-separation", "a count that is all of them")
no_figure("learned-sudoku", "one share of solved puzzles")
