"""Sequence error: how often a whole written sequence is impossible under the language, exactly."""

from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil, log

import numpy as np

import toy_models as tm
from theory.perplexity.results import CHAIN_A, uniform
from theory.sequence_error.calls import Cost, chain_cost, pair_cost
from theory.sequence_error.chain import Chain, chain_curves
from theory.sequence_error.fewest import Fewest, Linear, fewest_calls, linear_calls
from toy_models.chains.recursion import sequence_error_table
from toy_models.targets.pair_language import pair_validity

THRESHOLD_ORACLE = (1 - 1 / 8) / (2 * log(2))  # N/L at which SER = 1/2 for K = 8, L -> infinity


SHARP = 111 / 128  # 1 - 1/K - epsilon at K = 8, epsilon = 1/128


PUBLISHED = 13 / 16  # 1 - 1/K - sqrt(epsilon/2)


@dataclass(frozen=True, eq=False)
class Pairs:
    """SER of the 16-symbol pair language against N/L, independent reveal and fixed sizes."""

    lengths: tuple[int, ...]
    ratio: np.ndarray  # N/L
    independent: np.ndarray  # (lengths, ratio)
    fixed: np.ndarray  # (ratio,) at the middle length, nan where N > L
    learned_bound: np.ndarray  # (ratio,) lower bound for every denoiser within epsilon = 1/128, middle length
    fixed_length: int


@dataclass(frozen=True, eq=False)
class Text:
    """SER of the n-gram languages of one text at L = 64: 2-gram exact, higher orders sampled."""

    order: int
    steps: np.ndarray
    error: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, eq=False)
class EasyHard:
    """One language at fixed N and growing length: the token error stays, the sequence error goes to one."""

    lengths: np.ndarray
    steps: int
    token_excess: np.ndarray
    sequence_error: np.ndarray


@dataclass(frozen=True, eq=False)
class Orders:
    """SER of content-free orders with few steps on languages that are hard in random order."""

    names: tuple[str, ...]
    steps: tuple[int, ...]
    error: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Results:
    """The sweeps of the topic. The claims decide instances of their own, so each sweep is computed when asked for."""

    profile: str
    text: str
    corpus: str
    confidence: float
    rng: np.random.Generator = field(repr=False)

    @property
    def full(self) -> bool:
        return self.profile == "full"

    @cached_property
    def pairs(self) -> Pairs:
        return pair_curves((64, 512, 4096), 512 if self.full else 64)

    @cached_property
    def chain(self) -> Chain:
        lengths = (64, 256, 1024, 10**6) if self.full else (64, 256)
        return chain_curves(CHAIN_A, "chain A", lengths, 256 if self.full else 64)

    @cached_property
    def texts(self) -> tuple[Text, ...]:
        rng = deepcopy(self.rng)  # so that the sample does not depend on when it is drawn
        return tuple(text_curve(order, self.corpus, self.full, rng) for order in (2, 3, 4))

    @cached_property
    def easy_hard(self) -> EasyHard:
        return easy_hard(16)

    @cached_property
    def orders(self) -> Orders:
        return order_table()

    @cached_property
    def fewest(self) -> Fewest:
        return fewest_calls(14 if self.full else 8)

    @cached_property
    def linear(self) -> Linear:
        return linear_calls(192 if self.full else 24, (24, 96, 512) if self.full else (24, 96))

    @cached_property
    def costs(self) -> tuple[Cost, ...]:
        return pair_cost(), chain_cost((16, 32, 64, 128) if self.full else (16, 32))


def results(profile: str, rng: np.random.Generator, corpus: str = "") -> Results:
    """All sweeps of the sequence-error topic. `corpus` is the path of a UTF-8 text, empty for the shipped counts."""
    return Results(profile, corpus or tm.corpus.description(), corpus, 0.99, deepcopy(rng))


def pair_curves(lengths: tuple[int, ...], fixed_length: int) -> Pairs:
    ratio = np.unique(np.round(np.geomspace(1 / 32, 4, 29), 12))
    ratio = np.unique(np.concatenate([ratio, [1.0]]))
    independent = np.array([[_pair_error(length, ceil(r * length)) for r in ratio] for length in lengths])
    fixed = np.full(len(ratio), np.nan)
    for k, r in enumerate(ratio):
        steps = ceil(r * fixed_length)
        if steps <= fixed_length:
            sizes = tuple(int(s) for s in tm.LinearSchedule().sizes(steps, fixed_length))
            fixed[k] = 1 - pair_validity(8, fixed_length, tm.RandomOrder(sizes))
    steps = np.ceil(ratio * fixed_length)
    bound = -np.expm1(fixed_length / 2 * np.log1p(-SHARP / np.maximum(steps, 1)))
    return Pairs(lengths, ratio, independent, fixed, bound, fixed_length)


def _pair_error(length: int, steps: int) -> float:
    return -float(np.expm1(length / 2 * np.log1p(-(1 - 1 / 8) / steps)))


def text_curve(order: int, corpus: str, full: bool, rng: np.random.Generator) -> Text:
    length = 64 if full else 16
    target = tm.corpus.language(order, length, corpus)
    if isinstance(target, tm.MarkovChain):
        max_steps = 8  # V = 27: six seconds for each step at L = 64
        table = sequence_error_table(target, max_steps, [length])
        steps = np.array([1, 2, 3, 4, 6, 8])
        exact = table.error[steps - 1, 0]
        return Text(order, steps, exact, exact, exact)
    steps = np.array([4, 16, 64] if full and order == 3 else [4, 16])
    size = {3: 300, 4: 60}[order] if full else 20
    found = [tm.quantities.estimate_sequence_error(target, uniform(int(n)), size, rng) for n in steps]
    return Text(order, steps, *(np.array([float(getattr(e, k)) for e in found]) for k in ("value", "low", "high")))


def easy_hard(steps: int) -> EasyHard:
    lengths = np.array([2, 8, 32, 128, 512, 2048, 8192])
    excess = np.full(len(lengths), -np.log1p(-(1 - 1 / 8) / steps) / 2)
    return EasyHard(lengths, steps, excess, np.array([_pair_error(int(n), steps) for n in lengths]))


def order_table() -> Orders:
    """Small instances where the law of every order is exact."""
    length = 7
    chain, pairs = tm.MarkovChain(CHAIN_A, length), tm.pairs(2, 6)
    odd_even = tm.FixedOrder((tuple(range(0, 6, 2)), tuple(range(1, 6, 2))))
    rows = (
        ("pairs, random order, 2 steps", 2, tm.sequence_error(pairs, tm.RandomOrder((3, 3)))),
        ("pairs, odd then even, 2 steps", 2, tm.sequence_error(pairs, odd_even)),
        ("chain A, random order, 3 steps", 3, tm.sequence_error(chain, tm.RandomOrder((2, 2, 3)))),
        ("chain A, halving, 3 steps", 3, tm.sequence_error(chain, tm.bisection(length))),
        ("chain A, left to right, 7 steps", 7, tm.sequence_error(chain, tm.FixedOrder(tuple((i,) for i in range(7))))),
    )
    return Orders(tuple(r[0] for r in rows), tuple(r[1] for r in rows), tuple(r[2] for r in rows))
