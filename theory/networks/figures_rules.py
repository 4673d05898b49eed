"""Unmasking rules on a trained network and on the exact denoiser."""

import matplotlib.pyplot as plt
import numpy as np

from figures.layout import LINES, MARKERS, Drawn, plain_ticks
from figures.registry import figure
from theory.networks.figures_small import measured
from theory.networks.results import Results


@figure(
    "networks-rules",
    claims=("bisection-exact",),
    kind="trained",
    note=lambda results: (
        f"chain A, L = {results.plan.length}, Clopper–Pearson intervals {results.confidence:.0%}; "
        "calls right: of finished runs, where any finished"
    ),
)
def rules(results: Results) -> Drawn:
    """SER against mean calls, one line per family of rules: network left, exact denoiser right."""
    fig, (left, right) = plt.subplots(1, 2, figsize=(10.4, 4.4), sharey=True, sharex=True)
    for k, family in enumerate(results.rules):
        style = {"marker": MARKERS[k], "ls": LINES[k], "color": f"C{(0, 1, 2, 4, 5, 8)[k]}", "label": family.name}
        spread = np.stack([family.errors.value - family.errors.low, family.errors.high - family.errors.value])
        left.errorbar(family.calls, family.errors.value, np.abs(spread), capsize=2, elinewidth=0.8, **style)
        right.plot(family.oracle_calls, family.oracle_errors, **style)
    length = results.plan.length
    for ax, title in ((left, "network"), (right, "exact denoiser")):
        ax.set_xscale("log")
        plain_ticks(ax.xaxis, [2**j for j in range(int(np.log2(length)) + 1)])
        ax.set(xlabel="mean calls per sequence", title=title)
    left.set(ylabel="sequence error SER", ylim=(-0.03, 1.03))
    right.legend(fontsize=8, loc="center left", bbox_to_anchor=(0.0, 0.3))
    return fig, measured(results, {family.name: family for family in results.rules})
