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
    """Cumulative sums over the last axis, divided by the total: the last is 1, zeros stay steps of no height."""
    cdf = torch.as_tensor(np.cumsum(probabilities, axis=-1), device=generator.device)
    return cdf / cdf[..., -1:]


def _uniform(count: int, size: int, generator: torch.Generator) -> Tensor:
    return torch.rand(count, size, generator=generator, device=generator.device, dtype=torch.float64)


def follow(
    rows: Float[Tensor, "states V"], u: Float[Tensor, "n size"], tabulate: bool
) -> Callable[[int, Tensor], Tensor]:
    """(i, state) -> tokens drawn from rows[state] at u[i]; rows are distribution functions ending in 1.

    tabulate: the tokens of every state at every u are found at once, O(states n size), so that a step is one gather.
    """
    if not tabulate:
        return lambda i, state: (rows.index_select(0, state) <= u[i, :, None]).sum(dim=1)
    table = torch.searchsorted(rows, u.reshape(1, -1).expand(len(rows), -1).contiguous(), right=True)
    table = table.view(len(rows), *u.shape)
    return lambda i, state: table[:, i].gather(0, state[None])[0]


def _tabulate(rows: Tensor, numbers: int) -> bool:
    """Where launches cost more than numbers: on a GPU, as long as the table stays below 2 GiB."""
    return rows.device.type == "cuda" and len(rows) * numbers <= 2**28


def _windows(initial, rows, context: int, length: int, generator: torch.Generator) -> Stream:
    start, step = _cdf(initial, generator)[None], _cdf(rows, generator)
    tuples, vocab = rows.shape

    def sequences(size: int) -> Tensor:
        u = _uniform(1 + length - context, size, generator)
        code = follow(start, u, False)(0, torch.zeros(size, dtype=torch.int64, device=u.device))
        columns = [code // vocab ** (context - 1 - k) % vocab for k in range(context)]
        following = follow(step, u[1:], _tabulate(step, u.numel()))
        for i in range(length - context):
            token = following(i, code)
            columns.append(token)
            code = token if context == 1 else (code * vocab + token) % tuples
        return torch.stack(columns, dim=1)

    return sequences


def _hmm(target: HMM, generator: torch.Generator) -> Stream:
    start, step, emit = (_cdf(p, generator) for p in (target.initial[None], target.transition, target.emission))

    def sequences(size: int) -> Tensor:
        u = _uniform(2 * target.length, size, generator)
        path = [follow(start, u, False)(0, torch.zeros(size, dtype=torch.int64, device=u.device))]
        following = follow(step, u[2::2], _tabulate(step, u.numel() // 2))
        for i in range(target.length - 1):
            path.append(following(i, path[-1]))
        together = max(1, 2**22 // (size * target.vocab_size))  # positions whose tokens are drawn in one call
        states, noise = torch.stack(path).split(together), u[1::2, :, None].split(together)
        tokens = [(emit[s] <= v).sum(dim=2) for s, v in zip(states, noise, strict=True)]
        return torch.cat(tokens).T.contiguous()

    return sequences


def _table(target: Table, generator: torch.Generator) -> Stream:
    cdf = _cdf(target.pmf.ravel(), generator)
    shape = torch.tensor([target.vocab_size**k for k in reversed(range(target.length))], device=generator.device)

    def sequences(size: int) -> Tensor:
        u = torch.rand(size, generator=generator, device=generator.device, dtype=torch.float64)
        code = torch.searchsorted(cdf, u * cdf[-1], right=True).clamp(max=len(cdf) - 1)
        return code[:, None] // shape % target.vocab_size

    return sequences
