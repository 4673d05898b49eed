"""Exact log-likelihood of given sequences under a sampler."""

from collections.abc import Callable
from functools import partial

import numpy as np
from jaxtyping import Float, Int
from scipy.special import logsumexp

from toy_models.chains.likelihood import gap_log_likelihood
from toy_models.door import by_route, own_routes, require_denoiser, require_rule
from toy_models.errors import IntractableError
from toy_models.quantities import lattice
from toy_models.quantities.drawn_likelihood import drawn_log_likelihood
from toy_models.quantities.law import sampler_law
from toy_models.quantities.subset_likelihood import subset_completions, subset_log_likelihood
from toy_models.rules import FixedOrder, IndependentReveal
from toy_models.rules.kinds import EVERY_KIND
from toy_models.rules.protocol import Adaptive, Rule, independent_parts, is_sampler, sees_contents, sees_drawn, select
from toy_models.targets.blocks import Blocks
from toy_models.targets.markov import MarkovChain
from toy_models.targets.protocol import Denoiser, Target
from toy_models.validation import MASK, tokens

SHORT = 6  # up to this length the subsets are faster than a recursion of the target


def log_likelihood(
    denoiser: Denoiser, rule: Rule, x: Int[np.ndarray, "batch L"], method: str | None = None
) -> Float[np.ndarray, " batch"]:
    """log p(x) per row, -inf where the sampler never writes x.

    Routes: "replay" (deterministic rules: the path along x is unique, any length; DUEL, arXiv 2603.01367), "own" (the
    target's method `exact_log_likelihood`: Markov chains by the gap recursion and independent copies block by block,
    under independent reveal and its mixtures), "subsets" (any content-free rule, O(N 3^L) per row, and rules that see
    the drawn tokens and bring a `push`; L <= 16), "law" (other rules of that kind, and samplers: the lattice law).
    ValueError for a route that does not serve the denoiser and the rule.

    >>> x = np.array([[0, 0], [0, 1]])
    >>> np.exp(tm.log_likelihood(tm.repetition(2, 2), tm.IndependentReveal([0.5, 0.5]), x)).round(12).tolist()
    [0.375, 0.125]
    """
    require_denoiser(denoiser)
    rule = require_rule(rule, denoiser.length, EVERY_KIND)
    x = tokens(x, denoiser.vocab_size, denoiser.length, masks=False)
    routes = _routes(denoiser, rule, x)
    if not (is_sampler(rule) or sees_drawn(rule)):  # those may rule out a possible text
        routes = {n: partial(_require_written, denoiser, x, route) for n, route in routes.items()}
    for name in list(routes)[:-1] if method is None else ():
        routes[name] = partial(_within_limits, routes[name])
    return by_route(method, routes, f"{type(rule).__name__} on {type(denoiser).__name__}")


def _routes(denoiser: Denoiser, rule: Rule, x: Int[np.ndarray, "batch L"]) -> dict[str, Callable]:
    """The routes that serve this denoiser and rule, the cheapest first."""
    if is_sampler(rule) or (sees_drawn(rule) and not hasattr(rule, "push")):
        return {"law": partial(_law_log_likelihood, denoiser, rule, x)}
    if sees_drawn(rule):
        return {"subsets": partial(drawn_log_likelihood, denoiser, rule, x)}
    if sees_contents(rule):
        return {"replay": partial(replay_log_likelihood, denoiser, rule, x)}
    subsets = {"subsets": partial(subset_log_likelihood, denoiser, rule, x)}
    if isinstance(rule, FixedOrder):
        return {"replay": partial(replay_log_likelihood, denoiser, rule, x)} | subsets
    own = own_routes(denoiser, "exact_log_likelihood", rule, x)
    return subsets | own if denoiser.length <= SHORT else own | subsets


def _law_log_likelihood(denoiser: Denoiser, rule: Rule, x: Int[np.ndarray, "batch L"]) -> Float[np.ndarray, " batch"]:
    """log of the lattice law at the rows of x."""
    with np.errstate(divide="ignore"):
        return np.log(sampler_law(denoiser, rule).pmf[tuple(x.T)])


def _within_limits(route: Callable) -> Float[np.ndarray, " batch"] | None:
    """The answer of the route, None beyond its limits: the next one may serve."""
    try:
        return route()
    except IntractableError:
        return None


def _require_written(
    denoiser: Denoiser, x: Int[np.ndarray, "batch L"], route: Callable
) -> Float[np.ndarray, " batch"] | None:
    """log p of the route, refused where it says 0 though q(x) > 0: the oracle writes every possible text sometimes."""
    log_p = route()
    if log_p is None:
        return None
    lost = np.isneginf(log_p)
    if lost.any() and isinstance(denoiser, Target):
        lost[lost] = np.isfinite(denoiser.log_prob(x[lost]))
        if lost.any():
            raise IntractableError(
                "log p(x)",
                f"row {int(lost.argmax())}, a possible text with a conditional probability under 1e-308",
                "conditionals that float64 holds",
                "shorten the sequence",
            )
    return log_p


def mix_log_likelihoods(
    one: Callable, rule: Rule, length: int, x: Int[np.ndarray, "batch L"]
) -> Float[np.ndarray, " batch"] | None:
    """log sum_k w_k exp(one(rule_k, x)) when `rule` is a mixture of independent reveals; None when it is not."""
    parts = independent_parts(rule, length)
    if parts is None:
        return None
    return np.asarray(logsumexp(np.stack([np.log(w) + one(part, x) for w, part in parts]), axis=0))


def chain_log_likelihood(chain: MarkovChain, rule: Rule, x: Int[np.ndarray, "batch L"]):
    """log p(x) of independent reveal on a chain by the gap recursion; None for other rules."""
    one = partial(_chain_part, chain)
    return mix_log_likelihoods(one, rule, chain.length, x)


def _chain_part(chain: MarkovChain, rule: IndependentReveal, x: Int[np.ndarray, "batch L"]):
    return gap_log_likelihood(chain, rule.weights, x).log_p[:, -1]


def replay_log_likelihood(
    denoiser: Denoiser, rule: Adaptive | FixedOrder, x: Int[np.ndarray, "batch L"]
) -> Float[np.ndarray, " batch"]:
    """log p(x) = sum over steps and revealed positions of log p(x_i | context), along the one path that writes x."""
    y = np.full_like(x, MASK)
    total = np.zeros(len(x))
    blocks = iter(rule.blocks) if isinstance(rule, FixedOrder) else None
    while True:
        going = np.flatnonzero((y == MASK).any(axis=1) & np.isfinite(total))
        block = next(blocks, None) if blocks is not None else None
        if len(going) == 0 or (blocks is not None and block is None):
            return total
        marginals = denoiser.marginals(y[going], on_impossible="nan")
        dead = np.isnan(marginals).any(axis=(1, 2))
        total[going[dead]] = -np.inf  # the run stops in an impossible context
        going, marginals = going[~dead], marginals[~dead]
        masked = y[going] == MASK
        if isinstance(rule, FixedOrder):
            selected = masked & np.isin(np.arange(x.shape[1]), block or ())
        else:
            selected = select(rule, marginals, masked)
        logs = lattice.log_marginals(denoiser, y[going], marginals)
        written = np.take_along_axis(logs, x[going][..., None], axis=2)[..., 0]
        total[going] += np.where(selected, written, 0.0).sum(axis=1)
        y[going] = np.where(selected, x[going], y[going])


def block_log_likelihood(
    blocks: Blocks, rule: IndependentReveal, x: Int[np.ndarray, "batch L"]
) -> Float[np.ndarray, " batch"]:
    """log p(x): the sum over blocks where q(x) > 0; off the support a run stops as soon as one block is impossible.

    Then p(x) = sum over j of prod over blocks of C(j), C(j) = P(the block reads x after step j, possible before it).
    """
    target, words = blocks.target, x.reshape(-1, blocks.target.length)
    seen = np.isfinite(target.log_prob(words)).reshape(len(x), -1)
    result = np.empty(len(x))
    inside = seen.all(axis=1)
    if inside.any():
        parts = log_likelihood(target, rule, x[inside].reshape(-1, target.length))
        result[inside] = parts.reshape(-1, blocks.repeats).sum(axis=1)
    for row in np.flatnonzero(~inside):
        fresh = subset_completions(target, rule, x[row].reshape(-1, target.length))
        written = np.logaddexp.accumulate(fresh, axis=1)
        result[row] = logsumexp(np.where(seen[row][:, None], written, fresh).sum(axis=0))
    return result
