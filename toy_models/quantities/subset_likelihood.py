"""log p(x) of a content-free rule over all sets of revealed positions, in logarithms where products would underflow."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int
from scipy.special import logsumexp

from toy_models.errors import IntractableError
from toy_models.kernel import kernel
from toy_models.quantities import lattice
from toy_models.rules import IndependentReveal, Stage
from toy_models.rules.protocol import stages_of
from toy_models.targets.protocol import Denoiser
from toy_models.validation import MASK

MAX_SUBSET_LENGTH = 16  # 3^L terms per step and sequence
CONTEXTS = 2**14  # contexts per denoiser call


def subset_completions(
    denoiser: Denoiser, rule: IndependentReveal, x: Int[np.ndarray, "batch L"]
) -> Float[np.ndarray, "batch N"]:
    """log P(step j is the one that completes x), j = 1..N, over revealed sets."""
    ((_, stages),) = rule.stages(x.shape[1])
    log_weights = _log_weights(rule, stages)
    return np.array([log_completions(chance, stages, log_weights, True) for chance in _log_chances(denoiser, x)])


def subset_log_likelihood(denoiser: Denoiser, rule, x: Int[np.ndarray, "batch L"]) -> Float[np.ndarray, " batch"]:
    """log p(x) over revealed sets: F_j(T) = sum over S in T of F_{j-1}(T - S) w(S) prod_{i in S} p(x_i | x_{T-S})."""
    mixture = [(w, stages, _log_weights(rule, stages)) for w, stages in stages_of(rule, x.shape[1])]
    result = np.empty(len(x))
    for row, chance in enumerate(_log_chances(denoiser, x)):
        parts = [np.log(w) + logsumexp(log_completions(chance, stages, logs, False)) for w, stages, logs in mixture]
        result[row] = logsumexp(parts)
    return result


def _log_chances(denoiser: Denoiser, x: Int[np.ndarray, "batch L"]) -> Iterator[Float[np.ndarray, "sets L"]]:
    """For each row [T, i] = log p(x_i | x_T), -inf where the revealed part is impossible."""
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
        logs = lattice.log_marginals(denoiser, contexts)
        chance = np.take_along_axis(logs, words[..., None], axis=2)[..., 0]
        yield from np.nan_to_num(chance, nan=-np.inf, neginf=-np.inf).reshape(len(part), *revealed.shape)


def _log_weights(rule, stages: list[Stage]) -> list[Float[np.ndarray, "m s"]]:
    """log of the stage weights; for independent reveal s log r + (m-s) log(1-r), which no power can underflow."""
    with np.errstate(divide="ignore"):
        if not isinstance(rule, IndependentReveal):
            return [np.log(stage.weights) for stage in stages]
        rows, columns = stages[0].weights.shape
        m, s = np.arange(rows)[:, None], np.arange(columns)[None, :]
        each = zip(np.log(rule.hazards), np.log(rule.survivals), strict=True)
        return [np.where(s <= m, _times(s, reveal) + _times(m - s, stay), -np.inf) for reveal, stay in each]


def _times(count: Int[np.ndarray, "..."], log_value: float) -> Float[np.ndarray, "..."]:
    """count * log_value with 0 * -inf = 0."""
    return np.multiply(count, log_value, out=np.zeros(count.shape), where=count > 0)


def log_completions(
    log_chance: Float[np.ndarray, "sets L"],
    stages: list[Stage],
    log_weights: list[Float[np.ndarray, "m s"]],
    apart: bool,
) -> Float[np.ndarray, " N"]:
    """log of the mass that reaches the full set in each stage; unless `apart`, only their total is exact.

    Every position is revealed once, so a factor per position comes out of the whole sum: the largest chance of each is
    taken out and the rest added as plain numbers. What is still under SMALLEST is added up in logarithms.
    """
    peak = log_chance.max(axis=0)
    if np.isneginf(peak).any():
        return np.full(len(stages), -np.inf)
    fresh, mass = np.empty(len(stages)), np.zeros(len(log_chance))
    mass[0] = 1.0
    chance = np.exp(log_chance - peak)
    for j, stage in enumerate(stages):
        mass = push_subsets(mass, chance, stage.active, stage.weights)
        fresh[j], mass[-1] = mass[-1], 0.0
    if (fresh.min() if apart else fresh.sum()) > lattice.SMALLEST:
        with np.errstate(divide="ignore"):
            return np.log(fresh) + peak.sum()
    log_mass = np.full(len(log_chance), -np.inf)
    log_mass[0] = 0.0
    for j, (stage, logs) in enumerate(zip(stages, log_weights, strict=True)):
        log_mass = push_log_subsets(log_mass, log_chance, stage.active, logs)
        fresh[j], log_mass[-1] = log_mass[-1], -np.inf
    return fresh


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


def _push_log_subsets(log_mass, log_chance, active, log_weights):
    """The same stage on logarithms."""
    length = log_chance.shape[1]
    result = np.full(len(log_mass), -np.inf)
    index = np.empty(2**length, dtype=np.int64)
    value = np.empty(2**length)
    count = np.empty(2**length, dtype=np.int64)
    for state in range(len(log_mass)):
        if log_mass[state] == -np.inf:
            continue
        size, masked = 1, 0
        index[0], value[0], count[0] = state, log_mass[state], 0
        for i in range(length):
            if state >> i & 1 == 0 and active[i]:
                masked += 1
                for k in range(size):
                    index[size + k] = index[k] | 1 << i
                    value[size + k] = value[k] + log_chance[state, i]
                    count[size + k] = count[k] + 1
                size *= 2
        for k in range(size):
            term = value[k] + log_weights[masked, count[k]]
            if term > -np.inf:
                old = result[index[k]]
                high, low = max(old, term), min(old, term)
                result[index[k]] = high + np.log1p(np.exp(low - high))
    return result


push_subsets = kernel(_push_subsets)
push_log_subsets = kernel(_push_log_subsets)
