"""Ancestral samples by inverse CDF in float64: one uniform per draw, the smallest value whose cdf exceeds it."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

from toy_models.kernel import kernel

UNIFORMS = 2**22  # uniforms held at once


def in_chunks(size: int, draws: int, rng: np.random.Generator, write: Callable[[slice, np.ndarray], None]) -> None:
    """Call write(rows, uniforms of shape (rows, draws)) over 0..size-1; the stream does not depend on the chunking."""
    chunk = max(1, UNIFORMS // draws)
    for first in range(0, size, chunk):
        rows = slice(first, min(first + chunk, size))
        write(rows, rng.random((rows.stop - first, draws)))


def sample_windows(
    initial: Float[np.ndarray, " tuples"],
    conditional: Float[np.ndarray, "tuples V"],
    context: int,
    length: int,
    size: int,
    rng: np.random.Generator,
) -> Int[np.ndarray, "size L"]:
    """Tokens of an n-gram: the first `context` = n-1 tokens from `initial`, each next one from its tuple's row."""
    x = np.empty((size, length), dtype=np.int64)
    start, rows = np.cumsum(initial), np.cumsum(conditional, axis=1)
    in_chunks(size, length - context + 1, rng, lambda part, u: draw_windows(start, rows, context, u, x[part]))
    return x


def sample_hmm(
    initial: Float[np.ndarray, " S"],
    transition: Float[np.ndarray, "S S"],
    emission: Float[np.ndarray, "S V"],
    length: int,
    size: int,
    rng: np.random.Generator,
) -> Int[np.ndarray, "size L"]:
    """Tokens of an HMM, two draws per position: the state, then the token."""
    x = np.empty((size, length), dtype=np.int64)
    cdfs = (np.cumsum(initial), np.cumsum(transition, axis=1), np.cumsum(emission, axis=1))
    in_chunks(size, 2 * length, rng, lambda part, u: draw_hmm(*cdfs, u, x[part]))
    return x


def _invert(cdf, u):
    """Smallest v with cdf[v] > u cdf[-1]; never a value of probability zero."""
    low, high, goal = 0, len(cdf) - 1, u * cdf[-1]
    while low < high:
        middle = (low + high) // 2
        if cdf[middle] > goal:
            high = middle
        else:
            low = middle + 1
    return low


def _draw_windows(start, rows, context, uniforms, x):
    tuples, vocab = rows.shape
    for b in range(len(x)):
        code = invert(start, uniforms[b, 0])
        rest = code
        for i in range(context - 1, -1, -1):
            x[b, i] = rest % vocab
            rest //= vocab
        for i in range(context, x.shape[1]):
            token = invert(rows[code], uniforms[b, i - context + 1])
            x[b, i] = token
            code = (code * vocab + token) % tuples


def _draw_hmm(start, steps, emissions, uniforms, x):
    for b in range(len(x)):
        state = invert(start, uniforms[b, 0])
        for i in range(x.shape[1]):
            if i > 0:
                state = invert(steps[state], uniforms[b, 2 * i])
            x[b, i] = invert(emissions[state], uniforms[b, 2 * i + 1])


invert = kernel(_invert)
draw_windows = kernel(_draw_windows)
draw_hmm = kernel(_draw_hmm)
