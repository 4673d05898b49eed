"""The information curve of a target: all that a random-order sampler with exact marginals depends on.

g[k] = E H(X_i | X_S) over uniformly random S of size k and i outside S, k = 0..L-1 (nonincreasing, sum g = H(X));
h(a) = E H(X_i | each other token revealed w.p. a) is its Bernstein form.
"""

from math import log

import numpy as np
import scipy
from jaxtyping import Float
from scipy.special import gammaln
from tqdm import tqdm

from toy_models.door import by_route, own_routes, require_generator, require_target
from toy_models.errors import IntractableError
from toy_models.quantities import lattice
from toy_models.quantities.entropy import entropy_of_rows
from toy_models.quantities.intervals import Estimate, bernstein_interval
from toy_models.quantities.lattice import to_table
from toy_models.rounding import nonnegative_curve
from toy_models.targets.blocks import Blocks
from toy_models.targets.linear_code import LinearCode, row_echelon
from toy_models.targets.protocol import Target
from toy_models.targets.table import context_probabilities
from toy_models.validation import MASK, confidence_level, integers, positive_int, reals

MAX_CODE_LENGTH = 20  # 2^L subset ranks


def information_curve(target: Target, method: str | None = None) -> Float[np.ndarray, " L"]:
    """g[k] = E H(X_i | X_S), |S| = k, nats per token, k = 0..L-1.

    Routes: "own" (the target's method `information_curve`: Markov chains by the gap formula at any L, linear codes by
    ranks at L <= 20, blocks as a hypergeometric mixture of the block's curve), "enumeration" (any small law,
    O(L (V+1)^L)). IntractableError when none serves.

    >>> (tm.information_curve(tm.zero_sum(2, 4)) / np.log(2)).round(12).tolist()  # free until all others are seen
    [1.0, 1.0, 1.0, 0.0]
    """
    require_target(target)
    routes = own_routes(target, "information_curve") | {"enumeration": lambda: np.diff(mean_subset_entropies(target))}
    g = by_route(method, routes, f"the information curve of a {type(target).__name__}")
    return nonnegative_curve("g", g, 1.0 + target.length * log(target.vocab_size))


def code_curve(code: LinearCode) -> Float[np.ndarray, " L"]:
    """g of a linear code: mean ranks of the column subsets of each size, times log p."""
    return np.diff(_mean_code_entropies(code))


def block_curve(blocks: Blocks) -> Float[np.ndarray, " L"]:
    """g of independent copies from the curve of one."""
    return _mix_blocks(information_curve(blocks.target), blocks.length)


def mean_subset_entropies(target: Target) -> Float[np.ndarray, " sizes"]:
    """The average of H(X_S) over the sets S of each size 0..L, by enumeration; g is its difference."""
    lattice.require_lattice(target.vocab_size, target.length, "the information curve by enumeration")
    q = context_probabilities(to_table(target).pmf).ravel()
    revealed = (lattice.states(target.vocab_size, target.length) != MASK).sum(axis=1)
    sums = np.bincount(revealed, weights=scipy.special.entr(q), minlength=target.length + 1)
    size = np.arange(target.length + 1)
    return sums / np.exp(gammaln(target.length + 1) - gammaln(size + 1) - gammaln(target.length - size + 1))


def _mean_code_entropies(code: LinearCode) -> Float[np.ndarray, " sizes"]:
    if code.length > MAX_CODE_LENGTH:
        raise IntractableError(
            "the information curve of a linear code",
            f"L = {code.length}, hence 2^{code.length} ranks",
            f"L <= {MAX_CODE_LENGTH}",
            "use estimate_information_curve",
        )
    total = np.zeros(code.length + 1)
    count = np.zeros(code.length + 1)
    for subset in range(2**code.length):
        columns = [i for i in range(code.length) if subset >> i & 1]
        total[len(columns)] += len(row_echelon(code.generator[:, columns], code.modulus)) if columns else 0
        count[len(columns)] += 1
    return total / count * log(code.modulus)


def _mix_blocks(block_curve: Float[np.ndarray, " b"], length: int) -> Float[np.ndarray, " L"]:
    """Of k revealed others, the number inside the token's own block is hypergeometric."""
    size = len(block_curve)
    if size == length:
        return block_curve
    k = np.arange(length)[:, None]
    inside = np.arange(size)[None, :]
    return scipy.stats.hypergeom.pmf(inside, length - 1, size - 1, k) @ block_curve


def reveal_curve(g: Float[np.ndarray, " L"], a: Float[np.ndarray, "..."] | float) -> Float[np.ndarray, "..."]:
    """h(a) = sum_k C(L-1, k) a^k (1-a)^(L-1-k) g[k]. O(L) per point.

    >>> float(tm.reveal_curve(np.array([1.0, 0.0]), 0.25))  # 1 - a
    0.75
    """
    g, points = curve("g", g), reals("a", a)
    if not ((points >= 0) & (points <= 1)).all():
        raise ValueError(f"a runs from {points.min()} to {points.max()}, it must lie in [0, 1]")
    return bernstein(g, points)


def curve(name: str, g) -> Float[np.ndarray, " L"]:
    """`g` as a vector of finite numbers, one per number of revealed tokens 0..L-1."""
    values = reals(name, g)
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"{name} must be a non-empty vector, got shape {values.shape}")
    if not np.isfinite(values).all():
        k = int(np.flatnonzero(~np.isfinite(values))[0])
        raise ValueError(f"{name}[{k}] = {values[k]}, every entry must be finite")
    return values


def reveal_integral(g: Float[np.ndarray, " L"], a: Float[np.ndarray, "..."] | float) -> Float[np.ndarray, "..."]:
    """int_0^a h, exactly: Bernstein form of degree L with the running sums of g over L as coefficients."""
    return bernstein(np.concatenate([[0.0], np.cumsum(g)]) / len(g), np.asarray(a, dtype=np.float64))


def bernstein(coefficients: Float[np.ndarray, " n"], a: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """sum_k C(n-1, k) a^k (1-a)^(n-1-k) coefficients[k]."""
    flat = a.reshape(-1)
    k = np.arange(len(coefficients))
    rows = max(1, 2**22 // len(k))
    parts = [
        scipy.stats.binom.pmf(k, len(k) - 1, flat[start : start + rows, None]) @ coefficients
        for start in range(0, len(flat), rows)
    ]
    return np.concatenate(parts).reshape(a.shape) if parts else np.zeros(a.shape)


def estimate_information_curve(
    target: Target, size: int, rng: np.random.Generator, confidence: float = 0.99, revealed=None
) -> Estimate:
    """g[k] at the given numbers of revealed tokens (default: all) from `size` sequences drawn from the target.

    Each sequence gives one random revealed set of each size and the mean entropy of the masked marginals: unbiased and
    in [0, log V]. Intervals: empirical Bernstein (Maurer and Pontil 2009, Thm 4), valid at every size, one k at a time.

    >>> estimate = tm.estimate_information_curve(tm.repetition(2, 4), 8, np.random.default_rng(0))
    >>> (estimate.value / np.log(2)).round(12).tolist()  # no two sequences differ: exact
    [1.0, 0.0, 0.0, 0.0]
    """
    require_target(target)
    positive_int("size", size, 2)
    confidence_level(confidence)
    require_generator(rng)
    return bernstein_interval(curve_rows(target, size, rng, revealed), log(target.vocab_size), confidence)


def curve_rows(
    target: Target, size: int, rng: np.random.Generator, revealed=None, orders: int = 1
) -> Float[np.ndarray, "size k"]:
    """One unbiased draw of g at the given numbers of revealed tokens from each of `size` sequences of the target.

    The mean over `orders` random orders of each sequence: most of the noise is in the order, not in the sequence.

    >>> rows = tm.quantities.curve_rows(tm.repetition(2, 4), 1, np.random.default_rng(0))
    >>> (rows / np.log(2)).round(12).tolist()
    [[1.0, 0.0, 0.0, 0.0]]
    """
    length = target.length
    ks = np.arange(length) if revealed is None else integers("revealed", revealed, 0, length - 1)
    if ks.ndim != 1 or len(ks) == 0:
        raise ValueError(f"revealed must be a non-empty vector of numbers of tokens, got shape {ks.shape}")
    x = np.repeat(target.sample(size, rng), positive_int("orders", orders), axis=0)
    order = rng.permuted(np.broadcast_to(np.arange(length), x.shape), axis=1)
    values = np.empty((len(x), len(ks)))
    for column, k in enumerate(tqdm(ks, desc="information curve", unit="size", leave=False, delay=3, disable=None)):
        masked = order >= k
        marginals = target.marginals(np.where(masked, MASK, x))
        values[:, column] = (entropy_of_rows(marginals) * masked).sum(axis=1) / masked.sum(axis=1)
    return values.reshape(size, orders, len(ks)).mean(axis=1)


def falling_curve(mean: Float[np.ndarray, " L"], window: float = 1 / 3) -> Float[np.ndarray, " L"]:
    """A nonincreasing curve >= 0 from noisy values: a running mean over k +- window min(k, L-1-k), then the nearest.

    Windows grow with the distance from both ends, where curves are steep; a straight piece is kept as it is. What the
    optimum of a schedule needs are slopes, which pooling adjacent violators alone leaves as rough as the noise.

    >>> tm.quantities.falling_curve(np.array([1.0, 0.5, 0.75, 0.25, 0.0])).round(12).tolist()
    [1.0, 0.625, 0.625, 0.25, 0.0]
    """
    from scipy.optimize import isotonic_regression

    values = curve("mean", mean)
    k = np.arange(len(values))
    width = (window * np.minimum(k, k[::-1])).astype(np.int64)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    smooth = (sums[k + width + 1] - sums[k - width]) / (2 * width + 1)
    return np.maximum(isotonic_regression(smooth, increasing=False).x, 0.0)
