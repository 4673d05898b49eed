"""A network judged by the exact law it was trained on. Every sampled number carries its interval."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from toy_models.networks.sampling import Network, Oracle, Written
from toy_models.quantities import lattice
from toy_models.quantities.intervals import Estimate, clopper_pearson, student_interval
from toy_models.quantities.trajectory_kl import curve_kl
from toy_models.rules import IndependentReveal
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
    oracle, values, largest = Oracle(target, x.device), [], []
    for fraction in fractions:
        hidden = torch.rand(x.shape, generator=generator, device=x.device, dtype=torch.float64) < fraction
        one = torch.randint(x.shape[1], (len(x), 1), generator=generator, device=x.device)
        hidden = hidden.scatter(1, one, True)  # at least one masked token per row
        y = torch.where(hidden, MASK, x)
        kl = divergence(oracle.laws(y), denoiser.laws(y)).clamp(min=0.0)
        values.append((kl * hidden).sum(dim=1) / hidden.sum(dim=1))
        largest.append(float(kl[hidden].max()))
    table = torch.stack(values, dim=1).cpu().numpy()
    return LearningError(np.asarray(fractions, dtype=float), student_interval(table, confidence), np.array(largest))


@dataclass(frozen=True, eq=False)
class PathCurves:
    """Along one random order per sequence, with m tokens revealed: means over the positions still masked.

    exact[row, m]: entropy of the exact conditional, so that its mean over rows estimates the information curve g[m].
    learning[row, m]: KL of the exact conditional to the denoiser's, the learning error with m tokens revealed.
    """

    exact: Float[np.ndarray, "rows L"]
    learning: Float[np.ndarray, "rows L"]
    largest: Float[np.ndarray, " L"]  # the largest KL met with m tokens revealed
    entropy: float  # H(q)

    def learning_error(self, confidence: float = 0.99) -> LearningError:
        """The learning curve by mask fraction, 1/L first."""
        length = self.learning.shape[1]
        fraction = np.arange(1, length + 1) / length
        return LearningError(fraction, student_interval(self.learning[:, ::-1], confidence), self.largest[::-1])


def path_curves(target, denoiser: Network | Oracle, x: Int[Tensor, "size L"], generator: torch.Generator) -> PathCurves:
    """Both curves of every row of x ~ q: L calls of the oracle and of the denoiser."""
    oracle, (size, length) = Oracle(target, x.device), x.shape
    exact, learning = (torch.empty(size, length, dtype=torch.float64, device=x.device) for _ in range(2))
    largest = np.empty(length)
    noise = torch.rand(x.shape, generator=generator, device=x.device, dtype=torch.float64)
    rank = noise.argsort(dim=1).argsort(dim=1)
    for m in range(length):
        y = torch.where(rank < m, x, MASK)
        q = oracle.laws(y)
        kl = divergence(q, denoiser.laws(y)).clamp(min=0.0) * (rank >= m)
        exact[:, m] = -torch.xlogy(q, q).sum(dim=(1, 2)) / (length - m)  # revealed tokens are one-hot: entropy 0
        learning[:, m] = kl.sum(dim=1) / (length - m)
        largest[m] = float(kl.max())
    return PathCurves(exact.cpu().numpy(), learning.cpu().numpy(), largest, target.entropy())


@dataclass(frozen=True, eq=False)
class PathCost:
    """E_tau KL(q || p_theta,tau) / L at each number of steps of uniform independent reveal, nats per token.

    total = exact + learning. exact: total correlation of the steps, what the exact denoiser pays. learning: KL of each
    written token against the exact law in the same context.
    """

    steps: tuple[int, ...]
    total: Estimate
    exact: Estimate
    learning: Estimate


def path_cost(curves: PathCurves, steps, confidence: float = 0.99) -> PathCost:
    """Every number of steps from the same curves: both parts are linear in them, as trajectory_kl is in g.

    With h the Bernstein form, exact = sum_j Delta_j h(a_j) - sum_m g[m]/L and learning = sum_j Delta_j h(a_j).
    Steps are averaged out exactly. The sum of a row of `exact` has mean H(q), which is known: a control variate.
    """
    length = curves.exact.shape[1]
    excess = np.array([[curve_kl(unit, independent_uniform(n)) for n in steps] for unit in np.eye(length)]) / length
    exact, learning = curves.exact @ excess, curves.learning @ (excess + 1.0 / length)
    control = curves.exact.sum(axis=1) - curves.entropy
    parts = (regressed(values, control, confidence) for values in (exact + learning, exact, learning))
    return PathCost(tuple(steps), *parts)


def regressed(values: Float[np.ndarray, "n k"], control: Float[np.ndarray, " n"], confidence: float = 0.99) -> Estimate:
    """Mean of `values` by regression on a control variate of mean zero; Student's interval of the residuals,
    asymptotic in n."""
    centred = control - control.mean()
    spread = float(centred @ centred)
    slope = centred @ values / spread if spread > 0 else np.zeros(values.shape[1])
    return student_interval(values - np.outer(control, slope), confidence)


def independent_uniform(steps: int) -> IndependentReveal:
    return IndependentReveal([1.0 / steps] * steps)


def sequence_error(target, written: Written, confidence: float = 0.99) -> Estimate:
    """Share of written sequences outside the support of q (exact test), with its Clopper-Pearson interval."""
    size = positive_int("size", len(written.tokens))
    whole = ~written.impossible.cpu().numpy()
    log_prob = target.log_prob(written.tokens.cpu().numpy()[whole])
    wrong = int((~whole).sum() + np.isneginf(log_prob).sum())
    return clopper_pearson(wrong, size, confidence)


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
    """All marginals of a small denoiser. IntractableError beyond the limits of toy_models.quantities.lattice."""
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
