"""A trained network as a denoiser: ids in, logits out, marginals of each masked token given the revealed ones.

The network sees prefix + text + suffix, masked tokens as `mask_id`. Letters 0..V-1 of the text are the ids `tokens`;
the law of a masked token is the softmax of the logits over these ids alone. Column j speaks about column j + shift.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from toy_models.networks.device import resolve
from toy_models.networks.training import OutOfMemory
from toy_models.validation import MASK, integers, on_impossible_choice, positive_int, shown
from toy_models.validation import tokens as checked_tokens

CELLS = 2**22  # logits taken to float64 at once: 32 MiB, whatever the vocabulary
LOGITS = 2**28  # logits that one forward pass may return: 1 GiB in float32


@dataclass(frozen=True, eq=False)
class NetworkDenoiser:
    """model(ids) -> logits, an object with .logits or a tuple that starts with them, as p(x_i | revealed tokens).

    tokens: the id of each letter. prefix, suffix: ids before and after every text (BOS and a prompt, EOS), held fixed.
    shift = 1: logits of column j are about column j + 1, as in Dream; the prefix must then hold a column.
    batch_tokens: ids per forward pass, rows times columns. The model is left where it is and as it is.

    >>> import torch
    >>> from toy_models.networks import NetworkDenoiser
    >>> fair = NetworkDenoiser(lambda ids: torch.zeros(*ids.shape, 5), mask_id=4, tokens=[0, 1], length=2, prefix=[3])
    >>> fair.marginals(np.array([[0, -1]])).tolist()  # one-hot where revealed; ids 2, 3, 4 are no letters
    [[[1.0, 0.0], [0.5, 0.5]]]
    """

    model: Any
    mask_id: int
    tokens: Sequence[int] | Int[np.ndarray, " V"]
    length: int
    shift: int = 0
    prefix: Sequence[int] | Int[np.ndarray, " P"] = ()
    suffix: Sequence[int] | Int[np.ndarray, " E"] = ()
    batch_tokens: int = 2**14

    def __post_init__(self):
        if not callable(self.model):
            raise TypeError(f"model = {shown(self.model)}, it must be callable: model(ids) -> logits")
        if isinstance(self.mask_id, bool) or not isinstance(self.mask_id, int | np.integer):
            raise ValueError(f"mask_id = {self.mask_id!r}, it must be an integer, the id of a masked token")
        positive_int("length", self.length)
        positive_int("batch_tokens", self.batch_tokens)
        ids = _ids("tokens", self.tokens, self.mask_id)
        if len(ids) == 0 or len(np.unique(ids)) < len(ids):
            raise ValueError(f"tokens = {shown(self.tokens)}, it must hold different ids, one per letter, at least one")
        prefix, suffix = (_ids(name, getattr(self, name), self.mask_id) for name in ("prefix", "suffix"))
        if self.shift not in (0, 1):
            raise ValueError(f"shift = {self.shift!r}, allowed: 0, or 1 where column j speaks about column j + 1")
        if self.shift > len(prefix):
            raise ValueError("shift = 1 without a prefix, allowed: a prefix of at least one id, such as BOS")
        for name, value in (("tokens", ids), ("prefix", prefix), ("suffix", suffix)):
            object.__setattr__(self, name, value)

    @property
    def vocab_size(self) -> int:
        return len(self.tokens)

    @property
    def columns(self) -> int:
        """Ids per row: prefix, text, suffix."""
        return len(self.prefix) + self.length + len(self.suffix)

    @property
    def rows_per_pass(self) -> int:
        """Rows of one forward pass: what batch_tokens allows, and a GiB of float32 logits."""
        most = min(self.batch_tokens, LOGITS // (int(np.max(self.tokens)) + 1))
        return max(1, most // self.columns)

    @property
    def device(self) -> torch.device:
        """Where the model's parameters are; "auto" for a function without any."""
        first = next(self.model.parameters(), None) if isinstance(self.model, nn.Module) else None
        return resolve("auto") if first is None else first.device

    def laws(self, y: Int[Tensor, "rows L"]) -> Float[Tensor, "rows L V"]:
        """Marginals in float64 on the model's device, whatever stands at revealed positions: (rows, L, V) numbers."""
        y = y.to(self.device)
        result = torch.empty(*y.shape, self.vocab_size, dtype=torch.float64, device=y.device)
        everywhere = torch.ones_like(y, dtype=torch.bool)
        for rows, where, logs in self.log_laws(y, everywhere):
            result[rows[where[:, 0]], where[:, 1]] = logs.exp()
        return result

    def marginals(self, y: Int[np.ndarray, "batch L"], on_impossible: str = "raise") -> Float[np.ndarray, "batch L V"]:
        """The numpy interface of a denoiser: one-hot where revealed. No context is impossible for a network."""
        on_impossible_choice(on_impossible)
        shown = torch.as_tensor(checked_tokens(y, self.vocab_size, self.length, masks=True), device=self.device)
        result = torch.zeros(*shown.shape, self.vocab_size, dtype=torch.float64, device=self.device)
        result.scatter_(2, shown.clamp(min=0)[:, :, None], 1.0)
        for rows, where, logs in self.log_laws(shown, shown == MASK):
            result[rows[where[:, 0]], where[:, 1]] = logs.exp()
        return result.cpu().numpy()

    def scores(
        self, y: Int[np.ndarray, "rows L"], x: Int[np.ndarray, "rows L"]
    ) -> tuple[Float[np.ndarray, "rows L"], Float[np.ndarray, "rows L"]]:
        """(log p(x_i | y), entropy of p(. | y)) at masked positions, 0 elsewhere; no (rows, L, V) array in float64.

        >>> import torch
        >>> from toy_models.networks import NetworkDenoiser
        >>> fair = NetworkDenoiser(lambda ids: torch.zeros(*ids.shape, 3), mask_id=2, tokens=[0, 1], length=2)
        >>> [(part / np.log(2)).round(12).tolist() for part in fair.scores(np.array([[0, -1]]), np.array([[0, 1]]))]
        [[[0.0, -1.0]], [[0.0, 1.0]]]
        """
        shown = torch.as_tensor(checked_tokens(y, self.vocab_size, self.length, masks=True), device=self.device)
        truth = torch.as_tensor(checked_tokens(x, self.vocab_size, self.length, masks=False), device=self.device)
        found = torch.zeros(2, *shown.shape, dtype=torch.float64, device=self.device)
        for rows, where, logs in self.log_laws(shown, shown == MASK):
            row, position = rows[where[:, 0]], where[:, 1]
            found[0, row, position] = logs.gather(1, truth[row, position][:, None])[:, 0]
            found[1, row, position] = -torch.where(logs > -torch.inf, logs.exp() * logs, 0.0).sum(dim=1)
        return found[0].cpu().numpy(), found[1].cpu().numpy()

    def log_laws(
        self, y: Int[Tensor, "rows L"], wanted: Bool[Tensor, "rows L"]
    ) -> Iterator[tuple[Tensor, Tensor, Float[Tensor, "m V"]]]:
        """(row numbers of the pass, (row in the pass, position) of wanted tokens, their log laws), CELLS at a time."""
        letters = torch.as_tensor(self.tokens, device=y.device)
        first = len(self.prefix) - self.shift
        for rows in torch.arange(len(y), device=y.device).split(self.rows_per_pass):
            logits = self._logits(self._ids_of(y[rows], letters))[:, first : first + self.length]
            plain = len(letters) == logits.shape[2] and bool((letters == torch.arange(len(letters)).to(letters)).all())
            for where in wanted[rows].nonzero().split(max(1, CELLS // self.vocab_size)):
                picked = logits[where[:, 0], where[:, 1]]
                picked = (picked if plain else picked[:, letters]).double()
                logs = torch.log_softmax(picked, dim=-1)
                if bool(logs.isnan().any()):
                    k = int(logs.isnan().any(dim=1).nonzero()[0])
                    row, position = int(rows[where[k, 0]]), int(where[k, 1])
                    held = picked[k][~picked[k].isfinite()][0].item()
                    raise ValueError(
                        f"the model returned {held} among the logits of row {row}, position {position}; "
                        "allowed: finite logits, or -inf at some of the letters"
                    )
                yield rows, where, logs

    def _ids_of(self, y: Int[Tensor, "b L"], letters: Int[Tensor, " V"]) -> Int[Tensor, "b S"]:
        text = torch.where(y == MASK, int(self.mask_id), letters[y.clamp(min=0)])
        frame = (torch.as_tensor(part, device=y.device).expand(len(y), -1) for part in (self.prefix, self.suffix))
        before, after = frame
        return torch.cat([before, text, after], dim=1)

    def _logits(self, ids: Int[Tensor, "b S"]) -> Tensor:
        """One forward pass; every refusal is one line."""
        try:
            with torch.inference_mode():
                found = self.model(ids)
        except (torch.OutOfMemoryError, MemoryError) as problem:
            raise OutOfMemory(self._memory(ids)) from problem
        except Exception as problem:
            if isinstance(problem, RuntimeError) and "allocate memory" in str(problem):
                raise OutOfMemory(self._memory(ids)) from problem
            line = " ".join(str(problem).split())[:200]
            raise ValueError(
                f"the model raised {type(problem).__name__} on ids {int(ids.min())}..{int(ids.max())} of shape "
                f"{tuple(ids.shape)}: {line}"
            ) from problem
        logits = getattr(found, "logits", found[0] if isinstance(found, tuple | list) and found else found)
        least = int(np.max(self.tokens)) + 1
        allowed = f"({ids.shape[0]}, {ids.shape[1]}, at least {least})"
        if not isinstance(logits, Tensor):
            raise ValueError(f"the model returned {type(logits).__name__}, it must return logits of shape {allowed}")
        if logits.ndim != 3 or logits.shape[:2] != ids.shape or logits.shape[2] < least:
            raise ValueError(f"the model returned logits of shape {tuple(logits.shape)}, allowed: {allowed}")
        if not logits.is_floating_point():
            raise ValueError(f"the model returned logits of dtype {logits.dtype}, allowed: floating point")
        return logits

    def _memory(self, ids: Int[Tensor, "b S"]) -> str:
        return (
            f"out of memory at a batch of {len(ids)} rows of {ids.shape[1]} ids (batch_tokens = {self.batch_tokens}); "
            "lower batch_tokens"
        )


def _ids(name: str, values, mask_id: int) -> Int[np.ndarray, " n"]:
    """`values` as a vector of ids without the mask's."""
    held = np.empty(0, dtype=np.int64) if np.size(values) == 0 else integers(name, values, 0)
    if held.ndim != 1:
        raise ValueError(f"{name} has shape {held.shape}, it must be a vector of ids")
    if (held == mask_id).any():
        raise ValueError(f"{name} holds mask_id = {mask_id}, allowed: other ids")
    return held
