"""The energy of the data: what few steps cost, and the schedule that it chooses."""

import matplotlib.pyplot as plt

from figures.layout import Drawn, plain_ticks, style
from figures.registry import figure
from theory.energy.results import Results


@figure("energy-of-the-data", claims=("data-aware-energy",), kind="exact", note="dotted: the limit of each schedule")
def of_the_data(res: Results) -> Drawn:
    """N times the trajectory KL per token against N: three schedules and their limits on three targets."""
    parts = res.data_energies
    fig, axes = plt.subplots(1, len(parts), figsize=(11.4, 3.9))
    for ax, part in zip(axes, parts, strict=True):
        for k, (name, row, limit) in enumerate(zip(part.names, part.cost, part.limit, strict=True)):
            ax.semilogx(part.steps, row, label=f"{name}: {limit:.4f}", **style(k))
            ax.axhline(limit, color=f"C{k}", ls=":", lw=1.2)
        plain_ticks(ax.xaxis, part.steps[::2])
        ax.set(xlabel="time slots N", title=part.target, ylim=(0, None))
        ax.legend(fontsize=8, loc="lower right" if part.limit[-1] > 0.3 * max(part.cost[0]) else "upper right")
    axes[0].set_ylabel("N × trajectory KL per token, nats")
    fig.suptitle("The metric −h′ of the data, not a fixed one, says which schedule is best", fontsize=11)
    return fig, {"curves": parts}
