"""Figures of masked diffusion as energy minimisation: pure functions of theory.energy.results.Results."""

import matplotlib.pyplot as plt
import numpy as np

from figures.layout import LINES, MARKERS, Drawn
from figures.registry import figure, no_figure
from theory.energy.results import Results

ROOTS = ("half_conditional", "half_kinetic", "half_marginal", "weight_one_half_conditional", "weight_one_half_marginal")


@figure(
    "energy-integrands",
    claims=(
        "energy-kinetic-constant",
        "energy-conditional-constant",
        "energy-mask-count",
        "energy-score-variance",
        "energy-three-minimisers",
    ),
    kind="exact",
    accuracy={f"optima.{name}": 1e-5 for name in ROOTS},  # found to 1e-6
)
def integrands(res: Results) -> Drawn:
    """Three energies of the masked path, parallel on a log scale, beside a source without masks where they are not."""
    r = res.ratios
    base = 1 / (r.alpha * (1 - r.alpha))
    fig, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.9))
    masked = (("kinetic", r.kinetic), ("conditional kinetic", r.conditional), ("geodesic", r.geodesic))
    for k, (name, ratio) in enumerate(masked):
        left.plot(r.alpha, ratio * base, ls=LINES[k], marker=MARKERS[k], markevery=len(base) // 10, label=name)
        left.annotate(f"{ratio[0]:.0f} × base", (0.5, ratio[0] * 4 * 1.06), ha="center", va="bottom", fontsize=8)
    left.set(title="masked source, n = 2, K = 2", xlabel="revealed fraction α (α′ = 1)", ylabel="energy integrand")
    source = (
        ("kinetic", r.source_kinetic),
        ("conditional kinetic = conditional Fisher", r.source_conditional),
        ("marginal Fisher information", r.source_fisher_marginal),
    )
    for k, (name, value) in enumerate(source):
        right.plot(r.alpha, value, ls=LINES[k], marker=MARKERS[k], markevery=len(base) // 10, label=name)
    right.set(title="uniform source, no mask, n = 1", xlabel="data fraction κ (κ′ = 1)")
    for axis in (left, right):
        axis.set_yscale("log")
        axis.legend(loc="upper center")
        low, high = axis.get_ylim()
        axis.set_ylim(low, high * 4)
    return fig, {"ratios": res.ratios, "optima": res.optima}


@figure(
    "energy-rates",
    claims=("energy-rates-conditional", "energy-rates-marginal"),
    kind="exact",
)
def cheapest_rates(res: Results) -> Drawn:
    """Energy at alpha = 1/4 of the model's rates and of the cheapest rates on three edge sets."""
    rows = res.rates
    fig, axis = plt.subplots(figsize=(7.6, 4.2))
    y = np.arange(len(rows))[::-1]
    shown = (
        ("model", "model", "o", "C0", 9),
        ("cheapest, unmasking only", "unmask", "s", "C1", 6),
        ("cheapest, one token at a time", "single_site", "^", "C2", 5),
        ("cheapest, all pairs of states", "all_pairs", "D", "C4", 5),
    )
    for name, field, mark, colour, size in shown:
        values = [getattr(r, field) for r in rows]
        axis.plot(
            values, y, mark, color=colour, ms=size, mfc="none" if field == "model" else colour, mew=1.3, label=name
        )
    for k, r in zip(y, rows, strict=True):
        if r.model - r.unmask > 1e-9:
            axis.annotate(
                f"{r.model:g} → {r.unmask:.3f} → {r.single_site:.3f}",
                (r.model, k),
                (9, -3),
                textcoords="offset points",
                fontsize=8,
            )
    names = [r.name if r.name.startswith("cond") else f"marginal, q = {r.name}" for r in rows]
    axis.set_yticks(y, names, fontsize=8.5)
    axis.set(xlabel="energy integrand / base, at α = 1/4", xlim=(0, 13.5))
    axis.legend(loc="center right", bbox_to_anchor=(1.0, 0.42))
    axis.grid(axis="y", visible=False)
    return fig, {"rates": list(res.rates)}


no_figure("energy-time-change", "an identity under a change of clock: both sides would be one curve")
no_figure("energy-not-over-all-paths", "two numbers, pi^2 and n pi^2")
