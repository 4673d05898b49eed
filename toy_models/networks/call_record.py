"""What a sampler did with a network, read off the inputs alone.

Two inputs in a row with the same number of rows are compared, slot by slot. A call wrote in a row if the row showed a
mask and the next input (or the text returned at the end) differs from it. A slot whose next input shows masks where
letters stood, and nothing new, has started another text; so samplers that write one text at a time are counted too.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from toy_models.networks.draw_record import Draws
from toy_models.validation import MASK


@dataclass(eq=False)
class CallRecord:
    """Counters of one network.

    calls: forward passes; rows: rows of all passes; masked_calls, masked_rows: those that saw a mask;
    writing_calls, writing_rows: those that wrote; impossible_rows: contexts of probability 0; foreign_rows: rows that
    showed an id that is no letter; rewritten: letters that were masked again or changed.
    """

    calls: int = 0
    rows: int = 0
    masked_calls: int = 0
    masked_rows: int = 0
    writing_calls: int = 0
    writing_rows: int = 0
    impossible_rows: int = 0
    foreign_rows: int = 0
    rewritten: int = 0
    written: list[list[int]] = field(default_factory=list)  # [call of a text]: (rows, letters newly written)
    draws: Draws = field(default_factory=Draws)
    per_text: list[np.ndarray] = field(default_factory=list)  # (rows, 2): calls and writing calls of finished texts
    paid: list[np.ndarray] = field(default_factory=list)  # (rows, 2): sums of -log pi(x) and H(pi) of letters written
    _last: tuple[Tensor, Tensor] | None = None  # the input before, and the laws that it got
    _counts: np.ndarray | None = None
    _paid: np.ndarray | None = None
    _open: list[tuple[Tensor, Tensor, int]] = field(default_factory=list)  # last inputs, laws, calls of finished texts

    def see(self, text: Int[Tensor, "batch L"], laws: Float[Tensor, "batch L V"], impossible: int, foreign: int):
        """One forward pass."""
        if self._last is not None:
            if len(text) == len(self._last[0]) and not self._restarts(text):
                self._compare(text)
            else:
                self._end()
        if self._counts is None:
            self._counts = np.zeros((len(text), 2), dtype=np.int64)
            self._paid = np.zeros((len(text), 2))
        masked = int((text == MASK).any(dim=1).sum())
        self.calls += 1
        self.rows += len(text)
        self.masked_calls += masked > 0
        self.masked_rows += masked
        self.impossible_rows += impossible
        self.foreign_rows += foreign
        self._counts[:, 0] += 1
        self._last = (text, laws)

    def close(self, tokens: Int[Tensor, "size L"]) -> None:
        """The texts that were returned, FOREIGN where an id is no letter: the last calls can now be judged."""
        if self._last is not None and len(self._open) == 0 and len(self._last[0]) == len(tokens):
            self._compare(tokens)
            assert self._counts is not None
            assert self._paid is not None
            self.per_text.append(self._counts)
            self.paid.append(self._paid)
        elif self._last is not None:
            self._end()
            texts, laws, calls = zip(*self._open, strict=True)
            if sum(map(len, texts)) == len(tokens):
                last = np.repeat(calls, list(map(len, texts))) - 1
                self.paid = [np.concatenate(self.paid) + self._judge(torch.cat(texts), torch.cat(laws), tokens, last)]
        self._last, self._counts, self._paid, self._open = None, None, None, []

    def _restarts(self, text: Tensor) -> bool:
        """Whether other texts stand in the slots: letters are gone and nothing new stands there."""
        before = self._last[0] if self._last else text
        gone = ((before != MASK) & (text == MASK)).any(dim=1)
        new = ((before == MASK) & (text != MASK)).any(dim=1)
        return (bool(gone.all()) and not bool(new.any())) or bool((text == MASK).all() and (before != MASK).any())

    def _compare(self, text: Tensor) -> None:
        assert self._last is not None
        assert self._counts is not None
        assert self._paid is not None
        before, laws = self._last
        masked = (before == MASK).any(dim=1)
        wrote = masked & (before != text).any(dim=1)
        self.writing_calls += bool(wrote.any())
        self.writing_rows += int(wrote.sum())
        self._counts[:, 1] += wrote.cpu().numpy()
        self._paid += self._judge(before, laws, text, self._counts[:, 0] - 1)

    def _end(self) -> None:
        """The texts of the slots end unseen: a last call that saw a mask is taken to have written."""
        assert self._last is not None
        assert self._counts is not None
        assert self._paid is not None
        before, laws = self._last
        masked = (before == MASK).any(dim=1)
        self.writing_calls += bool(masked.any())
        self.writing_rows += int(masked.sum())
        self._counts[:, 1] += masked.cpu().numpy()
        self.per_text.append(self._counts)
        self.paid.append(self._paid)
        self._open.append((before, laws, int(self._counts[0, 0])))
        self._counts, self._paid = None, None

    def _judge(self, before: Tensor, laws: Tensor, text: Tensor, call: np.ndarray) -> np.ndarray:
        """What the call with this number wrote in each row, and what its letters cost, (rows, 2)."""
        new = (before == MASK) & (text != MASK)
        self.rewritten += int(((before != MASK) & (text != before)).sum())
        masked, count = (before == MASK).any(dim=1).cpu().numpy(), new.sum(dim=1).cpu().numpy()
        while len(self.written) <= int(call.max()):
            self.written.append([0, 0])
        for k in np.unique(call):
            rows = call == k
            self.written[k][0] += int(masked[rows].sum())
            self.written[k][1] += int(count[rows].sum())
        return self.draws.add(before, laws, text, new)
