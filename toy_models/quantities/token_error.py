"""What the written text costs per token: KL(q || p) of the law p that is written, and the generative cross-entropy."""

import numpy as np

from toy_models.door import require_pair, require_rule
from toy_models.quantities import lattice
from toy_models.quantities.law import sampler_law
from toy_models.quantities.trajectory_kl import EVERY_KIND
from toy_models.rules.protocol import Rule
from toy_models.targets.protocol import Denoiser, Target, own_route


def marginal_kl(target: Target, rule: Rule, denoiser: Denoiser | None = None) -> float:
    """KL(q || p), p the law of what is written. Independent reveal on blocks factorises; else the lattice law.

    >>> round(float(tm.marginal_kl(tm.repetition(2, 3), tm.RandomOrder([3])) / np.log(2)), 12)  # TC: two bits
    2.0
    """
    model = require_pair(target, denoiser)
    require_rule(rule, target.length, EVERY_KIND)
    own = own_route(target, "exact_marginal_kl", rule) if denoiser is None else None
    if own is not None:
        return own
    q = lattice.to_table(target).pmf
    p = sampler_law(model, rule).pmf
    seen = q > 0
    with np.errstate(divide="ignore"):
        return float((q[seen] * np.log(q[seen] / p[seen])).sum())


def generative_cross_entropy(target: Target, rule: Rule, denoiser: Denoiser | None = None) -> float:
    """E_{x~p}[-log q(x)], what "generative perplexity" plots (nats per sequence); inf when SER > 0.

    It is not controlled by KL(q || p): a sampler that repeats one likely sentence scores best.

    >>> round(float(tm.generative_cross_entropy(tm.pairs(2, 4), tm.bisection(4)) / np.log(2)), 12)
    2.0
    """
    model = require_pair(target, denoiser)
    require_rule(rule, target.length, EVERY_KIND)
    q = lattice.to_table(target).pmf
    law = sampler_law(model, rule)
    if law.impossible > 0:
        return float("inf")
    written = law.pmf > 0
    with np.errstate(divide="ignore"):
        return float(-(law.pmf[written] * np.log(q[written])).sum())
