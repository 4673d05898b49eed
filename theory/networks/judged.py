"""The sampled judge where everything is enumerated: chain A at L = 6, the small network and its causal twin.

Each entry is (what, estimate, exact value); the estimates are those of the long networks, at confidence 1 - 1e-6.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import comb

import numpy as np
import torch
from scipy.stats import chi2

import toy_models as tm
from theory.networks.languages import causal_excess, seed_of, three_gram
from theory.networks.small import Small
from theory.perplexity.results import uniform
from toy_models import networks
from toy_models.networks.data import draw
from toy_models.quantities import lattice
from toy_models.quantities.intervals import Estimate, student_interval
from toy_models.quantities.lattice import to_table

CONFIDENCE = 1 - 1e-6
FRACTIONS = (0.3, 0.7, 1.0)
RUNS = 4000
STEPS = (1, 3, 8)


@dataclass(frozen=True, eq=False)
class Judged:
    """entries: (what, low, value, high, exact). misfits: (what, chi-square statistic over its 1 - 1e-6 quantile)."""

    entries: tuple[tuple[str, float, float, float, float], ...]
    misfits: tuple[tuple[str, float], ...]
    facts: dict[str, bool]  # equalities without any noise


def judged(small: Small, learning: np.ndarray, rng: np.random.Generator) -> Judged:
    """Every estimator of the topic on the enumerated network; `learning` is its exact learning curve."""
    generator = torch.Generator().manual_seed(seed_of(rng))
    network, oracle = networks.Network(small.model), networks.Oracle(small.target, torch.device("cpu"))
    x = torch.as_tensor(small.target.sample(RUNS, rng))
    entries, facts = list(curves(small, learning, network, x, generator)), {}
    largest = networks.path_curves(small.target, network, x[:500], generator).largest
    facts["largest met <= maximum"] = bool(largest.max() <= small.largest * (1 + 1e-5))
    one_step = next(
        e for e in entries if e[0] == "of the oracle, N = 1"
    )  # L g[0] - H: the control variate knows all of it
    facts["no noise at N = 1"] = one_step[3] - one_step[1] < 1e-9
    facts["largest with nothing revealed"] = abs(largest[0] - first_largest(small)) < 1e-6
    misfits = []
    for n in STEPS:
        rule = uniform(n)
        runs = networks.sample(network, rule, RUNS, generator)
        entries += list(written(small, runs, rule, n, rng))
        misfits.append((f"law of the runs, N = {n}", misfit(runs.tokens, tm.sampler_law(small.network, rule).pmf)))
        facts[f"calls <= min(N, L), N = {n}"] = bool(runs.calls.max() <= min(n, 6)) and not runs.impossible.any()
    by_confidence = networks.sample(network, tm.TopK(2), RUNS, generator)
    facts["top-2: three calls"] = bool((by_confidence.calls == 3).all())
    misfits.append(("law of top-2", misfit(by_confidence.tokens, tm.sampler_law(small.network, tm.TopK(2)).pmf)))
    stopped, law = networks.sample(oracle, uniform(2), RUNS, generator), tm.sampler_law(small.target, uniform(2))
    entries.append(entry("stopped runs of the oracle, N = 2", share(stopped.impossible), law.impossible))
    found = networks.sequence_error(small.target, stopped, CONFIDENCE)
    entries.append(entry("SER of the oracle, N = 2", found, small.oracle_error[1]))
    calls = student_interval(stopped.calls.double().numpy()[:, None], CONFIDENCE)
    entries.append(entry("calls of the oracle, N = 2", calls, law.mean_steps))
    facts["a stopped run is no text"] = np.isinf(
        networks.generative_cross_entropy(small.target, stopped, rng, CONFIDENCE).value
    )
    again = torch.Generator()
    again.set_state(generator.get_state())
    left = networks.sample_left_to_right(small.causal_model, RUNS, generator)
    facts["a cache changes nothing"] = float((left.tokens == without_cache(small, again)).double().mean()) > 0.999
    facts["one-hot where revealed"] = one_hot_where_revealed(small.network.table)
    facts["left to right: L calls"] = bool((left.calls == 6).all())
    misfits.append(("law of the causal twin", misfit(left.tokens, np.exp(small.causal).reshape((3,) * 6))))
    value, low, high = causal_excess(small.target, small.causal_model, x)
    entries.append(("causal KL per token", low, value, high, causal_kl(small) / 6))
    for target in streamed():
        drawn = networks.stream(target, generator)(RUNS)
        misfits.append((f"stream, {type(target).__name__}", misfit(drawn, to_table(target).pmf)))
    exact = small.variance["network"] | {name: row["network"] for name, row in small.methods.items()}
    losses = networks.sampled_losses(network, x, generator)
    for found in networks.noise_by_method(losses, groups=64, confidence=CONFIDENCE):
        entries += [entry(f"variance, {name}", estimate, exact[name]) for name, estimate in found.items()]
    return Judged(tuple(entries), tuple(misfits), {what: bool(fact) for what, fact in facts.items()})


def curves(small: Small, learning: np.ndarray, network: networks.Network, x, generator) -> Iterator[tuple]:
    """Both curves, the cost at every N, and the learning error at mask fractions, which is h_eps(1 - f)."""
    found = networks.path_curves(small.target, network, x, generator)
    g = tm.information_curve(small.target)
    for name, rows, exact in (("entropy", found.exact, g), ("learning error", found.learning, learning)):
        estimate = student_interval(rows, CONFIDENCE)
        for m in range(6):
            yield entry(f"{name}, {m} revealed", estimate, exact[m], m)
    cost = networks.path_cost(found, small.steps.tolist(), CONFIDENCE)
    for k, n in enumerate(small.steps):
        yield entry(f"token error, N = {n}", cost.total, small.network_kl[k] / 6, k)
        yield entry(f"of the oracle, N = {n}", cost.exact, small.oracle_kl[k] / 6, k)
        yield entry(f"learning, N = {n}", cost.learning, (small.network_kl[k] - small.oracle_kl[k]) / 6, k)
    by_fraction = networks.learning_error(small.target, network, x, FRACTIONS, generator, CONFIDENCE)
    for k, f in enumerate(FRACTIONS):
        weights = [comb(5, m) * (1 - f) ** m * f ** (5 - m) for m in range(6)]
        yield entry(f"learning error, fraction {f}", by_fraction.mean, float(np.dot(weights, learning)), k)
    reversed_curve = found.learning_error(CONFIDENCE)
    yield entry("learning curve, all masked", reversed_curve.mean, learning[0], 5)


def written(small: Small, runs: networks.Written, rule, n: int, rng) -> Iterator[tuple]:
    """SER, calls and generative cross-entropy of runs of the network."""
    yield entry(
        f"SER, N = {n}",
        networks.sequence_error(small.target, runs, CONFIDENCE),
        tm.sequence_error(small.target, rule, small.network),
    )
    calls = student_interval(runs.calls.double().numpy()[:, None], CONFIDENCE)
    yield entry(f"calls, N = {n}", calls, n * (1 - (1 - 1 / n) ** 6))
    score = networks.generative_cross_entropy(small.target, runs, rng, CONFIDENCE)
    pmf = tm.sampler_law(small.network, rule).pmf.ravel()
    surprise = -small.target.log_prob(lattice.sequences(3, 6)) / 6
    possible = np.isfinite(surprise)
    mean = pmf[possible] @ surprise[possible] / pmf[possible].sum()
    yield entry(f"-log q of possible texts, N = {n}", score.possible, mean)
    yield entry(f"-log q of exact texts, N = {n}", score.floor, small.target.entropy() / 6)


def entry(what: str, estimate: Estimate, exact: float, k: int = 0) -> tuple[str, float, float, float, float]:
    low, value, high = (float(np.atleast_1d(part)[k]) for part in (estimate.low, estimate.value, estimate.high))
    return what, low, value, high, float(exact)


def share(flags: torch.Tensor) -> Estimate:
    return student_interval(flags.double().numpy()[:, None], CONFIDENCE)


def misfit(tokens: torch.Tensor, pmf: np.ndarray) -> float:
    """Pearson's statistic of the words against a law, rare words together, over its 1 - 1e-6 quantile; inf if a word
    of probability zero was written."""
    codes = np.asarray(np.ravel_multi_index(tokens.numpy().T, pmf.shape))
    counts, wanted = np.bincount(codes, minlength=pmf.size), pmf.ravel() * len(codes)
    if counts[wanted == 0].any():
        return float("inf")
    common = wanted >= 5
    counts, wanted = (np.append(v[common], v[~common].sum()) for v in (counts, wanted))
    counts, wanted = counts[wanted > 0], wanted[wanted > 0]
    return float(((counts - wanted) ** 2 / wanted).sum() / chi2.ppf(CONFIDENCE, max(1, len(wanted) - 1)))


def without_cache(small: Small, generator: torch.Generator) -> torch.Tensor:
    """Left to right with the same random numbers, the whole sequence read again for each token."""
    tokens = torch.zeros(RUNS, 6, dtype=torch.int64)
    with torch.no_grad():
        for i in range(6):
            law = torch.softmax(small.causal_model(tokens)[:, i].double(), dim=-1)
            tokens[:, i] = draw(law.cumsum(dim=-1), generator)
    return tokens


def one_hot_where_revealed(table: np.ndarray) -> bool:
    states = lattice.states(3, 6)
    row, position = np.nonzero(states >= 0)
    return bool((table[row, position] == np.eye(3)[states[row, position]]).all())


def first_largest(small: Small) -> float:
    """The largest KL with nothing revealed: all masked is the first state of the lattice."""
    q, p = lattice.state_marginals(small.target)[0], small.network.table[0]
    return float((q * np.log(q / p)).sum(axis=1).max())


def causal_kl(small: Small) -> float:
    log_q = small.target.log_prob(lattice.sequences(3, 6))
    seen = np.isfinite(log_q)
    return float(np.exp(log_q[seen]) @ (log_q - small.causal)[seen])


def streamed() -> list:
    """One language of each kind that has a stream."""
    rows = np.array([[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]])
    hidden = tm.HMM([0.2, 0.8], [[0.9, 0.1], [0.3, 0.7]], [[0.8, 0.2, 0.0], [0.0, 0.3, 0.7]], 3)
    return [
        tm.MarkovChain(rows, 4),
        tm.NGram(three_gram(), 4),
        hidden,
        tm.Blocks(tm.MarkovChain(rows, 2), 2),
        to_table(hidden),
        tm.zero_sum(3, 3),
    ]
