"""Figure of the learning error that is certified from the denoiser alone."""

import matplotlib.pyplot as plt
import numpy as np

from figures.layout import Drawn
from figures.registry import figure
from theory.networks.chernoff import windows
from theory.networks.figures_small import measured
from theory.networks.results import Results


@figure(
    "networks-chernoff",
    claims=("learning-error-chernoff",),
    kind="trained",
    note="chain A, L = 6, a small network, all 4⁶ contexts; no data and no truth enter the bound",
)
def chernoff(results: Results) -> Drawn:
    """Learning error of the enumerated network, and what two or three tokens of its own in all orders certify of it.

    Left: means by the number of revealed tokens. Right: maxima over contexts.
    """
    found = windows(results.small, (2, 3))
    fig, (left, right) = plt.subplots(1, 2, figsize=(9.6, 4.0), width_ratios=(1.5, 1))
    m = np.arange(len(found.pair))
    left.semilogy(m, found.error, "s--", color="C2", label="learning error, (ε[m] + ε[m+1])/2")
    left.semilogy(m, found.pair, "o-", color="C0", label="certified by the two orders of a pair")
    left.set(
        xlabel="tokens revealed, m",
        ylabel="nats per token",
        xticks=m,
        title=f"pairs certify {100 * np.min(found.pair / found.error):.0f} to "
        f"{100 * np.max(found.pair / found.error):.0f} % of the mean error",
    )
    left.legend(fontsize=8)
    names = ["learning error", *(f"{size} tokens,\nall orders" for size in found.largest)]
    values = [found.epsilon, *found.largest.values()]
    bars = right.bar(names, values, color=["C2", "C0", "C0"], width=0.6)
    right.bar_label(bars, fmt="%.3f", fontsize=8)
    right.set(ylabel="nats per token", title="maximum over contexts", ylim=(0, 1.15 * max(values)))
    data = {"pair": found.pair, "error": found.error, "largest": list(found.largest.values()), "epsilon": found.epsilon}
    return fig, measured(results, data)
