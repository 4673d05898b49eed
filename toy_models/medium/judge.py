"""A network judged by the exact law it was trained on. Every sampled number carries its interval."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.stats import beta
from scipy.stats import t as student
from torch import Tensor

from toy_models import lattice
from toy_models.information import Estimate
from toy_models.medium.posterior import marginals
from toy_models.medium.sampling import Network, Oracle, Written
from toy_models.validation import MASK, positive_int


@dataclass(frozen=True, eq=False)
class LearningError:
    """KL(q(x_i | revealed) || p_theta(x_i | revealed)) by mask fraction, nats per token.

    `mean` averages over contexts x ~ q with each token masked with the given probability, and over masked positions;
    `largest` is the maximum over those contexts: a lower bound on the epsilon_learning of the theorems.
    """

    fraction: Float[np.ndarray, " fractions"]
    mean: Estimate
    largest: Float[np.ndarray, " fractions"]

    @property
    def overall(self) -> float:
        return float(self.mean.value.mean())


def divergence(q: Float[Tensor, "*shape V"], p: Float[Tensor, "*shape V"]) -> Float[Tensor, "*shape"]:
    """sum over v of q log(q / p), 0 log 0 = 0; inf where p rules out what q allows."""
    return (torch.xlogy(q, q) - torch.xlogy(q, p)).sum(dim=-1)


def learning_error(
    target, denoiser: Network | Oracle, x: Int[Tensor, "size L"], fractions, generator: torch.Generator, confidence=0.99
) -> LearningError:
    """Exact KL on contexts revealed from the sequences `x`, drawn from q; Student intervals over sequences."""
    values, largest = [], []
    for fraction in fractions:
        hidden = torch.rand(x.shape, generator=generator, device=x.device, dtype=torch.float64) < fraction
        one = torch.randint(x.shape[1], (len(x), 1), generator=generator, device=x.device)
        hidden = hidden.scatter(1, one, True)  # at least one masked token per row
        y = torch.where(hidden, MASK, x)
        kl = divergence(marginals(target, y, x.device), denoiser.laws(y)).clamp(min=0.0)
        values.append((kl * hidden).sum(dim=1) / hidden.sum(dim=1))
        largest.append(float(kl[hidden].max()))
    table = torch.stack(values, dim=1).cpu().numpy()
    return LearningError(np.asarray(fractions, dtype=float), student_interval(table, confidence), np.array(largest))


def student_interval(values: Float[np.ndarray, "n k"], confidence: float = 0.99) -> Estimate:
    """Mean of independent rows with Student's interval, asymptotic in n."""
    n = len(values)
    mean = values.mean(axis=0)
    radius = student.ppf((1 + confidence) / 2, n - 1) * values.std(axis=0, ddof=1) / np.sqrt(n)
    return Estimate(mean, mean - radius, mean + radius, confidence)


@dataclass(frozen=True, eq=False)
class PathCost:
    """E over (x, order) of the two parts of KL(q || p_theta,tau) / L at each number of steps, nats per token.

    total = written - H(q)/L: the path negative ELBO beyond the entropy. learning: the part due to the network, exact KL
    of each written token against the oracle in the same context. The rest is the total correlation of the steps.
    """

    steps: tuple[int, ...]
    total: Estimate
    learning: Estimate
    largest: float  # the largest KL met on any context of any run


def path_cost(
    target, denoiser: Network | Oracle, x: Int[Tensor, "size L"], steps, rng: np.random.Generator, confidence=0.99
) -> PathCost:
    """Replay uniform independent reveal along x ~ q, every N on the same sequences.

    A token's loss is replaced by its mean under the exact conditional, and the entropy by -log q(x) of the same
    sequence: both leave the mean as it is and shorten the intervals.
    """
    length = target.length
    surprise = -target.log_prob(x.cpu().numpy())
    total, learning, largest = np.empty((len(x), len(steps))), np.empty((len(x), len(steps))), 0.0
    for column, n in enumerate(steps):
        plan = torch.as_tensor(rng.integers(n, size=tuple(x.shape)), device=x.device)
        cross = torch.zeros(len(x), dtype=torch.float64, device=x.device)
        extra = torch.zeros_like(cross)
        for j in range(n):
            now = plan == j
            rows = now.any(dim=1).nonzero()[:, 0]
            if len(rows) == 0:
                continue
            y = torch.where(plan[rows] < j, x[rows], MASK)
            q, p = marginals(target, y, x.device), denoiser.laws(y)
            kl = divergence(q, p).clamp(min=0.0) * now[rows]
            extra[rows] += kl.sum(dim=1)
            cross[rows] += kl.sum(dim=1) - (torch.xlogy(q, q).sum(dim=-1) * now[rows]).sum(dim=1)
            largest = max(largest, float(kl.max()))
        total[:, column] = (cross.cpu().numpy() - surprise) / length
        learning[:, column] = extra.cpu().numpy() / length
    return PathCost(tuple(steps), student_interval(total, confidence), student_interval(learning, confidence), largest)


def sequence_error(target, written: Written, confidence: float = 0.99) -> Estimate:
    """Share of written sequences outside the support of q (exact test), with its Clopper-Pearson interval."""
    size = positive_int("size", len(written.tokens))
    whole = ~written.impossible.cpu().numpy()
    log_prob = target.log_prob(written.tokens.cpu().numpy()[whole])
    wrong = int((~whole).sum() + np.isneginf(log_prob).sum())
    tail = (1 - confidence) / 2
    low = beta.ppf(tail, wrong, size - wrong + 1) if wrong else 0.0
    high = beta.ppf(1 - tail, wrong + 1, size - wrong) if wrong < size else 1.0
    return Estimate(np.asarray(wrong / size), np.asarray(low), np.asarray(high), confidence)


@dataclass(frozen=True, eq=False)
class Tabulated:
    """A denoiser as the table of its marginals on all (V+1)^L states: enumerated once, looked up afterwards."""

    table: Float[np.ndarray, "states L V"]

    @property
    def vocab_size(self) -> int:
        return self.table.shape[2]

    @property
    def length(self) -> int:
        return self.table.shape[1]

    def marginals(self, y: Int[np.ndarray, "batch L"], on_impossible: str = "raise") -> Float[np.ndarray, "batch L V"]:
        power = (self.vocab_size + 1) ** np.arange(self.length)[::-1]
        return self.table[(np.asarray(y) + 1) @ power]


def tabulate(denoiser) -> Tabulated:
    """All marginals of a small denoiser. IntractableError beyond the limits of toy_models.lattice."""
    lattice.require_lattice(denoiser.vocab_size, denoiser.length, "the marginals of a network on all states")
    return Tabulated(denoiser.marginals(lattice.states(denoiser.vocab_size, denoiser.length)))


@dataclass(frozen=True, eq=False)
class Generative:
    """Mean of -log q(x) / L over written sequences; inf as soon as one is impossible, `possible` is over the others."""

    value: float
    possible: Estimate
    floor: Estimate  # the same number of exact samples through the same estimator


def generative_cross_entropy(
    target, written: Written, rng: np.random.Generator, confidence: float = 0.99
) -> Generative:
    """What papers plot as generative perplexity (its logarithm per token), under the true law, with the noise floor."""
    whole = ~written.impossible.cpu().numpy()
    score = -target.log_prob(written.tokens.cpu().numpy()[whole]) / target.length
    kept = score[np.isfinite(score)]
    every = len(kept) == len(written.tokens)
    exact = -target.log_prob(target.sample(max(len(written.tokens), 2), rng)) / target.length
    possible = student_interval(kept[:, None], confidence) if len(kept) > 1 else None
    if possible is None:
        nan = np.array([np.nan])
        possible = Estimate(nan, nan, nan, confidence)
    value = float(kept.mean()) if every else float("inf")
    return Generative(value, possible, student_interval(exact[:, None], confidence))


def loss_decomposition(
    target, denoiser: Network, x: Int[Tensor, "size L"], masks: int, generator: torch.Generator
) -> dict[str, float]:
    """Unbiased sample estimates of A, B, C of l = S/k, k uniform on 1..L, M uniform of size k (variance.py).

    Each sequence gets every size k with `masks` independent sets. v = Var(l | x, k), g = E[l | x, k]:
    A = E v, B = E_x Var_k g, C = Var_x E_k g; means over `masks` carry v/masks, which is subtracted.
    """
    size, length = x.shape
    positive_int("masks", masks, 2)
    loss = torch.empty(size, length, masks, dtype=torch.float64, device=x.device)
    for k in range(1, length + 1):
        for m in range(masks):
            u = torch.rand(x.shape, generator=generator, device=x.device, dtype=torch.float64)
            hidden = u.argsort(dim=1).argsort(dim=1) < k
            p = denoiser.laws(torch.where(hidden, MASK, x)).gather(2, x[:, :, None])[:, :, 0]
            loss[:, k - 1, m] = -(torch.log(p) * hidden).sum(dim=1) / k
    v = loss.var(dim=2)
    g = loss.mean(dim=2)
    rate = g.var(dim=1, correction=0) - (1 - 1 / length) * v.mean(dim=1) / masks
    over_sizes = g.mean(dim=1)
    data = over_sizes.var() - v.mean() / (masks * length)
    return {"pattern": float(v.mean()), "rate": float(rate.mean()), "data": float(data)}
