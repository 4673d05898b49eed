"""The fewest exact calls, and linearly many in random order."""

import matplotlib.pyplot as plt
import numpy as np

from figures.layout import LINES, Drawn, plain_ticks, style
from figures.registry import figure
from theory.sequence_error.fewest import LINEAR
from theory.sequence_error.results import Results


@figure(
    "sequence-error-treedepth",
    claims=("treedepth", "bisection-optimal"),
    kind="exact",
    accuracy={"curves.kl": 1e-6},
    note="best order over all ordered partitions; a curve ends where the next step makes the KL zero",
)
def treedepth(results: Results) -> Drawn:
    """Least KL of an order fixed in advance against its calls, and the fewest exact calls of families of graphs."""
    part = results.fewest
    fig, (left, right) = plt.subplots(1, 2, figsize=(9.8, 4.2))
    for k, (name, kl) in enumerate(zip(part.names, part.kl, strict=True)):
        depth = len(kl)
        left.semilogy(np.arange(1, depth), kl[:-1], label=f"{name}: exact in {depth}", **style(k))
        left.annotate(
            "",
            (depth - 0.45, kl[-2] / 12),
            (depth - 1, kl[-2]),
            arrowprops={"arrowstyle": "->", "color": f"C{k}", "linestyle": ":"},
        )
    left.set(xlabel="calls of the best fixed order", ylabel="KL(q‖p), nats", ylim=(5e-5, 4))
    left.set_title("Ising fields, β = ½, field .2 on one position", fontsize=10)
    left.set_xticks([1, 2, 3, 4])
    left.legend(fontsize=7.5, loc="lower left")
    for k, (name, depth) in enumerate(part.depths.items()):
        right.plot(part.lengths, depth, **style(k), ms=4.5)
        right.annotate(
            name, (part.lengths[-1], depth[-1]), (6, -3), textcoords="offset points", fontsize=8, color=f"C{k}"
        )
    right.set(xlabel="length L", ylabel="fewest exact calls, td(G)", xlim=(None, part.lengths[-1] * 1.32))
    right.set_title("faithful Markov fields, by graph", fontsize=10)
    right.set_xticks(part.lengths)
    fig.suptitle("The fewest exact calls are the treedepth of the graph, not its size", fontsize=11)
    return fig, {"curves": part}


@figure(
    "sequence-error-linear",
    claims=("linear-steps-markov", "fixed-size-pairs-threshold"),
    kind="exact",
    note="uniform independent reveal (left), random order in blocks of two and three (right)",
)
def linear(results: Results) -> Drawn:
    """SER at a fixed number of steps per token: a forbidden transition is enough; fixed sizes move the threshold."""
    part = results.linear
    fig, (left, right) = plt.subplots(1, 2, figsize=(9.8, 4.2), sharey=True)
    for k, length in enumerate(part.lengths):
        left.semilogx(part.ratio, part.error[k], label=f"SER, L = {length}", **style(k))
        left.semilogx(part.ratio, part.proved[k], color=f"C{k}", ls=LINES[k], lw=0.9, alpha=0.8)
    at = len(part.ratio) // 3
    left.annotate(
        "thin: proved lower bounds",
        (part.ratio[at], part.proved[-1][at]),
        (-88, -20),
        textcoords="offset points",
        fontsize=8,
    )
    left.axvline(part.kappa / np.log(2), color="k", lw=0.8, ls=":")
    left.annotate(
        f"κ/log 2 = {part.kappa / np.log(2):.3f}",
        (part.kappa / np.log(2), 0.96),
        (4, 0),
        textcoords="offset points",
        fontsize=8,
    )
    plain_ticks(left.xaxis, [])
    left.set_xticks([1 / 96, 1 / 24, 1 / 6, 2 / 3], ["1/96", "1/24", "1/6", "2/3"])
    left.set(xlabel="slots per token, N / L", ylabel="sequence error SER", ylim=(0, 1.03))
    left.set_title("chain A (three forbidden transitions)", fontsize=10)
    left.legend(fontsize=8, loc="upper right", bbox_to_anchor=(1.0, 0.9))
    for k, (length, ratio, error) in enumerate(zip(part.pair_lengths, part.pair_ratio, part.pair_error, strict=True)):
        right.plot(ratio, error, label=f"L = {length}", **{**style(k), "marker": None})
    c = np.linspace(1 / 3, 1 / 2, 101)
    right.plot(c, -np.expm1(-7 / 8 * (2 - 3 * c)), "k:", lw=1.4, label="L → ∞")
    right.plot([LINEAR, LINEAR], [0, 0.5], "k", lw=0.8)
    right.annotate(f"SER = ½ at N = {LINEAR:.4f} L", (LINEAR, 0.5), (6, 6), textcoords="offset points", fontsize=8.5)
    right.annotate("(independent reveal: N = .631 L)", (LINEAR, 0.5), (6, 19), textcoords="offset points", fontsize=8.5)
    right.axhline(0.5, color="k", lw=0.8)
    left.axhline(0.5, color="k", lw=0.8)
    right.set(xlabel="calls per token, N / L")
    right.set_title("pairs, K = 8, fixed sizes 2 and 3", fontsize=10)
    right.legend(fontsize=8, loc="lower left")
    fig.suptitle("In random order the number of steps must grow with the length", fontsize=11)
    return fig, {"curves": part}
