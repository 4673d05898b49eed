"""Trained networks against the exact laws they were trained on: learning error, token error, sequence error, variance.

The small network (L = 6) is enumerated on all of its 4^6 contexts, so its numbers are exact; the longer ones are
sampled, with intervals. Torch is needed, and threads are fixed to one so that a run repeats itself.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from theory.networks.judged import Judged, judged
from theory.networks.languages import Language, Twins, judge, languages, seed_of, train_twins
from theory.networks.plans import CONFIDENCE, Plan, plan_of
from theory.networks.replay import Replay, replay
from theory.networks.rules import Family, compare_rules
from theory.networks.small import Small, learning_curve, small_network
from toy_models import networks
from toy_models.networks.device import one_thread
from toy_models.networks.edit_judge import EditRun, edit_runs
from toy_models.networks.planted import PlantedRun, planted_runs
from toy_models.quantities.intervals import Estimate

PARTS = (
    "small",
    "twins",
    "languages",
    "rules",
    "noise",
    "planted",
    "edits",
    "judged",
    "replay",
)  # each draws from a seed of its own


@dataclass(frozen=True, eq=False)
class Results:
    """Parts are computed when they are first read, each from its own seed: the ledger's checks read `small` alone."""

    profile: str
    device: torch.device
    seeds: dict[str, int]
    confidence: float = CONFIDENCE

    @property
    def plan(self) -> Plan:
        return plan_of(self.profile)

    @property
    def environment(self) -> dict[str, str]:
        return networks.describe(self.device)

    def rng(self, part: str) -> np.random.Generator:
        return np.random.default_rng(self.seeds[part])

    @cached_property
    def small(self) -> Small:
        """The enumerated network."""
        with one_thread():
            return small_network(self.plan, self.rng("small"))

    @cached_property
    def judged(self) -> Judged:
        """Every sampled number of the long networks, on the enumerated one."""
        with one_thread():
            return judged(self.small, learning_curve(self.small), self.rng("judged"))

    @cached_property
    def replay(self) -> Replay:
        """A few steps of training done again from the stated recursion."""
        with one_thread():
            return replay(self.seeds["replay"])

    @cached_property
    def twins(self) -> dict[str, Twins]:
        """The long networks by language."""
        rng = self.rng("twins")
        with one_thread():
            return {
                name: train_twins(target, self.plan, seed_of(rng), self.device)
                for name, target in languages(self.plan.length).items()
            }

    @cached_property
    def languages(self) -> tuple[Language, ...]:
        rng = self.rng("languages")
        with one_thread():
            return tuple(judge(name, twins, self.plan, rng) for name, twins in self.twins.items())

    @cached_property
    def rules(self) -> tuple[Family, ...]:
        """Unmasking rules on the 2-gram language."""
        first = next(iter(self.twins.values()))
        with one_thread():
            return compare_rules(first.target, first.network, self.plan, self.rng("rules"))

    @cached_property
    def noise(self) -> tuple[dict[str, Estimate], dict[str, Estimate]]:
        """Parts of the loss's variance, and variance per call of ways to draw masks: the long 2-gram network."""
        first, rng = next(iter(self.twins.values())), self.rng("noise")
        generator = torch.Generator(device=self.device).manual_seed(seed_of(rng))
        x = torch.as_tensor(first.target.sample(self.plan.noisy, rng), device=self.device)
        with one_thread():
            return networks.noise_by_method(networks.sampled_losses(first.network, x, generator))

    @cached_property
    def planted(self) -> tuple[PlantedRun, ...]:
        """Schedules trained together with networks that see one planted parent, on the CPU."""
        return planted_runs(self.light, self.seeds["planted"])

    @cached_property
    def edits(self) -> tuple[EditRun, ...]:
        """Any-process heads: learned edit programs, on the CPU."""
        return edit_runs(self.light, self.seeds["edits"], "cpu")

    @property
    def light(self) -> str:
        """Networks of a few hundred parameters have two sizes of experiment: smoke, and full."""
        return "smoke" if self.profile == "smoke" else "full"


def results(profile: str, rng: np.random.Generator, device: str = "auto") -> Results:
    """Nothing is trained before a part is read. profile: smoke | full | gpu."""
    plan_of(profile)
    place = networks.resolve("cuda" if profile == "gpu" else device)
    return Results(profile, place, {part: seed_of(rng) for part in PARTS})
