"""S(x, M) = sum over i in M of -log p(x_i | x outside M), and its moments by mask size.

Notation of this module and of variance.py, timesteps.py, mirror.py:
    M   set of masked positions, as a number whose bit i says that position i is masked
    t   mask probability of each position (the papers' noise time; generation time is 1 - t)
    l   = S(x, M) / (L t), the training loss of one draw, in nats per token
Averaged over masks of probability t, every moment of l is a polynomial in t once the sums over |M| = k are known.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from tqdm import tqdm

from toy_models.errors import IntractableError
from toy_models.kernel import kernel
from toy_models.quantities import lattice
from toy_models.targets.protocol import Denoiser, Target
from toy_models.validation import MASK

MAX_LOSSES = 2**26  # V^L * 2^L values of S, streamed
MAX_PAIRS = 2**33  # V^L * 3^L pairs of masks, streamed
ROWS = 256


@dataclass(frozen=True, eq=False)
class Moments:
    """All that the variance of a masked loss (or of its gradient) needs, averaged over x ~ q.

    F_k(x) is the sum over |M| = k of the loss S(x, M) or of its gradient vector; <,> is the scalar product.

    second[k] = E_x sum over |M| = k of |S|^2;  gram[j, k] = E_x <F_j, F_k>;  mean_gram[j, k] = <E F_j, E F_k>;
    centred[j, k] = gram - mean_gram, computed without cancellation.
    disjoint[j, k] = E_x sum of <S(A), S(B)> over disjoint A, B with |A| = j, |B| = k;
    covering[j, k] = the same over A, B whose complements are disjoint, |complement of A| = j, |complement of B| = k.

    >>> tm.variance.tabular_gradient_moments(tm.repetition(2, 2)).length
    2
    """

    length: int
    second: Float[np.ndarray, " sizes"]
    gram: Float[np.ndarray, "sizes sizes"]
    mean_gram: Float[np.ndarray, "sizes sizes"]
    centred: Float[np.ndarray, "sizes sizes"]
    disjoint: Float[np.ndarray, "sizes sizes"] | None = None
    covering: Float[np.ndarray, "sizes sizes"] | None = None

    def basis(self, t: Float[np.ndarray, " T"]) -> Float[np.ndarray, "sizes T"]:
        """b_k(t) = t^(k-1) (1-t)^(L-k) / L, so that E[l | x, t] = sum over k of F_k(x) b_k(t); b_0 = 0 as F_0 = 0."""
        k = np.arange(self.length + 1)[:, None]
        rows = t ** np.maximum(k - 1, 0) * (1.0 - t) ** (self.length - k) / self.length
        rows[0] = 0.0
        return rows

    def second_moment(self, t: Float[np.ndarray, " T"]) -> Float[np.ndarray, " T"]:
        """m2(t) = E[|l|^2 | t] over x and masks."""
        return self.second @ (self.basis(t) / (self.length * t))

    def mean_square(self, t: Float[np.ndarray, " T"]) -> Float[np.ndarray, " T"]:
        """E_x |g(x, t)|^2 with g = E[l | x, t]."""
        b = self.basis(t)
        return np.einsum("jt,jk,kt->t", b, self.gram, b)

    def square_of_mean(self, t: Float[np.ndarray, " T"]) -> Float[np.ndarray, " T"]:
        """|E_x g(x, t)|^2."""
        b = self.basis(t)
        return np.einsum("jt,jk,kt->t", b, self.mean_gram, b)

    def spread_of_mean(self, t: Float[np.ndarray, " T"]) -> Float[np.ndarray, " T"]:
        """Var_x g(x, t)."""
        b = self.basis(t)
        return np.einsum("jt,jk,kt->t", b, self.centred, b)

    def cross(self, t: Float[np.ndarray, " T"]) -> Float[np.ndarray, " T"]:
        """E <l1, l2> at mask probability t for the mirrored pair M1 = {U < t}, M2 = {U > 1 - t}."""
        if self.disjoint is None or self.covering is None:
            raise ValueError("these moments hold no mask pairs; compute them with pairs=True")
        total = np.add.outer(np.arange(self.length + 1), np.arange(self.length + 1))
        inside = total <= self.length
        low, high = (np.bincount(total[inside], weights=p[inside]) for p in (self.disjoint, self.covering))
        n = np.arange(self.length + 1)[:, None]
        below = t <= 0.5
        one = np.where(below, t, 1.0 - t) ** n * np.where(below, 1.0 - 2.0 * t, 2.0 * t - 1.0) ** (self.length - n)
        return np.where(below, low @ one, high @ one) / (self.length * t) ** 2


@dataclass(frozen=True, eq=False)
class LossMoments:
    """Per sequence of the support: x, q(x), first[x, k] = sum over |M| = k of S(x, M), second[x, k] of S(x, M)^2.

    >>> moments = tm.variance.loss_moments.loss_moments(tm.repetition(2, 2))
    >>> (moments.first / np.log(2)).round(12).tolist()  # S(M) = 0, 0 + 0, 1 + 1 + ... by mask size
    [[0.0, 0.0, 2.0], [0.0, 0.0, 2.0]]
    """

    x: np.ndarray
    probability: Float[np.ndarray, " X"]
    first: Float[np.ndarray, "X sizes"]
    second: Float[np.ndarray, "X sizes"]
    disjoint: Float[np.ndarray, "sizes sizes"] | None
    covering: Float[np.ndarray, "sizes sizes"] | None

    @property
    def average(self) -> Moments:
        q, first = self.probability, self.first
        mean = q @ first
        off = first - mean
        return Moments(
            length=self.x.shape[1],
            second=q @ self.second,
            gram=(first.T * q) @ first,
            mean_gram=np.outer(mean, mean),
            centred=(off.T * q) @ off,
            disjoint=self.disjoint,
            covering=self.covering,
        )


def loss_moments(target: Target, denoiser: Denoiser | None = None, pairs: bool = False) -> LossMoments:
    """Sums of S(x, M) and S(x, M)^2 over |M| = k for every x with q(x) > 0; with `pairs` also over mirrored mask pairs.

    Cost O(V^L 2^L L), with pairs O(V^L 3^L). ValueError when the denoiser gives a token of the support probability 0.
    """
    law, x, log_loss = _prepare(target, denoiser, pairs)
    length = target.length
    size = _sizes(length)
    by_size = (size[:, None] == np.arange(length + 1)).astype(float)
    first, second = np.empty((len(x), length + 1)), np.empty((len(x), length + 1))
    disjoint, covering = np.zeros((length + 1, length + 1)), np.zeros((length + 1, length + 1))
    slow = pairs and len(x) * 3**length > 2**29
    for start in tqdm(range(0, len(x), ROWS), desc="mask pairs", disable=None if slow else True):
        rows = slice(start, start + ROWS)
        s = sum_losses(x[rows], log_loss, target.vocab_size)
        _require_finite(s, x[rows])
        first[rows], second[rows] = s @ by_size, s**2 @ by_size
        if pairs:
            add_pairs(s, law[rows], size, disjoint, covering)
    kept = (disjoint, covering) if pairs else (None, None)
    return LossMoments(x, law, first, second, *kept)


def summed_losses(target: Target, denoiser: Denoiser | None = None) -> Float[np.ndarray, "X masks"]:
    """S(x, M) for every x of the support (rows, in the order of lattice.sequences) and every M.

    >>> (tm.variance.summed_losses(tm.repetition(2, 2)) / np.log(2)).round(12).tolist()
    [[0.0, 0.0, 0.0, 2.0], [0.0, 0.0, 0.0, 2.0]]
    """
    _, x, log_loss = _prepare(target, denoiser, False)
    s = sum_losses(x, log_loss, target.vocab_size)
    _require_finite(s, x)
    return s


def token_losses(target: Target, denoiser: Denoiser | None = None) -> Float[np.ndarray, "X masks L"]:
    """c[x, M, i] = -log p(x_i | x outside M) for i in M, 0 elsewhere; the slow and plain route, for small L.

    >>> np.exp(-tm.variance.token_losses(tm.repetition(2, 2))[0]).round(12).tolist()
    [[1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [0.5, 0.5]]
    """
    x = support(target)
    model = target if denoiser is None else denoiser
    result = np.zeros((len(x), 2**target.length, target.length))
    for mask in range(1, 2**target.length):
        hidden = (mask >> np.arange(target.length)) & 1 == 1
        marginals = model.marginals(np.where(hidden, MASK, x))
        chosen = np.take_along_axis(marginals, x[:, :, None], axis=2)[:, :, 0]
        result[:, mask] = np.where(hidden, -np.log(chosen), 0.0)
    return result


def support(target: Target) -> np.ndarray:
    """Every x with q(x) > 0, in the order of lattice.sequences."""
    x = lattice.sequences(target.vocab_size, target.length)
    return x[lattice.to_table(target).pmf.ravel() > 0]


def _sizes(length: int) -> np.ndarray:
    return np.bitwise_count(np.arange(2**length, dtype=np.int64)).astype(np.int64)


def _prepare(target, denoiser, pairs):
    """q(x) on the support, the support, and -log p(v | state) for every masked state."""
    model = target if denoiser is None else denoiser
    for name in ("vocab_size", "length", "marginals"):
        if not hasattr(model, name):
            raise ValueError(
                f"denoiser = {model!r} has no {name}; the exact route needs vocab_size, length and marginals(y). "
                "For a torch network use toy_models.networks.losses.as_denoiser; to sample, estimate_variance"
            )
    if (model.vocab_size, model.length) != (target.vocab_size, target.length):
        raise ValueError(
            f"denoiser has V = {model.vocab_size}, L = {model.length}, "
            f"the target V = {target.vocab_size}, L = {target.length}"
        )
    sequences, per_x = target.vocab_size**target.length, 3 if pairs else 2
    cost, limit = sequences * per_x**target.length, MAX_PAIRS if pairs else MAX_LOSSES
    if cost > limit:
        raise IntractableError(
            "the exact variance of the training loss",
            f"V^L * {per_x}^L = {cost} for V = {target.vocab_size}, L = {target.length}",
            f"<= {limit}",
            "shorten the sequence or use variance.estimate_variance",
        )
    lattice.require_lattice(target.vocab_size, target.length, "the exact variance of the training loss")
    pmf = lattice.to_table(target).pmf.ravel()
    with np.errstate(divide="ignore"):
        log_loss = -np.log(lattice.state_marginals(model))
    return pmf[pmf > 0], support(target), log_loss


def _require_finite(s: np.ndarray, x: np.ndarray) -> None:
    wrong = ~np.isfinite(s)
    if wrong.any():
        row, mask = (int(k) for k in np.argwhere(wrong)[0])
        hidden = [i for i in range(x.shape[1]) if mask >> i & 1]
        raise ValueError(
            f"denoiser gives probability 0 to a token of x = {x[row].tolist()} when positions {hidden} are masked: "
            "the loss is infinite; smooth the denoiser (tm.Smoothed)"
        )


def _sum_losses(x, log_loss, vocab_size):
    """S(x, M) for every row of x and every mask M."""
    rows, length = x.shape
    base = vocab_size + 1
    result = np.zeros((rows, 2**length))
    state = np.empty(2**length, dtype=np.int64)
    power = np.empty(length, dtype=np.int64)
    for i in range(length):
        power[i] = base ** (length - 1 - i)
    for r in range(rows):
        state[0] = 0
        for i in range(length):
            state[0] += (x[r, i] + 1) * power[i]
        for mask in range(1, 2**length):
            low = 0
            while not (mask >> low) & 1:
                low += 1
            state[mask] = state[mask & (mask - 1)] - (x[r, low] + 1) * power[low]
            total = 0.0
            for i in range(low, length):
                if (mask >> i) & 1:
                    total += log_loss[state[mask], i, x[r, i]]
            result[r, mask] = total
    return result


def _add_pairs(s, law, size, disjoint, covering):
    """Add q(x) S(x, A) S(x, B) to both tables of mask pairs, in place, by walking the subsets of each complement."""
    rows, masks = s.shape
    full = masks - 1
    for r in range(rows):
        for a in range(masks):
            rest = full ^ a
            sa, sac = law[r] * s[r, a], law[r] * s[r, rest]
            b = rest
            while True:
                disjoint[size[a], size[b]] += sa * s[r, b]
                covering[size[a], size[b]] += sac * s[r, full ^ b]
                if b == 0:
                    break
                b = (b - 1) & rest


sum_losses = kernel(_sum_losses)
add_pairs = kernel(_add_pairs)
