"""Masked diffusion as energy minimisation (Chen et al. 2025, arXiv 2509.13866): the sweeps behind claims and figures.

The displayed formulas of the paper are reconstructed from the constants and identities its text states;
theory/energy/derivation.md says how far that pins them. Fisher-Rao normalisation throughout: the minimum of E is pi^2.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

import toy_models as tm
from theory.energy.budgets import EstimatedText, compare_budgets, estimated_text, language_curves
from theory.energy.data_energy import DataEnergy, data_energies
from theory.energy.paths import RateRow, RatioCurves, SourceOptima, rate_rows, ratio_curves, source_optima
from theory.energy.schedules import NAMED, REFERENCES, Landscape, ScheduleRow, Spacing, landscape, schedule_row, spacing
from theory.energy.toy import Toy, toy
from toy_models.energy.beta_search import BetaSearch, BudgetRow
from toy_models.energy.geodesic import beta_energy


@dataclass(frozen=True, eq=False)
class Results:
    """The sweeps of the topic. Those that no claim reads are computed when first asked for."""

    profile: str
    corpus: str
    optima: SourceOptima
    schedules: tuple[ScheduleRow, ...]
    spacing: Spacing
    toy: Toy
    budgets: tuple[BudgetRow, ...]
    curves: dict[str, np.ndarray]  # information curve of each target of `budgets`
    search: BetaSearch  # grid of the English chain, N = 16, sizes
    search_target: str
    rng: np.random.Generator = field(repr=False)

    @cached_property
    def ratios(self) -> RatioCurves:
        return ratio_curves(61 if self.profile == "full" else 21)

    @cached_property
    def table(self) -> np.ndarray:
        """E / pi^2, rows alpha and columns gamma over REFERENCES."""
        return np.array([[beta_energy(own, given) / np.pi**2 for given in REFERENCES] for own in REFERENCES])

    @cached_property
    def landscapes(self) -> tuple[Landscape, ...]:
        return tuple(landscape(given, 61 if self.profile == "full" else 31) for given in REFERENCES[1:5])

    @cached_property
    def data_energies(self) -> tuple[DataEnergy, ...]:
        """Pairs (h affine), repetition and a chain that mostly stays."""
        chain = tm.MarkovChain([[0.95, 0.05], [0.05, 0.95]], 64)
        targets = {"pairs, K = 8, L = 64": tm.pairs(8, 64), "repetition, K = 8, L = 16": tm.repetition(8, 16)}
        targets |= {"chain, stays with .95, L = 64": chain}
        curves = {name: tm.information_curve(target) for name, target in targets.items()}
        return data_energies(curves, 2 ** np.arange(1, 11))

    @cached_property
    def rates(self) -> tuple[RateRow, ...]:
        return rate_rows()

    @cached_property
    def estimated(self) -> tuple[EstimatedText, ...]:
        """Two independent samples, so that their spread shows the noise."""
        rng = deepcopy(self.rng)  # so that the samples do not depend on when they are drawn
        return tuple(estimated_text(self.profile == "full", self.corpus, rng) for _ in range(2))


def results(profile: str, rng: np.random.Generator, corpus: str = "") -> Results:
    """Every number of the topic. Only `estimated` is sampled. smoke: smaller grids, shorter and fewer targets."""
    if profile not in ("smoke", "full"):
        raise ValueError(f'profile = {profile!r}, allowed: "smoke", "full"')
    full = profile == "full"
    curves = language_curves(full, corpus)
    budgets, searches = compare_budgets(curves, (16, 64) if full else (16,), points=100 if full else 30)
    shown = "sticky chain, 0.99"
    return Results(
        profile=profile,
        corpus=corpus,
        optima=source_optima(),
        schedules=tuple(schedule_row(name, s) for name, s in NAMED.items()),
        spacing=spacing((1, 2, 3, 4, 8, 16, 32, 64, 128, 256, 512, 1024)),
        toy=toy(41 if full else 15),
        budgets=budgets,
        curves=curves,
        search=searches[shown, 16, "sizes"],
        search_target=shown,
        rng=deepcopy(rng),
    )
