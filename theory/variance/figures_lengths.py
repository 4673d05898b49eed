"""Noise against length."""

import matplotlib.pyplot as plt

from figures.layout import Drawn, plain_ticks, style
from figures.registry import figure
from theory.variance.results import Results


@figure(
    "variance-in-length",
    claims=("variance-in-length",),
    kind="exact",
    accuracy={"curves.optimal": 1e-6},
    note="exact denoiser; spread: uniform t in fine strata; uniform k: the lower bound Var g",
)
def in_length(results: Results) -> Drawn:
    """Variance of the loss per draw against the length of the text, for four ways to draw the time or the size."""
    fig, axes = plt.subplots(1, 2, figsize=(9.8, 4.1))
    for ax, part in zip(axes, results.lengths, strict=True):
        rows = (
            ("uniform t", part.uniform),
            ("uniform t, spread", part.spread),
            ("p*", part.optimal),
            ("uniform k, lower bound", part.sizes),
        )
        for k, (name, values) in enumerate(rows):
            ax.loglog(part.lengths, values, label=name, **style(k))
        ax.set(xlabel="length L", title=part.language)
        plain_ticks(ax.xaxis, part.lengths)
        ax.legend(fontsize=8, loc="upper right")
    axes[0].set_ylabel("variance per draw, nats² per token²")
    fig.suptitle(
        "With the length, uniform t and uniform k keep a floor; p* and spread times fall like 1/L", fontsize=11
    )
    return fig, {"curves": results.lengths}


@figure(
    "variance-deduplicated",
    claims=("mirror-deduplicated", "released-mirror-independent"),
    kind="exact",
    note="exact denoiser, pattern and data noise at one t; one pair is two network calls",
)
def deduplicated(results: Results) -> Drawn:
    """Variance of one pair of masks at each time: mirrored, deduplicated, and the independent pair of the release."""
    part = results.deduplicated
    fig, axes = plt.subplots(1, len(part), figsize=(9.8, 4.0))
    for ax, row in zip(axes, part, strict=True):
        for k, (name, values) in enumerate(row.variance.items()):
            ax.plot(row.t, values, label=name, **{**style(k), "marker": None})
        ax.axvline(0.5, color="k", lw=0.8, ls=":")
        ax.set(xlabel="mask rate t", title=row.target, ylim=(0, None))
        ax.legend(fontsize=8)
    axes[0].set_ylabel("variance of one pair, nats² per token²")
    fig.suptitle("Counting a token once helps near t = 1, and not at every t", fontsize=11)
    return fig, {"curves": part}
