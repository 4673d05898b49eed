"""Figures of the written law and of the costs that the information curve decides: Results -> Figure."""

import matplotlib.pyplot as plt

from figures.layout import LINES, MARKERS, Drawn, plain_ticks, steps_axis
from figures.registry import figure
from theory.perplexity.rays import ray_costs
from theory.perplexity.results import Results


@figure("perplexity-dichotomy", claims=("written-law-dichotomy", "written-law-per-token"), kind="exact")
def dichotomy(results: Results) -> Drawn:
    """1/N with impossible combinations, 1/N^2 without: growth per token of both divergences."""
    fig, axes = plt.subplots(1, 2, figsize=(9.8, 4.0), sharey=True)
    for ax, order, title in zip(
        axes, (1, 2), ("some steps impossible: N · KL → κ", "every step possible: N² · KL → σ²/2"), strict=True
    ):
        parts = [part for part in results.dichotomies if part.order == order]
        for k, part in enumerate(parts):
            ax.loglog(part.steps, part.trajectory, color=f"C{k}", ls="--", marker=MARKERS[k], mfc="white")
            ax.loglog(part.steps, part.written, color=f"C{k}", marker=MARKERS[k], label=f"{part.language}: written")
            limit = part.limit / part.steps.astype(float) ** order
            ax.loglog(part.steps, limit, color="k", lw=0.8, ls=":")
        ax.plot([], [], "k--", marker="o", mfc="white", label="trajectory KL (upper bound)")
        ax.plot([], [], "k:", lw=0.8, label="limit from ψ")
        ax.set_title(title)
        steps_axis(ax, 256, "time slots N")
        ax.legend(loc="lower left", fontsize=7.5)
    axes[0].set_ylabel("nats per added token")
    return fig, {"curves": results.dichotomies}


@figure("perplexity-step-count", claims=("ter-sharp-constant", "feng-thm-4-2"), kind="exact")
def step_count(results: Results) -> Drawn:
    """Slots for an excess log TER of 4 epsilon log V: what the written law needs, what the trajectory asks for."""
    fig, ax = plt.subplots(figsize=(6.8, 4.2))
    for k, part in enumerate(results.step_counts):
        name = f"enough, written law, |V| = {part.vocab_size}"
        ax.loglog(part.epsilon, part.written, color=f"C{k}", ls=LINES[k], label=name)
    part = results.step_counts[0]
    ax.loglog(part.epsilon, part.published, ls=":", color="0.35", label="Thm 4.2, n = 2: 1/ε²")
    ax.loglog(part.epsilon, part.trajectory, "k-", lw=1.2, label="enough by the trajectory: ⌈1/(4ε)⌉")
    ax.fill_between(part.epsilon, 1, part.necessary, color="0.88", lw=0)
    ax.text(0.0024, 2.2, "some language needs more\n(nested codes): N < 1/(8ε)", fontsize=8)
    ax.set(xlabel="ε: excess log TER ≤ 4 ε log|V|, any language", ylabel="time slots N", ylim=(1, 3e4))
    plain_ticks(ax.xaxis, (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2))
    ax.set_title("a large vocabulary needs half of what the trajectory asks for")
    ax.legend(fontsize=7.5)
    return fig, {"curves": results.step_counts}


@figure(
    "perplexity-rays",
    claims=("extreme-rays", "uniform-minimax", "shifted-grid-halves", "game-number"),
    kind="exact",
    note="costs of random orders, trajectory KL",
)
def rays(results: Results) -> Drawn:
    """Worst-case cost over languages is read off L - 1 step curves; random sizes level it."""
    part = ray_costs(12, 3)
    fig, ax = plt.subplots(figsize=(6.8, 4.0))
    for k, (name, row) in enumerate(zip(part.names, part.ratio, strict=True)):
        ax.plot(part.rays, row, marker=MARKERS[k], ls=LINES[k], color=f"C{k}", label=f"{name}: worst {max(row):.4f}")
    ax.set(xlabel="k: any k tokens determine the rest", ylabel="E KL / (TC + DTC)", ylim=(0, 0.36))
    ax.set_title(f"[{part.length}, k] MDS codes decide every language, N = {part.steps}")
    ax.set_xticks(part.rays)
    ax.legend(fontsize=8, loc="upper center", ncols=2)
    return fig, {"curves": part}
