"""Forward and backward messages of a hidden chain, both at once: they meet in the middle and are multiplied there.

    f_{i+1} = (f_i l_i) A,   b_{i-1} = A (b_i l_i),   joint_i = f_i b_i,   l_i = likelihood of the token seen at i

Step t carries the pair (f_t, b_{n-1-t}). Pairs of the first half are stored; in the second half each meets its partner
at the same positions, in place. Two calls per step: one product with the likelihood, one batched matrix product. The
body never waits for the device and always runs the same operations on the same buffers, so that it can be recorded.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from toy_models.networks.messages import Plan, States, Tuples

Record = Callable[[Callable[[], None]], Callable[[], None]]  # a body -> what runs it again


@dataclass(frozen=True, eq=False)
class Work:
    """Input, buffers and output of `propagate` for fixed shapes; pair i holds the positions i and n-1-i."""

    y: Int[Tensor, "batch L"]
    codes: Int[Tensor, "pairs 2 batch"]  # token + 1, 0 for the mask
    seen: Float[Tensor, "pairs 2 S batch"]
    joint: Float[Tensor, "pairs 2 S batch"]  # messages, then f b: not normalised
    moving: Float[Tensor, "2 S batch"]
    weighted: Float[Tensor, "2 S batch"]
    checks: Float[Tensor, "checks 2 1 batch"]  # what the plan compares with its level
    total: Float[Tensor, "2 1 batch"]
    evidence: Float[Tensor, " batch"]  # 0: the revealed part is impossible


def workspace(model: States | Tuples, plan: Plan, y: Int[Tensor, "batch L"], dtype: torch.dtype) -> Work:
    """Buffers for the shape of y: 2 batch L S numbers and a few rows."""
    count, batch, states = y.shape[1] - model.first, len(y), len(model.initial)
    pairs = (count + 1) // 2

    def empty(*shape: int) -> Tensor:
        return torch.empty(shape, dtype=dtype, device=y.device)

    return Work(
        y,
        torch.empty(pairs, 2, batch, dtype=torch.int64, device=y.device),
        empty(pairs, 2, states, batch),
        empty(pairs, 2, states, batch),
        empty(2, states, batch),
        empty(2, states, batch),
        empty((count - 1) // plan.every + 2, 2, 1, batch),
        empty(2, 1, batch),
        empty(batch),
    )


def propagate(model: States | Tuples, plan: Plan, work: Work) -> None:
    """Fill work.joint, work.checks and work.evidence from work.y. O(batch L S^2) and 2 to 2.5 calls per position."""
    y, count = work.y[:, model.first :], work.y.shape[1] - model.first
    pairs, half = len(work.codes), count // 2
    torch.add(y.T[:pairs], 1, out=work.codes[:, 0])
    torch.add(y.T[half:].flip(0), 1, out=work.codes[:, 1])
    index = work.codes[:, :, None, :].expand_as(work.seen)
    torch.gather(model.likelihood.expand(pairs, 2, -1, -1), 3, index, out=work.seen)
    seen, stored = work.seen.unbind(0), work.joint.unbind(0)
    stored[0][0].copy_(model.start(work.y))
    stored[0][1].fill_(1.0)
    _rescale(stored[0], 0, plan, work)
    for i in range(1, pairs):
        torch.mul(stored[i - 1], seen[i - 1], out=work.weighted)
        model.step(work.weighted, stored[i], False)
        _rescale(stored[i], i, plan, work)
    moving, t = work.moving, pairs - 1
    if count % 2 == 0:
        torch.mul(stored[-1], seen[-1], out=work.weighted)
        model.step(work.weighted, moving, False)
        t += 1
        _rescale(moving, t, plan, work)
    else:
        moving.copy_(stored[-1])
    work.weighted.copy_(moving)
    moving[0].copy_(work.weighted[1])  # from here on the backward message comes first, as the positions do
    moving[1].copy_(work.weighted[0])
    for i in range(pairs - 1, -1, -1):
        stored[i].mul_(moving)
        if i > 0:
            torch.mul(moving, seen[i], out=work.weighted)
            model.step(work.weighted, moving, True)
            t += 1
            _rescale(moving, t, plan, work)
    torch.sum(moving, dim=1, keepdim=True, out=work.checks[-1])
    torch.mul(moving, seen[0], out=work.weighted)
    torch.sum(work.weighted[1], dim=0, out=work.evidence)


def _rescale(message: Tensor, t: int, plan: Plan, work: Work) -> None:
    """Every plan.every steps divide by the total (rows of zeros stay) and write down what the plan checks."""
    if t % plan.every:
        return
    check = work.checks[t // plan.every]
    if plan.dense:
        torch.sum(message, dim=1, keepdim=True, out=check)
        torch.clamp(check, min=torch.finfo(message.dtype).tiny, out=work.total)
        message.div_(work.total)
        return
    torch.sum(message, dim=1, keepdim=True, out=work.total)
    message.div_(work.total.clamp_(min=torch.finfo(message.dtype).tiny))
    torch.amin(torch.where(message > 0, message, 1.0), dim=1, keepdim=True, out=check)


def flagged(plan: Plan, work: Work) -> Bool[Tensor, " batch"]:
    """Rows in which a product may have underflowed."""
    checks = work.checks if plan.dense else work.checks[:-1]
    return (checks < plan.level).any(dim=0).any(dim=0)[0]


def recorded(
    model: States | Tuples, plan: Plan, y: Tensor, dtype: torch.dtype, record: Record
) -> tuple[Work, Callable]:
    """Buffers of their own and a function that fills them from work.y, through `record`."""
    work = workspace(model, plan, y.clone(), dtype)
    return work, record(lambda: propagate(model, plan, work))


def cuda_graph(body: Callable[[], None]) -> Callable[[], None]:
    """The kernels of `body` as one CUDA graph, replayed without launches from Python. Written, not yet run on a GPU."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):  # cuBLAS must have its workspace before the recording
        body()
        body()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        body()
    return graph.replay
