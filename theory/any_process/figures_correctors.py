"""Search, correctors, remask kernels and learned programs."""

import matplotlib.pyplot as plt
import numpy as np

from figures.layout import GREY, MARKERS, Drawn, style
from figures.registry import figure
from theory.any_process.figures import numbers
from theory.any_process.results import Results
from theory.any_process.search import interval


@figure(
    "any-process-search",
    claims=("queens-backtracking", "sudoku-group-remask"),
    kind="exact",
    note="same test: an attempt stops at its first rejected group; TV: distance of the redrawn law from uniform",
)
def search(results: Results) -> Drawn:
    """Success without remask, and expected steps with restart or backtracking."""
    q, s = results.queens, results.sudoku
    fig, axes = plt.subplots(1, 3, figsize=(11.4, 4.2), width_ratios=[1, 1, 1.25])
    for k, (name, rows) in enumerate((("left to right", q.left_to_right), ("fewest candidates", q.adaptive))):
        axes[0].plot(q.sizes, [float(r.success) for r in rows], label=name, **style(k))
        axes[1].semilogy(q.sizes, [float(r.restart) for r in rows], label=f"restart, {name}", **style(k))
        axes[1].semilogy(q.sizes, [float(r.backtrack) for r in rows], label=f"remask, {name}", **style(k + 2))
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
    kinds = (("blind", "restart at the end", "0.7"), ("restart", "restart, same test", "C0"))
    for k, (attribute, label, color) in enumerate((*kinds, ("redraw", "remask the group", "C1"))):
        costs = [float(getattr(s.oracle[n], attribute)) for n in names]
        axes[2].plot(costs, y, ls="none", marker=MARKERS[k], ms=8 - 1.5 * k, color=color, label=label)
    for n, yy in zip(names, y, strict=True):
        a, b = float(s.oracle[n].redraw), float(s.oracle[n].blind)
        axes[2].plot([a, b], [yy, yy], color="0.85", lw=1, zorder=0)
        note = f"TV {float(s.oracle[n].tv):.2f}" if s.oracle[n].tv else "TV 0"
        axes[2].text(3e8, yy, note, fontsize=7.5, va="center", ha="right", color=GREY)
    axes[2].set_yticks(y, names)
    axes[2].set(
        xlabel="expected decode steps",
        title="4×4 Sudoku: remask loses on transversals",
        xlim=(3, 4e8),
        ylim=(-0.6, len(names) + 2.1),
    )
    axes[2].legend(loc="upper left", fontsize=7.5, handletextpad=0.2)
    return fig, {
        "left_to_right": [numbers(vars(r)) for r in q.left_to_right],
        "adaptive": [numbers(vars(r)) for r in q.adaptive],
        "sudoku": {name: numbers(vars(group)) for name, group in s.oracle.items()},
    }


@figure(
    "any-process-corrector",
    claims=("two-colour-corrector",),
    kind="exact",
    accuracy={"mixtures": 1e-6},  # bounds where an iteration stopped
    note="mixtures ≥: certified lower bound over all mixtures of fixed schedules, K = 3",
)
def corrector(results: Results) -> Drawn:
    """KL against the number of steps: best fixed write-once schedule and two-colour remask."""
    rows = results.corrector.rows
    fig, axes = plt.subplots(2, 4, figsize=(11.4, 5.6), sharex=True, sharey=True)
    floor = 3e-14
    for ax, r in zip(axes.flat, rows, strict=False):
        k = np.arange(1, 7)
        shown = np.where(r.write_once > 1e-13, r.write_once, np.nan)
        ax.semilogy(k, shown, label="best fixed write-once", **style(0))
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
        ax.semilogy(k, r.two_colour, label="two-colour remask", **style(1))
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
    return fig, {
        "rows": rows,
        "mixtures": {b: {"low": m.low, "high": m.high} for b, m in results.corrector.mixtures.items()},
    }


@figure(
    "any-process-remask",
    claims=("remdm-hurts", "remask-floor"),
    kind="exact",
    accuracy={"floors": 1e-6},  # of an eigenvector
)
def remask(results: Results) -> Drawn:
    """Total variation of the ReMDM-type kernel, and the floors of random remask."""
    c = results.corrector
    names = list(dict.fromkeys(name for name, _ in c.remdm))
    shown = [n for n in ("Markov .1", "HMM", "two modes", "even parity") if n in names]
    fig, axes = plt.subplots(1, 5, figsize=(12.6, 3.4), width_ratios=[1, 1, 1, 1, 1.15])
    for ax, name in zip(axes, shown, strict=False):
        steps = [k for n, k in c.remdm if n == name]
        for j, eta in enumerate(c.etas):
            ax.loglog(steps, [c.remdm[name, k][j] for k in steps], label=f"η = {eta:g}", **style(j))
        ax.set_title(name.replace(" .", ", flip ."), fontsize=10)
        ax.set_xlabel("steps K")
        ax.set_xticks(steps, [str(k) for k in steps])
        ax.minorticks_off()
        ax.set_ylim(0.004, 0.6)
    axes[0].set_ylabel("TV to the target, L = 4")
    axes[0].legend(loc="lower left")
    for j, (name, values) in enumerate(c.floors.items()):
        axes[4].plot((1, 2, 3, 6), np.array(values).clip(min=0), label=name.replace(" .", ", flip ."), **style(j))
    axes[4].set(xlabel="positions remasked at once", ylabel="TV floor, L = 6", ylim=(-0.02, 0.8))
    axes[4].set_title("stationary floor", fontsize=10)
    axes[4].set_xticks((1, 2, 3, 6))
    axes[4].legend(loc="upper left")
    return fig, {"remdm": c.remdm, "floors": c.floors}


@figure(
    "any-process-learned",
    claims=("learned-parity",),
    kind="trained",
    note=lambda results: (
        "runs to their end; with position gains a finite check decides every length, passed by "
        f"{sum(results.learned.certified)} of {len(results.learned.certified)} networks; "
        "bars: exact intervals at confidence 1 − 1e-6"
    ),
)
def learned(results: Results) -> Drawn:
    """Success of the trained parity program against length: decided for all, or counted with exact intervals."""
    r = results.learned
    fig, ax = plt.subplots(figsize=(6.4, 3.8))
    for k, (name, counts) in enumerate((("with position gains", r.parity), ("relative positions only", r.relative))):
        n = np.array(list(counts)) * (1 + 0.03 * k)
        share = np.array([right / trials for right, trials in counts.values()])
        ends = np.array([interval(*c) for c in counts.values()])
        spread = None if k == 0 and all(r.certified) else [share - ends[:, 0], ends[:, 1] - share]
        ax.errorbar(n, share, yerr=spread, capsize=2, label=name, **style(k))
    ax.axvline(2, color=GREY, lw=1, ls=":")
    ax.annotate("trained here", (2, 0.06), xytext=(4, 0), textcoords="offset points", fontsize=8, color=GREY)
    if all(r.certified):
        ax.annotate("every length, decided", (max(r.parity), 0.94), ha="right", va="top", fontsize=8, color="C0")
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
    return fig, {"parity": r.parity, "relative": r.relative, "certified": r.certified}
