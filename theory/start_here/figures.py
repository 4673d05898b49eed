"""Figures of the opening notebook: Results -> Figure."""

import matplotlib.pyplot as plt
import numpy as np

from figures.layout import MARKERS, Drawn
from figures.registry import figure
from theory.start_here.results import Results
from toy_models.targets.corpus import ALPHABET


@figure(
    "start-here-trace",
    claims=(),
    kind="sampled",
    note=lambda results: (
        "red: written in this step, independently of each other · ␣ is a space · "
        + (f"run {results.attempts}; the earlier ones met an impossible context" if results.attempts > 1 else "one run")
    ),
)
def trace(results: Results) -> Drawn:
    """Text being written: one row per step, fresh letters in colour, masks as dots."""
    rows, length = results.trace.shape
    fig, ax = plt.subplots(figsize=(10, 0.32 * rows + 0.9))
    for j, row in enumerate(results.trace):
        before = results.trace[j - 1] if j else np.full(length, -1)
        for i, token in enumerate(row):
            fresh = token >= 0 and before[i] < 0
            shown = "·" if token < 0 else ALPHABET[token].replace(" ", "␣")
            colour = "0.75" if token < 0 else "C2" if fresh else "0.15"
            ax.text(i, -j, shown, ha="center", va="center", family="DejaVu Sans Mono", fontsize=9, color=colour)
    ax.set_yticks(-np.arange(rows), [f"step {j}" if j else "start" for j in range(rows)], fontsize=8)
    ax.set(xlim=(-1, length), ylim=(-rows + 0.4, 0.6), xticks=[])
    ax.grid(visible=False)
    for side in ax.spines.values():
        side.set_visible(False)
    ax.tick_params(length=0)
    ax.set_title(f"a masked diffusion sampler at work: {results.language}, exact marginals, 8 steps", fontsize=10)
    return fig, {"trace": results.trace}


@figure(
    "start-here-law",
    claims=("ser-from-kl",),
    kind="exact",
    note="no bar: impossible under q",
)
def law(results: Results) -> Drawn:
    """The exact law of what is written, beside the language."""
    fig, ax = plt.subplots(figsize=(10, 4.0))
    place = np.arange(len(results.words))
    ax.bar(place, results.target, color="0.85", width=0.85, label="language q")
    for k, (n, row) in enumerate(zip(results.steps, results.written, strict=True)):
        told = f"N = {n}: KL {results.kl[k]:.3f}, SER {results.sequence_error[k]:.3f}"
        ax.plot(place, row, MARKERS[k], ms=5, color=f"C{k}", label=told)
    ax.set_xticks(place, results.words, rotation=70, family="DejaVu Sans Mono", fontsize=8)
    ax.set(ylabel="probability", title="exact law of the sampler on a three-symbol chain, L = 4")
    ax.set_yscale("symlog", linthresh=0.01)
    ax.set_ylim(0, 1)
    ax.legend()
    return fig, {k: getattr(results, k) for k in ("words", "target", "written", "steps", "kl", "sequence_error")}
