"""Trained networks against the exact laws they were trained on: learning error, token error, sequence error, variance.

The small network (L = 6) is enumerated on all of its 4^6 contexts, so its numbers are exact; the longer ones (L = 16)
are sampled, with intervals. Torch is needed, and threads are fixed to one so that a run repeats itself.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

import toy_models as tm
from theory.perplexity import CHAIN_A, uniform
from toy_models import lattice, medium
from toy_models.medium.judge import LearningError, PathCost, Tabulated
from toy_models.quantities import curve_kl

CONFIDENCE = 0.99
FRACTIONS = (0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
HMM_RING = (
    [0.25] * 4,
    [[0.5, 0.5, 0, 0], [0, 0.5, 0.5, 0], [0, 0, 0.5, 0.5], [0.5, 0, 0, 0.5]],
    [[0.8, 0.2, 0, 0], [0, 0.8, 0.2, 0], [0, 0, 0.8, 0.2], [0.2, 0, 0, 0.8]],
)


@dataclass(frozen=True)
class Plan:
    """Sizes of one profile. The gpu profile is written down, and measured nowhere yet."""

    length: int
    width: int
    layers: int
    steps: int
    batch: int
    small_width: int
    small_steps: int
    judged: int  # sequences for learning errors and path costs
    written: int  # sequences for sequence errors
    oracle_written: int
    grid: tuple[int, ...]
    bf16: bool = False


PLANS = {
    "smoke": Plan(8, 32, 2, 24, 32, 32, 40, 32, 48, 96, (1, 2, 4, 8)),
    "full": Plan(16, 64, 2, 320, 128, 48, 300, 200, 300, 4000, (1, 2, 4, 8, 16, 32)),
    "gpu": Plan(512, 512, 8, 20000, 256, 48, 300, 2000, 4000, 20000, (8, 16, 32, 64, 128, 256, 512), True),
}


@dataclass(frozen=True, eq=False)
class Curve:
    """An error against steps, with its interval; low == high where it is exact."""

    steps: np.ndarray
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, eq=False)
class Language:
    """A network and its causal twin on one language."""

    name: str
    length: int
    vocab_size: int
    parameters: int
    losses: np.ndarray  # training loss of every step, nats per token
    learning: LearningError  # by mask fraction
    path: PathCost  # token error of the network in nats per token, and the part that is learning error
    oracle_path: Curve
    errors: Curve  # SER of the network
    oracle_errors: Curve
    causal_excess: float  # KL(q || p_AR) / L, mean over judged sequences
    causal_low: float
    causal_high: float
    causal_error: Curve  # SER of the causal model, at N = L calls
    generative: np.ndarray  # mean of -log q(x)/L over possible written sequences, by steps
    generative_floor: float  # the same estimator on exact samples


@dataclass(frozen=True, eq=False)
class Policies:
    """SER and mean calls of adaptive rules and schedules, network and oracle, on the 2-gram language.

    The oracle stops at an impossible context; its calls are those of the finished runs.
    """

    names: tuple[str, ...]
    calls: np.ndarray
    errors: Curve  # steps holds the index of the policy
    oracle_calls: np.ndarray
    oracle_errors: np.ndarray


@dataclass(frozen=True, eq=False)
class Small:
    """The enumerated network: every number exact up to rounding."""

    target: tm.MarkovChain
    network: Tabulated
    causal: np.ndarray  # log p_AR(x), all V^L sequences in the order of lattice.sequences
    causal_laws: np.ndarray  # (sequences, L, V): p_AR(x_i | x_<i)
    largest: float  # epsilon_learning of the theorems
    mean: float  # all pairs (T, i) alike
    sampled_largest: float  # what 200 sequences at each fraction would have reported as the maximum
    steps: np.ndarray
    oracle_kl: np.ndarray  # trajectory KL per sequence, nats
    network_kl: np.ndarray
    oracle_error: np.ndarray
    network_error: np.ndarray
    budget: float  # TC + DTC
    variance: dict[str, dict[str, float]]  # oracle, network, estimated: pattern, rate, data
    methods: dict[str, dict[str, float]]  # variance per network call of ways to draw masks: oracle, network


@dataclass(frozen=True, eq=False)
class Results:
    profile: str
    environment: dict[str, str]
    small: Small
    languages: tuple[Language, ...]
    policies: Policies
    confidence: float = CONFIDENCE


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


def languages(length: int) -> dict[str, object]:
    return {
        "2-gram (chain A)": tm.MarkovChain(CHAIN_A, length),
        "3-gram": tm.NGram(three_gram(), length),
        "HMM, 4 states": tm.HMM(*HMM_RING, length),
    }


def results(profile: str, rng: np.random.Generator, device: str = "auto") -> Results:
    """Train and judge everything once. profile: smoke | full | gpu."""
    if profile not in PLANS:
        raise ValueError(f"profile = {profile!r}, allowed: {', '.join(PLANS)}")
    plan, place = PLANS[profile], medium.resolve("cuda" if profile == "gpu" else device)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        small = small_network(plan, rng)
        judged, policies = [], None
        for name, target in languages(plan.length).items():
            network, causal, losses = train_twins(target, plan, seed_of(rng), place)
            judged.append(judge(name, target, network, causal, losses, plan, rng))
            if policies is None:
                policies = compare_policies(target, network, plan, rng)
    finally:
        torch.set_num_threads(threads)
    return Results(profile, medium.describe(place), small, tuple(judged), policies)


def seed_of(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31))


def train_twins(target, plan: Plan, seed: int, device: torch.device):
    """The masked model and its causal twin: the same width, layers, data and number of steps."""
    options = medium.TrainOptions(steps=plan.steps, batch=plan.batch, bf16=plan.bf16)
    make = partial(medium.stream, target)
    shape = {"width": plan.width, "layers": plan.layers, "heads": max(2, plan.width // 64)}
    both = [
        medium.train(
            medium.Config(target.vocab_size, target.length, causal=causal, **shape), make, options, seed, device
        )
        for causal in (False, True)
    ]
    return medium.Network(both[0].model), both[1].model, np.array(both[0].losses)


def judge(name: str, target, network: medium.Network, causal, losses, plan: Plan, rng) -> Language:
    device = network.device
    generator = torch.Generator(device=device).manual_seed(seed_of(rng))
    x = torch.as_tensor(target.sample(plan.judged, rng), device=device)
    oracle = medium.Oracle(target, device)
    learning = medium.learning_error(target, network, x, FRACTIONS, generator, CONFIDENCE)
    path = medium.path_cost(target, network, x, plan.grid, rng, CONFIDENCE)
    written = [medium.sample(network, uniform(n), plan.written, generator) for n in plan.grid]
    scores = [medium.generative_cross_entropy(target, w, rng, CONFIDENCE) for w in written]
    ancestral = medium.sample_left_to_right(causal, plan.written, generator)
    excess = causal_excess(target, causal, x)
    return Language(
        name,
        target.length,
        target.vocab_size,
        network.model.parameter_count(),
        losses,
        learning,
        path,
        oracle_path(target, oracle, plan, rng),
        as_curve(plan.grid, [medium.sequence_error(target, w, CONFIDENCE) for w in written]),
        oracle_errors(target, oracle, plan, generator),
        *excess,
        as_curve([target.length], [medium.sequence_error(target, ancestral, CONFIDENCE)]),
        np.array([float(s.possible.value[0]) for s in scores]),
        float(scores[0].floor.value[0]),
    )


def as_curve(steps, estimates) -> Curve:
    return Curve(
        np.asarray(steps), *(np.array([float(getattr(e, k)) for e in estimates]) for k in ("value", "low", "high"))
    )


def oracle_path(target, oracle: medium.Oracle, plan: Plan, rng) -> Curve:
    """Token error of the oracle, nats per token.

    Chains: exact, from the information curve. HMMs, full profile: certified enclosure. 3-grams: sampled, H(q) exact.
    """
    steps, length = np.array(plan.grid), target.length
    if isinstance(target, tm.MarkovChain):
        g = tm.information_curve(target)
        value = np.array([curve_kl(g, uniform(n)) for n in plan.grid]) / length
        return Curve(steps, value, value, value)
    if isinstance(target, tm.NGram):
        found = tm.estimate_uniform_kl(target, plan.grid, plan.oracle_written // 2, rng, CONFIDENCE)
        return Curve(steps, *(part / length for part in (found.value, found.low, found.high)))
    if plan is PLANS["full"]:
        ends = [tm.trajectory_kl_bounds(target, uniform(n).weights, 0.003 * length) for n in plan.grid]
        low, high = np.array(ends).T / length
        return Curve(steps, (low + high) / 2, low, high)
    x = torch.as_tensor(target.sample(plan.oracle_written // 4, rng), device=oracle.device)
    replayed = medium.path_cost(target, oracle, x, plan.grid, rng, CONFIDENCE).total
    return Curve(steps, replayed.value, replayed.low, replayed.high)


def oracle_errors(target, oracle: medium.Oracle, plan: Plan, generator: torch.Generator) -> Curve:
    """SER of the oracle: exact for chains (gap recursion), else sampled."""
    steps = np.array(plan.grid)
    if isinstance(target, tm.MarkovChain):
        table = tm.sequence_error_table(target, max(plan.grid), [target.length]).error[steps - 1, 0]
        return Curve(steps, table, table, table)
    runs = [medium.sample(oracle, uniform(n), plan.oracle_written, generator) for n in plan.grid]
    return as_curve(plan.grid, [medium.sequence_error(target, w, CONFIDENCE) for w in runs])


def causal_excess(target, model, x: torch.Tensor) -> tuple[float, float, float]:
    """KL(q || p_AR)/L and its interval: mean over x ~ q of sum_i KL(q(.|x_<i) || p(.|x_<i)), exact given x."""
    from toy_models.medium.judge import divergence, student_interval

    with torch.no_grad():
        p = torch.softmax(model(x).double(), dim=-1)
    total = torch.zeros(len(x), dtype=torch.float64, device=x.device)
    position = torch.arange(x.shape[1], device=x.device)
    for i in range(x.shape[1]):
        q = medium.marginals(target, torch.where(position < i, x, tm.MASK), x.device)
        total += divergence(q[:, i], p[:, i])
    found = student_interval((total / x.shape[1])[:, None].cpu().numpy(), CONFIDENCE)
    return float(found.value[0]), float(found.low[0]), float(found.high[0])


def compare_policies(target, network: medium.Network, plan: Plan, rng: np.random.Generator) -> Policies:
    """Calls and SER of adaptive rules and of the optimal schedule with N = L/4 steps."""
    generator = torch.Generator(device=network.device).manual_seed(seed_of(rng))
    few = max(2, target.length // 4)
    rules = {
        f"uniform, N = {few}": uniform(few),
        f"optimal schedule, N = {few}": tm.IndependentReveal(tm.optimal_weights(target, few)),
        "top-2 confidence": tm.TopK(2),
        "top-4 confidence": tm.TopK(4),
        "EB, γ = 0.1": tm.EntropyBounded(0.1),
        "EB, γ = 0.7": tm.EntropyBounded(0.7),
        "EB, γ = 1.1": tm.EntropyBounded(1.1),
        "EB, γ = 1.5": tm.EntropyBounded(1.5),
        "one by one": tm.RandomOrder((1,) * target.length),
        "halving": tm.bisection(target.length),
    }
    oracle = medium.Oracle(target, network.device)
    by_network = [medium.sample(network, rule, plan.written, generator) for rule in rules.values()]
    by_oracle = [medium.sample(oracle, rule, plan.oracle_written, generator) for rule in rules.values()]
    return Policies(
        tuple(rules),
        np.array([float(w.calls.double().mean()) for w in by_network]),
        as_curve(range(len(rules)), [medium.sequence_error(target, w, CONFIDENCE) for w in by_network]),
        np.array([float(w.calls[~w.impossible].double().mean()) for w in by_oracle]),
        np.array([float(medium.sequence_error(target, w, CONFIDENCE).value) for w in by_oracle]),
    )


def small_network(plan: Plan, rng: np.random.Generator) -> Small:
    """Chain A at L = 6: the network and its twin on all contexts, then every quantity by the exact routes."""
    target, device = tm.MarkovChain(CHAIN_A, 6), torch.device("cpu")
    options = medium.TrainOptions(steps=plan.small_steps, batch=min(128, 2 * plan.batch))
    make, seed, shape = partial(medium.stream, target), seed_of(rng), {"width": plan.small_width}
    trained = [
        medium.train(medium.Config(3, 6, causal=causal, **shape), make, options, seed, device).model
        for causal in (False, True)
    ]
    live = medium.Network(trained[0])
    network = medium.tabulate(live)
    x = lattice.sequences(3, 6)
    with torch.no_grad():
        logs = torch.log_softmax(trained[1](torch.as_tensor(x)).double(), dim=-1).numpy()
    steps = np.array([1, 2, 3, 4, 6, 8, 12, 24])
    rules = [uniform(int(n)) for n in steps]
    generator = torch.Generator().manual_seed(seed_of(rng))
    seen = torch.as_tensor(target.sample(200, rng))
    return Small(
        target,
        network,
        np.take_along_axis(logs, x[:, :, None], axis=2)[:, :, 0].sum(axis=1),
        np.exp(logs),
        tm.learning_error(target, network, "max"),
        tm.learning_error(target, network, "mean"),
        float(medium.learning_error(target, live, seen, FRACTIONS, generator).largest.max()),
        steps,
        np.array([tm.trajectory_kl(target, rule) for rule in rules]),
        np.array([tm.trajectory_kl(target, rule, network) for rule in rules]),
        np.array([tm.sequence_error(target, rule) for rule in rules]),
        np.array([tm.sequence_error(target, rule, network) for rule in rules]),
        tm.total_correlation(target) + tm.dual_total_correlation(target),
        *variance_parts(target, network, live, plan, rng),
    )


def variance_parts(target, network: Tabulated, live: medium.Network, plan: Plan, rng) -> tuple[dict, dict]:
    """A, B, C of the loss S/k, k uniform on 1..L: oracle and network exactly, the network also from samples.

    Second, at equal compute: the total variance times the network calls of a draw. "optimal sizes" is P-POTS on mask
    counts, made for the oracle or for the network itself.
    """
    from toy_models.variance.decomposition import optimal_size_weights, size_decomposition
    from toy_models.variance.loss_moments import loss_moments

    parts, methods = {}, {}
    for name, denoiser in (("oracle", None), ("network", network)):
        moments = loss_moments(target, denoiser, pairs=True).average
        uniform_sizes = size_decomposition(moments)
        best = optimal_size_weights(moments)
        parts[name] = {k: getattr(uniform_sizes, k) for k in ("pattern", "rate", "data")}
        for label, weights, masks in (
            ("uniform sizes", None, "single"),
            ("optimal sizes (P-POTS)", best, "single"),
            ("two independent masks", None, "independent-pair"),
            ("MIRROR", None, "mirror"),
            ("MIRROR, optimal sizes", optimal_size_weights(moments, "mirror"), "mirror"),
        ):
            methods.setdefault(label, {})[name] = size_decomposition(moments, weights, masks).per_call
    x = torch.as_tensor(target.sample(16 * plan.judged, rng))
    generator = torch.Generator().manual_seed(seed_of(rng))
    parts["estimated"] = medium.loss_decomposition(target, live, x, 2, generator)
    return parts, methods
