"""Calls against length: random order saves hardly any, a good order needs a logarithm of them."""

import matplotlib.pyplot as plt
import numpy as np

from figures.layout import Drawn, plain_ticks
from figures.registry import figure
from theory.sequence_error.calls import Cost
from theory.sequence_error.results import Results


@figure(
    "sequence-error-calls",
    claims=("bisection-exact", "odd-then-even", "feng-thm-4-4", "first-order-law"),
    kind="exact",
    note="uniform independent reveal with N slots makes N(1 − (1 − 1/N)^L) calls",
)
def calls(results: Results) -> Drawn:
    """Expected calls that reveal at least one token; a sampler that writes every token once makes L at most."""
    fig, axes = plt.subplots(1, 2, figsize=(9.8, 4.2))
    for ax, part in zip(axes, results.costs, strict=True):
        _panel(ax, part)
    axes[0].set_ylabel("expected network calls")
    fig.suptitle("A text that is right: the order decides how many calls it takes", fontsize=11)
    return fig, {"curves": results.costs}


def _panel(ax, part: Cost) -> None:
    lengths = np.array(part.lengths)
    rows = (
        (lengths, "k-", None, "one token per call: L, SER = 0"),
        (part.sequence_calls, "C2", "o", "random order, SER = 5%"),
        (part.token_calls, "C0", "s", "random order, trajectory KL = .01 per token"),
        (part.exact_calls, "C1", "D", f"{part.exact_order}: SER = 0"),
    )
    for values, colour, marker, label in rows:
        style = {"color": "k", "lw": 1.1} if marker is None else {"color": colour, "marker": marker}
        ax.loglog(lengths, values, label=label, **style)
    last = part.sequence_calls[-1] / lengths[-1]
    ax.annotate(
        f"{last:.2f} L", (lengths[-1], part.sequence_calls[-1]), (-30, -16), textcoords="offset points", fontsize=8.5
    )
    plain_ticks(ax.xaxis, lengths)
    ax.set(xlabel="length L", title=part.language, ylim=(1, 40 * lengths[-1]))
    ax.legend(loc="upper left", fontsize=7.5)
