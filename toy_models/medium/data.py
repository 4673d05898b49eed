"""Streams of training sequences, drawn on the device from the exact law itself. Inverse CDF in float64."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from toy_models.targets import HMM, Blocks, LinearCode, MarkovChain, NGram, Table
from toy_models.validation import positive_int

Stream = Callable[[int], Tensor]  # size -> (size, L) tokens on the generator's device


def stream(target, generator: torch.Generator) -> Stream:
    """A function size -> (size, L) int64 tokens of law `target`, on the device of `generator`.

    MarkovChain, NGram, HMM: O(L V) per sequence, position by position; Table: one draw; LinearCode: a random message
    times the generator matrix; Blocks: its block, repeated. TypeError for other targets.
    """
    if isinstance(target, Blocks):
        inner, repeats = stream(target.target, generator), target.repeats
        return lambda size: inner(size * repeats).reshape(size, -1)
    if isinstance(target, HMM):
        return _hmm(target, generator)
    if isinstance(target, MarkovChain):
        return _windows(target.initial, target.transition, 1, target.length, generator)
    if isinstance(target, NGram):
        return _windows(target.initial.ravel(), target.rows, target.order - 1, target.length, generator)
    if isinstance(target, Table):
        return _table(target, generator)
    if isinstance(target, LinearCode):
        matrix = torch.as_tensor(np.array(target.generator), device=generator.device)

        def words(size: int) -> Tensor:
            shape = (size, len(matrix))
            message = torch.randint(target.modulus, shape, generator=generator, device=generator.device)
            return (message[:, :, None] * matrix).sum(dim=1) % target.modulus

        return words
    raise TypeError(
        f"no stream for {type(target).__name__}; allowed: HMM, MarkovChain, NGram, Table, LinearCode, Blocks"
    )


def text_stream(tokens: Int[np.ndarray, " corpus"], length: int, generator: torch.Generator) -> Stream:
    """Windows of `length` tokens at uniformly random places of a corpus read as a circle (see tm.corpus.load)."""
    length = positive_int("length", length)
    if len(tokens) < length:
        raise ValueError(f"the corpus has {len(tokens)} tokens, a window needs length = {length}")
    circle = torch.as_tensor(np.concatenate([tokens, tokens[: length - 1]]), device=generator.device)
    offsets = torch.arange(length, device=generator.device)

    def windows(size: int) -> Tensor:
        start = torch.randint(len(tokens), (size, 1), generator=generator, device=generator.device)
        return circle[start + offsets]

    return windows


def draw(cdf: Float[Tensor, "*rows V"], generator: torch.Generator) -> Int[Tensor, "*rows"]:
    """Smallest v with cdf[v] > u cdf[-1], u uniform: never a token of probability zero."""
    u = torch.rand(*cdf.shape[:-1], 1, generator=generator, device=cdf.device, dtype=torch.float64)
    return (cdf <= u * cdf[..., -1:]).sum(dim=-1).clamp(max=cdf.shape[-1] - 1)


def _cdf(probabilities: np.ndarray, generator: torch.Generator) -> Tensor:
    return torch.as_tensor(np.cumsum(probabilities, axis=-1), device=generator.device)


def _windows(initial, rows, context: int, length: int, generator: torch.Generator) -> Stream:
    start, step = _cdf(initial, generator), _cdf(rows, generator)
    tuples, vocab = rows.shape

    def sequences(size: int) -> Tensor:
        code = draw(start.expand(size, -1), generator)
        columns = [code // vocab ** (context - 1 - k) % vocab for k in range(context)]
        for _ in range(length - context):
            token = draw(step[code], generator)
            columns.append(token)
            code = (code * vocab + token) % tuples
        return torch.stack(columns, dim=1)

    return sequences


def _hmm(target: HMM, generator: torch.Generator) -> Stream:
    start, step, emit = (_cdf(p, generator) for p in (target.initial, target.transition, target.emission))

    def sequences(size: int) -> Tensor:
        state = draw(start.expand(size, -1), generator)
        columns = [draw(emit[state], generator)]
        for _ in range(target.length - 1):
            state = draw(step[state], generator)
            columns.append(draw(emit[state], generator))
        return torch.stack(columns, dim=1)

    return sequences


def _table(target: Table, generator: torch.Generator) -> Stream:
    cdf = _cdf(target.pmf.ravel(), generator)
    shape = torch.tensor([target.vocab_size**k for k in reversed(range(target.length))], device=generator.device)

    def sequences(size: int) -> Tensor:
        u = torch.rand(size, generator=generator, device=generator.device, dtype=torch.float64)
        code = torch.searchsorted(cdf, u * cdf[-1], right=True).clamp(max=len(cdf) - 1)
        return code[:, None] // shape % target.vocab_size

    return sequences
