"""The law that is written against the law of text and order: exact curves on languages small enough to sum over."""

from dataclasses import dataclass
from math import ceil, log

import numpy as np
from scipy.special import logsumexp

import toy_models as tm
from theory.perplexity.expansion import chain_psi, possible_texts, written_kl
from toy_models.schedules.optimal import weights_cost
from toy_models.targets.block_codes import code_block_kl


@dataclass(frozen=True, eq=False)
class Written:
    """KL(q || p)/L of the written law of one language under the uniform schedule: the excess log TER."""

    language: str
    length: int
    steps: tuple[int, ...]
    excess: np.ndarray


@dataclass(frozen=True, eq=False)
class Dichotomy:
    """Growth with the length, KL_L - KL_(L-1), so the ends of the text drop out, and what it tends to."""

    language: str
    length: int
    steps: np.ndarray
    trajectory: np.ndarray  # of E_tau KL(q || p_tau)
    written: np.ndarray  # of KL(q || p)
    order: int  # 1: N KL -> limit, 2: N^2 KL -> limit
    limit: float  # kappa_L - kappa_(L-1) for order 1, half the growth of Var psi for order 2


@dataclass(frozen=True, eq=False)
class StepCounts:
    """Slots asked for and enough for an excess log TER of 4 epsilon log |V| on one vocabulary."""

    vocab_size: int
    epsilon: np.ndarray
    published: np.ndarray  # 1/epsilon^2, a 2-gram with constant one
    trajectory: np.ndarray  # ceil(1/(4 epsilon)), from E_tau KL
    written: np.ndarray  # 1 + ceil((1 + 1/log V)/(8 epsilon)), from KL(q || p)
    necessary: np.ndarray  # ceil(1/(8 epsilon)), over all vocabularies


def written_curves(languages: dict, steps: tuple[int, ...], full: bool) -> tuple[Written, ...]:
    """The languages of the collapse figure at the length where the written law is summed over all texts."""
    small = {"text 2-gram": 3 if full else 2, "chain A": 7, "slow binary chain": 10}
    curves = [
        Written(name, length, steps, np.array([written_kl(languages[name](length), n) / length for n in steps]))
        for name, length in small.items()
    ]
    length = 4096 if full else 256
    excess = np.array([repetition_kl(16, length, n) / length for n in steps])
    return (*curves, Written("repetition, K = 16", length, steps, excess))


def repetition_kl(K: int, length: int, steps: int) -> float:
    """-log P(valid) of K repeated words, uniform schedule: K sum_j [(1/(KN) + 1 - j/N)^L - (1 - j/N)^L]."""
    later = 1 - np.arange(1, steps + 1) / steps  # P(a token is written after step j)
    agree = 1 / (K * steps) + later
    log_terms = length * np.log(agree) + np.log1p(-((later / agree) ** length))
    return -float(np.log(K) + logsumexp(log_terms))


def dichotomy(language: str, make, length: int, steps: np.ndarray) -> Dichotomy:
    """Growth of both divergences from length L - 1 to L on a stationary chain, with the limit from psi."""
    trajectory, written, means, variances = [], [], [], []
    for size in (length - 1, length):
        chain = make(size)
        g = tm.information_curve(chain)
        trajectory.append([weights_cost(g, np.full(n, 1 / n)) for n in steps])
        written.append([written_kl(chain, int(n)) for n in steps])
        x, log_q = possible_texts(chain)
        q, psi = np.exp(log_q), chain_psi(chain, x)
        means.append(q @ psi)
        variances.append(q @ psi**2 - (q @ psi) ** 2)
    clashes = bool((make(length).transition == 0).any())  # kappa = 0 iff every transition is possible
    limit = means[0] - means[1] if clashes else (variances[1] - variances[0]) / 2
    of_paths, of_texts = (np.diff(np.array(rows), axis=0)[0] for rows in (trajectory, written))
    return Dichotomy(language, length, np.array(steps), of_paths, of_texts, 1 if clashes else 2, float(limit))


def enough_for_the_written_law(epsilon: float, vocab_size: int) -> int:
    """1 + ceil((1 + 1/log V)/(8 epsilon)) slots: KL(q || p)/L <= 4 epsilon log V + learning error, every language."""
    return 1 + ceil((1 + 1 / log(vocab_size)) / (8 * epsilon) - 1e-12)  # math.log takes integers of any size


def written_bound(drop: float, steps: int) -> float:
    """u/(2(N-1)) + log(N/(N-1)) - 1/(2(N-1)), u = h(0) - h(1), N >= 2: bounds KL(q || p)/L of the uniform schedule."""
    return drop / (2 * (steps - 1)) + np.log(steps / (steps - 1)) - 1 / (2 * (steps - 1))


def step_counts(vocab_size: int) -> StepCounts:
    epsilon = np.geomspace(0.002, 0.2, 200)
    enough = np.array([enough_for_the_written_law(e, vocab_size) for e in epsilon])
    return StepCounts(
        vocab_size,
        epsilon,
        np.ceil(1 / epsilon**2),
        np.ceil(1 / (4 * epsilon)),
        enough,
        np.ceil(1 / (8 * epsilon)),
    )


def nested_code_excess(m: int, K: int, steps: int) -> float:
    """KL(q || p) per token of the nested code language, |V| = K^(m-1)."""
    return code_block_kl(m, K, steps) / m
