"""The exact masked posterior on a device: the torch twin of target.marginals.

    q(x_i = v | revealed) ~ sum over s of f_i(s) b_i(s) emission[s, v]   (see targets/forward_backward.py)

Every number is a sum of products of nonnegative numbers, so errors are relative and only add up: `error_bound`.
A row in which a product could have underflowed is done again with the next plan of messages.py, then in float64 and,
should it be flagged there too, on the CPU in extended range.
"""

from dataclasses import dataclass, field, replace
from weakref import WeakKeyDictionary

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from toy_models.errors import ImpossibleContext
from toy_models.networks.device import float32_products, resolve
from toy_models.networks.messages import States, Tuples, hidden_chain
from toy_models.networks.recursion import Record, Work, cuda_graph, flagged, propagate, recorded, workspace
from toy_models.targets import HMM, Blocks, NGram, Table
from toy_models.validation import MASK, on_impossible_choice

ROUNDING = {torch.float32: 2.0**-24, torch.float64: 2.0**-53}
KEPT = 2**24  # numbers; smaller buffers of the CPU are kept for the next call: fresh pages would cost half of the time
TOGETHER = {"cpu": 2**16}  # numbers of laws in one call: what stays in cache; no limit elsewhere
_PREPARED: WeakKeyDictionary = WeakKeyDictionary()  # target -> {(device, dtype): Prepared}; targets never change


@dataclass(eq=False)
class Prepared:
    """The tensors of a target on one device in one dtype, and the last recording."""

    model: States | Tuples
    recording: tuple | None = None  # shape, record, work, run
    spare: list = field(default_factory=list)  # at most one (shape, plan, work), taken out while in use


def marginals(
    target,
    y: Int[Tensor, "batch L"] | Int[np.ndarray, "batch L"],
    device: str | torch.device = "auto",
    dtype: torch.dtype = torch.float64,
    on_impossible: str = "raise",
    graph: bool = False,
) -> Float[Tensor, "batch L V"]:
    """q(x_i = v | revealed tokens of y), one-hot where revealed, for HMM, MarkovChain, NGram, Table and Blocks of them.

    O(batch L (S^2 + S V)) for S states, O(batch L V^n) for an n-gram. With g = error_bound(target, dtype) and the
    smallest normal number eta = torch.finfo(dtype).tiny (1e-38 in float32), each entry differs from the exact one by at
    most g q + eta. So a zero says q = 0 or q <= eta / (1 - g): ask log_prob for the support, not zeros.
    on_impossible: "raise" ImpossibleContext listing the rows | "uniform" | "nan".

    graph: record the recursion as a CUDA graph at the first call with a shape and replay it at the next ones with the
    same target and shape; its buffers (2 batch L S numbers) live as long as the target. CUDA only: ValueError
    elsewhere. Not for several threads at once. The recorded body is tested on the CPU; recording and replay have not
    been run on a GPU.
    """
    on_impossible_choice(on_impossible)
    place = resolve(device)
    y = _checked(target, torch.as_tensor(y, device=place))
    if dtype not in ROUNDING:
        raise ValueError(f"dtype = {dtype}, allowed: torch.float32, torch.float64")
    if graph and place.type != "cuda":
        raise ValueError(f'graph = True, but device = "{place}"; a CUDA graph needs device = "cuda", or graph = False')
    if dtype == torch.float32 and (found := float32_products(place)) != "ieee":
        raise ValueError(f'float32 matrix products on {place.type} are "{found}", the bound needs "ieee"; use float64')
    result, impossible = _posterior(target, y, dtype, cuda_graph if graph else None)
    if impossible.any():
        if on_impossible == "raise":
            raise ImpossibleContext(impossible.nonzero()[:, 0].tolist())
        fill = float("nan") if on_impossible == "nan" else 1.0 / target.vocab_size
        result[impossible[:, None] & (y == MASK)] = fill
    return result


def error_bound(target, dtype: torch.dtype = torch.float64) -> float:
    """gamma_k = k u / (1 - k u), a bound on the relative error of `marginals`; proof in theory/networks.

    It holds for entries that the dtype can hold as normal numbers; smaller ones are off by at most torch.finfo.tiny.

    With S summands per step, k = 2 [(L - 1)(S + 5) + S + 4] + V + 2.
    """
    if isinstance(target, Blocks):
        return error_bound(target.target, dtype)
    vocab, length = target.vocab_size, target.length
    terms = target.states if isinstance(target, HMM) else vocab
    if isinstance(target, NGram):
        terms = vocab ** max(target.order - 1, 1)  # the sum over windows in `laws`
    if isinstance(target, Table):
        terms = vocab**length
    k = 2 * ((length - 1) * (terms + 5) + terms + 4) + vocab + 2
    product = k * ROUNDING[dtype]
    if product >= 1:
        raise ValueError(f"k u = {product:.3g} >= 1 for L = {length} in {dtype}: no bound; use torch.float64")
    return product / (1 - product)


def _checked(target, y: Tensor) -> Tensor:
    if y.ndim != 2 or y.shape[1] != target.length or y.dtype.is_floating_point:
        raise ValueError(f"y must be integers of shape (batch, {target.length}), got {tuple(y.shape)}, {y.dtype}")
    if y.numel():
        low, high = torch.stack(y.aminmax()).tolist()
        if low < MASK or high >= target.vocab_size:
            raise ValueError(f"y holds {low}..{high}, allowed: 0..{target.vocab_size - 1} or MASK = -1")
    return y.long()


def _posterior(target, y: Tensor, dtype: torch.dtype, record: Record | None = None) -> tuple[Tensor, Tensor]:
    """Marginals, one-hot where revealed, and which rows are impossible (their masked entries mean nothing)."""
    if isinstance(target, Blocks):
        parts, impossible = _posterior(target.target, y.reshape(len(y) * target.repeats, -1), dtype, record)
        return parts.reshape(*y.shape, -1), impossible.reshape(len(y), -1).any(dim=1)
    if isinstance(target, Table):
        return _table_posterior(target, y, dtype)
    if isinstance(target, NGram) and target.order == 1:
        law = torch.as_tensor(np.array(target.rows[0]), device=y.device)
        lost = ((y != MASK) & (law[y.clamp(min=0)] == 0)).any(dim=1)  # before float32 makes a zero of 1e-50
        return _one_hot_where_seen(law.to(dtype).repeat(*y.shape, 1), y), lost
    prepared = _prepared(target, y.device, dtype)
    result = torch.empty(*y.shape, target.vocab_size, dtype=dtype, device=y.device)
    impossible = torch.empty(len(y), dtype=torch.bool, device=y.device)
    rows = None  # all of them
    for plan in prepared.model.plans:
        part = y if rows is None else y[rows]
        work = _worked(prepared, plan, part, dtype, record if rows is None else None)
        again, lost, wrong = _laws(prepared.model, work), work.evidence == 0, flagged(plan, work)
        if y.device.type == "cpu" and work.joint.numel() <= KEPT and not prepared.spare:
            prepared.spare.append((part.shape, plan, work))
        if rows is None:
            result, impossible = again, lost
        else:
            result[rows], impossible[rows] = again, lost
        if not wrong.any():
            return result, impossible
        rows = wrong.nonzero()[:, 0] if rows is None else rows[wrong]
    rows = torch.arange(len(y), device=y.device) if rows is None else rows
    if len(rows):
        wide = _posterior(target, y[rows], torch.float64) if dtype == torch.float32 else _extended(target, y[rows])
        result[rows], impossible[rows] = wide[0].to(dtype), wide[1]
    return result, impossible


def _extended(target, y: Tensor) -> tuple[Tensor, Tensor]:
    """The CPU route in extended range."""
    tokens = y.cpu().numpy()
    exact = torch.as_tensor(target.marginals(tokens, on_impossible="nan"), device=y.device)
    lost = exact.isnan().any(dim=(1, 2))
    whole = (tokens != MASK).all(axis=1)
    if whole.any():
        off = np.isneginf(target.log_prob(tokens[whole]))
        lost[torch.as_tensor(np.flatnonzero(whole)[off], device=y.device)] = True
    return exact, lost


def _prepared(target, device: torch.device, dtype: torch.dtype) -> Prepared:
    known = _PREPARED.setdefault(target, {})
    if (device, dtype) not in known:
        known[device, dtype] = Prepared(hidden_chain(target, device, dtype))
    return known[device, dtype]


def _worked(prepared: Prepared, plan, y: Tensor, dtype: torch.dtype, record: Record | None) -> Work:
    """The recursion on y: run, or replayed from the recording of the same shape."""
    if record is None:
        work = None
        if prepared.spare:
            shape, of, kept = prepared.spare.pop()
            work = replace(kept, y=y) if (shape, of) == (y.shape, plan) else None
        work = workspace(prepared.model, plan, y, dtype) if work is None else work
        propagate(prepared.model, plan, work)
        return work
    if prepared.recording is None or prepared.recording[:2] != (y.shape, record):
        prepared.recording = None  # the old buffers go before new ones come
        prepared.recording = (y.shape, record, *recorded(prepared.model, plan, y, dtype, record))
    _, _, work, run = prepared.recording
    work.y.copy_(y)
    run()
    return work


def _laws(model: States | Tuples, work: Work) -> Tensor:
    """(batch, L, V): laws of masked tokens from the joint, ones where tokens are revealed. Uses up work.joint."""
    pairs, _, states, batch = work.joint.shape
    result = work.joint.new_empty(batch, work.y.shape[1], model.vocab_size)
    late = result[:, model.first :]
    count = late.shape[1]
    size = max(1, TOGETHER.get(late.device.type, 2**62) // (2 * batch * model.vocab_size + 1))
    for low in range(0, pairs, size):
        high = min(low + size, pairs)
        law = model.laws(work.joint[low:high].view(-1, states, batch)).unflatten(0, (-1, 2))
        total = law.sum(dim=3).clamp_(min=torch.finfo(law.dtype).tiny)
        total.masked_fill_(
            work.codes[low:high] > 0, float("inf")
        )  # a number over infinity: 0 where a token is revealed
        law.div_(total[:, :, :, None])
        late[:, low:high] = law[:, 0].transpose(0, 1)
        late[:, count - high : count - low] = law[:, 1].flip(0).transpose(0, 1)  # an odd middle is written twice
    if isinstance(model, Tuples) and model.first:
        tiny = torch.finfo(result.dtype).tiny
        for k, early in enumerate(model.first_window(work.joint[0, 0] * work.seen[0, 0])):
            sums = early.sum(dim=1, keepdim=True).clamp_(min=tiny)
            torch.div(early, sums, out=result[:, k])
        return _one_hot_where_seen(result, work.y)
    return _ones_where_seen(result, work.y)


def _ones_where_seen(result: Tensor, y: Tensor) -> Tensor:
    """Rows of zeros become one-hot where a token is revealed, in place."""
    index = y.clamp(min=0)[:, :, None]
    return result.scatter_(2, index, result.gather(2, index).masked_fill_((y != MASK)[:, :, None], 1.0))


def _one_hot_where_seen(result: Tensor, y: Tensor) -> Tensor:
    return _ones_where_seen(result.masked_fill_((y != MASK)[:, :, None], 0.0), y)


def _table_posterior(target: Table, y: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Ratios of the table of all sums over masked tokens."""
    side, length = target.vocab_size + 1, target.length
    sums = torch.as_tensor(target.context_probabilities.ravel(), device=y.device)
    power = torch.tensor([side**k for k in reversed(range(length))], device=y.device)
    digits = y + 1
    code = (digits * power).sum(dim=1)
    tokens = torch.arange(1, side, device=y.device)
    index = (code[:, None] - digits * power)[:, :, None] + tokens * power[:, None]
    context = sums[code]
    law = sums[index] / torch.where(context > 0, context, 1.0)[:, None, None]
    return _one_hot_where_seen(law.to(dtype), y), context == 0
