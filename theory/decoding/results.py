"""The samplers people run, each with an exact network: laws, calls, regret. Nats; exact unless a name says sampled.

Derivations: theory/decoding/derivation.md; the claims: theory/decoding/checks/.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

import numpy as np

import toy_models as tm
from theory.decoding import blocks, correctors, exact_samplers, noise, regret
from theory.decoding.drawn import Written, iid_kl, iid_law, summary_of
from theory.perplexity.results import CHAIN_A
from toy_models import schedules
from toy_models.exact import trajectories as exact
from toy_models.quantities.intervals import clopper_pearson
from toy_models.schedules.optimal import sizes_cost
from toy_models.targets import gumbel_share

CHAIN = ((0.7, 0.3), (0.2, 0.8))
RARE = 0.1  # of the i.i.d. letters


@dataclass(frozen=True, eq=False)
class Collapse:
    """One token per call on a chain and on i.i.d. letters, the position chosen by the drawn token or by the
    marginals.
    """

    drawn: tuple[Written, ...]
    marginal: tuple[Written, ...]
    lengths: np.ndarray  # of the i.i.d. letters, two symbols, ties at random
    iid_kl: np.ndarray
    iid_entropy: np.ndarray  # of what is written, per token
    iid_cross_entropy: np.ndarray
    iid_own: float  # entropy of the language per token
    limit: float  # of KL/L^2


@dataclass(frozen=True)
class Growing:
    """Trajectory KL per token of four size schedules with as many calls, random order."""

    language: str
    slow: bool
    length: int
    calls: int
    even: float
    growing: float
    reversed: float
    optimum: float


@dataclass(frozen=True)
class Race:
    """A token of probability q in float32: how often it wins, sampled; the closed form."""

    q: float
    wins: int
    value: float
    low: float
    high: float
    formula: float


@dataclass(frozen=True, eq=False)
class Corrector:
    """Total variation to q after 0, 1, .. sweeps of one corrector that starts at q."""

    name: str
    distance: np.ndarray


@dataclass(frozen=True, eq=False)
class Temperature:
    """KL per token of one-per-call sampling, left to right, at each temperature."""

    language: str
    entropy: float
    temperature: np.ndarray
    kl: np.ndarray


@dataclass(frozen=True, eq=False)
class Gamma:
    """Entropy-bounded unmasking against gamma: calls, KL, and what H and KL allow for the calls."""

    language: str
    gamma: np.ndarray
    calls: np.ndarray
    kl: np.ndarray
    least: np.ndarray  # (H + KL)/(gamma + log V)
    most: np.ndarray  # 1 + (H + KL)/gamma, at most L


@dataclass(frozen=True, eq=False)
class Results:
    """The sweeps of the topic, each computed when asked for."""

    profile: str
    rng: np.random.Generator = field(repr=False)

    @property
    def full(self) -> bool:
        return self.profile == "full"

    @cached_property
    def collapse(self) -> Collapse:
        return collapse(self.full)

    @cached_property
    def growing(self) -> tuple[Growing, ...]:
        return growing(512 if self.full else 136)

    @cached_property
    def races(self) -> tuple[Race, ...]:
        return races(10**6 if self.full else 2 * 10**5, deepcopy(self.rng))

    @cached_property
    def zipf(self) -> noise.Zipf:
        return noise.zipf(50257, (32, 128, 1000, 10000))

    @cached_property
    def correctors(self) -> tuple[Corrector, ...]:
        return corrector_curves(30)

    @cached_property
    def temperature(self) -> tuple[Temperature, ...]:
        return temperatures()

    @cached_property
    def blocks(self) -> tuple[blocks.Blocks, ...]:
        return blocks.instances()

    @cached_property
    def costs(self) -> tuple[exact_samplers.Cost, ...]:
        return exact_samplers.costs(self.full)

    @cached_property
    def regret(self) -> regret.Table:
        return regret.table(self.full)

    @cached_property
    def gamma(self) -> tuple[Gamma, ...]:
        return gamma_sweeps(self.full)

    @cached_property
    def schedules(self) -> dict[str, np.ndarray]:
        """Masks left after each of 12 calls on 12 masks; growing sizes make fewer calls."""
        makers = {
            "even split": schedules.even_split_sizes(12, 12),
            "floor rule": schedules.floor_sizes(12, 12),
            "growing 1, 2, 3, ..": schedules.growing_sizes(12),
        }
        return {name: schedules.masks_left(sizes, 12) for name, sizes in makers.items()}


def results(profile: str, rng: np.random.Generator) -> Results:
    """All sweeps of the topic. `rng` draws the float32 races."""
    if profile not in ("smoke", "full"):
        raise ValueError(f'profile = {profile!r}, allowed: "smoke", "full"')
    return Results(profile, deepcopy(rng))


def collapse(full: bool) -> Collapse:
    lengths = range(1, 11 if full else 7)
    drawn, marginal = [], []
    for length in lengths:
        target = tm.MarkovChain(CHAIN, length)
        for rule, found in ((tm.DrawnConfidence(1), drawn), (tm.TopK(1), marginal)):
            law = tm.sampler_law(target, rule)
            found.append(summary_of(target, law.pmf, law.mean_steps))
    iid = np.array([1, 2, 4, 8, 16, 32, 64, 128, 256, 512])
    own, entropy, cross = np.array([iid_law(RARE, int(n)) for n in iid]).T
    return Collapse(
        tuple(drawn),
        tuple(marginal),
        iid,
        np.array([iid_kl(RARE, int(n)) for n in iid]),
        entropy / iid,
        cross / iid,
        float(own[0] / iid[0]),
        RARE**2 * np.log(1 / RARE) / 2,
    )


def growing(length: int) -> tuple[Growing, ...]:
    languages = (
        ("slow chain, stays with .99", True, tm.MarkovChain([[0.99, 0.01], [0.01, 0.99]], length)),
        ("chain A, 3 symbols", False, tm.MarkovChain(CHAIN_A, length)),
        ("English bigrams, 27 symbols", False, tm.corpus.language(2, length)),
    )
    found = []
    for name, slow, target in languages:
        g = tm.information_curve(target)
        sizes = schedules.growing_sizes(length)
        even = schedules.even_split_sizes(length, len(sizes))
        best = tm.optimal_sizes(g, len(sizes))
        cost = [float(sizes_cost(g, np.asarray(s))) / length for s in (even, sizes, sizes[::-1], best)]
        found.append(Growing(name, slow, length, len(sizes), *cost))
    return tuple(found)


def races(size: int, rng: np.random.Generator, points: int = 256) -> tuple[Race, ...]:
    """Races at q = 2^-24 .. 2^-21: beyond `points` lattice points a win has probability e^-32 at most, and is left
    out.
    """
    found = []
    for exponent in (24, 23, 22, 21):
        q = 2.0**-exponent
        wins, trials = noise.race(q, points, size, rng)
        scale = points * noise.LATTICE
        interval = clopper_pearson(wins, trials, 1 - 1e-6)
        found.append(
            Race(
                q,
                wins,
                float(interval.value) * scale,
                float(interval.low) * scale,
                float(interval.high) * scale,
                float(gumbel_share(np.array([q]))[0]),
            )
        )
    return tuple(found)


def corrector_curves(sweeps: int) -> tuple[Corrector, ...]:
    """Correctors on one random law of three letters, L = 3, some texts impossible."""
    law = exact.random_law(3, 3, np.random.default_rng(1))
    kernels = {
        "one at random": correctors.kernel(law, correctors.uniform),
        "two at random, at once": correctors.parallel_kernel(law, 2),
        "least likely token": correctors.kernel(law, correctors.lowest_probability),
        "least margin": correctors.kernel(law, correctors.lowest_margin),
        "least largest probability": correctors.kernel(law, correctors.lowest_maximum),
    }
    return tuple(Corrector(name, correctors.distances(law, k, sweeps)) for name, k in kernels.items())


def temperatures() -> tuple[Temperature, ...]:
    """KL per further token of stationary chains, left to right."""
    values = np.array([0.25, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0, 1.1, 1.25, 1.5])
    text = cast(tm.MarkovChain, tm.corpus.language(2, 2))
    rows = (
        ("chain (.7,.3),(.2,.8)", np.array(CHAIN), np.array([0.4, 0.6])),
        ("English bigrams", text.transition, text.initial),
    )
    found = []
    for name, transition, initial in rows:
        kl = np.array([noise.chain_temperature_kl(transition, initial, float(t))[1] for t in values])
        p = np.where(transition > 0, transition, 1.0)
        entropy = float(initial @ -(transition * np.log(p)).sum(axis=1))
        found.append(Temperature(name, entropy, values, kl))
    return tuple(found)


def five_bits() -> tm.Table:
    """Uniform (a, b, c, c, c)."""
    pmf = np.zeros((2,) * 5)
    for a, b, c in np.ndindex(2, 2, 2):
        pmf[a, b, c, c, c] = 1 / 8
    return tm.Table(pmf)


def gamma_sweeps(full: bool) -> tuple[Gamma, ...]:
    """EB on five bits, three of them copies, and on the slow chain; gamma in steps of log 2 / 8."""
    length = 8 if full else 4
    languages = (
        ("uniform (a, b, c, c, c)", five_bits()),
        (f"slow chain (.97,.03),(.02,.98), L = {length}", tm.MarkovChain([[0.97, 0.03], [0.02, 0.98]], length)),
    )
    found = []
    for name, target in languages:
        gamma = np.arange(1, 27) * np.log(2) / 8
        values = [tm.rules.evaluate_rule(target, tm.EntropyBounded(float(g))) for g in gamma]
        kl = np.array([max(v.kl, 0.0) for v in values])
        nats = target.entropy() + kl
        most = np.minimum(1 + nats / gamma, target.length)
        calls = np.array([v.calls for v in values])
        found.append(Gamma(name, gamma, calls, kl, nats / (gamma + np.log(target.vocab_size)), most))
    return tuple(found)


def summary(res: Results) -> str:
    """One line per rule: regret on each language in nats."""
    names = [name.split(",")[0] for name in res.regret.languages]
    lines = [f"{'nats above the front':<38}" + "".join(f"{name[:14]:>15}" for name in names)]
    for rule in res.regret.rules:
        cells = [res.regret.of(rule, language) for language in res.regret.languages]
        lines.append(f"{rule:<38}" + "".join(f"{round(e.regret, 3) + 0.0:>15.3f}" for e in cells))
    return "\n".join(lines)
