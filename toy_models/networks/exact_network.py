"""A network whose marginals are exact: any sampler of a masked diffusion model runs on it, and errs by itself alone.

`ExactNetwork` answers the calls that released samplers make, in the shapes they expect; what a network is free to say
(at revealed positions, in impossible contexts, instead of -inf) is a choice, written down in `Policies`.

    network(x)                                      .logits, log q(x_i = v | revealed), -inf at other ids
    network(x, attention_mask, position_ids)        padding is hidden, ids stand where their position says
    network(input_ids=..., attention_mask="full")
    network(x, sigma)                               a time is accepted; exact marginals do not depend on it
    network(x[:, s:], past_key_values=cache)        the cache holds token ids, so it stays exact however it is cut
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from toy_models.door import require_target
from toy_models.networks.call_record import CallRecord
from toy_models.networks.device import resolve
from toy_models.networks.exact_laws import exact_laws
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
from toy_models.networks.policies import IGNORED, ExactConfig, ExactOutput, Policies
from toy_models.targets.protocol import Target
from toy_models.validation import positive_int

DTYPES = (torch.float64, torch.float32, torch.bfloat16)


class CallBudgetExceeded(BaseException):
    """The network was called more often than its budget allows. No sampler that catches every Exception goes on."""


class ExactNetwork(nn.Module):
    """x -> log q(x_i = v | the revealed letters of x), for every masked position i, in the dtype of the network.

    Probabilities have 40 significant bits (relative error <= 2^-41): equal laws are equal, whatever their rounding.

    target: any; on a GPU a Table, MarkovChain, NGram, HMM or Blocks of one by the device posterior.
    ids: the id of each letter (default 0..V-1); vocab_size counts all ids. prompt: columns before the text, such as
    BOS, that the law ignores; a prompt that belongs to the language is simply revealed text. shift: column j predicts
    column j + shift (1: next-token networks such as Dream's). Ids not shown are marginalised: growing prefixes.
    budget: forward passes, counted in rows, before CallBudgetExceeded. `record` counts calls; see CallRecord.

    Cost of a call: one posterior, O(batch L S^2); "leave-one-out" L + 1 of them. An input equal to the last one costs
    none. Every call returns fresh tensors.

    >>> network = ExactNetwork(tm.repetition(2, 3), mask_id=2)
    >>> network(torch.tensor([[1, 2, 2]])).logits.exp()[0].tolist()  # letters 0 and 1, then the mask's id
    [[0.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]
    """

    def __init__(
        self,
        target: Target,
        mask_id: int,
        vocab_size: int | None = None,
        shift: int = 0,
        prompt: int = 0,
        ids: Sequence[int] | None = None,
        policies: Policies | None = None,
        dtype: torch.dtype = torch.float64,
        device: str | torch.device = "cpu",
        budget: int | None = None,
    ):
        super().__init__()
        self.target, self.policies, self.budget = require_target(target), policies or Policies(), budget
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
            self._last = (text, *exact_laws(self.target, text, self.policies, self.device))
        laws, lost = self._last[1:]
        self.record.see(text, laws, int((lost & (text < 0).any(dim=1)).sum()), int(foreign.sum()))
        return laws

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
