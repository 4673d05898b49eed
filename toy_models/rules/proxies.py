"""Error proxies of a masked token: which marginal looks easiest (Ben-Hamu et al. 2025, arXiv 2505.24857, eq. 1).

Smaller is easier. Written for numpy arrays and torch tensors alike; torch is never imported here.
"""

import sys
from typing import Any

import numpy as np
from scipy.special import entr

PROXIES = ("confidence", "entropy", "margin")


def array_module(x) -> Any:
    """numpy, or the torch module that made `x`; TypeError for anything else."""
    if isinstance(x, np.ndarray):
        return np
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(x, torch.Tensor):
        raise TypeError(f"got {type(x).__name__}, marginals and masks must be numpy arrays or torch tensors")
    return torch


def check_proxy(proxy: str) -> str:
    if proxy not in PROXIES:
        raise ValueError(f"proxy = {proxy!r}, allowed: {', '.join(PROXIES)}")
    return proxy


def boolean_mask(masked):
    """`masked` as booleans: an integer array of zeros and ones (an attention mask) is converted, others are refused."""
    xp = array_module(masked)
    if masked.dtype == (np.bool_ if xp is np else xp.bool):
        return masked
    floating = masked.dtype.kind not in "iu" if xp is np else masked.is_floating_point() or masked.is_complex()
    if floating or bool(((masked != 0) & (masked != 1)).any()):
        raise ValueError(f"masked has dtype {masked.dtype}, it must be boolean, or integers that are all 0 or 1")
    return masked != 0


def check_marginals(marginals, masked):
    """`masked` as booleans, if every masked position carries a distribution: no entry < 0 or nan, sum 1.

    The sum may miss one by 1e-6 in float64, 1e-4 in float32, four units of rounding in half precision.
    """
    xp = array_module(marginals)
    array_module(masked)
    if marginals.ndim != 3 or tuple(masked.shape) != tuple(marginals.shape[:2]):
        raise ValueError(
            f"marginals must have shape (batch, L, V) and masked (batch, L), "
            f"got {tuple(marginals.shape)} and {tuple(masked.shape)}"
        )
    masked = boolean_mask(masked)
    eps = float(xp.finfo(marginals.dtype).eps)
    tolerance = 1e-6 if eps < 1e-12 else max(1e-4, 4.0 * eps)
    total = marginals.sum(-1) if xp is np or eps < 1e-6 else marginals.sum(-1, dtype=xp.float32)
    smallest = marginals.min(-1) if xp is np else marginals.amin(-1)
    wrong = masked & ~((abs(total - 1.0) <= tolerance) & (smallest >= 0.0))
    if bool(wrong.any()):
        row, position = (int(k) for k in (np.argwhere(wrong)[0] if xp is np else wrong.nonzero()[0]))
        raise ValueError(
            f"marginals[{row}, {position}] is not a distribution: its entries sum to {float(total[row, position]):.6g} "
            f"and the smallest is {float(smallest[row, position]):.6g}; allowed: entries >= 0 that sum to 1"
        )
    return masked


def proxy_scores(marginals, proxy: str):
    """(batch, L, V) -> (batch, L): -max p, entropy in nats, or -(top1 - top2), by name."""
    check_proxy(proxy)
    if proxy == "confidence":
        return -(marginals.max(-1) if array_module(marginals) is np else marginals.amax(-1))
    if proxy == "entropy":
        return entropies(marginals)
    top = _largest(marginals, 2)
    return top[..., 1] - top[..., 0]


def entropies(marginals):
    """-sum p log p over the last axis, 0 log 0 = 0; half precision is widened to float32 first."""
    xp = array_module(marginals)
    if xp is np:
        return entr(marginals).sum(-1)
    wide = marginals.float() if xp.finfo(marginals.dtype).bits < 32 else marginals
    return xp.special.entr(wide).sum(-1)


def _largest(marginals, count: int):
    """The `count` largest entries of the last axis, in descending order (V = 1 pads with zero)."""
    xp = array_module(marginals)
    if marginals.shape[-1] < count:
        marginals = xp.concatenate([marginals, xp.zeros_like(marginals[..., :1])], -1)
    if xp is np:
        return -np.partition(-marginals, range(count), axis=-1)[..., :count]
    return marginals.topk(count, dim=-1).values


def easiest_first(scores, masked):
    """Positions of each row by ascending score, ties by position, unmasked ones last."""
    xp = array_module(scores)
    worst = xp.where(masked, scores, xp.full_like(scores, float("inf")))
    return worst.argsort(axis=1, kind="stable") if xp is np else worst.argsort(dim=1, stable=True)


def ranks(scores, masked):
    """Rank of each masked position by ascending score in its row, ties by position; unmasked positions rank last."""
    order = easiest_first(scores, masked)
    return order.argsort(axis=1, kind="stable") if array_module(order) is np else order.argsort(dim=1, stable=True)
