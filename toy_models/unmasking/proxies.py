"""Error proxies of a masked token: which marginal looks easiest (Ben-Hamu et al. 2025, eq. 1). Smaller is easier.

Written for numpy arrays and torch tensors alike; torch is never imported here.
"""

import numpy as np

PROXIES = ("confidence", "entropy", "margin")


def array_module(x):
    """numpy, or the torch module that made `x`."""
    if isinstance(x, np.ndarray):
        return np
    import sys

    return sys.modules["torch"]


def check_proxy(proxy: str) -> str:
    if proxy not in PROXIES:
        raise ValueError(f"proxy = {proxy!r}, allowed: {', '.join(PROXIES)}")
    return proxy


def proxy_scores(marginals, proxy: str):
    """(batch, L, V) -> (batch, L): -max p, entropy in nats, or -(top1 - top2), by name."""
    check_proxy(proxy)
    if proxy == "confidence":
        return -_largest(marginals, 1)[..., 0]
    if proxy == "entropy":
        return entropies(marginals)
    top = _largest(marginals, 2)
    return top[..., 1] - top[..., 0]


def entropies(marginals):
    """-sum p log p over the last axis, 0 log 0 = 0."""
    xp = array_module(marginals)
    safe = xp.where(marginals > 0, marginals, xp.ones_like(marginals))
    return -(marginals * xp.log(safe)).sum(-1)


def _largest(marginals, count: int):
    """The `count` largest entries of the last axis, in descending order (V = 1 pads with zero)."""
    xp = array_module(marginals)
    if marginals.shape[-1] < count:
        marginals = xp.concatenate([marginals, xp.zeros_like(marginals[..., :1])], -1)
    if xp is np:
        return -np.partition(-marginals, range(count), axis=-1)[..., :count]
    return marginals.topk(count, dim=-1).values
