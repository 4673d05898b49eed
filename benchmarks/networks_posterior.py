"""GPU part (a): the device posterior, plain and as a CUDA graph, beside its floor and beside dynamax on the same card.

floor = max(flops / matrix rate, bytes / memory rate), both rates measured on the card in the same dtype and run.
flops = B L (4 S^2 + 2 S V): one product with the transition in each direction, one with the emission.
bytes = B L (2 S + V) numbers: of the two messages of a position one is stored and read again, the result is written.
"""

import os
from dataclasses import dataclass

import numpy as np
import torch

import toy_models as tm
from benchmarks.networks_table import Row, filled, matrix_rate, memory_rate, seconds
from toy_models import networks

PART = "posterior"
DTYPES = {"float32": torch.float32, "float64": torch.float64}
ROWS = tuple(
    Row(PART, what.format(name), unit)
    for name in DTYPES
    for what, unit in (
        ("{}, plain", "ms"),
        ("{}, graph", "ms"),
        ("{}, plain / graph", "(above 1: the graph wins)"),
        ("{}, the faster / floor", "x"),
        ("{}, dynamax / the faster", "x"),
    )
)


@dataclass(frozen=True)
class Sizes:
    batch: int = 4096
    length: int = 512
    states: int = 64
    compared: int = 64  # rows compared with HMM.marginals before anything is timed
    side: int = 8192
    numbers: int = 2**28


def problem(batch: int, length: int, states: int, rng: np.random.Generator):
    """A random HMM with as many symbols as states, and sequences of it with half of the tokens masked."""
    parts = (rng.dirichlet(np.ones(n), k) for n, k in ((states, 1), (states, states), (states, states)))
    initial, transition, emission = parts
    target = tm.HMM(initial[0], transition, emission, length)
    x = target.sample(batch, rng)
    return target, np.where(rng.random(x.shape) < 0.5, tm.MASK, x)


def worst(found: torch.Tensor, exact: np.ndarray, target, dtype: torch.dtype) -> float:
    """Largest relative difference over what the two rounding bounds allow together; above 1 the outputs disagree."""
    gap = np.abs(found.double().cpu().numpy() - exact) / np.where(exact > 0, exact, 1.0)
    return float(gap.max()) / (networks.error_bound(target, dtype) + networks.error_bound(target))


def rows(device: torch.device, sizes: Sizes) -> list[Row]:
    target, tokens = problem(sizes.batch, sizes.length, sizes.states, np.random.default_rng(0))
    y, exact = torch.as_tensor(tokens, device=device), target.marginals(tokens[: sizes.compared])
    found = {}
    for name, dtype in DTYPES.items():
        times = {}
        for way in ("plain", "graph"):
            label = f"{name}, {way}"
            if way == "graph" and device.type != "cuda":
                found[label] = None, "needs CUDA"
                continue
            call = lambda way=way, dtype=dtype: networks.marginals(target, y, device, dtype, graph=way == "graph")  # noqa: E731
            share = worst(call()[: sizes.compared], exact, target, dtype)
            if share > 1:
                found[label] = None, f"outputs disagree: {share:.3g} times the bound, not timed"
                continue
            times[way] = seconds(call, device)
            found[label] = 1e3 * times[way], f"largest error {share:.2g} of the bound"
        both = times["plain"] / times["graph"] if len(times) == 2 else None
        found[f"{name}, plain / graph"] = both, ""
        best = min(times.values(), default=None)
        floor, which = floor_seconds(dtype, device, sizes, target.vocab_size)
        note = f"floor {1e3 * floor:.3g} ms, by {which}"
        found[f"{name}, the faster / floor"] = (None if best is None else best / floor), note
        peer, note = dynamax_seconds(target, tokens, name, device, exact)
        ratio = None if peer is None or best is None else peer / best
        found[f"{name}, dynamax / the faster"] = ratio, note
    return filled(ROWS, found)


def floor_seconds(dtype: torch.dtype, device: torch.device, sizes: Sizes, vocab: int) -> tuple[float, str]:
    """The larger of flop time and memory time, and its name."""
    positions = float(sizes.batch * sizes.length)
    flops = positions * (4 * sizes.states**2 + 2 * sizes.states * vocab) / matrix_rate(dtype, device, sizes.side)
    memory = positions * (2 * sizes.states + vocab) * dtype.itemsize / memory_rate(device, sizes.numbers)
    return (flops, "flops") if flops > memory else (memory, "memory")


def dynamax_seconds(target, tokens: np.ndarray, dtype: str, device: torch.device, exact) -> tuple[float | None, str]:
    """hmm_smoother under jit + vmap, then smoothed @ emission; None with the reason where it cannot run."""
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    try:
        import jax
        import jax.numpy as jnp
        from dynamax.hidden_markov_model import hmm_smoother
    except ImportError as problem:
        return None, f"{problem.name} is not installed"
    jax.config.update("jax_enable_x64", True)
    try:
        place = jax.devices("gpu" if device.type == "cuda" else "cpu")[0]
    except RuntimeError:
        return None, "jax finds no GPU"
    arrays = (target.initial, target.transition, target.emission)
    initial, transition, emission = (jax.device_put(jnp.asarray(a, dtype=dtype), place) for a in arrays)

    @jax.jit
    @jax.vmap
    def smooth(row):
        likelihood = jnp.where(row[:, None] < 0, 0.0, jnp.log(emission).T[row]).astype(dtype)
        law = hmm_smoother(initial, transition, likelihood).smoothed_probs @ emission
        return jnp.where(row[:, None] < 0, law, jax.nn.one_hot(row, emission.shape[1], dtype=law.dtype))

    y = jax.device_put(jnp.asarray(tokens), place)
    try:
        gap = float(np.abs(np.asarray(smooth(y)[: len(exact)]) - exact).max())
        time = seconds(
            lambda: smooth(y).block_until_ready(), torch.device("cpu")
        )  # block_until_ready waits for the card
    except Exception as problem:
        return None, f"dynamax stopped with {type(problem).__name__}"
    return time, f"dynamax {1e3 * time:.4g} ms, largest difference {gap:.1e}"
