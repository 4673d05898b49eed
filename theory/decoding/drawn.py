"""Drawn-token confidence, one token per call: the law that is written, by its formula.

In state y every mask j draws a candidate z_j ~ q(. | y); the candidate of largest probability is kept, the others are
masked again. Given y the pair (i, v) is kept with probability

    q(x_i = v | y)  prod_{j < i} P(s_j < s)  prod_{j > i} P(s_j <= s),    s = q(x_i = v | y),  s_j = q(z_j | y),

when equal scores go to the leftmost mask. A second route beside tm.exact.drawn_confidence_law, and one that takes the
rule as a function of the state.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from math import comb
from typing import Any

import numpy as np
from flint import fmpq
from jaxtyping import Float

import toy_models as tm
from toy_models.exact.trajectories import RationalLaw, State, masked, replace
from toy_models.quantities import lattice

Keep = Callable[[RationalLaw, State], dict[tuple[int, int], fmpq]]  # state -> P(position and value kept)


@dataclass(frozen=True, eq=False)
class Written:
    """What a sampler writes on one language of length L, in nats per text."""

    length: int
    entropy_q: float
    entropy_p: float
    cross_entropy: float  # -E_p log q: log of the generative perplexity, times L
    kl: float
    calls: float
    lines: tuple[float, float]  # probability of the most likely text of p: under q, under p


def kept(law: RationalLaw, y: State, ties: str = "leftmost", among: range | None = None) -> dict[tuple[int, int], fmpq]:
    """P(position i is kept with value v | y) for every mask i (in `among`), exactly. `ties`: leftmost | uniform.

    >>> fair = RationalLaw({(v,): fmpq(1, 2) for v in (0, 1)}, 2, 1)
    >>> kept(fair, (-1,))
    {(0, 0): 1/2, (0, 1): 1/2}
    """
    laws = {i: law.marginal(y, i) for i in masked(y) if among is None or i in among}
    found = {}
    for i, own in laws.items():
        for v, s in enumerate(own):
            if s != 0:
                share = fmpq(1) if ties == "leftmost" else _uniform_share(laws, i, s)
                if ties == "leftmost":
                    for j, other in laws.items():
                        if j != i:
                            share *= sum((p for p in other if p < s or (p == s and j > i)), fmpq(0))
                found[i, v] = s * share
    return found


def _uniform_share(laws: dict[int, list[fmpq]], i: int, s: fmpq) -> fmpq:
    """E[1/(1 + number of ties)] on the event that no other score is larger."""
    ways = [fmpq(1)]  # ways[k]: P(k of the others tie, the rest are smaller)
    for j, other in laws.items():
        if j != i:
            low = sum((p for p in other if p < s), fmpq(0))
            tie = sum((p for p in other if p == s), fmpq(0))
            ways = [
                (ways[k] * low if k < len(ways) else fmpq(0)) + (ways[k - 1] * tie if k > 0 else fmpq(0))
                for k in range(len(ways) + 1)
            ]
    return sum((w / (k + 1) for k, w in enumerate(ways)), fmpq(0))


def kept_by_enumeration(law: RationalLaw, y: State) -> dict[tuple[int, int], fmpq]:
    """The same by writing out every candidate at every mask: product_j q(z_j | y), the leftmost largest score wins."""
    laws, found = {i: law.marginal(y, i) for i in masked(y)}, {}
    for candidates in product(*(range(law.vocab_size) for _ in laws)):
        scores = [laws[i][v] for i, v in zip(laws, candidates, strict=True)]
        chance = fmpq(1)
        for s in scores:
            chance *= s
        if chance != 0:
            best = max(range(len(scores)), key=lambda k: (scores[k], -k))
            key = (tuple(laws)[best], candidates[best])
            found[key] = found.get(key, fmpq(0)) + chance
    return found


def in_blocks(size: int) -> Keep:
    """The rule inside blocks of `size` positions, from left to right."""

    def keep(law: RationalLaw, y: State) -> dict[tuple[int, int], fmpq]:
        first = masked(y)[0] // size * size
        return kept(law, y, among=range(first, first + size))

    return keep


def written_law(law: RationalLaw, keep: Keep = kept) -> dict[State, fmpq]:
    """p(x) for every text, in rationals, one token per call; `keep(law, y)` is the rule."""
    front = {(tm.MASK,) * law.length: fmpq(1)}
    for _ in range(law.length):
        following: dict[State, fmpq] = {}
        for y, mass in front.items():
            for (i, v), p in keep(law, y).items():
                if p != 0:
                    z = replace(y, (i,), (v,))
                    following[z] = following.get(z, fmpq(0)) + mass * p
        front = following
    return front


@dataclass(frozen=True, eq=False)
class Indexed(RationalLaw):
    """A RationalLaw that looks up q(revealed part) instead of summing it."""

    sums: dict[State, fmpq]

    def probability(self, y: State) -> fmpq:
        return self.sums[y]


def indexed(pmf: np.ndarray) -> Indexed:
    """An array of fmpq with shape (V,)*L as a law with all its (V+1)^L context sums."""
    sums = tm.exact.context_sums(pmf)
    table = {tuple(k - 1 for k in index): sums[index] for index in np.ndindex(sums.shape)}
    positive: dict[State, Any] = {tuple(x): pmf[x] for x in np.ndindex(pmf.shape) if pmf[x] != 0}
    return Indexed(positive, pmf.shape[0], pmf.ndim, table)


def chain_law(initial, transition, length: int) -> Indexed:
    """A Markov chain as a rational law."""
    return indexed(tm.exact.chain_pmf(initial, transition, length))


def product_law(*marginals) -> RationalLaw:
    """Independent tokens with the given laws, padded to one alphabet."""
    size = max(map(len, marginals))
    rows = [[tm.exact.rational(p) for p in m] + [fmpq(0)] * (size - len(m)) for m in marginals]
    pmf = {}
    for x in product(range(size), repeat=len(rows)):
        p = fmpq(1)
        for row, v in zip(rows, x, strict=True):
            p *= row[v]
        if p != 0:
            pmf[x] = p
    return RationalLaw(pmf, size, len(rows))


def summary_of(target, p: Float[np.ndarray, "..."], calls: float) -> Written:
    """Entropies, KL and the most written text of a law p that a sampler of `target` writes."""
    q = lattice.to_table(target).pmf
    here = q > 0
    kl = float((q[here] * np.log(q[here] / p[here])).sum()) if (p[here] > 0).all() else np.inf
    cross = float(-(p[here] * np.log(q[here])).sum()) if p[~here].sum() == 0 else np.inf
    seen = p > 0
    top = np.unravel_index(p.argmax(), p.shape)
    return Written(
        target.length,
        float(-(q[here] * np.log(q[here])).sum()),
        float(-(p[seen] * np.log(p[seen])).sum()),
        cross,
        kl,
        calls,
        (float(q[top]), float(p[top])),
    )


def rare_counts(e: float, length: int) -> Float[np.ndarray, " counts"]:
    """Law of sum of independent Bernoulli(e^m), m = 1..L: how many less likely symbols i.i.d. tokens get written."""
    law = np.zeros(length + 1)
    law[0] = 1.0
    for m in range(1, length + 1):
        law[1:] = law[1:] * (1 - e**m) + law[:-1] * e**m
        law[0] *= 1 - e**m
    return law


def log_rare_counts(e: float, length: int) -> Float[np.ndarray, " counts"]:
    """log of `rare_counts`, by logarithms: the tail lies far below 1e-308."""
    logs = np.full(length + 1, -np.inf)
    logs[0] = 0.0
    for m in range(1, length + 1):
        stay, go = np.log1p(-(e**m)), m * np.log(e)
        shifted = np.concatenate([[-np.inf], logs[:-1]])
        logs = np.logaddexp(logs + stay, shifted + go)
    return logs


def iid_kl(e: float, length: int) -> float:
    """KL(Bin(L, e) || rare_counts): KL(q || p) itself for two symbols and uniform ties."""
    k = np.arange(length + 1)
    log_binomial = np.array([_log_comb(length, int(j)) for j in k]) + k * np.log(e) + (length - k) * np.log1p(-e)
    return float(np.exp(log_binomial) @ (log_binomial - log_rare_counts(e, length)))


def iid_law(e: float, length: int) -> tuple[float, float, float]:
    """(H(q), H(p), -E_p log q) for two symbols with uniform ties: counts as in `rare_counts`, positions
    exchangeable.
    """
    counts = np.exp(log_rare_counts(e, length))
    k = np.arange(length + 1)
    choices = np.array([_log_comb(length, int(j)) for j in k])
    seen = counts > 0
    entropy = float(-(counts[seen] * np.log(counts[seen])).sum() + counts @ choices)
    mean = float(counts @ k)
    own = -length * (e * np.log(e) + (1 - e) * np.log1p(-e))
    return own, entropy, -mean * np.log(e) - (length - mean) * np.log1p(-e)


def _log_comb(n: int, k: int) -> float:
    return float(np.log(float(comb(n, k)))) if n < 900 else float(_big_log(comb(n, k)))


def _big_log(n: int) -> float:
    shift = max(n.bit_length() - 64, 0)
    return float(np.log(float(n >> shift)) + shift * np.log(2.0))
