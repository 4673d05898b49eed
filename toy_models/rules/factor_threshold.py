"""How many confident tokens at once: the factor rule of Fast-dLLM and its Frechet form.

c_(1) >= c_(2) >= ... are the largest probabilities of the masked tokens. The argmax of the product of the marginals is
the argmax of every joint law with these marginals if sum_{i<=k} (1 - c_(i)) + (1 - c_(k)) < 1 (Frechet's bound: the
joint probability of the argmaxes is at least 1 - sum (1 - c_i), that of any other tuple at most 1 - c_(1), ...,
1 - c_(k)). With equal confidences this is (k + 1)(1 - c) < 1, the factor rule at f = 1.
"""

from dataclasses import dataclass

import numpy as np

from toy_models.rules.proxies import array_module, by_rank, check_marginals, easiest_first, keep_ranks, rounding


@dataclass(frozen=True)
class FactorThreshold:
    """Reveal the k most confident tokens, k = max{k : (k + 1)(1 - c_(k)) <= factor}, at least one.

    Wu et al. 2025, Fast-dLLM (arXiv 2505.22618). Equality up to rounding fits.

    >>> p = np.array([[[0.95, 0.05], [0.9, 0.1], [0.7, 0.3]]])  # 2 * .05, 3 * .1, 4 * .3
    >>> [tm.FactorThreshold(f).select(p, np.ones((1, 3), dtype=bool)).sum().item() for f in (0.0, 0.3, 1.0, 1.2)]
    [1, 2, 2, 3]
    """

    factor: float

    def __post_init__(self):
        _check("factor", self.factor)

    def select(self, marginals, masked):
        masked = check_marginals(marginals, masked)
        order, doubt = _doubts(marginals, masked)
        k = array_module(doubt).ones_like(doubt).cumsum(1)
        return _keep(order, (k + 1) * doubt, self.factor, masked)


@dataclass(frozen=True)
class FrechetBound:
    """Reveal k = max{k : sum_{i<=k} (1 - c_(i)) + (1 - c_(k)) <= bound} tokens, at least one.

    Our reading of Frechet profile decoding (Kasa et al. 2026, Fast-dLLM++, arXiv 2606.02955): it reveals at least what
    FactorThreshold(bound) does, and the same where confidences are equal. Below bound = 1 the argmaxes that it reveals
    are the mode of their joint law.

    >>> p = np.array([[[0.99, 0.01], [0.9, 0.1], [0.7, 0.3]]])  # .02, .21, .71
    >>> [tm.FrechetBound(b).select(p, np.ones((1, 3), dtype=bool)).sum().item() for b in (0.2, 0.21, 0.9)]
    [1, 2, 3]
    """

    bound: float

    def __post_init__(self):
        _check("bound", self.bound)

    def select(self, marginals, masked):
        masked = check_marginals(marginals, masked)
        order, doubt = _doubts(marginals, masked)
        return _keep(order, doubt.cumsum(1) + doubt, self.bound, masked)


def _check(name: str, value: float) -> None:
    if not value >= 0:
        raise ValueError(f"{name} = {value}, it must be a number >= 0")


def _doubts(marginals, masked):
    """Positions by descending confidence, and 1 - max p in that order."""
    top = marginals.max(-1) if array_module(marginals) is np else marginals.amax(-1)
    order = easiest_first(marginals, masked, "confidence")
    return order, 1.0 - by_rank(top, order)


def _keep(order, cost, allowed: float, masked):
    fits = cost <= allowed + rounding(cost) * (1.0 + allowed)
    fits[:, 0] = True
    return keep_ranks(order, fits, masked)
