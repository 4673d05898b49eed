"""Moments of the loss of a long network from sampled masks, for the variance formulas where nothing is enumerable.

For x ~ q and every size k = 1..L three masks are drawn: A and B uniform of size k and independent, and the mirror of A,
which overlaps A as little as two sets of size k can. With S = S(x, M), all estimates are unbiased:
    E[S^2 | k]   by the mean of (S_A^2 + S_B^2)/2
    E_x g_k^2    by the mean of S_A S_B
    E_x g_j g_k  by the mean of G_j G_k, G = (S_A + S_B)/2, j and k different
and S_A S_mirror for the pairs of MIRROR. variance.decomposition turns them into A, B and C of any law of sizes.
"""

from collections.abc import Iterable
from math import comb

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from toy_models.quantities.intervals import Estimate, student_interval
from toy_models.validation import MASK, positive_int
from toy_models.variance.decomposition import VarianceDecomposition, optimal_size_weights, size_decomposition
from toy_models.variance.loss_moments import Moments

WAYS = {  # label -> (sizes drawn from their law of least variance, masks of one draw)
    "uniform sizes": (False, "single"),
    "optimal sizes (P-POTS)": (True, "single"),
    "two independent masks": (False, "independent-pair"),
    "MIRROR": (False, "mirror"),
    "MIRROR, optimal sizes": (True, "mirror"),
}


def sampled_losses(denoiser, x: Int[Tensor, "size L"], generator: torch.Generator) -> Float[np.ndarray, "masks size L"]:
    """S(x, M) for the three masks (A, B, mirror of A) of every row and every size; entry [., row, k - 1]. 3 L calls."""
    length = x.shape[1]
    found = torch.empty(3, *x.shape, dtype=torch.float64, device=x.device)
    for k in range(1, length + 1):
        first, second = (
            torch.rand(x.shape, generator=generator, device=x.device, dtype=torch.float64).argsort(1).argsort(1)
            for _ in range(2)
        )
        for m, hidden in enumerate((first < k, second < k, first >= length - k)):
            law = denoiser.laws(torch.where(hidden, MASK, x)).gather(2, x[:, :, None])[:, :, 0]
            found[m, :, k - 1] = -torch.where(hidden, torch.log(law), 0.0).sum(dim=1)
    return found.cpu().numpy()


def sampled_moments(losses: Float[np.ndarray, "masks size L"]) -> Moments:
    """Unbiased estimates of the moments by mask size, in the sums over masks that variance.decomposition reads."""
    _, size, length = losses.shape
    positive_int("size", size, 2)
    first, second, mirrored = losses
    ways = np.array([float(comb(length, k)) for k in range(1, length + 1)])
    g = (first + second) / 2
    gram = g.T @ g / size
    np.fill_diagonal(gram, (first * second).mean(axis=0))
    # Var over x of g, unbiased: the covariance of g, less the noise of two masks on its diagonal
    centred = np.cov(g.T, ddof=1)
    centred[np.diag_indices(length)] -= ((first - second) ** 2).mean(axis=0) / 4
    pairs = (first * mirrored).mean(axis=0)
    disjoint, covering = np.zeros((length + 1, length + 1)), np.zeros((length + 1, length + 1))
    for k in range(1, length + 1):
        part = min(k, length - k)
        table = disjoint if 2 * k <= length else covering
        table[part, part] = pairs[k - 1] * float(comb(length, part) * comb(length - part, part))
    outer = np.outer(ways, ways)
    return Moments(
        length,
        padded(ways * (first**2 + second**2).mean(axis=0) / 2),
        padded(gram * outer),
        padded((gram - centred) * outer),
        padded(centred * outer),
        disjoint,
        covering,
    )


def padded(array: np.ndarray) -> np.ndarray:
    """A leading zero for size 0 along every axis."""
    return np.pad(array, [(1, 0)] * array.ndim)


def noise_by_method(
    losses: Float[np.ndarray, "masks size L"], groups: int = 8, confidence: float = 0.99
) -> tuple[dict[str, Estimate], dict[str, Estimate]]:
    """(A, B, C of the loss S/k at uniform sizes; variance per network call of each of WAYS), nats^2 per token^2.

    The rows are split into `groups`; the interval is Student's over the groups' unbiased values. The laws of least
    variance are computed from all rows at once: "the best sizes for this network", not tuned group by group.
    """
    whole = sampled_moments(losses)
    weights = {masks: optimal_size_weights(whole, masks) for masks in ("single", "mirror")}
    parts: list[list[float]] = []
    methods: list[list[float]] = []
    for rows in np.array_split(np.arange(losses.shape[1]), groups):
        moments = sampled_moments(losses[:, rows])
        plain = size_decomposition(moments)
        parts.append([plain.pattern, plain.rate, plain.data])
        methods.append([by_method(moments, weights, name).per_call for name in WAYS])
    spans = [student_interval(np.array(values), confidence) for values in (parts, methods)]
    return _by_name(("pattern", "rate", "data"), spans[0]), _by_name(WAYS, spans[1])


def _by_name(names: Iterable[str], spans: Estimate) -> dict[str, Estimate]:
    """One estimate per name from the estimates of a vector."""
    return {
        name: Estimate(
            np.asarray(spans.value[k]), np.asarray(spans.low[k]), np.asarray(spans.high[k]), spans.confidence
        )
        for k, name in enumerate(names)
    }


def by_method(moments: Moments, weights: dict[str, Float[np.ndarray, " L"]], name: str) -> VarianceDecomposition:
    """The decomposition of one of WAYS; `weights` holds the laws of sizes of least variance."""
    optimal, masks = WAYS[name]
    return size_decomposition(moments, weights[masks] if optimal else None, masks)
