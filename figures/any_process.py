"""Figures of any-process generation. Pure functions of theory.any_process.Results."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from figures import STYLE
from figures.save import save
from theory.any_process import Results
from theory.any_process_search import interval
from toy_models.editing.trace import EMPTY, grid
from toy_models.validation import MASK

MARKS = ("o", "s", "^", "D", "v", "P", "X")
LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)), (0, (3, 1, 1, 1)))
GREY = "0.45"


def _foot(fig: Figure, claims: str) -> None:
    fig.supxlabel(f"claims: {claims}", fontsize=7, color=GREY, x=0.01, ha="left")


def _style(k: int) -> dict:
    return {"color": f"C{k}", "marker": MARKS[k % len(MARKS)], "linestyle": LINES[k % len(LINES)]}


def _diagram(ax, trace, symbols: dict[int, str], title: str, palette: dict[int, str]) -> None:
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


def space_time(results: Results) -> Figure:
    """Five programs, one row per step."""
    fig, axes = plt.subplot_mosaic("AB;AC;DE", figsize=(9.6, 8.6), height_ratios=[1, 0.9, 1.7], width_ratios=[1, 1.2])
    bits = {0: "#bcd9f2", 1: "#3f90da", 2: "#ffd58a"}
    p, g = results.parity, results.generation
    marks = {2: "<"}
    _diagram(axes["A"], p.traces["first pair"], marks, "parity, first pair: up to 2n − 2 steps", bits)
    _diagram(axes["B"], p.traces["tournament"], marks, "parity, all pairs: at most 4 steps", bits)
    _diagram(axes["C"], g.trace, marks, "uniform even string: 3 steps", bits)
    _diagram(axes["D"], results.pram.trace, {}, "3-bit counter, two banks", bits)
    letters = {0: "a", 1: "A", 2: "b", 3: "B", 5: "1", 6: "2", 7: "3", 8: "■"}
    palette = {0: "#3f90da", 1: "#bcd9f2", 2: "#ffa90e", 3: "#ffe0a8", **dict.fromkeys(range(5, 9), "#d9c7e8")}
    _diagram(axes["E"], results.dyck.growth, letters, "two-sided Dyck word by insertion", palette)
    note = "? = mask, A = inverse of a, slots 1, 2, 3, ■ hold the phase"
    _foot(fig, f"parity-first-pair, parity-edit-decision, even-parity-generation, pram-two-bank, dyck-support;  {note}")
    return fig


def layouts(results: Results) -> Figure:
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
        left.loglog(n, [getattr(s, attribute) for s in results.pram.scan], label=label, **_style(k))
    left.legend(loc="upper left")
    left.set_ylim(1.2, 1e5)
    left.set(xlabel="list length n", ylabel="tokens or steps", title="prefix products in S₃")
    c, g, q = results.pram.counter, results.pram.gray, results.pram.qbf_steps
    right.semilogy([s.two_bank for s in c], [s.steps for s in c], label="binary counter, two banks", **_style(0))
    right.semilogy(list(g), [v[0] for v in g.values()], label="Gray walk, one bank", **_style(1))
    right.semilogy([v[1] for v in q.values()], [v[0] for v in q.values()], label="QBF, two banks", **_style(2))
    span = np.arange(2, 31)
    right.semilogy(span, span, color=GREY, lw=1.2, ls=":")
    note = "write-once ceiling: steps ≤ context"
    right.annotate(note, (30, 9), ha="right", fontsize=8, color=GREY)
    right.set(xlabel="context (tokens)", ylabel="steps", title="steps in a fixed context", ylim=(1.5, 2e4))
    right.legend(loc="upper left", bbox_to_anchor=(0.42, 1.0))
    _foot(fig, "pram-write-once, pram-two-bank, write-once-step-bound")
    return fig


def dyck(results: Results) -> Figure:
    """Growth of the language, finite-state need, window over-generation, parallel decoding."""
    d = results.dyck
    fig, axes = plt.subplots(1, 3, figsize=(11.2, 3.8))
    for k in (1, 2, 3):
        n = [m for kk, m in d.sizes if kk == k]
        axes[0].semilogy(n, [d.sizes[k, m] for m in n], **_style(k - 1))
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
        axes[1].semilogy(range(n), sizes, label=f"n = {n}", **_style(k))
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
    _foot(fig, "dyck-support, dyck-finite-state")
    return fig


def search(results: Results) -> Figure:
    """Success without remask, and expected steps with restart or backtracking."""
    q, s = results.queens, results.sudoku
    fig, axes = plt.subplots(1, 3, figsize=(11.4, 4.2), width_ratios=[1, 1, 1.25])
    for k, (name, rows) in enumerate((("left to right", q.left_to_right), ("fewest candidates", q.adaptive))):
        axes[0].plot(q.sizes, [float(r.success) for r in rows], label=name, **_style(k))
        axes[1].semilogy(q.sizes, [float(r.restart) for r in rows], label=f"restart, {name}", **_style(k))
        axes[1].semilogy(q.sizes, [float(r.backtrack) for r in rows], label=f"remask, {name}", **_style(k + 2))
    axes[0].set(
        xlabel="queens n", ylabel="P(success) without remask", ylim=(0, 1), title="queens, uniform local guesses"
    )
    axes[0].legend(loc="upper right")
    axes[1].set(xlabel="queens n", ylabel="expected steps", title="restart against backtracking")
    axes[1].set_ylim(3.5, 400)
    axes[1].legend(loc="upper left", fontsize=7.5)
    for ax in axes[:2]:
        ax.set_xticks(q.sizes)
    names = list(s.oracle)
    y = np.arange(len(names))[::-1]
    axes[2].set_xscale("log")
    for k, (attribute, label) in enumerate((("restart", "restart"), ("redraw", "remask the group"))):
        axes[2].plot(
            [float(getattr(s.oracle[n], attribute)) for n in names],
            y,
            ls="none",
            marker=MARKS[k],
            ms=6,
            color=f"C{k}",
            label=label,
        )
    for n, yy in zip(names, y, strict=True):
        a, b = float(s.oracle[n].redraw), float(s.oracle[n].restart)
        axes[2].plot([a, b], [yy, yy], color="0.75", lw=1, zorder=0)
        note = f"TV {float(s.oracle[n].tv):.2f}" if s.oracle[n].tv else "TV 0"
        axes[2].text(3e8, yy, note, fontsize=7.5, va="center", ha="right", color=GREY)
    axes[2].set_yticks(y, names)
    axes[2].set(
        xlabel="expected decode steps",
        title="4×4 Sudoku, exact marginals",
        xlim=(3, 4e8),
        ylim=(-0.6, len(names) + 0.9),
    )
    axes[2].legend(loc="upper left", ncols=2, columnspacing=0.8, handletextpad=0.2)
    _foot(fig, "queens-backtracking, sudoku-group-remask;  TV: distance of the redrawn law from uniform")
    return fig


def corrector(results: Results) -> Figure:
    """KL against the number of steps: best fixed write-once schedule and two-colour remask."""
    rows = results.corrector.rows
    fig, axes = plt.subplots(2, 4, figsize=(11.4, 5.6), sharex=True, sharey=True)
    floor = 3e-14
    for ax, r in zip(axes.flat, rows, strict=False):
        k = np.arange(1, 7)
        shown = np.where(r.write_once > 1e-13, r.write_once, np.nan)
        ax.semilogy(k, shown, label="best fixed write-once", **_style(0))
        exact = k[r.write_once <= 1e-13]
        if len(exact):
            ax.plot(exact, np.full(len(exact), floor), ls="none", marker="v", mfc="none", color="C0")
            ax.annotate(
                "exact",
                (exact[0], floor),
                xytext=(0, 6),
                textcoords="offset points",
                fontsize=7.5,
                color="C0",
                ha="center",
            )
        ax.semilogy(k, r.two_colour, label="two-colour remask", **_style(1))
        bound = results.corrector.mixtures.get(r.beta) if r.model == "grid 3x3" else None
        if bound:
            ax.plot([2.75, 3.25], [bound.low, bound.low], color="C4", lw=2.2)
            ax.annotate(
                "mixtures ≥",
                (2.7, bound.low),
                xytext=(-2, -5),
                textcoords="offset points",
                fontsize=7.5,
                color="C4",
                va="center",
                ha="right",
            )
        name = r.model.replace("K_{5,5}", r"$K_{5,5}$").replace("x", "×")
        ax.set_title(f"{name}, β = {r.beta:g}", fontsize=10)
    last = axes.flat[len(rows)]
    last.axis("off")
    handles, labels = axes.flat[0].get_legend_handles_labels()
    last.legend(handles, labels, loc="center")
    for ax in axes[1]:
        ax.set_xlabel("steps K")
    axes.flat[3].tick_params(labelbottom=True)
    axes.flat[3].set_xlabel("steps K")
    for ax in axes[:, 0]:
        ax.set_ylabel("KL(p ‖ law) (nats)")
    axes.flat[0].set_xticks(range(1, 7))
    axes.flat[0].set_ylim(1e-14, 5)
    _foot(fig, "two-colour-corrector;  mixtures ≥: certified lower bound over all mixtures of fixed schedules, K = 3")
    return fig


def remask(results: Results) -> Figure:
    """Total variation of the ReMDM-type kernel, and the floors of random remask."""
    c = results.corrector
    names = list(dict.fromkeys(name for name, _ in c.remdm))
    shown = [n for n in ("Markov .1", "HMM", "two modes", "even parity") if n in names]
    fig, axes = plt.subplots(1, 5, figsize=(12.6, 3.4), width_ratios=[1, 1, 1, 1, 1.15])
    for ax, name in zip(axes, shown, strict=False):
        steps = [k for n, k in c.remdm if n == name]
        for j, eta in enumerate(c.etas):
            ax.loglog(steps, [c.remdm[name, k][j] for k in steps], label=f"η = {eta:g}", **_style(j))
        ax.set_title(name.replace(" .", ", flip ."), fontsize=10)
        ax.set_xlabel("steps K")
        ax.set_xticks(steps, [str(k) for k in steps])
        ax.minorticks_off()
        ax.set_ylim(0.004, 0.6)
    axes[0].set_ylabel("TV to the target, L = 4")
    axes[0].legend(loc="lower left")
    for j, (name, values) in enumerate(c.floors.items()):
        axes[4].plot((1, 2, 3, 6), np.array(values).clip(min=0), label=name.replace(" .", ", flip ."), **_style(j))
    axes[4].set(xlabel="positions remasked at once", ylabel="TV floor, L = 6", ylim=(-0.02, 0.8))
    axes[4].set_title("stationary floor", fontsize=10)
    axes[4].set_xticks((1, 2, 3, 6))
    axes[4].legend(loc="upper left")
    _foot(fig, "remdm-hurts, remask-floor")
    return fig


def learned(results: Results) -> Figure:
    """Success of the trained parity program against length, with exact intervals."""
    r = results.learned
    fig, ax = plt.subplots(figsize=(6.4, 3.8))
    for k, (name, counts) in enumerate((("with position gains", r.parity), ("relative positions only", r.relative))):
        n = np.array(list(counts)) * (1 + 0.03 * k)
        share = np.array([right / trials for right, trials in counts.values()])
        ends = np.array([interval(*c) for c in counts.values()])
        ax.errorbar(n, share, yerr=[share - ends[:, 0], ends[:, 1] - share], capsize=2, label=name, **_style(k))
    ax.axvline(2, color=GREY, lw=1, ls=":")
    ax.annotate("trained here", (2, 0.06), xytext=(4, 0), textcoords="offset points", fontsize=8, color=GREY)
    ax.set_xscale("log")
    ticks = [n for n in r.parity if n in (2, 4, 8, 16, 32, 100, 300, 1000)]
    ax.set_xticks(ticks, [str(n) for n in ticks])
    ax.minorticks_off()
    ax.set(
        xlabel="input length n",
        ylabel="right answers",
        ylim=(-0.03, 1.05),
        title="parity learned from seven transitions",
    )
    ax.legend(loc="lower right")
    _foot(fig, "learned-parity;  bars: exact intervals at confidence 1 − 1e-6")
    return fig


def save_all(results: Results, out_dir: str | Path, parameters: dict, seed: int, names=None) -> list[Path]:
    """Draw and write every figure of the topic, or those named; the JSON paths."""
    p, d, c = results.pram, results.dyck, results.corrector
    data = {
        "any-process-space-time": (space_time, "exact", ["parity-first-pair", "parity-edit-decision",
            "even-parity-generation", "pram-two-bank", "dyck-support"],
            {"parity": results.parity.traces, "even_parity": results.generation.trace, "counter": p.trace,
             "dyck": d.growth}),
        "any-process-layouts": (layouts, "exact", ["pram-write-once", "pram-two-bank", "write-once-step-bound"],
            {"scan": p.scan, "counter": p.counter, "gray": p.gray, "qbf": p.qbf_steps}),
        "any-process-dyck": (dyck, "exact", ["dyck-support", "dyck-finite-state"],
            {"sizes": d.sizes, "classes": d.classes, "windows": d.windows, "valid": numbers(d.valid)}),
        "any-process-search": (search, "exact", ["queens-backtracking", "sudoku-group-remask"],
            {"left_to_right": [searched(s) for s in results.queens.left_to_right],
             "adaptive": [searched(s) for s in results.queens.adaptive],
             "sudoku": {n: numbers(vars(g)) for n, g in results.sudoku.oracle.items()}}),
        "any-process-corrector": (corrector, "exact", ["two-colour-corrector"],
            {"rows": c.rows, "mixtures": c.mixtures}),
        "any-process-remask": (remask, "exact", ["remdm-hurts", "remask-floor"],
            {"remdm": c.remdm, "floors": c.floors}),
        "any-process-learned": (learned, "trained", ["learned-parity"],
            {"parity": results.learned.parity, "relative": results.learned.relative}),
    }  # fmt: skip
    depends = ["theory/any_process.py", "theory/any_process_search.py", "figures/any_process.py"]
    paths = []
    with plt.style.context(STYLE):
        for name, (draw, kind, claims, content) in data.items():
            if names is not None and name not in names:
                continue
            paths.append(
                save(
                    draw(results),
                    name,
                    out_dir,
                    data=content,
                    claims=claims,
                    kind=kind,
                    parameters=parameters,
                    seed=seed,
                    depends=depends,
                )
            )
    return paths


def numbers(values: dict) -> dict:
    """Fractions as floats."""
    return {k: v if isinstance(v, int) else float(v) for k, v in values.items()}


def searched(s) -> dict:
    return numbers(vars(s))
