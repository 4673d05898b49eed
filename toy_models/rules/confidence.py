"""Rules that rank positions by a proxy of confidence: the k easiest, or all that pass a threshold."""

from dataclasses import dataclass

import numpy as np

from toy_models.rules.proxies import (
    check_marginals,
    check_proxy,
    proxy_scores,
    ranks,
    rounding,
)
from toy_models.validation import positive_int


@dataclass(frozen=True)
class TopK:
    """Reveal the k masked positions that the proxy ranks easiest.

    >>> p = np.array([[[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]])
    >>> tm.TopK(1).select(p, np.ones((1, 3), dtype=bool)).tolist()
    [[True, False, False]]
    """

    k: int
    proxy: str = "confidence"

    def __post_init__(self):
        object.__setattr__(self, "k", positive_int("k", self.k))
        check_proxy(self.proxy)

    def select(self, marginals, masked):
        masked = check_marginals(marginals, masked)
        return masked & (ranks(marginals, masked, self.proxy) < self.k)


@dataclass(frozen=True)
class Threshold:
    """Reveal every masked position whose proxy passes the value, and always the easiest one.

    confidence: max p >= value; entropy: H <= value; margin: top1 - top2 >= value; a score that equals the value up to
    rounding passes.

    >>> p = np.array([[[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]])
    >>> tm.Threshold(0.75).select(p, np.ones((1, 3), dtype=bool)).tolist()
    [[True, False, True]]
    """

    value: float
    proxy: str = "confidence"

    def __post_init__(self):
        check_proxy(self.proxy)
        if not np.isfinite(self.value) or self.value < 0:
            raise ValueError(f"value = {self.value}, it must be a finite number >= 0")

    def select(self, marginals, masked):
        masked = check_marginals(marginals, masked)
        scores = proxy_scores(marginals, self.proxy)
        slack = rounding(scores) * self.value
        passes = scores <= (self.value if self.proxy == "entropy" else -self.value) + slack
        return masked & (passes | (ranks(marginals, masked, self.proxy) == 0))
