"""Between what a sampler shows a network and the text of a language: ids and letters, columns and positions.

A sampler's input is (batch, S) ids: a prompt, the text or a part of it, padding. The language knows L letters.

    letter_of     id -> letter, MASK or FOREIGN
    text_of       ids at their columns -> (batch, L) letters; what is not shown is MASK, so it is marginalised
    laws_at       (batch, L, V) laws -> (batch, S, V) laws of what each column predicts
    log_scores    log p - log(e^sigma - 1), 0 at the id that stands there (score entropy)
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from toy_models.validation import MASK

FOREIGN = -2  # an id that is neither a letter nor the mask


def letter_of(ids: Sequence[int], mask_id: int, vocab_size: int) -> Int[Tensor, " ids"]:
    """table[id] = the letter that the id writes, MASK for the mask, FOREIGN for any other id."""
    table = torch.full((vocab_size,), FOREIGN)
    table[list(ids)] = torch.arange(len(ids))
    table[mask_id] = MASK
    return table


def columns_of(rows: int, width: int, first: int, position_ids: Tensor | None) -> Int[Tensor, "batch S"]:
    """The absolute column of each id shown: `position_ids` where given, else first, first + 1, ..."""
    if position_ids is None:
        return torch.arange(first, first + width).expand(rows, -1)
    position_ids = position_ids.cpu().long()
    if position_ids.shape[-1] != width:
        raise ValueError(f"position_ids have width {position_ids.shape[-1]}, the input has {width}")
    return position_ids.reshape(-1, width).expand(rows, -1)


def seen_of(attention_mask, rows: int, width: int, device: torch.device) -> Bool[Tensor, "batch S"] | None:
    """Which of the last `width` ids are attended to; None: all.

    A mask (batch, S) hides where it is 0. A mask (batch, heads, queries, S) over pairs, boolean or added to scores,
    hides what no query attends to; in which order blocks see each other does not matter to an exact conditional law,
    which is given all that is shown. The word "full" hides nothing.
    """
    if attention_mask is None or isinstance(attention_mask, str):
        return None
    attended = attention_mask.to(device) != 0
    if attention_mask.ndim == 4:
        pairs = attention_mask.to(device)
        attended = (pairs > -1.0 if pairs.is_floating_point() else pairs != 0).any(dim=1).any(dim=1)
        attended = attended.expand(rows, -1)
    if attended.ndim != 2 or attended.shape[0] != rows or attended.shape[1] < width:
        raise ValueError(f"attention_mask has shape {tuple(attention_mask.shape)}, allowed: ({rows}, {width})")
    return attended[:, -width:]


def text_of(
    letters: Int[Tensor, "batch S"],
    columns: Int[Tensor, "batch S"],
    seen: Bool[Tensor, "batch S"] | None,
    prompt: int,
    length: int,
) -> Int[Tensor, "batch L"]:
    """The text shown: column prompt + i is position i; MASK where nothing is shown."""
    rows, width = letters.shape
    if seen is None and width >= prompt + length and _plain(columns):
        return letters[:, prompt : prompt + length].clone()
    place = columns.to(letters.device) - prompt
    inside = (place >= 0) & (place < length)
    if seen is not None:
        inside &= seen
    text = torch.full((rows, length + 1), MASK, device=letters.device)
    text.scatter_(1, torch.where(inside, place, length), letters)  # the last column takes what lies outside
    return text[:, :length].contiguous()


def _plain(columns: Tensor) -> bool:
    return bool((columns[:1] == torch.arange(columns.shape[1])).all()) and bool((columns == columns[:1]).all())


def laws_at(
    laws: Float[Tensor, "batch L V"], columns: Int[Tensor, "batch S"], prompt: int, shift: int
) -> Float[Tensor, "batch S V"]:
    """The law of position column - prompt + shift at each column; uniform at columns that predict no position."""
    length, vocab = laws.shape[1:]
    if shift == 0 and prompt == 0 and columns.shape[1] == length and _plain(columns):
        return laws
    place = columns.to(laws.device) - prompt + shift
    inside = (place >= 0) & (place < length)
    taken = laws.gather(1, place.clamp(0, length - 1)[:, :, None].expand(-1, -1, vocab))
    return torch.where(inside[:, :, None], taken, 1.0 / vocab)


def into_vocabulary(
    laws: Float[Tensor, "batch S V"], ids: Sequence[int], vocab_size: int, floor: float
) -> Float[Tensor, "batch S ids"]:
    """log of the laws at the ids of the letters and -inf at other ids, nothing below `floor`."""
    letters = len(ids)
    if list(ids) != list(range(letters)):
        logs = laws.new_full((*laws.shape[:2], vocab_size), -math.inf)
        logs[:, :, list(ids)] = laws.log()
    else:
        logs = laws.new_empty(*laws.shape[:2], vocab_size)
        logs[:, :, letters:] = -math.inf
        torch.log(laws, out=logs[:, :, :letters])
    return logs if floor == -math.inf else logs.clamp_(min=floor)


def log_scores(
    logits: Float[Tensor, "batch S ids"], shown: Int[Tensor, "batch S"], sigma: Tensor | float
) -> Float[Tensor, "batch S ids"]:
    """log p(v | shown) - log(e^sigma - 1), 0 at the id shown: the log score of the absorbing process at noise sigma."""
    noise = torch.as_tensor(sigma, dtype=logits.dtype, device=logits.device).reshape(-1, 1, 1)
    scores = logits - noise.expm1().log()
    return scores.scatter_(2, shown[:, :, None], 0.0)
