"""The level operator R of independent reveal on a Markov chain, W_(m-1) -> W_m, for all gap distances at once.

W_m(n, u, v) is the probability that a gap of distance n between u and v is filled validly when m steps remain, r is the
reveal probability of the next one, K(n) = (1-r)^(n-1) W_(m-1)(n) the value of a gap in which nothing is revealed:

    F(s, x) = r P^s[u,x] P^(n-s)[x,v] / P^n[u,v] * (K(s,u,x) + sum over s' < s and y of F(s',y) K(s-s',y,x))
    W_m(n,u,v) = K(n,u,v) + sum over s < n and x of F(s,x) K(n-s,x,v)

F(s, x) is the mass of "the rightmost token revealed so far sits at distance s and has value x". It depends on the gap
(n, u, v), so one level costs (n_max^3 / 3) V^2 (V+1)^2 flops, nearly all of them in matrix products with a
Toeplitz-block panel of K. In every term the distances add up to n: scaling K(n) by c^n scales W(n) by c^n, and callers
use that to stay clear of underflow.
"""

import numpy as np
from jaxtyping import Float

from toy_models.kernel import kernel

ROWS = 1600  # (u, v, n) triples worked on together
BLOCK = 32  # rows of a panel: b tokens of V values each
PROBE = 48  # gap distance at which the decay per token is read off
SAFE_RANGE = 100.0  # values within e^±100 are left as they are: every scaling costs a rounding
TINY = 1e-280  # smaller entries of K are dropped: they are denormal noise beside values of order one


def level_flops(n_max: int, vocab_size: int) -> float:
    """Floating-point operations of one level."""
    return n_max**3 / 3 * vocab_size**2 * (vocab_size + 1) ** 2


def level_bytes(n_max: int, vocab_size: int) -> float:
    """Peak memory of the sweep: F of one tile, the panel, and the tables P^n, W, K and their copies."""
    wide, block, lefts, span = _tiling(n_max, vocab_size)
    rows = lefts * wide * span
    return 8.0 * ((n_max + block) * vocab_size * (rows + block * vocab_size) + 8 * n_max * wide**2)


def _tiling(n_max: int, vocab_size: int) -> tuple[int, int, int, int]:
    """V+1, tokens per block, left values per tile, distances per tile."""
    wide = vocab_size + 1
    span = max(8, min(64, n_max // 4))  # short gaps leave the products of a wide tile half empty
    lefts = max(1, min(wide, ROWS // (wide * span)))
    return wide, max(1, BLOCK // vocab_size), lefts, span


def no_reveal(weights: Float[np.ndarray, "n_plus_1 U U"], reveal: float) -> Float[np.ndarray, "n_plus_1 U U"]:
    """K(n) = (1-r)^(n-1) W(n). The power is taken in extended precision, where r + (1-r) = 1 holds exactly."""
    tokens = np.maximum(np.arange(len(weights)) - 1, 0).astype(np.longdouble)
    return weights * ((1 - np.longdouble(reveal)) ** tokens).astype(np.float64)[:, None, None]


def scaled_level(
    power: Float[np.ndarray, "n_table U U"], kept: Float[np.ndarray, "n_plus_1 U U"], reveal: float
) -> tuple[Float[np.ndarray, "n_plus_1 U U"], Float[np.ndarray, "n_plus_1 U U"], float]:
    """R on K(n) e^(-g n), with g read off a probe of short gaps so that the largest result stays in range.

    Returns the scaled result, the scaled K and g.
    """
    if len(kept) <= PROBE + 1:
        return apply_level(power, kept, reveal), kept, 0.0
    largest = apply_level(power, kept[: PROBE + 1], reveal).max(axis=(1, 2))
    growth = float(np.log(largest[PROBE] / largest[PROBE // 2]) / (PROBE - PROBE // 2))
    if abs(growth) * len(kept) < SAFE_RANGE:
        return apply_level(power, kept, reveal), kept, 0.0
    filled = np.flatnonzero(kept.any(axis=(1, 2)))
    scaled = np.zeros_like(kept)
    scaled[filled] = kept[filled] * np.exp(-growth * filled)[:, None, None]
    return apply_level(power, scaled, reveal), scaled, growth


def apply_level(
    power: Float[np.ndarray, "n_table U U"], kept: Float[np.ndarray, "n_plus_1 U U"], reveal: float
) -> Float[np.ndarray, "n_plus_1 U U"]:
    """R: `kept` is K(n, u, v) for n = 0..n_max (entry 0 unused), `power` holds P^n up to n_max at least."""
    n_max = len(kept) - 1
    kept = np.where(kept < TINY, 0.0, kept)
    v = kept.shape[1] - 1
    wide, block, lefts, span = _tiling(n_max, v)
    with np.errstate(divide="ignore"):
        inverse = np.where(power[: n_max + 1] > 0, 1.0 / power[: n_max + 1], 0.0)
    by_distance = (1, 2, 0)
    right = np.ascontiguousarray(power[: n_max + 1, :v].transpose(by_distance))
    inverse = np.ascontiguousarray(inverse.transpose(by_distance))
    result = np.ascontiguousarray(kept.transpose(by_distance))
    closing = np.ascontiguousarray(kept[:, :v].transpose(by_distance))
    blocks = -(-n_max // block)
    panel = _toeplitz_panel(kept[:, :v, :v], block, blocks)
    work = np.empty(blocks * block * v * lefts * wide * span)
    for u0 in range(0, wide, lefts):
        u1 = min(u0 + lefts, wide)
        for n0 in range(2, n_max + 1, span):
            n1 = min(n0 + span, n_max + 1)
            rows = (u1 - u0) * wide * (n1 - n0)
            used = -(-(n1 - 1) // block)
            flat = work[: used * block * v * rows].reshape(used * block * v, rows)
            for i in range(used):
                done = i * block * v
                target = flat[done : done + block * v]
                if i == 0:
                    target[:] = 0.0
                else:
                    np.matmul(panel[:, -done:], flat[:done], out=target)
                shaped = target.reshape(block, v, u1 - u0, wide, n1 - n0)
                finish_block(shaped, i * block, u0, n0, kept, power, right, inverse, closing, reveal, result)
    return np.ascontiguousarray(result.transpose(2, 0, 1))


def _toeplitz_panel(
    kept: Float[np.ndarray, "n_plus_1 V V"], block: int, blocks: int
) -> Float[np.ndarray, "bV columns"]:
    """Row (i, x), column (lag d, y): K(d + i, y, x). Columns run from the largest lag down to 1, so every block of s
    uses the rightmost columns."""
    n_max, v = len(kept) - 1, kept.shape[1]
    lag = np.arange((blocks - 1) * block, 0, -1)
    distance = lag[None, :] + np.arange(block)[:, None]
    values = np.where((distance <= n_max)[..., None, None], kept[np.minimum(distance, n_max)], 0.0)
    return np.ascontiguousarray(values.transpose(0, 3, 1, 2).reshape(block * v, len(lag) * v))


def _finish_block(f, first, u0, n0, kept, power, right, inverse, closing, reveal, result):
    """Finish F for s = first+1 .. first+b, in place, and add its part of W_m to `result`.

    On entry f[i, x, u, v, n] holds the sum over s' <= first; on exit F(first+1+i, x).
    """
    block, vocab, lefts, wide, span = f.shape
    for du in range(lefts):
        u = u0 + du
        for v in range(wide):
            for i in range(block):
                s = first + 1 + i
                low = min(max(0, s + 1 - n0), span)
                for x in range(vocab):
                    row = f[i, x, du, v]
                    if low == span:
                        row[:] = 0.0
                        continue
                    source = kept[s, u, x]
                    for j in range(span):
                        row[j] += source
                    for k in range(i):
                        for y in range(vocab):
                            w = kept[i - k, y, x]
                            if w != 0.0:
                                earlier = f[k, y, du, v]
                                for j in range(span):
                                    row[j] += w * earlier[j]
                    weight = reveal * power[s, u, x]
                    total = inverse[u, v, n0:]
                    to_v = right[x, v]
                    close = closing[x, v]
                    out = result[u, v, n0:]
                    for j in range(low):
                        row[j] = 0.0
                    shift = n0 - s
                    for j in range(low, span):
                        value = weight * row[j] * (to_v[shift + j] * total[j])
                        row[j] = value
                        out[j] += value * close[shift + j]


finish_block = kernel(_finish_block, nogil=True, fastmath={"contract"})
