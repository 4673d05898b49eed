"""Chain A at L = 6: a network and its causal twin evaluated on all contexts, so that every number is exact."""

from dataclasses import dataclass
from functools import partial
from math import comb

import numpy as np
import torch

import toy_models as tm
from theory.networks.languages import seed_of
from theory.networks.plans import FRACTIONS, Plan
from theory.perplexity.results import CHAIN_A, uniform
from toy_models import networks
from toy_models.networks.judge import Tabulated
from toy_models.networks.noise import WAYS, by_method
from toy_models.quantities import lattice
from toy_models.quantities.intervals import Estimate
from toy_models.variance.decomposition import optimal_size_weights, size_decomposition
from toy_models.variance.loss_moments import loss_moments


@dataclass(frozen=True, eq=False)
class Small:
    """The enumerated network: every number exact up to rounding."""

    target: tm.MarkovChain
    network: Tabulated
    causal: np.ndarray  # log p_AR(x), all V^L sequences in the order of lattice.sequences
    causal_laws: np.ndarray  # (sequences, L, V): p_AR(x_i | x_<i)
    model: networks.Transformer  # the live network of the table, in float32
    causal_model: networks.Transformer
    largest: float  # epsilon_learning of the theorems
    mean: float  # all pairs (T, i) alike
    sampled_largest: float  # what 200 sequences at each fraction would have reported as the maximum
    steps: np.ndarray
    oracle_kl: np.ndarray  # trajectory KL per sequence, nats
    network_kl: np.ndarray
    oracle_error: np.ndarray
    network_error: np.ndarray
    budget: float  # TC + DTC
    variance: dict[str, dict[str, float]]  # oracle, network: pattern, rate, data of the loss S/k at uniform sizes
    methods: dict[str, dict[str, float]]  # variance per network call of ways to draw masks: oracle, network
    sampled_variance: dict[str, Estimate]  # the network's three parts from sampled masks
    sampled_methods: dict[str, Estimate]


def small_network(plan: Plan, rng: np.random.Generator) -> Small:
    """Train, then every quantity by the exact routes; the variance also as a long network's is estimated."""
    target, device = tm.MarkovChain(CHAIN_A, 6), torch.device("cpu")
    options = networks.TrainOptions(steps=plan.small_steps, batch=128 if plan.small_steps > 100 else 64)
    make, seed, width = partial(networks.stream, target), seed_of(rng), plan.small_width
    masked, causal = (
        networks.train(networks.Config(3, 6, width=width, causal=causal), make, options, seed, device).model
        for causal in (False, True)
    )
    live = networks.Network(masked)
    network = networks.tabulate(live)
    x = lattice.sequences(3, 6)
    with torch.no_grad():
        logs = torch.log_softmax(causal(torch.as_tensor(x)).double(), dim=-1).numpy()
    steps = np.array([1, 2, 3, 4, 6, 8, 12, 24])
    rules = [uniform(int(n)) for n in steps]
    generator = torch.Generator().manual_seed(seed_of(rng))
    seen = torch.as_tensor(target.sample(200, rng))
    noisy = torch.as_tensor(target.sample(16 * plan.noisy, rng))
    variance, methods = variance_parts(target, network)
    return Small(
        target,
        network,
        np.take_along_axis(logs, x[:, :, None], axis=2)[:, :, 0].sum(axis=1),
        np.exp(logs),
        masked,
        causal,
        tm.learning_error(target, network, "max"),
        tm.learning_error(target, network, "mean"),
        float(networks.learning_error(target, live, seen, FRACTIONS, generator).largest.max()),
        steps,
        np.array([tm.trajectory_kl(target, rule) for rule in rules]),
        np.array([tm.trajectory_kl(target, rule, network) for rule in rules]),
        np.array([tm.sequence_error(target, rule) for rule in rules]),
        np.array([tm.sequence_error(target, rule, network) for rule in rules]),
        tm.total_correlation(target) + tm.dual_total_correlation(target),
        variance,
        methods,
        *networks.noise_by_method(networks.sampled_losses(live, noisy, generator)),
    )


def variance_parts(target, network: Tabulated) -> tuple[dict, dict]:
    """A, B, C of the loss S/k, k uniform on 1..L; and at equal compute the total variance times the calls of a draw.

    "optimal sizes" is P-POTS on mask counts, made for the oracle or for the network itself.
    """
    parts, methods = {}, {name: {} for name in WAYS}
    for kind, denoiser in (("oracle", None), ("network", network)):
        moments = loss_moments(target, denoiser, pairs=True).average
        weights = {masks: optimal_size_weights(moments, masks) for masks in ("single", "mirror")}
        plain = size_decomposition(moments)
        parts[kind] = {k: getattr(plain, k) for k in ("pattern", "rate", "data")}
        for name, row in methods.items():
            row[kind] = by_method(moments, weights, name).per_call
    return parts, methods


def context_divergences(small: Small) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(revealed sets T, q(x_T), KL(q(.|x_T) || p(.|x_T)) at each position) over all states."""
    states = lattice.states(3, 6)
    q, p = lattice.state_marginals(small.target), small.network.table
    with np.errstate(divide="ignore", invalid="ignore"):
        kl = np.where(q > 0, q * np.log(q / p), 0.0).sum(axis=2)
    return states != tm.MASK, lattice.state_probabilities(small.target), kl


def open_costs(small: Small) -> tuple[np.ndarray, np.ndarray]:
    """(revealed sets T, q(x_T) KL at each open position, 0 where revealed or impossible) over all states."""
    revealed, weight, kl = context_divergences(small)
    return revealed, np.where(revealed | (weight == 0)[:, None], 0.0, kl * weight[:, None])


def learning_curve(small: Small) -> np.ndarray:
    """epsilon[m]: the mean over sets T of m positions, i outside T and x_T ~ q of KL(q(.|x_T) || p(.|x_T))."""
    revealed, cost = open_costs(small)
    count, open_cost = revealed.sum(axis=1), cost.sum(axis=1)
    return np.array([open_cost[count == m].sum() / (comb(6, m) * (6 - m)) for m in range(6)])


def enumerated_curves(target, network: Tabulated) -> tuple[np.ndarray, np.ndarray]:
    """(c[m], e[m]): means over sets T of m positions, i outside T and x ~ q of -log p(x_i | x_T) and H(p(. | x_T))."""
    length, vocab = target.length, target.vocab_size
    states, weight = lattice.states(vocab, length), lattice.state_probabilities(target)
    q, p = lattice.state_marginals(target), network.table
    possible = np.flatnonzero(weight > 0)
    hidden = states[possible] == tm.MASK
    logs = np.log(np.where(p[possible] > 0, p[possible], 1.0))
    loss, own = (-(law[possible] * logs).sum(axis=2) * hidden for law in (q, p))
    count = length - hidden.sum(axis=1)
    curves = []
    for value in (loss, own):
        cost = value.sum(axis=1) * weight[possible]
        curves.append(np.array([cost[count == m].sum() / (comb(length, m) * (length - m)) for m in range(length)]))
    return curves[0], curves[1]
