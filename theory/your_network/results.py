"""A network on held-out texts: one trained here on an exact language, every number beside the truth; and one of others.

The truth is what no user has. The first network shows that what is estimated without it is right.
"""

from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from jaxtyping import Float

import toy_models as tm
from theory.networks.languages import seed_of
from theory.networks.small import enumerated_curves
from theory.perplexity.results import CHAIN_A
from theory.your_network import antibody
from toy_models import networks
from toy_models.networks.device import one_thread
from toy_models.networks.judge import Tabulated
from toy_models.quantities.sampled_curve import SampledCurve
from toy_models.rules.replay import evaluate_rule

LENGTH = 6
STEPS = {"smoke": (2, 3), "full": (2, 3, 4)}
TEXTS, TRAINING = {"smoke": 64, "full": 400}, {"smoke": 40, "full": 300}
ANTIBODY_STEPS, ANTIBODY_TEXTS = (8, 16, 30, 60), 64


@dataclass(frozen=True, eq=False)
class Known:
    """A small network on chain A: what held-out texts say, and the truth by enumeration of all contexts.

    cross_entropy, entropy: the exact curves c and e. learning: c - g, the exact learning curve. largest: eps_learning.
    The bound that "best" estimates is the one of the sizes named there.
    """

    target: tm.MarkovChain
    denoiser: networks.NetworkDenoiser
    table: Tabulated
    texts: np.ndarray
    costs: networks.NetworkCosts
    cross_entropy: SampledCurve
    entropy: SampledCurve
    learning: Float[np.ndarray, " L"]
    largest: float
    exact: tuple[float, ...]  # of costs.schedules, nats per token
    exact_rules: tuple[float, ...]  # of costs.rules


@dataclass(frozen=True, eq=False)
class Results:
    """Parts are computed when they are first read. `antibody` needs the extra `real`; 15 minutes of one core."""

    profile: str
    seeds: dict[str, int]

    @cached_property
    def known(self) -> Known:
        with one_thread():
            return known(self.profile, np.random.default_rng(self.seeds["known"]))

    @cached_property
    def antibody(self) -> networks.NetworkCosts:
        return antibody_costs(self.seeds["antibody"])


def known(profile: str, rng: np.random.Generator) -> Known:
    """Train, judge on texts of the language, enumerate."""
    target = tm.MarkovChain(CHAIN_A, LENGTH)
    options = networks.TrainOptions(steps=TRAINING[profile], batch=64)
    config = networks.Config(3, LENGTH, width=32)
    model = networks.train(config, partial(networks.stream, target), options, seed_of(rng), "cpu").model
    denoiser = networks.NetworkDenoiser(model, mask_id=-1, tokens=range(3), length=LENGTH)
    texts = target.sample(TEXTS[profile], rng)
    costs = networks.network_costs(denoiser, texts, STEPS[profile], rng, small_rules(), replayed=len(texts), windows=32)
    table = networks.tabulate(denoiser)
    cross, own = enumerated_curves(target, table)
    learning = cross - tm.information_curve(target)
    curves = SampledCurve(cross[None]), SampledCurve(own[None])
    exact = tuple(float(curves[0].cost(np.array(row.sizes)).value) for row in costs.schedules)
    entropy = target.entropy()
    played = small_rules().values()
    exact_rules = tuple((evaluate_rule(target, rule, table).kl + entropy) / LENGTH for rule in played)
    largest = tm.learning_error(target, table, "max")
    return Known(target, denoiser, table, texts, costs, *curves, learning, largest, exact, exact_rules)


def small_rules() -> dict[str, tm.rules.Rule]:
    return {
        "eb:0.3": tm.EntropyBounded(0.3),
        "threshold:0.7": tm.Threshold(0.7),
        "confidence:2": tm.TopK(2),
        "blocks:3:2": tm.SemiAutoregressive(3, tm.TopK(2)),
    }


def antibody_costs(seed: int) -> networks.NetworkCosts:
    """The antibody network on its own texts, the first ANTIBODY_TEXTS of them; needs the extra `real`."""
    rng = np.random.default_rng(seed)
    return networks.network_costs(antibody.make(), antibody.texts()[:ANTIBODY_TEXTS], ANTIBODY_STEPS, rng)


def results(profile: str, rng: np.random.Generator) -> Results:
    """profile: smoke | full | gpu, which reads as full."""
    if profile not in ("smoke", "full", "gpu"):
        raise ValueError(f"profile = {profile!r}, allowed: smoke, full, gpu")
    seeds = {part: seed_of(rng) for part in ("known", "antibody")}
    return Results("full" if profile == "gpu" else profile, seeds)
