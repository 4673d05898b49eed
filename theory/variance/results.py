"""Where the training noise of a masked diffusion model comes from, and what each remedy does to it: the experiments.

Units: nats per token, per draw of the loss; `per_call` counts network calls. epsilon = 1e-3 unless stated.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch

from theory.variance.curves import Curves, Family, k1_curves, noisy_repetition_family
from theory.variance.instances import Instance, Method, all_methods, cases, instance, long_cases
from theory.variance.lengths import Lengths, PairNoise, noise_by_length, pair_noise
from theory.variance.training import Training, training_options
from toy_models.networks.ensemble import SmallDenoiser
from toy_models.networks.losses import gradient_moments
from toy_models.quantities.intervals import Estimate
from toy_models.targets.instances import k1
from toy_models.variance import decomposition as va
from toy_models.variance.decomposition import VarianceDecomposition
from toy_models.variance.gradient_moments import tabular_gradient_moments


@dataclass(frozen=True, eq=False)
class Results:
    profile: str
    instances: dict[str, Instance]
    gradients: dict[str, dict[str, Method]]  # trace of the gradient covariance: "table" (own logits) and "network"
    curves: Curves
    family: Family
    training: Training
    rng: np.random.Generator = field(repr=False)

    @cached_property
    def lengths(self) -> tuple[Lengths, ...]:
        return noise_by_length(self.profile == "full")

    @cached_property
    def deduplicated(self) -> tuple[PairNoise, ...]:
        return pair_noise()

    @cached_property
    def sampled(self) -> Estimate:
        """Monte Carlo of K1 oracle at epsilon = 1e-2. Read by no claim, so drawn when first asked for."""
        size = 400_000 if self.profile == "full" else 100_000
        return va.estimate_variance(k1(), size, deepcopy(self.rng), epsilon=1e-2)

    @cached_property
    def sampled_exact(self) -> VarianceDecomposition:
        return va.variance_decomposition(k1(), epsilon=1e-2)


def results(profile: str, rng: np.random.Generator) -> Results:
    """All sweeps of the topic, once. profile "smoke" or "full"."""
    if profile not in ("smoke", "full"):
        raise ValueError(f'profile = {profile!r}, allowed: "smoke", "full"')
    full = profile == "full"
    instances = {name: instance(name, *case) for name, case in {**cases(), **long_cases(profile)}.items()}
    network = SmallDenoiser(3, 4, 6, torch.Generator().manual_seed(0))
    gradients = {
        "table": all_methods(tabular_gradient_moments(k1())),
        "network": all_methods(gradient_moments(network, k1())),
    }
    training = Training(
        240 if full else 40,
        200 if full else 50,
        16,
        int(rng.integers(2**31)),
        training_options(instances["K1 oracle"].moments),
    )
    return Results(
        profile=profile,
        instances=instances,
        gradients=gradients,
        curves=k1_curves(instances),
        family=noisy_repetition_family(110 if full else 24),
        training=training,
        rng=deepcopy(rng),
    )
