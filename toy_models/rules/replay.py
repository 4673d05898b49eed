"""A deterministic adaptive rule replayed along data: one trajectory per x, at any length.

Given x the rule's revealed sets z_1, z_2, ... are a function of x, so log p(x) is the sum over steps and l in z_i of
log p(x_l | x_{z_<i}) and, in expectation over x ~ q (Ben-Hamu et al. 2025, arXiv 2505.24857, eq. 7, with equality),

    KL(q || p) = E sum KL(q(x_l | .) || p(x_l | .))  (model error)  +  E sum TC(z_i | .)  (joint dependence).

The total correlations telescope to the entropies at reveal minus H(X), so nothing but marginals is needed.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from toy_models.door import require_generator, require_pair, require_rule, require_target
from toy_models.quantities import lattice
from toy_models.quantities.intervals import Estimate, bernstein_interval
from toy_models.rounding import nonnegative_measure
from toy_models.rules.kinds import ADAPTIVE
from toy_models.rules.protocol import Adaptive, Rule, select
from toy_models.rules.proxies import entropies
from toy_models.targets.protocol import Denoiser, Target
from toy_models.validation import MASK, positive_int, tokens

CHUNK = 2**12


@dataclass(frozen=True, eq=False)
class Replay:
    """Per row of x: what the rule did along it. Sums over steps; entropies in nats.

    entropy = sum over l of H_q(X_l | revealed before l); model_error the same sum of KL(q(.|.) || p(.|.));
    bound = sum over steps of (sum H - max H) of the denoiser's entropies; step[l] = call in which l was revealed.

    >>> tm.rules.replay_rule(tm.pairs(2, 4), tm.TopK(2), np.array([[0, 2, 1, 3]])).calls.tolist()
    [2]
    """

    log_likelihood: Float[np.ndarray, " batch"]
    calls: Int[np.ndarray, " batch"]
    multi_calls: Int[np.ndarray, " batch"]
    entropy: Float[np.ndarray, " batch"]
    model_error: Float[np.ndarray, " batch"]
    bound: Float[np.ndarray, " batch"]
    step: Int[np.ndarray, "batch L"]


@dataclass(frozen=True, eq=False)
class RuleValue:
    """Expectations over x ~ q, exact. kl = KL(q || p) from log p; model_error + joint_dependence equals it.

    multi_calls counts the calls that reveal at least two tokens.

    >>> value = tm.rules.evaluate_rule(tm.repetition(2, 3), tm.TopK(3))
    >>> round(float(value.kl / np.log(2)), 12), round(value.calls, 12)
    (2.0, 1.0)
    """

    kl: float
    model_error: float
    joint_dependence: float
    calls: float
    multi_calls: float
    bound: float


def replay_rule(target: Target, rule: Rule, x: Int[np.ndarray, "batch L"], denoiser: Denoiser | None = None) -> Replay:
    """Run the adaptive `rule` with `denoiser` (None: the target itself) along each row of x, q(x) > 0.

    >>> found = tm.rules.replay_rule(tm.repetition(2, 2), tm.TopK(2), np.array([[0, 0]]))
    >>> np.exp(found.log_likelihood).round(12).tolist()
    [0.25]
    """
    require_pair(target, denoiser)
    rule = require_rule(rule, target.length, (ADAPTIVE,))
    x = tokens(x, target.vocab_size, target.length, masks=False)
    parts = [_replay(target, rule, part, denoiser) for part in np.array_split(x, max(len(x) // CHUNK, 1))]
    return Replay(*(np.concatenate([getattr(p, name) for p in parts]) for name in Replay.__dataclass_fields__))


def evaluate_rule(target: Target, rule: Rule, denoiser: Denoiser | None = None) -> RuleValue:
    """The rule's KL, its two parts and its calls under q, by replaying every x of the support. O(V^L * calls).

    >>> value = tm.rules.evaluate_rule(tm.pairs(2, 4), tm.TopK(1))
    >>> round(value.kl, 12), round(value.calls, 12)  # one token per call is exact
    (0.0, 4.0)
    """
    require_pair(target, denoiser)
    require_rule(rule, target.length, (ADAPTIVE,))
    x, log_weight = lattice.log_support(target)
    weight = np.exp(log_weight)
    ran = replay_rule(target, rule, x, denoiser)
    scale = 1.0 - float(weight @ log_weight)
    return RuleValue(
        kl=nonnegative_measure("KL", weight @ (log_weight - ran.log_likelihood), scale),
        model_error=nonnegative_measure("model error", weight @ ran.model_error, scale),
        joint_dependence=nonnegative_measure("joint dependence", weight @ (ran.entropy + log_weight), scale),
        calls=float(weight @ ran.calls),
        multi_calls=float(weight @ ran.multi_calls),
        bound=float(weight @ ran.bound),
    )


def estimate_kl(target: Target, rule: Rule, size: int, rng: np.random.Generator, confidence: float = 0.99) -> Estimate:
    """KL(q || p) of a rule with the exact denoiser from `size` draws of q, at lengths that enumeration cannot reach.

    The mean over x ~ q of (entropies at reveal) - H(X), no log ratio of the tokens themselves. Those numbers lie in a
    range of width L log V, so the interval needs no assumption (empirical Bernstein).

    >>> rng = np.random.default_rng(0)
    >>> round(float(tm.rules.estimate_kl(tm.repetition(2, 2), tm.TopK(2), 8, rng).value / np.log(2)), 12)
    1.0
    """
    require_target(target)
    require_rule(rule, target.length, (ADAPTIVE,))
    positive_int("size", size, 2)
    require_generator(rng)
    values = replay_rule(target, rule, target.sample(size, rng)).entropy - target.entropy()
    return bernstein_interval(values, target.length * float(np.log(target.vocab_size)), confidence)


def _distinct(y: Int[np.ndarray, "batch L"], vocab_size: int):
    """The distinct rows and the index of each row among them; by lattice index where that fits in 63 bits."""
    if (vocab_size + 1) ** y.shape[1] >= 2**63:
        rows, back = np.unique(y, axis=0, return_inverse=True)
        return rows, back.reshape(-1)
    index = (y + 1) @ (vocab_size + 1) ** np.arange(y.shape[1])
    _, first, back = np.unique(index, return_index=True, return_inverse=True)
    return y[first], back


def _replay(target: Target, rule: Adaptive, x: Int[np.ndarray, "batch L"], denoiser: Denoiser | None) -> Replay:
    """All rows at once; rows in the same partially masked state share one denoiser call."""
    y = np.full_like(x, MASK)
    step = np.full_like(x, -1)
    calls, multi = np.zeros(len(x), dtype=np.int64), np.zeros(len(x), dtype=np.int64)
    loglik, entropy, error, bound = (np.zeros(len(x)) for _ in range(4))
    for call in range(x.shape[1]):
        live = np.flatnonzero((y == MASK).any(axis=1))
        if len(live) == 0:
            break
        here, back = _distinct(y[live], target.vocab_size)
        q = target.marginals(here)
        p = q if denoiser is None else denoiser.marginals(here)
        chosen = select(rule, p, here == MASK)
        log_q = lattice.log_marginals(target, here, q)
        logs = log_q if denoiser is None else lattice.log_marginals(denoiser, here, p)
        kl = lattice.expected_loss(q, lattice.log_ratio(logs, log_q), log_q > -np.inf)
        log_p = np.take_along_axis(logs[back], x[live][:, :, None], axis=2)[..., 0]
        h_p = np.where(chosen, entropies(p), 0.0)
        h_q = np.where(chosen, entropies(q), 0.0).sum(axis=1)
        size = chosen.sum(axis=1)
        loglik[live] += np.where(chosen[back], log_p, 0.0).sum(axis=1)
        entropy[live] += h_q[back]
        error[live] += np.where(chosen, kl, 0.0).sum(axis=1)[back]
        bound[live] += (h_p.sum(axis=1) - h_p.max(axis=1))[back]
        calls[live] += 1
        multi[live] += (size >= 2)[back]
        y[live] = np.where(chosen[back], x[live], y[live])
        step[live] = np.where(chosen[back], call, step[live])
    return Replay(loglik, calls, multi, entropy, error, bound, step)
