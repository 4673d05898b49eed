"""Definitions that the lines rest on: intervals, runs of the exact denoiser on a device, what is refused."""

import numpy as np
import torch

import toy_models as tm
from theory.ledger.conformance import DRAWS, drawn_counts, interval_gaps, is_accepted, is_refused, misfit
from theory.ledger.every import RULES, TARGETS
from theory.ledger.registry import Outcome, decide, definition
from theory.networks.results import Results
from toy_models import networks

RULE_NAMES = ("independent", "random order", "fixed order", "top-2, margin", "entropy bounded", "semi-autoregressive")


@definition("sampled-judge", tier="float64")
def intervals_by_their_formulas(_: Results) -> Outcome:
    """Student's, Clopper and Pearson's and the empirical Bernstein interval against scipy and their formulas."""
    gaps = interval_gaps()
    return decide(max(gaps) < 1e-12, len(gaps), max(gaps))


@definition("sampled-judge", tier="sampled")
def runs_of_the_oracle(_: Results) -> Outcome:
    """4 000 runs of the exact denoiser in torch, six rules on two targets, against the enumerated law and calls."""
    gaps, generator = [], torch.Generator().manual_seed(11)
    for where in ("table", "chain, stationary"):
        target = TARGETS[where]
        for name in RULE_NAMES:
            rule = RULES[name](target)
            law = tm.sampler_law(target, rule)
            runs = networks.sample(networks.Oracle(target, torch.device("cpu")), rule, DRAWS, generator)
            whole = runs.tokens[~runs.impossible].numpy()
            gaps.append(misfit(drawn_counts(whole, law.pmf.shape), law.pmf.ravel()))
            lost = np.array([float(runs.impossible.sum()), float((~runs.impossible).sum())])
            gaps.append(misfit(lost, np.array([law.impossible, 1 - law.impossible])))
    return decide(max(gaps) == 0.0, len(gaps))


@definition("device-posterior-bound", tier="float64")
def edges_of_the_hypotheses(_: Results) -> Outcome:
    """Configurations, options and devices at the edge of what is allowed are taken; what lies beyond is refused."""
    good = [
        lambda: networks.Config(3, 6, width=8, heads=2, layers=1),
        lambda: networks.resolve("cpu"),
        lambda: networks.TrainOptions(steps=1),
        lambda: networks.TrainOptions(warmup=0, ema=0.0),
    ]
    bad = [
        lambda: networks.Config(3, 6, width=9, heads=2),
        lambda: networks.Config(3, 6, width=6, heads=2),
        lambda: networks.Config(3, 6, layers=0),
        lambda: networks.resolve("luck"),
        lambda: networks.TrainOptions(steps=0),
        lambda: networks.Config(0, 6),
        lambda: networks.Config(3, 0),
        lambda: networks.TrainOptions(rate=0.0),
        lambda: networks.TrainOptions(ema=1.0),
        lambda: networks.TrainOptions(clip=0.0),
        lambda: networks.Config(3, 6, causal=True, time=True),
    ]
    return decide(all(map(is_accepted, good)) and all(map(is_refused, bad)), len(good) + len(bad))
