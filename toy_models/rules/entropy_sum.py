"""Entropy-sum decoding: reveal as long as the entropies revealed in one call stay within a budget."""

from dataclasses import dataclass

from toy_models.rules.entropy_bounded import longest_prefix
from toy_models.rules.proxies import check_proxy


@dataclass(frozen=True)
class EntropySum:
    """Reveal the longest prefix U, in proxy order, with sum_U H <= budget; at least one token. In nats.

    Cai and Li 2026 (arXiv 2603.22248, abstract): tokens are unmasked in a call until the cumulative entropy exceeds a
    threshold. The token that would exceed it waits here, unless it is the first. EB-Sampler leaves out the largest
    entropy of U; so EntropySum(b) reveals no more than EntropyBounded(b). A sum equal to the budget up to rounding
    fits.

    >>> p = np.array([[[0.99, 0.01], [0.98, 0.02], [0.5, 0.5]]])  # .056, .098, .693 nats
    >>> [tm.EntropySum(b).select(p, np.ones((1, 3), dtype=bool)).sum().item() for b in (0.1, 0.2, 0.9)]
    [1, 2, 3]
    """

    budget: float
    proxy: str = "entropy"

    def __post_init__(self):
        check_proxy(self.proxy)
        if not self.budget >= 0:
            raise ValueError(f"budget = {self.budget}, it must be a number >= 0 (in nats)")

    def select(self, marginals, masked):
        return longest_prefix(marginals, masked, self.proxy, lambda h: h.cumsum(1), self.budget)
