"""Learning the order: descent on the log-weights s = log w of the power family, m_l = noise time ** w_l.

J(s) is exact, so nothing here is noise: what fails is the descent itself. For a parent-pointer denoiser
J(s) = sum H - sum over edges of I_i sigmoid(s_parent(i) - s_i); for any denoiser the subset recursion, on tensors.
The learned order is the argsort of s, descending. Import this module by itself: it needs torch.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from tqdm import tqdm

STARTS = ("equal", "near", "spread")


@dataclass(frozen=True, eq=False)
class Learned:
    """Result of a batch of descents; `path` holds the log-weights at the recorded steps, `path_losses` their losses."""

    log_weights: Float[np.ndarray, "batch L"]
    losses: Float[np.ndarray, " batch"]
    orders: Int[np.ndarray, "batch L"]
    recorded: Int[np.ndarray, " steps"]
    path: Float[np.ndarray, "steps batch L"]
    path_losses: Float[np.ndarray, "steps batch"]


def initial_log_weights(start: str, batch: int, length: int, generator: torch.Generator) -> Float[Tensor, "batch L"]:
    """equal: all 0 (w = 1); near: normal with deviation 0.1; spread: normal with deviation 3."""
    if start not in STARTS:
        raise ValueError(f"start = {start!r}, allowed: {', '.join(STARTS)}")
    scale = {"equal": 0.0, "near": 0.1, "spread": 3.0}[start]
    return scale * torch.randn(batch, length, generator=generator, dtype=torch.float64)


def parent_pointer_loss(
    parents: Int[Tensor, "batch L"], information: Float[Tensor, "batch L"], entropy: float
) -> Callable[[Tensor], Tensor]:
    """J(s) per row: entropy - sum_i I_i sigmoid(s_parent(i) - s_i), `entropy` = sum of H(X_i); parent -1: no edge."""
    edge = parents >= 0
    index = parents.clamp(min=0)

    def loss(s: Tensor) -> Tensor:
        return entropy - torch.where(
            edge, information * torch.sigmoid(s.gather(1, index.expand(len(s), -1)) - s), 0.0
        ).sum(dim=1)

    return loss


def subset_loss(table: Float[np.ndarray, "*batch sets L"]) -> Callable[[Tensor], Tensor]:
    """J(s) per row for any table C[T, i] (or one per row), V[T] = sum_i pi_i(T) (C[T, i] + V[T + i]). O(2^L L)."""
    length = table.shape[-1]
    costs = torch.as_tensor(np.array(table))
    hidden = [[i for i in range(length) if not T >> i & 1] for T in range(2**length)]

    def loss(s: Tensor) -> Tensor:
        value = {2**length - 1: torch.zeros_like(s[:, 0])}
        for T in range(2**length - 2, -1, -1):
            ahead = torch.stack([costs[..., T, i] + value[T | 1 << i] for i in hidden[T]], dim=1)
            value[T] = (torch.softmax(s[:, hidden[T]], dim=1) * ahead).sum(dim=1)
        return value[0]

    return loss


def learn(
    loss: Callable[[Tensor], Tensor],
    start: Float[Tensor, "batch L"],
    steps: int,
    rate: float,
    optimiser: str = "gradient",
    record: int = 50,
) -> Learned:
    """`steps` steps of exact-gradient descent ("gradient") or Adam ("adam") on the rows of `start`, independently.

    `record` log-spaced steps are kept in the path.
    """
    return _descend(loss, lambda s: s, start, steps, rate, optimiser, record)


def learn_edges(
    loss: Callable[[Tensor], Tensor],
    parents: Int[Tensor, "batch L"],
    start: Float[Tensor, "batch L"],
    steps: int,
    rate: float,
    optimiser: str = "gradient",
) -> Learned:
    """Descent on the edge differences d_i = s_parent(i) - s_i of a forest; `start` gives s, and s at the roots stays.

    Every d_i has its own term of J, so it only grows: the best order is reached from every start, after a time that
    learned_order.flow.edge_flow_time gives (exponential in a wrong start, unless the steps are normalised: "adam").
    """
    length = parents.shape[1]
    ancestors = torch.zeros(
        len(parents), length, length, dtype=torch.float64
    )  # s_i = s_root - sum of d on the way down
    roots = torch.zeros(len(parents), length, dtype=torch.int64)
    for row, tree in enumerate(parents.tolist()):
        for i in range(length):
            node, hops = i, 0
            while tree[node] >= 0:
                ancestors[row, i, node] = 1.0
                node, hops = tree[node], hops + 1
                if hops > length:
                    raise ValueError(f"parents[{row}] = {tree} has a cycle; edge differences need a forest")
            roots[row, i] = node
    differences = torch.where(parents >= 0, start.gather(1, parents.clamp(min=0)) - start, 0.0)
    base = start.gather(1, roots)

    def to_log_weights(d: Tensor) -> Tensor:
        return base - (ancestors @ d[:, :, None])[:, :, 0]

    return _descend(loss, to_log_weights, differences, steps, rate, optimiser)


def _descend(loss, to_log_weights, start, steps, rate, optimiser, record=50) -> Learned:
    if optimiser not in ("gradient", "adam"):
        raise ValueError(f"optimiser = {optimiser!r}, allowed: gradient, adam")
    parameter = start.clone().requires_grad_(True)
    stepper = (torch.optim.Adam if optimiser == "adam" else torch.optim.SGD)([parameter], lr=rate)
    wanted = np.unique(np.concatenate([[0], np.geomspace(1, steps, record).round().astype(np.int64)]))
    path, path_losses = [], []
    for step in tqdm(range(steps + 1), desc="descent on log-weights", disable=steps < 2000, leave=False):
        values = loss(to_log_weights(parameter))
        if step in wanted:
            path.append(to_log_weights(parameter).detach().numpy().copy())
            path_losses.append(values.detach().numpy().copy())
        if step < steps:
            stepper.zero_grad()
            values.sum().backward()
            stepper.step()
    s = path[-1]
    orders = np.argsort(-s, axis=1, kind="stable").astype(np.int64)
    return Learned(s, path_losses[-1], orders, wanted, np.stack(path), np.stack(path_losses))
