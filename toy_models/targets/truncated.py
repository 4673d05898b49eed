"""What samplers do to the marginals before they draw: top-k, nucleus (two conventions), argmax, float32 Gumbel noise.

Each wraps a denoiser and changes the law of every masked token by itself. Tokens equal up to rounding are tied, and a
cut between tied tokens keeps the smaller ones.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float, Int

from toy_models.rules.proxies import TIE, ascending
from toy_models.targets.kernels.impossible import reveal_one_hot
from toy_models.targets.protocol import Denoiser
from toy_models.validation import MASK, positive_int

CONVENTIONS = ("at least", "at most")
SLACK = TIE * np.finfo(np.float64).eps


@dataclass(frozen=True, eq=False)
class Filtered:
    """The denoiser whose masked tokens have the law change(q(x_i | revealed)); `change` maps (n, V) to (n, V).

    >>> chain = tm.MarkovChain([[0.75, 0.25], [0.5, 0.5]], 2)
    >>> cold = tm.targets.Filtered(chain, lambda p: p**2 / (p**2).sum(axis=1, keepdims=True))
    >>> cold.marginals(np.array([[0, -1]]))[0, 1].round(12).tolist()
    [0.9, 0.1]
    """

    denoiser: Denoiser
    change: Callable

    @property
    def vocab_size(self) -> int:
        return self.denoiser.vocab_size

    @property
    def length(self) -> int:
        return self.denoiser.length

    def marginals(self, y: Int[np.ndarray, "batch L"], on_impossible: str = "raise") -> Float[np.ndarray, "batch L V"]:
        result = np.array(self.denoiser.marginals(y, on_impossible))
        y = np.asarray(y)
        here = (y == MASK) & ~np.isnan(result).any(axis=2)
        result[here] = self.change(result[here])
        return reveal_one_hot(result, y)


def TopTokens(denoiser: Denoiser, k: int) -> Filtered:
    """The k most likely tokens of each marginal, renormalised.

    >>> model = tm.TopTokens(tm.MarkovChain([[0.5, 0.3, 0.2]] * 3, 1), 2)
    >>> model.marginals(np.array([[-1]]))[0, 0].round(12).tolist()
    [0.625, 0.375, 0.0]
    """
    return Filtered(denoiser, partial(top_tokens, k=positive_int("k", k)))


def Argmax(denoiser: Denoiser) -> Filtered:
    """All mass on the most likely token, the first of equals: temperature 0.

    >>> tm.Argmax(tm.MarkovChain([[0.5, 0.3, 0.2]] * 3, 1)).marginals(np.array([[-1]]))[0, 0].tolist()
    [1.0, 0.0, 0.0]
    """
    return TopTokens(denoiser, 1)


def TopP(denoiser: Denoiser, p: float, mass: str = "at least") -> Filtered:
    """Nucleus: the most likely tokens, renormalised: the smallest set of mass >= p, or the largest of <= p.

    "at least" is the definition (Holtzman et al. 2020, arXiv 1904.09751). "at most", the most likely token always kept,
    is what ReMDM (f830d65) and BD3LM (1c3e8f4) ship: for every p < 1 it drops a token. Equality up to rounding counts.

    >>> chain = tm.MarkovChain([[0.6, 0.4], [0.6, 0.4]], 1)
    >>> [tm.TopP(chain, 0.9, mass).marginals(np.array([[-1]]))[0, 0].tolist() for mass in ("at least", "at most")]
    [[0.6, 0.4], [1.0, 0.0]]
    """
    if mass not in CONVENTIONS:
        raise ValueError(f"mass = {mass!r}, allowed: {', '.join(CONVENTIONS)}")
    if not 0 < p <= 1:
        raise ValueError(f"p = {p}, it must lie in (0, 1]")
    return Filtered(denoiser, partial(nucleus, at=float(p), mass=mass))


def RoundedGumbel(denoiser: Denoiser, bits: int = 24) -> Filtered:
    """Tokens drawn by Gumbel noise from `bits`-bit uniforms: `gumbel_share`, renormalised.

    >>> model = tm.RoundedGumbel(tm.MarkovChain([[1 - 2**-24, 2**-24]] * 2, 1))
    >>> round(float(model.marginals(np.array([[-1]]))[0, 0, 1] * 2**24), 6)  # 1 / (e - 1)
    0.581977
    """
    bits = positive_int("bits", bits)
    return Filtered(denoiser, partial(_rounded, bits=bits))


def gumbel_share(q: Float[np.ndarray, "..."], bits: int = 24) -> Float[np.ndarray, "..."]:
    """P(q) = h / (exp(h/q) - 1), h = 2^-bits: how often a token of probability q wins a race of -log(uniform)/q.

    -log u is a lattice of spacing h where u is near 1, so sum_{j>=1} h exp(-jh/q) takes the place of q; the rest of the
    race counts as continuous, with rate one, hence q should be small against one. P(q) < q, and P(q)/q -> 0 for
    q << h. In float32 (bits = 24): MDLM (c112c52) and SEDD (0605786); Zheng et al. 2024 (arXiv 2409.02908) found it.

    >>> q = np.array([2.0**-24, 2.0**-20])
    >>> (tm.targets.gumbel_share(q) / q).round(6).tolist()
    [0.581977, 0.969075]
    """
    h = 2.0**-bits
    with np.errstate(divide="ignore", over="ignore"):
        return h / np.expm1(h / q)


def _rounded(p: Float[np.ndarray, "n V"], bits: int) -> Float[np.ndarray, "n V"]:
    share = gumbel_share(p, bits)
    return share / share.sum(axis=1, keepdims=True)


def top_tokens(p: Float[np.ndarray, "n V"], k: int) -> Float[np.ndarray, "n V"]:
    """Each row restricted to its k largest entries, renormalised.

    >>> tm.targets.top_tokens(np.array([[0.5, 0.3, 0.2]]), 2).round(12).tolist()
    [[0.625, 0.375, 0.0]]
    """
    return _keep(p, np.arange(p.shape[1]) < np.full((len(p), 1), k))


def nucleus(p: Float[np.ndarray, "n V"], at: float, mass: str) -> Float[np.ndarray, "n V"]:
    """Each row restricted to the smallest set of mass >= `at`, or the largest of mass <= `at`, renormalised.

    >>> tm.targets.nucleus(np.array([[0.5, 0.25, 0.25]]), 0.7, "at most").tolist()
    [[1.0, 0.0, 0.0]]
    """
    total = np.cumsum(np.take_along_axis(p, _descending(p), axis=1), axis=1)
    if mass == "at least":
        kept = np.concatenate([np.zeros_like(total[:, :1]), total[:, :-1]], axis=1) < at * (1 - SLACK)
    else:
        kept = total <= at * (1 + SLACK)
    kept[:, 0] = True
    return _keep(p, kept)


def _descending(p: Float[np.ndarray, "n V"]) -> Int[np.ndarray, "n V"]:
    return ascending(-p, SLACK * p, np.ones(p.shape, dtype=bool))


def _keep(p: Float[np.ndarray, "n V"], ranks) -> Float[np.ndarray, "n V"]:
    """p on the entries whose rank is kept."""
    kept = np.zeros(p.shape)
    np.put_along_axis(kept, _descending(p), np.broadcast_to(ranks, p.shape).astype(np.float64), axis=1)
    return p * kept / (p * kept).sum(axis=1, keepdims=True)
