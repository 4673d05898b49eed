"""Sequence error of independent reveal on Markov chains: every uniform schedule and every length in one sweep.

Gaps between revealed tokens evolve independently, and the level operator (`level`) depends on the number m of
remaining steps alone: a uniform schedule reveals with probability 1/m. So the sweep for the largest N passes through
every smaller one, and one table over gap distances holds every length: 1 - SER(L, N) = W_N(L+1, ∗, ∗).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from tqdm import tqdm

from toy_models.chains.certified_error import PROGRESS_FLOPS, certified_distance, certified_levels
from toy_models.chains.far_ends import FarEnds, far_split, split_levels
from toy_models.chains.level import level_bytes, level_flops, no_reveal, scaled_level
from toy_models.chains.tables import Mixing, adjacent_weights, gap_powers, mixing
from toy_models.errors import IntractableError
from toy_models.rules import IndependentReveal
from toy_models.targets.markov import MarkovChain
from toy_models.validation import positive_int

EXACT_LENGTH = 512  # beyond it the certified route is taken where it exists
MAX_BYTES = 2**31
MAX_FLOPS = 2e13  # about ten minutes on two cores
UNIT_ROUNDOFF = 2.0**-53
SMALLEST = 1e-250


@dataclass(frozen=True, eq=False)
class SequenceErrorTable:
    """log_valid[k, i] = ln(1 - SER) with steps[k] steps at lengths[i]; error = SER.

    error_bound bounds the error of log_valid. "exact" lengths: worst-case rounding N (n^2 V/2 + 20 n) 2^-53, n = L+1
    (the errors seen are a thousand times smaller). "certified" and "split" lengths: the proved truncation error
    eps_N L, rounding not included.

    >>> table = tm.sequence_error_table(tm.repetition(2, 4), 2, [2, 4])
    >>> table.steps.tolist(), table.lengths.tolist(), table.error[0].round(12).tolist()  # one step: 1 - 2^(1 - L)
    ([1, 2], [2, 4], [0.5, 0.875])
    """

    steps: Int[np.ndarray, " N"]
    lengths: Int[np.ndarray, " lengths"]
    log_valid: Float[np.ndarray, "N lengths"]
    error_bound: Float[np.ndarray, "N lengths"]
    method: tuple[str, ...]

    @property
    def error(self) -> Float[np.ndarray, "N lengths"]:
        """SER = 1 - exp(log_valid), not below 0: log_valid exceeds 0 by its error_bound at most."""
        return np.maximum(-np.expm1(self.log_valid), 0.0)


def sequence_error_table(
    chain: MarkovChain,
    max_steps: int,
    lengths: Sequence[int] | np.ndarray,
    method: str | None = None,
    tolerance: float | None = None,
) -> SequenceErrorTable:
    """SER(L, N) of uniform independent reveal for all N = 1..max_steps and all `lengths`, in one sweep.

    chain.length plays no part; its initial law may be any. method "exact" costs max_steps (L^3 / 3) V^2 (V+1)^2 flops
    for the largest L; "certified" (`certified_error`) has a cost without L and needs a chain that mixes. None takes the
    exact route up to EXACT_LENGTH unless the certified one is eight times cheaper, and the certified one beyond.
    With a `tolerance`, the largest error_bound wanted, the route "split" (`far_ends`) is taken where it is cheaper: 27
    letters, L = 1024, 16 steps to 1e-4 in ten seconds. IntractableError when none fits.

    >>> tm.sequence_error_table(tm.repetition(2, 2), 2, [2]).error.round(12).tolist()  # 1/2, 1/4
    [[0.5], [0.25]]
    """
    max_steps = positive_int("max_steps", max_steps)
    reveals = [1.0 / m for m in range(1, max_steps + 1)]
    steps = np.arange(1, max_steps + 1)
    if tolerance is None and method != "split":
        return _table(chain, reveals, steps, lengths, method)
    if tolerance is None or not 0 < tolerance < 1:
        raise ValueError(f"tolerance = {tolerance}, it must be a number between 0 and 1")
    lengths = _lengths(lengths)
    ends = _split_route(chain, max_steps, int(lengths.max()), method, tolerance)
    if ends is None:
        return _table(chain, reveals, steps, lengths, method)
    return _split(chain, steps, lengths, ends, tolerance)


def gap_sequence_error(
    chain: MarkovChain,
    weights: Sequence[float] | np.ndarray,
    lengths: Sequence[int] | np.ndarray,
    method: str | None = None,
) -> SequenceErrorTable:
    """SER(L) of independent reveal with the given step weights, a table of one row; as sequence_error_table.

    >>> tm.chains.gap_sequence_error(tm.repetition(2, 4), [0.5, 0.5], [2]).error.round(12).tolist()
    [[0.25]]
    """
    hazards = IndependentReveal(np.asarray(weights, dtype=np.float64)).hazards
    reveals = [float(r) for r in hazards[::-1] if r > 0]  # a step of weight 0 changes nothing
    table = _table(chain, reveals, np.arange(1, len(reveals) + 1), lengths, method)
    return SequenceErrorTable(
        np.array([len(hazards)]), table.lengths, table.log_valid[-1:], table.error_bound[-1:], table.method
    )


def exact_levels(
    chain: MarkovChain, reveals: Sequence[float], n_max: int
) -> Iterator[tuple[Float[np.ndarray, "n_plus_1 U U"], float]]:
    """(W, g) after m = 1, 2, .. remaining steps: W_m(n, u, v) = W[n, u, v] e^(g n) for n <= n_max. All reveals > 0."""
    power = gap_powers(chain, n_max)
    weights, log_scale = adjacent_weights(power), 0.0
    quiet = len(reveals) * level_flops(n_max, chain.vocab_size) < PROGRESS_FLOPS
    for r in tqdm(reveals, desc=f"gaps of distance <= {n_max}", disable=quiet or None, leave=False):
        weights, _, growth = scaled_level(power, no_reveal(weights, r), r)
        log_scale += growth
        yield weights, log_scale


def _table(chain: MarkovChain, reveals: list[float], steps, lengths, method: str | None) -> SequenceErrorTable:
    lengths = _lengths(lengths)
    mix = _route(chain, len(reveals), int(lengths.max()), method)
    distance = lengths + 1
    levels = np.arange(1, len(reveals) + 1)[:, None]
    rounding = levels * _rounding(distance, chain.vocab_size)
    if mix is None:
        log_valid = np.empty((len(reveals), len(lengths)))
        for k, (weights, log_scale) in enumerate(exact_levels(chain, reveals, int(distance.max()))):
            log_valid[k] = _log_valid(weights[:, -1, -1], distance, chain) + distance * log_scale
        return SequenceErrorTable(steps, lengths, log_valid, rounding, ("exact",) * len(lengths))
    tails = list(certified_levels(chain, reveals, mix))
    log_valid = np.stack([tail.log_valid(lengths) for tail in tails])
    truncation = np.stack([tail.bound(lengths) for tail in tails])
    in_head = distance < len(tails[0].log_head)
    bound = np.where(in_head, rounding, truncation)
    return SequenceErrorTable(
        steps, lengths, log_valid, bound, tuple("exact" if inside else "certified" for inside in in_head)
    )


def _split_route(chain: MarkovChain, steps: int, length: int, method: str | None, tolerance: float) -> FarEnds | None:
    """Where the gaps are split; None for the other routes, which are taken where they are cheaper or forced."""
    if method not in (None, "split"):
        return None
    v = chain.vocab_size
    ends = far_split(chain, tolerance / (2.0 * steps * length))
    cost = _cost(2 * ends.cut, v, steps) if ends else (np.inf, np.inf)
    if ends is not None and cost[0] <= MAX_FLOPS and cost[1] <= MAX_BYTES:
        return ends if method == "split" or 2 * ends.cut < length + 1 else None
    if method == "split":
        size = f"{cost[0]:.2g} flops" if ends else _no_certificate(None)
        raise IntractableError(
            "sequence error of independent reveal to a tolerance",
            f"V = {v}, L = {length}, {steps} steps, tolerance {tolerance:g}: {size}",
            f"{MAX_FLOPS:.0e} flops, {MAX_BYTES / 2**30:.0f} GiB",
            "take a larger tolerance or another method",
        )
    return None


def _split(chain: MarkovChain, steps, lengths, ends: FarEnds, tolerance: float) -> SequenceErrorTable:
    """Every gap up to the longest text where that is short, a geometric tail beyond 4c where it is long."""
    longest = int(lengths.max()) + 1
    tail = longest > 8 * ends.cut
    tails = list(split_levels(chain, [1.0 / m for m in steps], ends, 4 * ends.cut if tail else longest, tail))
    bound = np.stack([found.bound(lengths) for found in tails])
    if bound.max() > tolerance:
        raise IntractableError(
            "sequence error of independent reveal to a tolerance",
            f"L = {longest - 1}, {len(steps)} steps, where {bound.max():.2g} is proved",
            f"tolerance = {tolerance:g}",
            "take a larger tolerance or another method",
        )
    exact = lengths + 1 <= 2 * ends.cut
    rounding = steps[:, None] * _rounding(lengths + 1, chain.vocab_size)
    methods = tuple("exact" if inside else "split" for inside in exact)
    log_valid = np.stack([found.log_valid(lengths) for found in tails])
    return SequenceErrorTable(steps, lengths, log_valid, np.where(exact, rounding, bound), methods)


def _rounding(distance, vocab_size: int) -> Float[np.ndarray, " lengths"]:
    """Worst-case rounding of one exact level."""
    return (distance**2 * vocab_size / 2.0 + 20.0 * distance) * UNIT_ROUNDOFF


def _log_valid(scaled, distance, chain: MarkovChain) -> Float[np.ndarray, " lengths"]:
    """ln of the scaled values, which are positive; refused where they fall out of the range of float64.

    That takes a chain whose gaps between revealed tokens never get harder, a deterministic cycle say.
    """
    values = scaled[distance]
    if values.min() < SMALLEST:
        length = int(distance[values < SMALLEST].min()) - 1
        raise IntractableError(
            "sequence error of independent reveal on a chain",
            f"V = {chain.vocab_size}, L = {length}, where 1 - SER is {values.min():.1g} of the largest gap value",
            f"a ratio of {SMALLEST:g}",
            "shorten the sequence or take more steps",
        )
    return np.log(values)


def _lengths(lengths) -> Int[np.ndarray, " lengths"]:
    values = [positive_int(f"lengths[{i}]", length) for i, length in enumerate(lengths)]
    if not values:
        raise ValueError("lengths must not be empty")
    return np.array(values, dtype=np.int64)


def _route(chain: MarkovChain, steps: int, length: int, method: str | None) -> Mixing | None:
    """None for the exact route, else the mixing that certifies: as forced, or chosen as sequence_error_table says."""
    if method not in (None, "exact", "certified"):
        raise ValueError(f'method = {method!r}, allowed: None, "exact", "certified"')
    v = chain.vocab_size
    mix = None if method == "exact" else mixing(chain)
    exact_cost = _cost(length + 1, v, steps)
    certified_cost = _cost(certified_distance(mix, mix.distance), v, steps) if mix else (np.inf, np.inf)
    if method is None:
        exact_first = length <= EXACT_LENGTH and exact_cost[0] <= 8 * certified_cost[0]
        order = ("exact", "certified") if exact_first else ("certified", "exact")
    else:
        order = (method,)
    for route in order:
        flops, size = exact_cost if route == "exact" else certified_cost
        if flops <= MAX_FLOPS and size <= MAX_BYTES:
            return None if route == "exact" else mix
    raise IntractableError(
        "sequence error of independent reveal on a chain",
        f"V = {v}, L = {length}, {steps} steps: {exact_cost[0]:.2g} flops and {exact_cost[1] / 2**30:.2g} GiB exactly, "
        + (f"{certified_cost[0]:.2g} flops certified" if mix else _no_certificate(method)),
        f"{MAX_FLOPS:.0e} flops, {MAX_BYTES / 2**30:.0f} GiB",
        "shorten the sequence, take fewer steps, or estimate it from tm.sample",
    )


def _cost(distance: int, vocab_size: int, steps: int) -> tuple[float, float]:
    return steps * level_flops(distance, vocab_size), level_bytes(distance, vocab_size)


def _no_certificate(method: str | None) -> str:
    return "certified route not asked for" if method == "exact" else "no certificate (the chain mixes too slowly)"
