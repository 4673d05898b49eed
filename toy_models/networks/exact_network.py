"""A network whose marginals are exact: any sampler of a masked diffusion model runs on it, and errs by itself alone.

`ExactNetwork` answers the calls that released samplers make, in the shapes they expect; what a network is free to say
(at revealed positions, in impossible contexts, instead of -inf) is a choice, written down in `Policies`.

    network(x)                                      .logits, log q(x_i = v | revealed), -inf at other ids
    network(x, attention_mask, position_ids)        padding is hidden, ids stand where their position says
    network(input_ids=..., attention_mask="full")
    network(x, sigma)                               a time is accepted; exact marginals do not depend on it
    network(x[:, s:], past_key_values=cache)        the cache holds token ids, so it stays exact however it is cut
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from toy_models.door import require_target
from toy_models.errors import ImpossibleContext
from toy_models.networks.call_record import CallRecord
from toy_models.networks.device import resolve
from toy_models.networks.framing import (
    FOREIGN,
    columns_of,
    into_vocabulary,
    laws_at,
    letter_of,
    log_scores,
    seen_of,
    text_of,
)
from toy_models.networks.posterior import marginals
from toy_models.targets import HMM, Blocks, MarkovChain, NGram, Table
from toy_models.targets.protocol import Target
from toy_models.validation import MASK, positive_int

CHOICES = {
    "revealed": ("one-hot", "leave-one-out"),
    "impossible": ("uniform", "prior", "raise"),
    "foreign": ("impossible", "masked"),
    "output": ("logits", "tensor", "tuple", "log-score"),
}
DTYPES = (torch.float64, torch.float32, torch.bfloat16)
IGNORED = {  # arguments of released networks that cannot matter to an exact one
    "cache_position",
    "is_causal",
    "output_attentions",
    "output_hidden_states",
    "return_dict",
    "sample_mode",
    "store_kv",
    "use_cache",
}
CELLS = 2**27  # numbers of laws computed at once


class CallBudgetExceeded(RuntimeError):
    """The network was called more often than its budget allows."""


@dataclass(frozen=True)
class Policies:
    """What an exact network says where the law of the language leaves it free.

    revealed    at revealed positions: "one-hot", or "leave-one-out" q(x_i | the other revealed letters)
    impossible  after letters of probability 0: "uniform" over the letters | "prior" q(x_i) | "raise" ImpossibleContext
    foreign     an id in the text that is no letter: the context is "impossible", or the position counts as "masked"
    floor       logits are not below it; -inf keeps log 0
    output      "logits": an object with .logits | "tensor" | "tuple" (logits, None) | "log-score" (needs a time)
    """

    revealed: str = "one-hot"
    impossible: str = "uniform"
    foreign: str = "impossible"
    floor: float = -math.inf
    output: str = "logits"

    def __post_init__(self):
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} = {getattr(self, name)!r}, allowed: {', '.join(allowed)}")
        if not self.floor < 0:
            raise ValueError(f"floor = {self.floor}, it must be a negative number, -inf for none")


@dataclass(frozen=True)
class ExactConfig:
    """What samplers read in `network.config`."""

    vocab_size: int
    mask_token_id: int
    pad_token_id: int | None = None
    eos_token_id: int | None = None
    do_x1_sc: bool = False


@dataclass(frozen=True, eq=False)
class ExactOutput:
    """logits (batch, S, vocab_size); past_key_values[0][j] (batch, 1, seen, 1) holds the token ids seen so far."""

    logits: Tensor
    past_key_values: tuple[tuple[Tensor, Tensor], ...]

    def __getitem__(self, index: int) -> Any:
        return (self.logits, self.past_key_values)[index]


class ExactNetwork(nn.Module):
    """x -> log q(x_i = v | the revealed letters of x), for every masked position i, in the dtype of the network.

    target: any; on a GPU a Table, MarkovChain, NGram, HMM or Blocks of one by the device posterior.
    ids: the id of each letter (default 0..V-1); vocab_size counts all ids. prompt: columns before the text, such as
    BOS, that the law ignores; a prompt that belongs to the language is simply revealed text. shift: column j predicts
    column j + shift (1: next-token networks such as Dream's). Ids not shown are marginalised: growing prefixes.
    budget: forward passes, counted in rows, before CallBudgetExceeded. `record` counts calls; see CallRecord.

    Cost of a call: one posterior, O(batch L S^2); "leave-one-out" L + 1 of them. An input equal to the last one costs
    none. Every call returns fresh tensors.
    """

    def __init__(
        self,
        target: Target,
        mask_id: int,
        vocab_size: int | None = None,
        shift: int = 0,
        prompt: int = 0,
        ids: Sequence[int] | None = None,
        policies: Policies = Policies(),
        dtype: torch.dtype = torch.float64,
        device: str | torch.device = "cpu",
        budget: int | None = None,
    ):
        super().__init__()
        self.target, self.policies, self.budget = require_target(target), policies, budget
        self.mask_id = positive_int("mask_id", mask_id, minimum=0)
        self.ids = tuple(range(target.vocab_size)) if ids is None else tuple(int(v) for v in ids)
        if len(set(self.ids)) != target.vocab_size or len(self.ids) != target.vocab_size or min(self.ids) < 0:
            raise ValueError(f"ids = {self.ids}, they must be {target.vocab_size} different ids, one for each letter")
        if mask_id in self.ids:
            raise ValueError(f"mask_id = {mask_id} is the id of a letter, letters have {self.ids}")
        least = max(*self.ids, mask_id) + 1
        self.vocab_size = least if vocab_size is None else positive_int("vocab_size", vocab_size, minimum=least)
        self.shift = positive_int("shift", shift, minimum=0)
        self.prompt = positive_int("prompt", prompt, minimum=0)
        if dtype not in DTYPES:
            raise ValueError(f"dtype = {dtype}, allowed: {', '.join(map(str, DTYPES))}")
        self.config = ExactConfig(self.vocab_size, self.mask_id)
        self.record = CallRecord()
        # a parameter, so that .to(...), .parameters() and whatever asks for a device work as for any network
        self.anchor = nn.Parameter(torch.zeros((), dtype=dtype, device=resolve(device)), requires_grad=False)
        self._letters = letter_of(self.ids, self.mask_id, self.vocab_size)
        self._last: tuple[Tensor, Tensor, Tensor] | None = None
        self.eval()

    @property
    def device(self) -> torch.device:
        return self.anchor.device

    @property
    def dtype(self) -> torch.dtype:
        return self.anchor.dtype

    @property
    def length(self) -> int:
        return self.target.length

    def forward(
        self,
        input_ids: Tensor,
        second=None,
        third=None,
        *,
        attention_mask=None,
        position_ids: Tensor | None = None,
        tok_idx: Tensor | None = None,
        sigma=None,
        t=None,
        past_key_values=None,
        replace_position: Tensor | None = None,
        **ignored,
    ) -> Any:
        """`second` is an attention mask or a time, `third` the positions."""
        unknown = sorted(set(ignored) - IGNORED)
        if unknown:
            raise TypeError(
                f"an exact network has no argument {unknown[0]!r}; ignored are {', '.join(sorted(IGNORED))}"
            )
        if _is_time(second):
            sigma = second
        elif second is not None:
            attention_mask = second
        time = t if sigma is None else sigma
        given = next((p for p in (position_ids, tok_idx, third) if isinstance(p, Tensor)), None)
        shown, everything, first = self._unroll(input_ids, past_key_values, replace_position)
        text, columns = self._read(shown, everything, first, attention_mask, given)
        laws = self._answer(text)
        out = laws_at(laws, columns, self.prompt, self.shift)
        logits = into_vocabulary(out, self.ids, self.vocab_size, self.policies.floor).to(self.dtype)
        if self.policies.output == "log-score":
            if time is None:
                raise ValueError("a log score needs a time: network(x, sigma)")
            return log_scores(logits, shown, time)
        if self.policies.output == "tensor":
            return logits
        if self.policies.output == "tuple":
            return logits, None
        cache = everything[:, None, :, None].clone()
        return ExactOutput(logits, ((cache, cache.clone()),))

    def _unroll(self, input_ids, past, replaced) -> tuple[Tensor, Tensor, int]:
        """(ids whose predictions are wanted, all ids known, the column of the first wanted one)."""
        shown = _checked(input_ids, self.vocab_size)
        if past is None:
            return shown, shown, 0
        known = past[0][0][:, 0, :, 0].to(shown)
        if replaced is None:
            return shown, torch.cat([known, shown], dim=1), known.shape[1]
        known = known.clone()
        known[replaced] = shown.reshape(-1)
        return shown, known, int(replaced[0].nonzero()[0])

    def _read(self, shown, everything, first, attention_mask, given) -> tuple[Tensor, Tensor]:
        """The text that is shown, and the column of each id whose prediction is wanted."""
        rows, width = shown.shape
        columns = columns_of(rows, width, first, given)
        cached = everything.shape[1] > width
        places = columns_of(rows, everything.shape[1], 0, None) if cached else columns
        seen = seen_of(attention_mask, rows, width, shown.device)
        if cached and seen is not None:
            rest = torch.ones(rows, everything.shape[1], dtype=torch.bool, device=seen.device)
            rest[:, first : first + width] = seen
            seen = rest
        letters = self._letters.to(shown.device)[everything]
        return text_of(letters, places, seen, self.prompt, self.length), columns

    def _answer(self, text: Int[Tensor, "batch L"]) -> Float[Tensor, "batch L V"]:
        """The laws by the policies; counted."""
        if self.budget is not None and self.record.rows + len(text) > self.budget:
            raise CallBudgetExceeded(f"more than {self.budget} rows were asked for")
        foreign = (text == FOREIGN).any(dim=1)
        if self._last is None or not torch.equal(self._last[0], text):
            y = torch.where(text == FOREIGN, MASK, text)
            laws, lost = self._laws(y)
            if self.policies.foreign == "impossible":
                lost |= foreign
            if self.policies.revealed == "leave-one-out":
                self._leave_one_out(y, laws, lost)
            self._settle(laws, lost, text)
            self._last = (text, laws, lost)
        laws, lost = self._last[1:]
        self.record.see(text, laws, int((lost & (text < 0).any(dim=1)).sum()), int(foreign.sum()))
        return laws

    def _laws(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Marginals, one-hot where revealed, and which rows have a masked position and no law."""
        size = max(1, CELLS // (self.length * self.target.vocab_size))
        parts = [posterior(self.target, part, self.device) for part in y.split(size)]
        laws = parts[0] if len(parts) == 1 else torch.cat(parts)
        return laws, laws[:, :, 0].isnan().any(dim=1)

    def _leave_one_out(self, y: Tensor, laws: Tensor, lost: Tensor) -> None:
        """q(x_i | the other revealed letters) at revealed positions, in place; L posteriors."""
        for i in range(self.length):
            rows = ((y[:, i] != MASK) & ~lost).nonzero()[:, 0]
            if len(rows):
                without = y[rows]
                without[:, i] = MASK
                laws[rows, i] = self._laws(without)[0][:, i]
        for i in range(self.length):  # where the other letters alone are impossible
            rows = laws[:, i, 0].isnan() & ~lost
            laws[rows, i] = self._filling()[i]

    def _settle(self, laws: Tensor, lost: Tensor, text: Tensor) -> None:
        """Positions without a letter get the filling in rows without a law, in place."""
        if not bool(lost.any()):
            return
        if self.policies.impossible == "raise" and bool((lost & (text < 0).any(dim=1)).any()):
            raise ImpossibleContext(lost.nonzero()[:, 0].tolist())
        empty = lost[:, None] & ((text < 0) | laws[:, :, 0].isnan())
        laws[empty] = self._filling().expand(len(laws), -1, -1)[empty]

    def _filling(self) -> Float[Tensor, "L V"]:
        if self.policies.impossible == "prior":
            return posterior(self.target, torch.full((1, self.length), MASK, device=self.device), self.device)[0]
        vocab = self.target.vocab_size
        return torch.full((self.length, vocab), 1.0 / vocab, dtype=torch.float64, device=self.device)

    def with_policies(self, **changes) -> "ExactNetwork":
        """A network like this one with other policies and fresh counters."""
        return ExactNetwork(
            self.target,
            self.mask_id,
            self.vocab_size,
            self.shift,
            self.prompt,
            self.ids,
            replace(self.policies, **changes),
            self.dtype,
            self.device,
            self.budget,
        )


def posterior(target: Target, y: Int[Tensor, "batch L"], device: torch.device) -> Float[Tensor, "batch L V"]:
    """q(x_i | revealed letters of y) in float64, nan in rows without a law: the target's own, on a GPU their twin."""
    if device.type != "cpu" and isinstance(target, HMM | MarkovChain | NGram | Table | Blocks):
        return marginals(target, y, device, on_impossible="nan")
    return torch.as_tensor(target.marginals(y.cpu().numpy(), on_impossible="nan"), device=device)


def _is_time(value) -> bool:
    """A number, or a floating tensor with one number for each row."""
    if isinstance(value, float):
        return True
    if not isinstance(value, Tensor) or not value.is_floating_point():
        return False
    return value.ndim < 2 or (value.ndim == 2 and value.shape[1] == 1)


def _checked(input_ids, vocab_size: int) -> Tensor:
    if not isinstance(input_ids, Tensor) or input_ids.ndim != 2 or input_ids.is_floating_point():
        shape = tuple(input_ids.shape) if isinstance(input_ids, Tensor) else type(input_ids).__name__
        raise ValueError(f"input_ids must be a tensor of integers of shape (batch, S), got {shape}")
    if input_ids.numel():
        low, high = torch.stack(input_ids.aminmax()).tolist()
        if low < 0 or high >= vocab_size:
            raise ValueError(f"input_ids holds {low}..{high}, allowed: 0..{vocab_size - 1}")
    return input_ids.long()
