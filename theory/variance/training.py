"""Small networks trained with each way to draw the mask."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch

from toy_models.networks.ensemble import EnsembleRun, train, variance_ratio
from toy_models.networks.losses import LossOptions
from toy_models.targets import instances
from toy_models.variance import p_pots
from toy_models.variance.loss_moments import Moments


@dataclass(frozen=True, eq=False)
class Training:
    """Runs of a small network from common initial weights; ratio[m] = (value, low, high) of the variance of
    log(excess loss) against uniform t, F interval at 95 %."""

    runs: int
    steps: int
    calls: int
    seed: int
    options: dict[str, LossOptions]
    made: dict[str, EnsembleRun] = field(default_factory=dict, repr=False)

    def run(self, name: str) -> EnsembleRun:
        """The runs of one method, trained when first asked for: the claim reads two methods, the figure all."""
        if name not in self.made:
            generator = torch.Generator().manual_seed(self.seed + list(self.options).index(name))
            options = self.options[name]
            self.made[name] = train(
                instances.k1(), options, self.runs, self.steps, self.calls, generator, learning_rate=0.15
            )
        return self.made[name]

    @cached_property
    def excess(self) -> dict[str, EnsembleRun]:
        return {name: self.run(name) for name in self.options}

    @cached_property
    def ratio(self) -> dict[str, tuple[float, float, float]]:
        last = {name: np.log(run.excess[:, -1]) for name, run in self.excess.items()}
        return {name: variance_ratio(values, last["uniform"]) for name, values in last.items()}


def training_options(moments: Moments) -> dict[str, LossOptions]:
    """The methods trained live; all use the same number of network calls per step."""
    return {
        "uniform": LossOptions(),
        "uniform, stratified": LossOptions(coupling="stratified"),
        "independent pair": LossOptions(masks="independent-pair"),
        "MIRROR": LossOptions(masks="mirror"),
        "P-POTS": LossOptions(p_pots.optimal(moments)),
        "P-POTS + MIRROR": LossOptions(p_pots.optimal(moments, masks="mirror"), masks="mirror"),
        "size, uniform k": LossOptions(size_weights=[1.0 / moments.length] * moments.length),
    }
