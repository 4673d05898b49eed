"""Unmasking rules on a trained network and on the exact denoiser: sequence error against mean calls."""

from dataclasses import dataclass

import numpy as np
import torch

import toy_models as tm
from theory.networks.languages import Curve, as_curve, seed_of
from theory.networks.plans import CONFIDENCE, Plan
from theory.perplexity.results import uniform
from toy_models import networks
from toy_models.rules.protocol import Rule


@dataclass(frozen=True, eq=False)
class Family:
    """One kind of rule at several settings. The exact denoiser stops at an impossible context, which is an error.

    oracle_calls: mean over the runs that were finished, nan where none was: calls until a run is stuck write no text.
    """

    name: str
    settings: tuple[str, ...]
    calls: np.ndarray
    errors: Curve  # SER; `steps` holds the index of the setting
    oracle_calls: np.ndarray
    oracle_finished: np.ndarray  # share of the runs of the exact denoiser
    oracle_errors: np.ndarray


def rule_families(target) -> dict[str, dict[str, Rule]]:
    """{family: {setting: rule}} for one target."""
    length = target.length
    few = [n for n in (length // 8, length // 4, length // 2) if n > 1]
    return {
        "uniform reveal": {f"N = {n}": uniform(n) for n in few},
        "optimal schedule": {f"N = {n}": tm.IndependentReveal(tm.optimal_weights(target, n)) for n in few},
        "top-k confidence": {f"k = {k}": tm.TopK(k) for k in (length // 4, length // 8, length // 16) if k},
        "entropy-bounded": {f"γ = {gamma}": tm.EntropyBounded(gamma) for gamma in (6.0, 3.0, 1.5, 0.7)},
        "halving": {"": tm.bisection(length)},
        "one by one": {"": tm.RandomOrder((1,) * length)},
    }


def compare_rules(target, network: networks.Network, plan: Plan, rng: np.random.Generator) -> tuple[Family, ...]:
    """Every family on the network and on the exact denoiser."""
    generator = torch.Generator(device=network.device).manual_seed(seed_of(rng))
    oracle = networks.Oracle(target, network.device)
    found = []
    for name, rules in rule_families(target).items():
        by_network = [networks.sample(network, rule, plan.written, generator) for rule in rules.values()]
        by_oracle = [networks.sample(oracle, rule, plan.oracle_written, generator) for rule in rules.values()]
        found.append(
            Family(
                name,
                tuple(rules),
                np.array([float(w.calls.double().mean()) for w in by_network]),
                as_curve(range(len(rules)), [networks.sequence_error(target, w, CONFIDENCE) for w in by_network]),
                np.array([counted_calls(w) for w in by_oracle]),
                np.array([float((~w.impossible).double().mean()) for w in by_oracle]),
                np.array([float(networks.sequence_error(target, w, CONFIDENCE).value) for w in by_oracle]),
            )
        )
    return tuple(found)


def counted_calls(written: networks.Written) -> float:
    """Mean calls of the runs that met no impossible context, nan if there is none."""
    finished = written.calls[~written.impossible]
    return float(finished.double().mean()) if len(finished) else float("nan")
