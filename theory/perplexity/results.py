"""Perplexity: what N parallel steps cost against the language, exactly.

log TER(p) = log TER(q) + KL(q || p)/L for sequences of length L, p the law that is written. The trajectory KL
E_tau KL(q || p_tau), one curve of the language at any length, is an upper bound on KL(q || p). Nats per token.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil, log

import numpy as np

import toy_models as tm
from theory.perplexity.game import Game, game_curves
from theory.perplexity.written import Dichotomy, StepCounts, Written, dichotomy, step_counts, written_curves
from toy_models.quantities.trajectory_kl import curve_kl
from toy_models.schedules.optimal import weights_cost
from toy_models.targets.block_codes import code_block_kl

SEQUENCE_LENGTHS = {"smoke": (64, 256), "full": (64, 256, 1024, 4096)}
STEPS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
CHAIN_A = [[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]]
HMM_B = ([1 / 3, 2 / 3], [[0.8, 0.2], [0.1, 0.9]], [[0.7, 0.3, 0.0], [0.0, 0.25, 0.75]])


@dataclass(frozen=True, eq=False)
class Collapse:
    """E_tau KL per token of one language at several lengths, uniform independent reveal."""

    language: str
    lengths: tuple[int, ...]
    steps: tuple[int, ...]
    excess: np.ndarray  # (lengths, steps)
    shifted: np.ndarray  # (steps,) at the largest length, randomly shifted grid, steps >= 2 (nan at 1)
    drop: float  # h(0) - h(1) at the largest length
    vocab_size: int


@dataclass(frozen=True, eq=False)
class Marginal:
    """Trajectory against marginal KL per token on a small language."""

    language: str
    steps: np.ndarray
    trajectory: np.ndarray
    marginal: np.ndarray


@dataclass(frozen=True, eq=False)
class Generative:
    """The token-error curve against the generative cross-entropy of the same samplers, per token."""

    samplers: tuple[str, ...]
    steps: np.ndarray
    excess: np.ndarray  # (samplers, steps): KL(q || p) / L, inf where the sampler rules out text
    generative: np.ndarray  # (samplers, steps): (E_p[-log q] - H(q)) / L


@dataclass(frozen=True, eq=False)
class Schedules:
    """E_tau KL per token of several schedules with the same number of steps."""

    language: str
    length: int
    steps: int
    names: tuple[str, ...]
    excess: np.ndarray


@dataclass(frozen=True, eq=False)
class Orders:
    """E_tau KL per token of the 2-, 3- and 4-gram languages of one text: mean and interval at stated confidence."""

    order: int
    steps: tuple[int, ...]
    excess: np.ndarray
    low: np.ndarray
    high: np.ndarray
    drop: float


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """N KL(q || p) / (L log |V|) of the code language: the marginal constant grows with the vocabulary."""

    log_vocabulary: np.ndarray
    steps: tuple[int, ...]
    ratio: np.ndarray  # (steps, vocabularies)


@dataclass(frozen=True, eq=False)
class Results:
    """The sweeps of the topic, each computed when first asked for."""

    profile: str
    text: str
    corpus: str
    confidence: float
    rng: np.random.Generator = field(repr=False)

    @property
    def full(self) -> bool:
        return self.profile == "full"

    @cached_property
    def collapses(self) -> tuple[Collapse, ...]:
        lengths = SEQUENCE_LENGTHS[self.profile]
        return tuple(collapse(name, make, lengths) for name, make in languages(self.corpus).items())

    @cached_property
    def written(self) -> tuple[Written, ...]:
        return written_curves(languages(self.corpus), STEPS, self.full)

    @cached_property
    def dichotomies(self) -> tuple[Dichotomy, ...]:
        steps = np.array([4, 8, 16, 32, 64, 128, 256])
        chains = {
            "chain A": (CHAIN_A, 6),
            "golden mean": ([[0.5, 0.5], [1.0, 0.0]], 8),
            "flip .3": ([[0.7, 0.3], [0.3, 0.7]], 8),
            "flip .1": ([[0.9, 0.1], [0.1, 0.9]], 8),
        }
        return tuple(
            dichotomy(name, lambda n, p=p: tm.MarkovChain(p, n), length, steps) for name, (p, length) in chains.items()
        )

    @cached_property
    def game(self) -> Game:
        return game_curves(3, 12)

    @cached_property
    def step_counts(self) -> tuple[StepCounts, ...]:
        return tuple(step_counts(v) for v in (2, 27, 50257))

    @cached_property
    def marginals(self) -> tuple[Marginal, ...]:
        small = 7 if self.full else 6
        return (
            marginal("chain A", tm.MarkovChain(CHAIN_A, small)),
            marginal("HMM B", tm.HMM(*HMM_B, small)),
            pair_marginal(8),
        )

    @cached_property
    def generative(self) -> Generative:
        return generative_curves(7 if self.full else 6)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        return vocabulary_growth()

    @cached_property
    def schedules(self) -> tuple[Schedules, ...]:
        made, length = languages(self.corpus), SEQUENCE_LENGTHS[self.profile][-1]
        names = ("text 2-gram", "slow binary chain", "chain A")
        return tuple(compare_schedules(name, made[name](length), 16) for name in names)

    @cached_property
    def orders(self) -> tuple[Orders, ...]:
        rng = deepcopy(self.rng)  # so that the sample does not depend on when it is drawn
        return tuple(order_curve(order, self.profile, self.corpus, rng) for order in (2, 3, 4))


def languages(corpus: str = "") -> dict:
    """Name -> length -> target."""
    return {
        "text 2-gram": lambda length: tm.corpus.language(2, length, corpus),
        "chain A": lambda length: tm.MarkovChain(CHAIN_A, length),
        "slow binary chain": lambda length: tm.MarkovChain([[0.99, 0.01], [0.01, 0.99]], length),
        "repetition, K = 16": lambda length: tm.repetition(16, length),
    }


def results(profile: str, rng: np.random.Generator, corpus: str = "") -> Results:
    """All sweeps of the perplexity topic. `corpus` is the path of a UTF-8 text, empty for the shipped counts."""
    return Results(profile, corpus or tm.corpus.description(), corpus, 0.99, deepcopy(rng))


def collapse(language: str, make, lengths: tuple[int, ...]) -> Collapse:
    excess, g, targets = [], np.zeros(1), [make(length) for length in lengths]
    for length, target in zip(lengths, targets, strict=True):
        g = tm.information_curve(target)
        excess.append([curve_kl(g, uniform(n)) / length for n in STEPS])
    shifted = [curve_kl(g, tm.ShiftedReveal(n)) / lengths[-1] if n > 1 else np.nan for n in STEPS]
    return Collapse(
        language, lengths, STEPS, np.array(excess), np.array(shifted), float(g[0] - g[-1]), targets[-1].vocab_size
    )


def uniform(steps: int) -> tm.IndependentReveal:
    """The uniform schedule Delta_j = 1/N."""
    return tm.IndependentReveal(np.full(steps, 1.0 / steps))


def marginal(language: str, target) -> Marginal:
    steps = np.array([1, 2, 3, 4, 6, 8, 12, 16, 24, 32])
    trajectory = [tm.trajectory_kl(target, uniform(int(n))) / target.length for n in steps]
    written = [tm.marginal_kl(target, uniform(int(n))) / target.length for n in steps]
    return Marginal(language, steps, np.array(trajectory), np.array(written))


def pair_marginal(K: int) -> Marginal:
    """Closed forms: trajectory (log K)/(2N), marginal -log(1 - (1 - 1/K)/N)/2 per token, at every even length."""
    steps = np.array([1, 2, 3, 4, 6, 8, 12, 16, 24, 32])
    return Marginal(f"pairs, K = {K}", steps, log(K) / (2 * steps), -np.log1p(-(1 - 1 / K) / steps) / 2)


def generative_curves(length: int) -> Generative:
    """A full-support chain under the exact, a sharpened and a flattened denoiser."""
    chain = tm.MarkovChain([[0.85, 0.1, 0.05], [0.05, 0.85, 0.1], [0.1, 0.05, 0.85]], length)
    samplers = {"exact": None, "sharpened (power 1.5)": tm.Tempered(chain, 1.5), "flattened": tm.Smoothed(chain, 0.1)}
    steps = np.array([1, 2, 3, 4, 6, 8, 12, 16, 24, 32])
    entropy = chain.entropy()
    excess = [[tm.marginal_kl(chain, uniform(int(n)), d) / length for n in steps] for d in samplers.values()]
    text = [
        [(tm.generative_cross_entropy(chain, uniform(int(n)), d) - entropy) / length for n in steps]
        for d in samplers.values()
    ]
    return Generative(tuple(samplers), steps, np.array(excess), np.array(text))


def compare_schedules(language: str, target, steps: int) -> Schedules:
    g = tm.information_curve(target)
    rows = {
        "uniform": np.full(steps, 1.0 / steps),
        "sine": tm.SineSchedule().weights(steps),
        "cosine": tm.CosineSchedule().weights(steps),
        "sine squared": tm.SineSquaredSchedule().weights(steps),
        "Beta(0.9, 0.3)": tm.BetaSchedule(0.9, 0.3).weights(steps),
        "odds-geometric": tm.odds_geometric_weights(steps),
        "optimal": tm.optimal_weights(g, steps),
    }
    excess = {name: weights_cost(g, w) for name, w in rows.items()}
    excess["shifted grid"] = curve_kl(g, tm.ShiftedReveal(steps))
    order = sorted(excess, key=excess.__getitem__, reverse=True)
    return Schedules(language, target.length, steps, tuple(order), np.array([excess[n] for n in order]) / target.length)


def order_curve(order: int, profile: str, corpus: str, rng: np.random.Generator) -> Orders:
    """2-grams exactly, higher orders from the estimated information curve at L = 64."""
    length, steps = 64, (1, 2, 4, 8)
    target = tm.corpus.language(order, length, corpus)
    if order == 2:
        g = tm.information_curve(target)
        value = np.array([curve_kl(g, uniform(n)) for n in steps]) / length
        return Orders(order, steps, value, value, value, float(g[0] - g[-1]))
    size = {3: 1000, 4: 100}[order] if profile == "full" else 8
    found = tm.quantities.estimate_uniform_kl(target, steps, size, rng)
    ends = tm.estimate_information_curve(target, size, rng, revealed=[0, length - 1]).value
    value, low, high = (part / length for part in (found.value, found.low, found.high))
    return Orders(order, steps, value, low, high, float(ends[0] - ends[1]))


def vocabulary_growth() -> Vocabulary:
    """Blocks of m tokens, symbols (m-1)-tuples over F_K, component l a word of an [m, l] MDS code."""
    steps, blocks = (2, 4, 8), ((4, 3), (8, 7), (16, 16), (32, 32), (64, 64), (128, 128), (256, 257))
    log_v = np.array([(m - 1) * log(k) for m, k in blocks])
    ratio = [[n * code_block_kl(m, k, n) / (m * v) for (m, k), v in zip(blocks, log_v, strict=True)] for n in steps]
    return Vocabulary(log_v, steps, np.array(ratio))


def published_steps(order: int, epsilon: float) -> int:
    """(n - 1)/epsilon^n, the step count of Thm 4.2 with constant one."""
    return ceil((order - 1) / epsilon**order)


def sufficient_steps(epsilon: float) -> int:
    """ceil(1/(4 epsilon)): enough for every language."""
    return ceil(1 / (4 * epsilon) - 1e-12)
