"""Error proxies of a masked token: which marginal looks easiest (Ben-Hamu et al. 2025, arXiv 2505.24857, eq. 1).

Smaller is easier, and scores that differ by rounding alone are tied: equal marginals summed in another order get
entropies that differ in the last place, and a rule that said "ties by position" would follow that noise. Written for
numpy arrays and torch tensors alike; torch is never imported here.
"""

import sys
from typing import Any

import numpy as np
from scipy.special import entr

PROXIES = ("confidence", "entropy", "margin")
TIE = 64  # units in the last place: a sum of V terms and the marginals' own recursion lose a few each


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
    """(batch, L, V) -> (batch, L): -max p, entropy in nats, or -(top1 - top2), by name.

    >>> tm.rules.proxy_scores(np.array([[[0.75, 0.25]]]), "margin").tolist()
    [[-0.5]]
    """
    check_proxy(proxy)
    if proxy == "confidence":
        return -(marginals.max(-1) if array_module(marginals) is np else marginals.amax(-1))
    if proxy == "entropy":
        return entropies(marginals)
    top = _largest(marginals, 2)
    return top[..., 1] - top[..., 0]


def entropies(marginals):
    """-sum p log p over the last axis, 0 log 0 = 0; half precision is widened to float32 first.

    >>> round(float(tm.rules.entropies(np.array([0.5, 0.5, 0.0])) / np.log(2)), 12)
    1.0
    """
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


def rounding(values) -> float:
    """TIE units in the last place of 1, in the precision of `values`; 0 in half precision (its steps are wider)."""
    info = array_module(values).finfo(values.dtype)
    return TIE * float(info.eps) if info.bits >= 32 else 0.0


def tie_width(marginals, scores, proxy: str):
    """What rounding may add to each score: TIE ulps of 1 + H (entropy) or of max p (confidence, margin).

    Zero for a determined token, max p = 1: it is easier than a token that is merely close to determined.
    """
    xp = array_module(marginals)
    top = marginals.max(-1) if xp is np else marginals.amax(-1)
    scale = 1.0 + scores if proxy == "entropy" else top
    return xp.where(top < 1, rounding(scores) * scale, xp.zeros_like(scale))


def easiest_first(marginals, masked, proxy: str):
    """(batch, L) positions of each row by ascending score, ties by position, unmasked ones last."""
    scores = proxy_scores(marginals, proxy)
    return ascending(scores, tie_width(marginals, scores, proxy), masked)


def ascending(scores, width, masked, priority=None):
    """(batch, n) places of each row by ascending score, masked ones first; ties by place, or by ascending `priority`.

    Priorities are compared within a tie alone and must lie in [0, 1).
    """
    xp = array_module(scores)
    order, tie = ties(scores, width, masked)
    if priority is None:
        return _take(order, _argsort(tie * scores.shape[1] + order))
    return _take(order, _argsort(xp.asarray(tie, dtype=priority.dtype) + _take(priority, order)))


def ties(scores, width, masked):
    """Each row's places by ascending score, masked ones first, and the number of the tie that each belongs to.

    Two neighbours in the sorted row are tied when their gap is at most the smaller of their tie widths, and a chain of
    tied neighbours is one tie. So "tied" is an equivalence by construction, which a tolerance on pairs is not.
    """
    xp = array_module(scores)
    worst = xp.where(masked, scores, xp.full_like(scores, xp.finfo(scores.dtype).max))
    width = xp.where(masked, width, xp.zeros_like(scores))
    order = _argsort(worst)
    worst, width = _take(worst, order), _take(width, order)
    apart = worst[:, 1:] - worst[:, :-1] > xp.minimum(width[:, 1:], width[:, :-1])
    tie = xp.zeros_like(order)
    tie[:, 1:] = apart.cumsum(1)
    return order, tie


def keep_ranks(order, fits, masked):
    """The masked positions whose rank fits: position order[r] is chosen where fits[r]; (batch, L) each."""
    if array_module(order) is np:
        chosen = np.zeros_like(masked)
        np.put_along_axis(chosen, order, fits, axis=1)
        return masked & chosen
    return masked & masked.scatter(1, order, fits)


def by_rank(values, order):
    """`values` of each row in the order of the ranks."""
    return _take(values, order)


def ranks(marginals, masked, proxy: str):
    """Rank of each masked position by ascending score in its row, ties by position; unmasked positions rank last."""
    return _argsort(easiest_first(marginals, masked, proxy))


def _argsort(rows):
    return rows.argsort(axis=1, kind="stable") if array_module(rows) is np else rows.argsort(dim=1, stable=True)


def _take(rows, order):
    return np.take_along_axis(rows, order, axis=1) if array_module(rows) is np else rows.gather(1, order)
