"""Edit programs learned by transformers with remask, insert and delete heads, at lengths beyond the trained ones."""

import matplotlib.pyplot as plt
import numpy as np

from figures.layout import LINES, MARKERS, Drawn
from figures.registry import figure
from theory.networks.figures_small import measured
from theory.networks.results import Results

PROGRAMS = (
    ("first pair", "parity by first-pair edits", "inputs answered"),
    ("even parity", "even-parity generator", "mass on even strings"),
)


@figure(
    "networks-edits",
    claims=("learned-parity", "even-parity-generation"),
    kind="trained",
    note="every reachable sequence and every input is enumerated; vertical lines: longest trained input",
)
def edits(results: Results) -> Drawn:
    """Share of sequences with the program's action, and of inputs that end right, by input length."""
    fig, axes = plt.subplots(1, 2, figsize=(10.4, 4.2), sharey=True)
    for ax, (program, title, outcome) in zip(axes, PROGRAMS, strict=True):
        for k, run in enumerate(r for r in results.edits if r.program == program):
            share = np.array(run.agree) / np.array(run.states)
            label = f"{run.network}, trained to {run.trained}"
            style = {"marker": MARKERS[k], "color": f"C{(5, 2, 0)[k]}", "ls": LINES[k]}
            ax.plot(run.lengths, run.right, label=f"{label}: {outcome}", **style)
            ax.plot(run.lengths, share, **{**style, "ls": ":"}, mfc="none", lw=1.0, label=f"{label}: actions")
            ax.axvline(run.trained, color=style["color"], lw=0.7, ls=(0, (1, 3)))
        ax.set(xlabel="input length", title=title, ylim=(-0.03, 1.05))
        ax.legend(fontsize=7, loc="lower left")
    axes[0].set_ylabel("share of all, enumerated")
    return fig, measured(results, {f"{r.program}, {r.network}": r for r in results.edits})
