"""EB-Sampler: reveal as many positions as an entropy bound allows (Ben-Hamu et al. 2025, arXiv 2505.24857)."""

from dataclasses import dataclass

import numpy as np

from toy_models.rules.proxies import (
    array_module,
    by_rank,
    check_marginals,
    check_proxy,
    easiest_first,
    entropies,
    keep_ranks,
    rounding,
)


@dataclass(frozen=True)
class EntropyBounded:
    """Reveal the longest prefix U, in proxy order, with sum_U H - max_U H <= gamma (Ben-Hamu et al. 2025, eq. 2, 9).

    The excess B_k = sum of the first k entropies minus their maximum never decreases, so the prefix is found by
    counting. It always holds one token, and tokens of entropy exactly zero ride along, also at gamma = 0. With exact
    marginals one step costs at most gamma nats of total correlation. gamma in nats; inf reveals everything. An excess
    that equals gamma up to rounding fits: the entropy of K equal probabilities need not round to the float log K.

    >>> p = np.array([[[0.99, 0.01], [0.98, 0.02], [0.5, 0.5]]])
    >>> tm.EntropyBounded(0.1).select(p, np.ones((1, 3), dtype=bool)).tolist()
    [[True, True, False]]
    """

    gamma: float
    proxy: str = "entropy"

    def __post_init__(self):
        check_proxy(self.proxy)
        if not self.gamma >= 0:
            raise ValueError(f"gamma = {self.gamma}, it must be a number >= 0 (in nats)")

    def select(self, marginals, masked):
        return longest_prefix(marginals, masked, self.proxy, prefix_excess, self.gamma)


def longest_prefix(marginals, masked, proxy: str, cost, budget: float):
    """The longest prefix in proxy order whose cost, a sum over entropies by rank, is at most budget; one at least."""
    masked = check_marginals(marginals, masked)
    h = entropies(marginals)
    order = easiest_first(marginals, masked, proxy)
    fits = cost(by_rank(h, order)) <= budget * (1.0 + rounding(h))
    fits[:, 0] = True
    return keep_ranks(order, fits, masked)


def prefix_excess(h):
    """B_k = h_1 + ... + h_k - max(h_1, ..., h_k) along axis 1 of (batch, L), row by row.

    Summed as B_{k+1} = B_k + min(h_{k+1}, max_{j<=k} h_j): no subtraction, so B_1 = 0 and B never decreases in floats.

    >>> tm.rules.prefix_excess(np.array([[0.5, 1.0, 2.0]])).tolist()  # sum - max
    [[0.0, 0.5, 1.5]]
    """
    if array_module(h) is np:
        increments = np.minimum(h[:, 1:], np.maximum.accumulate(h, axis=1)[:, :-1])
        return np.concatenate([np.zeros_like(h[:, :1]), np.cumsum(increments, axis=1)], axis=1)
    torch = array_module(h)
    increments = torch.minimum(h[:, 1:], h.cummax(dim=1).values[:, :-1])
    return torch.cat([torch.zeros_like(h[:, :1]), increments.cumsum(dim=1)], dim=1)
