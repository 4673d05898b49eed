"""Figures of masked diffusion as energy minimisation: pure functions of theory.energy.Results."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from figures import STYLE
from figures.energy_schedules import great_circle, landscapes, schedules, steps
from figures.energy_style import MARKERS, STYLES, foot
from figures.energy_targets import beta_search, toy
from figures.layout import sources
from figures.save import save
from theory.energy import Results


def integrands(res: Results) -> Figure:
    """Three energies of the masked path, parallel on a log scale, beside a source without masks where they are not."""
    r = res.ratios
    base = 1 / (r.alpha * (1 - r.alpha))
    with plt.style.context(STYLE):
        fig, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.9))
        masked = (("kinetic", r.kinetic), ("conditional kinetic", r.conditional), ("geodesic", r.geodesic))
        for k, (name, ratio) in enumerate(masked):
            left.plot(r.alpha, ratio * base, ls=STYLES[k], marker=MARKERS[k], markevery=len(base) // 10, label=name)
            left.annotate(f"{ratio[0]:.0f} × base", (0.5, ratio[0] * 4 * 1.06), ha="center", va="bottom", fontsize=8)
        left.set(title="masked source, n = 2, K = 2", xlabel="revealed fraction α (α′ = 1)", ylabel="energy integrand")
        source = (
            ("kinetic", r.source_kinetic),
            ("conditional kinetic = conditional Fisher", r.source_conditional),
            ("marginal Fisher information", r.source_fisher_marginal),
        )
        for k, (name, value) in enumerate(source):
            right.plot(r.alpha, value, ls=STYLES[k], marker=MARKERS[k], markevery=len(base) // 10, label=name)
        right.set(title="uniform source, no mask, n = 1", xlabel="data fraction κ (κ′ = 1)")
        for axis in (left, right):
            axis.set_yscale("log")
            axis.legend(loc="upper center")
            low, high = axis.get_ylim()
            axis.set_ylim(low, high * 4)
        foot(fig, "claims: energy-kinetic-constant, energy-conditional-constant, energy-score-variance")
    return fig


def cheapest_rates(res: Results) -> Figure:
    """Energy at alpha = 1/4 of the model's rates and of the cheapest rates on three edge sets."""
    rows = res.rates
    with plt.style.context(STYLE):
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
        foot(fig, "claims: energy-rates-conditional, energy-rates-marginal")
    return fig


FIGURES = {
    "energy-integrands": (
        integrands,
        ("energy-kinetic-constant", "energy-conditional-constant", "energy-mask-count", "energy-score-variance"),
    ),
    "energy-landscape": (landscapes, ("energy-beta-closed-form",)),
    "energy-schedules": (
        schedules,
        ("energy-chi-square", "energy-beta-pairs", "energy-time-change", "energy-fix-gamma-first"),
    ),
    "energy-toy": (toy, ("energy-blind-to-target",)),
    "energy-beta-search": (beta_search, ("energy-beta-against-optimum",)),
    "energy-great-circle": (great_circle, ("energy-geodesic-minimiser", "energy-three-minimisers")),
    "energy-rates": (
        cheapest_rates,
        ("energy-rates-conditional", "energy-rates-marginal", "energy-not-over-all-paths"),
    ),
    "energy-steps": (steps, ("energy-discrete-spacing",)),
}


def data_of(name: str, res: Results):
    """What the figure of that name draws."""
    return {
        "energy-integrands": {"ratios": res.ratios, "optima": res.optima},
        "energy-landscape": {"landscapes": list(res.landscapes), "table": res.table},
        "energy-schedules": {"schedules": list(res.schedules)},
        "energy-toy": {"toy": res.toy},
        "energy-beta-search": {"budgets": list(res.budgets), "search": res.search, "target": res.search_target},
        "energy-great-circle": {"schedules": list(res.schedules)},
        "energy-rates": {"rates": list(res.rates)},
        "energy-steps": {"spacing": res.spacing},
    }[name]


ACCURACY = {
    "energy-integrands": {
        f"optima.{name}": 1e-5  # roots to 1e-6
        for name in (
            "half_conditional",
            "half_kinetic",
            "half_marginal",
            "weight_one_half_conditional",
            "weight_one_half_marginal",
        )
    },
    "energy-schedules": {"schedules.fit": 1e-6},
    "energy-great-circle": {"schedules.fit": 1e-6},
    "energy-toy": {f"toy.{side}_{what}": 1e-6 for side in ("left", "right") for what in ("best", "beta")},
    # a and b are minimised to 1e-5, and what is least there is flat
    "energy-beta-search": {"budgets.a": 1e-4, "budgets.b": 1e-4, "budgets.best_beta": 1e-6, "budgets.optimum": 1e-6}
    | {f"search.{name}": 1e-6 for name in ("a", "b", "kl")},
}


def save_all(results: Results, out_dir: str | Path, parameters, seed: int) -> list[Path]:
    """Write every figure of the topic and return the paths of their JSON files."""
    depends = (*sources("energy"), "figures/mdm.mplstyle")
    return [
        save(
            draw(results),
            name,
            out_dir,
            data=data_of(name, results),
            claims=claims,
            kind="exact",
            parameters=parameters,
            seed=seed,
            depends=depends,
            accuracy=ACCURACY.get(name, {}),
        )
        for name, (draw, claims) in FIGURES.items()
    ]
