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
        f"chain A, L = {results.plan.length}, Clopper–Pearson intervals {results.confidence:.0%}; right: mean calls of "
        "the finished runs; in the grey strip, settings of which no run was finished"
    ),
)
def rules(results: Results) -> Drawn:
    """SER against mean calls, one line per family of rules: network left, exact denoiser right, stuck rules aside."""
    fig, (left, right, aside) = plt.subplots(
        1, 3, figsize=(11.4, 4.4), sharey=True, width_ratios=(1, 1, 0.26), gridspec_kw={"wspace": 0.06}
    )
    length, stuck = results.plan.length, 0
    for k, family in enumerate(results.rules):
        style = {"marker": MARKERS[k], "ls": LINES[k], "color": f"C{(0, 1, 2, 4, 5, 8)[k]}", "label": family.name}
        spread = np.stack([family.errors.value - family.errors.low, family.errors.high - family.errors.value])
        left.errorbar(family.calls, family.errors.value, np.abs(spread), capsize=2, elinewidth=0.8, **style)
        done = family.oracle_finished > 0
        right.plot(family.oracle_calls[done], family.oracle_errors[done], **style)
        for setting in np.array(family.settings)[~done]:
            stuck += 1
            aside.plot(0.12, 1.0 - 0.075 * (stuck - 1), ls="none", marker=MARKERS[k], color=style["color"])
            aside.annotate(setting, (0.22, 1.0 - 0.075 * (stuck - 1)), fontsize=8, va="center")
    for ax, title in ((left, "network"), (right, "exact denoiser")):
        ax.set_xscale("log")
        ax.set_xlim(0.85, 1.25 * length)
        plain_ticks(ax.xaxis, [2**j for j in range(int(np.log2(length)) + 1)])
        ax.set(xlabel="mean calls per sequence", title=title)
    left.set(ylabel="sequence error SER", ylim=(-0.03, 1.05))
    right.legend(fontsize=8, loc="center left", bbox_to_anchor=(0.0, 0.4))
    set_aside(aside, stuck)
    return fig, measured(results, {family.name: family for family in results.rules})


def set_aside(ax, stuck: int) -> None:
    """The strip of rules that wrote no text: no axis of calls, and the reason."""
    ax.set(xlim=(0, 1), xticks=[], facecolor="0.95")
    ax.tick_params(left=False)
    ax.grid(visible=False)
    for side in ax.spines.values():
        side.set_visible(False)
    if stuck:
        ax.set_title("every run stuck", fontsize=10)
        why = "all positions tie,\nthe first win: they\nare neighbours,\nand neighbours\ndrawn together\nclash"
        ax.text(0.06, 0.4, why, fontsize=8, va="top", color="0.3")
    else:
        ax.set_visible(False)
