"""Four languages, a masked and a causal network on each, and both judged against the exact law."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch

import toy_models as tm
from theory.networks.plans import CONFIDENCE, Plan
from theory.perplexity.results import CHAIN_A, uniform
from toy_models import networks
from toy_models.networks.judge import LearningError, PathCost, PathCurves, divergence
from toy_models.quantities.intervals import student_interval
from toy_models.quantities.trajectory_kl import curve_kl
from toy_models.targets.protocol import Target

TWO_STATES = ([2 / 3, 1 / 3], [[0.5, 0.5], [1.0, 0.0]], [[0.8, 0.2, 0.0], [0.0, 0.3, 0.7]])


def three_gram() -> np.ndarray:
    """After aa never a third a; after ab never a: conditional[a, b, next] on three symbols."""
    law = np.zeros((3, 3, 3))
    for a in range(3):
        for b in range(3):
            if a == b:
                law[a, b, (b + 1) % 3], law[a, b, (b + 2) % 3] = 0.8, 0.2
            else:
                law[a, b, b], law[a, b, 3 - a - b] = 0.6, 0.4
    return law


def four_gram() -> np.ndarray:
    """Never the token three places back; of the other two the next one up with 0.9 after a double, else with 0.25."""
    law = np.zeros((3, 3, 3, 3))
    for a, b, c in np.ndindex(3, 3, 3):
        up = 0.9 if b == c else 0.25
        law[a, b, c, (a + 1) % 3], law[a, b, c, (a + 2) % 3] = up, 1.0 - up
    return law


def languages(length: int) -> dict[str, object]:
    """The 2-gram is chain A. State 1 of the HMM is never visited twice in a row, so its token 2 never doubles."""
    return {
        "2-gram (chain A)": tm.MarkovChain(CHAIN_A, length),
        "3-gram": tm.NGram(three_gram(), length),
        "4-gram": tm.NGram(four_gram(), length),
        "HMM, 2 states": tm.HMM(*TWO_STATES, length),
    }


@dataclass(frozen=True, eq=False)
class Curve:
    """An error against steps, with its interval; low == high where it is exact."""

    steps: np.ndarray
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, eq=False)
class Twins:
    """A masked network and its causal twin: the same width, layers, data and number of steps."""

    target: Target
    network: networks.Network
    causal: networks.Transformer
    losses: np.ndarray  # of the masked network, nats per token
    seconds: float  # of both trainings


@dataclass(frozen=True, eq=False)
class Language:
    """A network and its causal twin on one language."""

    name: str
    length: int
    vocab_size: int
    parameters: int
    losses: np.ndarray
    learning: LearningError  # by mask fraction
    path: PathCost  # token error of the network in nats per token, and the part that is learning error
    oracle_path: Curve
    budget: float  # (TC + DTC)/L; exact for chains, else sampled
    errors: Curve  # SER of the network
    oracle_errors: Curve
    causal_excess: float  # KL(q || p_AR) / L, mean over judged sequences
    causal_low: float
    causal_high: float
    causal_error: Curve  # SER of the causal model, at N = L calls
    generative: np.ndarray  # mean of -log q(x)/L over possible written sequences, by steps
    generative_floor: float  # the same estimator on exact samples
    seconds: dict[str, float]  # wall seconds per written sequence, by sampler; not part of any figure


def seed_of(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31))


def train_twins(target, plan: Plan, seed: int, device: torch.device) -> Twins:
    options = networks.TrainOptions(steps=plan.steps, batch=plan.batch, rate=plan.rate, bf16=plan.bf16)
    make = partial(networks.stream, target)
    heads = max(2, plan.width // 64)
    config = networks.Config(target.vocab_size, target.length, width=plan.width, layers=plan.layers, heads=heads)
    start = time.perf_counter()
    masked, causal = (
        networks.train(replace(config, causal=causal), make, options, seed, device) for causal in (False, True)
    )
    seconds = time.perf_counter() - start
    return Twins(target, networks.Network(masked.model), causal.model, np.array(masked.losses), seconds)


def judge(name: str, twins: Twins, plan: Plan, rng: np.random.Generator) -> Language:
    """Everything about one language; see Language."""
    target, network = twins.target, twins.network
    device, length = network.device, twins.target.length
    generator = torch.Generator(device=device).manual_seed(seed_of(rng))
    x = torch.as_tensor(target.sample(plan.judged, rng), device=device)
    curves = networks.path_curves(target, network, x, generator)
    path = networks.path_cost(curves, plan.grid, CONFIDENCE)
    seconds, written = {"training": twins.seconds}, []
    for n in plan.grid:
        runs, spent = timed(lambda n=n: networks.sample(network, uniform(n), plan.written, generator), device)
        written.append(runs)
        seconds[f"masked, N = {n}"] = spent / plan.written
    left, spent = timed(lambda: networks.sample_left_to_right(twins.causal, plan.written, generator), device)
    seconds[f"left to right, {length} calls"] = spent / plan.written
    scores = [networks.generative_cross_entropy(target, runs, rng, CONFIDENCE) for runs in written]
    return Language(
        name,
        length,
        target.vocab_size,
        network.model.parameter_count(),
        twins.losses,
        curves.learning_error(CONFIDENCE),
        path,
        oracle_path(target, path, plan),
        information_budget(target, curves),
        as_curve(plan.grid, [networks.sequence_error(target, runs, CONFIDENCE) for runs in written]),
        oracle_errors(target, networks.Oracle(target, device), plan, generator),
        *causal_excess(target, twins.causal, x),
        as_curve([length], [networks.sequence_error(target, left, CONFIDENCE)]),
        np.array([float(s.possible.value[0]) for s in scores]),
        float(scores[0].floor.value[0]),
        seconds,
    )


def timed(run: Callable, device: torch.device):
    """What `run` returns, and its wall seconds."""
    start = time.perf_counter()
    found = run()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return found, time.perf_counter() - start


def as_curve(steps, estimates) -> Curve:
    return Curve(
        np.asarray(steps), *(np.array([float(getattr(e, k)) for e in estimates]) for k in ("value", "low", "high"))
    )


def information_budget(target, curves: PathCurves) -> float:
    """(TC + DTC)/L = g[0] - g[L-1], nats per token: exact for chains, else from the replayed sequences."""
    if isinstance(target, tm.MarkovChain):
        return (tm.total_correlation(target) + tm.dual_total_correlation(target)) / target.length
    return float(curves.exact[:, 0].mean() - curves.exact[:, -1].mean())


def oracle_path(target, path: PathCost, plan: Plan) -> Curve:
    """Token error of the exact denoiser, nats per token.

    Chains: exact, from the information curve. HMMs: certified enclosure. n-grams: sampled, from the network's replay.
    """
    steps, length = np.array(plan.grid), target.length
    if isinstance(target, tm.MarkovChain):
        g = tm.information_curve(target)
        value = np.array([curve_kl(g, uniform(n)) for n in plan.grid]) / length
        return Curve(steps, value, value, value)
    if isinstance(target, tm.HMM):
        ends = [
            tm.hidden_chains.trajectory_kl_bounds(target, uniform(n).weights, plan.enclosure * length)
            for n in plan.grid
        ]
        low, high = np.array(ends).T / length
        return Curve(steps, (low + high) / 2, low, high)
    return Curve(steps, path.exact.value, path.exact.low, path.exact.high)


def oracle_errors(target, oracle: networks.Oracle, plan: Plan, generator: torch.Generator) -> Curve:
    """SER of the exact denoiser: exact for chains (gap recursion), else sampled."""
    steps = np.array(plan.grid)
    if isinstance(target, tm.MarkovChain):
        table = tm.sequence_error_table(target, max(plan.grid), [target.length]).error[steps - 1, 0]
        return Curve(steps, table, table, table)
    runs = [networks.sample(oracle, uniform(n), plan.oracle_written, generator) for n in plan.grid]
    return as_curve(plan.grid, [networks.sequence_error(target, w, CONFIDENCE) for w in runs])


def causal_excess(target, model: networks.Transformer, x: torch.Tensor) -> tuple[float, float, float]:
    """KL(q || p_AR)/L and its interval: mean over x ~ q of sum_i KL(q(.|x_<i) || p(.|x_<i)), exact given x."""
    oracle = networks.Oracle(target, x.device)
    with torch.no_grad():
        p = torch.softmax(model(x).double(), dim=-1)
    total = torch.zeros(len(x), dtype=torch.float64, device=x.device)
    position = torch.arange(x.shape[1], device=x.device)
    for i in range(x.shape[1]):
        q = oracle.laws(torch.where(position < i, x, tm.MASK))
        total += divergence(q[:, i], p[:, i])
    found = student_interval((total / x.shape[1])[:, None].cpu().numpy(), CONFIDENCE)
    return float(found.value[0]), float(found.low[0]), float(found.high[0])
