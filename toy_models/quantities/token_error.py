"""What the written text costs per token: KL(q || p) of the law p that is written, and the generative cross-entropy."""

import numpy as np
from jaxtyping import Float, Int

from toy_models.door import require_pair, require_rule
from toy_models.errors import IntractableError
from toy_models.quantities import lattice
from toy_models.quantities.law import sampler_law
from toy_models.quantities.likelihood import log_likelihood
from toy_models.rounding import nonnegative_measure
from toy_models.rules.kinds import EVERY_KIND
from toy_models.rules.protocol import Rule, is_sampler
from toy_models.targets.protocol import Denoiser, Target, own_route

MAX_THIN = 2 * 10**9  # texts * 3^L of a law that float64 cannot hold: about a minute


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
    log_q = lattice.log_pmf(target)
    seen = np.flatnonzero(log_q > -np.inf)
    log_p = _log_law(model, rule, seen)
    if np.isneginf(log_p).any():
        return float("inf")
    q = lattice.to_table(target).pmf.ravel()[seen]
    return nonnegative_measure("KL(q || p)", q @ (log_q[seen] - log_p), 1.0 - q @ log_q[seen])


def _log_law(denoiser: Denoiser, rule: Rule, seen: Int[np.ndarray, " texts"]) -> Float[np.ndarray, " texts"]:
    """log p of the texts with the given indices: of the lattice law, and text by text where that is under SMALLEST.

    Stops with the first text that is never written, since one is enough for an infinite divergence.
    """
    vocab_size, length = denoiser.vocab_size, denoiser.length
    with np.errstate(divide="ignore"):
        log_p = np.log(sampler_law(denoiser, rule).pmf.ravel()[seen])
    if is_sampler(rule):
        return log_p
    thin = np.flatnonzero(log_p < np.log(lattice.SMALLEST))
    if len(thin) * 3**length > MAX_THIN and not hasattr(rule, "select"):
        raise IntractableError(
            "KL(q || p)",
            f"{len(thin)} texts with p under {lattice.SMALLEST:g}, each a sum over 3^{length} pairs of revealed sets",
            f"texts * 3^L <= {MAX_THIN}",
            "shorten the sequence or use trajectory_kl",
        )
    for start in range(0, len(thin), 64):
        part = thin[start : start + 64]
        x = np.stack(np.unravel_index(seen[part], (vocab_size,) * length), axis=1).astype(np.int64)
        log_p[part] = log_likelihood(denoiser, rule, x)
        if np.isneginf(log_p[part]).any():
            break
    return log_p


def generative_cross_entropy(target: Target, rule: Rule, denoiser: Denoiser | None = None) -> float:
    """E_{x~p}[-log q(x)], what "generative perplexity" plots (nats per sequence); inf when SER > 0.

    Mass off the support that float64 cannot hold, under 1e-308, counts as none.
    It is not controlled by KL(q || p): a sampler that repeats one likely sentence scores best.

    >>> round(float(tm.generative_cross_entropy(tm.pairs(2, 4), tm.bisection(4)) / np.log(2)), 12)
    2.0
    """
    model = require_pair(target, denoiser)
    require_rule(rule, target.length, EVERY_KIND)
    law = sampler_law(model, rule)
    if law.impossible > 0:
        return float("inf")
    p = law.pmf.ravel()
    return float(lattice.expected_loss(p, lattice.log_pmf(target), p > 0))
