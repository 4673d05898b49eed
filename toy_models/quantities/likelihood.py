"""Exact log-likelihood of given sequences under a sampler."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from jaxtyping import Float, Int
from scipy.special import logsumexp

from toy_models.chains.likelihood import gap_log_likelihood
from toy_models.door import by_route, own_routes, require_denoiser, require_rule
from toy_models.errors import IntractableError
from toy_models.kernel import kernel
from toy_models.rules import FixedOrder, IndependentReveal, Stage
from toy_models.rules.protocol import Adaptive, ContentFree, Rule, independent_parts, sees_contents, select, stages_of
from toy_models.targets.blocks import Blocks
from toy_models.targets.markov import MarkovChain
from toy_models.targets.protocol import Denoiser
from toy_models.validation import MASK, tokens

MAX_SUBSET_LENGTH = 16  # 3^L terms per step and sequence
CONTEXTS = 2**14  # contexts per denoiser call
SHORT = 6  # up to this length the subsets are faster than a recursion of the target


def log_likelihood(
    denoiser: Denoiser, rule: Rule, x: Int[np.ndarray, "batch L"], method: str | None = None
) -> Float[np.ndarray, " batch"]:
    """log p(x) per row, -inf where the sampler never writes x.

    Routes: "replay" (deterministic rules: the path along x is unique, any length; DUEL, arXiv 2603.01367), "own" (the
    target's method `exact_log_likelihood`: Markov chains by the gap recursion and independent copies block by block,
    under independent reveal and its mixtures), "subsets" (any content-free rule, O(N 3^L) per row, L <= 16).
    ValueError for a route that does not serve the denoiser and the rule.
    """
    require_denoiser(denoiser)
    rule = require_rule(rule, denoiser.length)
    x = tokens(x, denoiser.vocab_size, denoiser.length, masks=False)
    if sees_contents(rule):
        routes = {"replay": partial(replay_log_likelihood, denoiser, rule, x)}
    else:
        subsets = {"subsets": partial(subset_log_likelihood, denoiser, rule, x)}
        if isinstance(rule, FixedOrder):
            routes = {"replay": partial(replay_log_likelihood, denoiser, rule, x)} | subsets
        else:
            own = own_routes(denoiser, "exact_log_likelihood", rule, x)
            routes = subsets | own if denoiser.length <= SHORT else own | subsets
    return by_route(method, routes, f"{type(rule).__name__} on {type(denoiser).__name__}")


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
        written = np.take_along_axis(marginals, x[going][..., None], axis=2)[..., 0]
        with np.errstate(divide="ignore"):
            total[going] += np.where(selected, np.log(written), 0.0).sum(axis=1)
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
        written = subset_completions(target, rule, x[row].reshape(-1, target.length))
        fresh = np.diff(written, axis=1, prepend=0.0)
        with np.errstate(divide="ignore"):
            result[row] = logsumexp(np.log(np.where(seen[row][:, None], written, fresh)).sum(axis=0))
    return result


def subset_completions(
    denoiser: Denoiser, rule: IndependentReveal, x: Int[np.ndarray, "batch L"]
) -> Float[np.ndarray, "batch N"]:
    """P(the run reads x after step j), j = 1..N, over revealed sets."""
    ((_, stages),) = rule.stages(x.shape[1])
    return np.array([_run_stages(chance, stages) for chance in _chances(denoiser, x)])


def subset_log_likelihood(
    denoiser: Denoiser, rule: ContentFree, x: Int[np.ndarray, "batch L"]
) -> Float[np.ndarray, " batch"]:
    """log p(x) over revealed sets: F_j(T) = sum over S in T of F_{j-1}(T - S) w(S) prod_{i in S} p(x_i | x_{T-S})."""
    mixture = stages_of(rule, x.shape[1])
    result = np.empty(len(x))
    for row, chance in enumerate(_chances(denoiser, x)):
        with np.errstate(divide="ignore"):
            result[row] = np.log(sum(w * _run_stages(chance, stages)[-1] for w, stages in mixture))
    return result


def _chances(denoiser: Denoiser, x: Int[np.ndarray, "batch L"]) -> Iterator[Float[np.ndarray, "sets L"]]:
    """For each row [T, i] = p(x_i | x_T), 0 where the revealed part is impossible."""
    length = x.shape[1]
    if length > MAX_SUBSET_LENGTH:
        raise IntractableError(
            "log p(x) by subsets of revealed positions",
            f"L = {length}, hence 3^{length} terms per step",
            f"L <= {MAX_SUBSET_LENGTH}",
            "use a deterministic rule, a Markov chain under independent reveal, or sample the order",
        )
    revealed = (np.arange(2**length)[:, None] >> np.arange(length) & 1).astype(bool)
    rows = max(1, CONTEXTS // len(revealed))
    for part in (x[start : start + rows] for start in range(0, len(x), rows)):
        words = np.repeat(part, len(revealed), axis=0)
        contexts = np.where(np.tile(revealed, (len(part), 1)), words, MASK)
        marginals = denoiser.marginals(contexts, on_impossible="nan")
        chance = np.take_along_axis(marginals, words[..., None], axis=2)[..., 0]
        yield from np.nan_to_num(chance, nan=0.0).reshape(len(part), *revealed.shape)


def _run_stages(chance: Float[np.ndarray, "sets L"], stages: list[Stage]) -> list[float]:
    """Mass of the full set after each stage."""
    full = []
    mass = np.zeros(len(chance))
    mass[0] = 1.0
    for stage in stages:
        mass = push_subsets(mass, chance, stage.active, stage.weights)
        full.append(float(mass[-1]))
    return full


def _push_subsets(mass, chance, active, weights):
    """One content-free stage on the lattice of revealed sets, tokens fixed to x."""
    length = chance.shape[1]
    result = np.zeros_like(mass)
    index = np.empty(2**length, dtype=np.int64)
    prob = np.empty(2**length)
    count = np.empty(2**length, dtype=np.int64)
    for state in range(len(mass)):
        if mass[state] == 0.0:
            continue
        size, masked = 1, 0
        index[0], prob[0], count[0] = state, mass[state], 0
        for i in range(length):
            if state >> i & 1 == 0 and active[i]:
                masked += 1
                for k in range(size):
                    index[size + k] = index[k] | 1 << i
                    prob[size + k] = prob[k] * chance[state, i]
                    count[size + k] = count[k] + 1
                size *= 2
        for k in range(size):
            result[index[k]] += prob[k] * weights[masked, count[k]]
    return result


push_subsets = kernel(_push_subsets)
