"""The exact masked posterior on a device: the torch twin of target.marginals.

    q(x_i = v | revealed) ~ sum over s of f_i(s) b_i(s) emission[s, v]   (see targets/forward_backward.py)

Every number is a sum of products of nonnegative numbers, so errors are relative and only add up: `error_bound`.
Messages are rescaled at every position, and a row with a positive entry below LOW, from which a product could
underflow, is done again in float64 and, should it be flagged there too, on the CPU in extended range.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from toy_models.errors import ImpossibleContext
from toy_models.medium.device import resolve
from toy_models.targets import HMM, Blocks, MarkovChain, NGram, Table
from toy_models.validation import MASK, on_impossible_choice

LOW = {torch.float32: 2.0**-36, torch.float64: 2.0**-300}
SMALLEST = {torch.float32: 2.0**-24, torch.float64: 2.0**-180}  # positive parameters below this flag every row
ROUNDING = {torch.float32: 2.0**-24, torch.float64: 2.0**-53}


@dataclass(frozen=True, eq=False)
class States:
    """A hidden chain whose state emits a token: HMMs, and Markov chains with emission = identity."""

    initial: Float[Tensor, " S"]
    transition: Float[Tensor, "S S"]
    emission: Float[Tensor, "S V"]
    likelihood: Float[Tensor, "V+1 S"]  # row 0: the mask
    first: int = 0

    def start(self, y: Tensor) -> Tensor:
        return self.initial.expand(len(y), -1)

    def forward(self, message: Tensor) -> Tensor:
        return message @ self.transition

    def backward(self, message: Tensor) -> Tensor:
        return message @ self.transition.T

    def laws(self, joint: Tensor) -> Tensor:
        return joint @ self.emission


@dataclass(frozen=True, eq=False)
class Tuples:
    """The last n-1 tokens of an n-gram as the state, V^(n-1) of them: a step costs V^n, not V^(2n-2)."""

    initial: Float[Tensor, " T"]
    rows: Float[Tensor, "V M V"]  # [first, middle, next]
    likelihood: Float[Tensor, "V+1 T"]
    order: int

    @property
    def first(self) -> int:
        return self.order - 2

    def start(self, y: Tensor) -> Tensor:
        """The first n-1 tokens, restricted to those revealed among the first n-2."""
        vocab, context = self.rows.shape[0], self.order - 1
        message = self.initial.expand(len(y), -1)
        code = torch.arange(message.shape[1], device=y.device)
        for k in range(context - 1):
            digit = code // vocab ** (context - 1 - k) % vocab
            message = message * ((y[:, k : k + 1] == MASK) | (digit == y[:, k : k + 1]))
        return message

    def forward(self, message: Tensor) -> Tensor:
        vocab, middle, _ = self.rows.shape
        split = message.reshape(-1, vocab, middle).permute(2, 0, 1)
        return torch.bmm(split, self.rows.permute(1, 0, 2)).permute(1, 0, 2).reshape(len(message), -1)

    def backward(self, message: Tensor) -> Tensor:
        vocab, middle, _ = self.rows.shape
        split = message.reshape(-1, middle, vocab).permute(1, 0, 2)
        return torch.bmm(split, self.rows.permute(1, 2, 0)).permute(1, 2, 0).reshape(len(message), -1)

    def laws(self, joint: Tensor) -> Tensor:
        return joint.reshape(*joint.shape[:-1], -1, self.rows.shape[0]).sum(dim=-2)


def marginals(
    target,
    y: Int[Tensor, "batch L"] | Int[np.ndarray, "batch L"],
    device: str | torch.device = "auto",
    dtype: torch.dtype = torch.float64,
    on_impossible: str = "raise",
) -> Float[Tensor, "batch L V"]:
    """q(x_i = v | revealed tokens of y), one-hot where revealed, for HMM, MarkovChain, NGram, Table and Blocks of them.

    O(batch L (S^2 + S V)) for S states, O(batch L V^n) for an n-gram. Each entry is within `error_bound` of the exact
    one, relatively. on_impossible: "raise" ImpossibleContext listing the rows | "uniform" | "nan".
    """
    on_impossible_choice(on_impossible)
    place = resolve(device)
    y = _checked(target, torch.as_tensor(y, device=place))
    if dtype not in LOW:
        raise ValueError(f"dtype = {dtype}, allowed: torch.float32, torch.float64")
    result, impossible = _posterior(target, y, dtype)
    if impossible.any() and on_impossible == "raise":
        raise ImpossibleContext(impossible.nonzero()[:, 0].tolist())
    shown = y[:, :, None] == torch.arange(target.vocab_size, device=place)
    result = torch.where(y[:, :, None] == MASK, result, shown.to(dtype))
    fill = float("nan") if on_impossible == "nan" else 1.0 / target.vocab_size
    return torch.where((impossible[:, None] & (y == MASK))[:, :, None], fill, result)


def error_bound(target, dtype: torch.dtype = torch.float64) -> float:
    """gamma_k = k u / (1 - k u), a bound on the relative error of every entry of `marginals`; derivation in medium.md.

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
    if y.numel() and (int(y.min()) < MASK or int(y.max()) >= target.vocab_size):
        raise ValueError(f"y holds {int(y.min())}..{int(y.max())}, allowed: 0..{target.vocab_size - 1} or MASK = -1")
    return y.long()


def _posterior(target, y: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    if isinstance(target, Blocks):
        parts, impossible = _posterior(target.target, y.reshape(len(y) * target.repeats, -1), dtype)
        return parts.reshape(*y.shape, -1), impossible.reshape(len(y), -1).any(dim=1)
    if isinstance(target, Table):
        return _table_posterior(target, y, dtype)
    if isinstance(target, NGram) and target.order == 1:
        law = torch.as_tensor(np.array(target.rows[0]), device=y.device).to(dtype)
        lost = ((y != MASK) & (law[y.clamp(min=0)] == 0)).any(dim=1)
        return law.expand(*y.shape, -1), lost
    model, smallest = _messages(target, y.device, dtype)
    result, impossible, flagged = _forward_backward(model, y, dtype)
    if smallest < SMALLEST[dtype]:
        flagged = torch.ones_like(flagged)
    if flagged.any():
        rows = flagged.nonzero()[:, 0]
        if dtype == torch.float32:
            again, lost = _posterior(target, y[rows], torch.float64)
        else:
            exact = target.marginals(y[rows].cpu().numpy(), on_impossible="nan")
            again = torch.as_tensor(exact, device=y.device)
            hidden = y[rows] == MASK
            lost = again.isnan().any(dim=(1, 2))
            whole = (~hidden.any(dim=1)).cpu().numpy()
            if whole.any():
                off = np.isneginf(target.log_prob(y[rows].cpu().numpy()[whole]))
                lost[torch.as_tensor(np.flatnonzero(whole)[off], device=y.device)] = True
        result[rows], impossible[rows] = again.to(dtype), lost
    return result, impossible


def _messages(target, device: torch.device, dtype: torch.dtype) -> tuple[States | Tuples, float]:
    def put(array) -> Tensor:
        return torch.as_tensor(np.array(array, dtype=np.float64), device=device).to(dtype)

    if isinstance(target, HMM):
        parts = (target.initial, target.transition, target.emission)
        likelihood = np.vstack([target.emission.sum(axis=1), target.emission.T])
    elif isinstance(target, MarkovChain) or (isinstance(target, NGram) and target.order == 2):
        step = target.transition if isinstance(target, MarkovChain) else target.rows
        parts = (target.initial, step, np.eye(target.vocab_size))
        likelihood = np.vstack([np.ones(target.vocab_size), np.eye(target.vocab_size)])
    elif isinstance(target, NGram):
        vocab, tuples = target.vocab_size, target.vocab_size ** (target.order - 1)
        last = np.arange(tuples) % vocab == np.arange(vocab)[:, None]
        likelihood = np.vstack([np.ones(tuples), last])
        rows = put(target.rows).reshape(vocab, -1, vocab)
        parts = (target.initial.ravel(), target.rows)
        return Tuples(put(parts[0]), rows, put(likelihood), target.order), _smallest(parts)
    else:
        raise TypeError(
            f"no device posterior for {type(target).__name__}; allowed: HMM, MarkovChain, NGram, Table, Blocks"
        )
    return States(*(put(p) for p in parts), put(likelihood)), _smallest(parts)


def _smallest(parts) -> float:
    return min(float(np.min(p, where=np.asarray(p) > 0, initial=1.0)) for p in parts)


def _scaled(message: Tensor) -> Tensor:
    """Rows divided by their totals; rows of zeros stay."""
    return message / message.sum(dim=1, keepdim=True).clamp(min=torch.finfo(message.dtype).tiny)


def _forward_backward(model: States | Tuples, y: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """Marginals, impossible rows, flagged rows. Only products with the transition and rescalings run step by step."""
    batch, length = y.shape
    count = length - model.first
    seen = model.likelihood[y.T[model.first :] + 1]  # (count, batch, S)
    predicted = torch.empty_like(seen)
    predicted[0] = _scaled(model.start(y))
    for i in range(1, count):
        predicted[i] = _scaled(model.forward(predicted[i - 1] * seen[i - 1]))
    impossible = (predicted[-1] * seen[-1]).sum(dim=1) == 0
    alive = (predicted > 0).to(dtype)  # what the past excludes has no bearing on the message from the future
    back = torch.empty_like(predicted)
    back[-1] = _scaled(alive[-1])
    for i in range(count - 1, 0, -1):
        back[i - 1] = _scaled(model.backward(back[i] * seen[i]) * alive[i - 1])
    small = ((predicted > 0) & (predicted < LOW[dtype])) | ((back > 0) & (back < LOW[dtype]))
    joint = predicted * back
    result = y.new_empty(batch, length, model.likelihood.shape[0] - 1, dtype=dtype)
    result[:, model.first :] = model.laws(joint).transpose(0, 1)
    if model.first > 0:
        _first_window(model, joint[0] * seen[0], result)
    total = result.sum(dim=2, keepdim=True)
    return result / total.clamp(min=torch.finfo(dtype).tiny), impossible, small.any(dim=2).any(dim=0)


def _first_window(model: Tuples, joint: Tensor, result: Tensor) -> None:
    """Marginals of the tokens 0..n-3, which only the first window holds."""
    vocab, context = model.rows.shape[0], model.order - 1
    table = joint.reshape(len(joint), *(vocab,) * context)
    for k in range(context - 1):
        others = [axis + 1 for axis in range(context) if axis != k]
        result[:, k] = table.sum(dim=others)


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
    return law.to(dtype), context == 0
