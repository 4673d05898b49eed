"""One any-process transition: unmask, remask, insert and delete in one parallel step.

A position holding x with candidate y and control bits (remask, insert, delete) is replaced by a short string:
    nothing       if delete is set and x is a mask            (a fired delete wins: its insert bit is ignored)
    s             otherwise, s = M if remask, y if x = M, x if not
    s M           the same with insert set
and the new sequence is the concatenation. Delete is tested on the old token, so a token takes two steps to go.
A mask is unmasked by default; a mask that stays masked carries the remask bit.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Int

from toy_models.validation import MASK, integers

Action = tuple[int, int, int, int]  # (candidate, remask, insert, delete)

KEEP: Action = (0, 0, 0, 0)  # a written token stays
HOLD: Action = (0, 1, 0, 0)  # a mask stays masked; on a written token the same bits are REMASK
REMASK: Action = HOLD
DELETE: Action = (0, 0, 0, 1)


def write(token: int, insert: bool = False) -> Action:
    """Unmask to `token`, with one more mask behind it if `insert`.

    >>> tm.any_process.emit(-1, tm.any_process.write(2))
    (2,)
    """
    return (int(token), 0, int(insert), 0)


def emit(token: int, action: Action) -> tuple[int, ...]:
    """The string of length 0, 1 or 2 that replaces one position.

    >>> tm.any_process.emit(-1, tm.any_process.transition.write(5, insert=True))
    (5, -1)
    """
    candidate, remask, insert, delete = action
    if delete and token == MASK:
        return ()
    kept = MASK if remask else (candidate if token == MASK else token)
    return (kept, MASK) if insert else (kept,)


def emit_all(tokens: Sequence[int], actions: Sequence[Action]) -> tuple[int, ...]:
    """The concatenation of `emit` over all positions: the next sequence."""
    result: list[int] = []
    for token, (candidate, remask, insert, delete) in zip(tokens, actions, strict=True):
        if delete and token == MASK:
            continue
        result.append(MASK if remask else (candidate if token == MASK else token))
        if insert:
            result.append(MASK)
    return tuple(result)


def apply(tokens, proposal, remask, insert, delete) -> Int[np.ndarray, " new"]:
    """g(x, y, c): the next sequence, 1-D and possibly empty; MASK = -1.

    tokens (n,) of tokens and masks, proposal (n,) of tokens, three control arrays (n,) of 0/1. Length of the result:
    n - #{fired deletes} + #{insert bits on positions that stay}. O(n). Batches are lists of sequences.
    Source: Yang et al. 2025, arXiv 2510.06190, Algorithm 1 (delete tested on the old token, before insert).

    >>> x, remask, insert, delete = [-1, 1, -1], [0, 1, 0], [1, 0, 0], [0, 0, 1]
    >>> tm.any_process.apply(x, [0, 0, 1], remask, insert, delete).tolist()
    [0, -1, -1]
    """
    old = sequence("tokens", tokens)
    candidate = sequence("proposal", proposal, like=old, masks=False)
    again, more, drop = (
        control(name, bits, old) for name, bits in (("remask", remask), ("insert", insert), ("delete", delete))
    )
    stays = ~(drop & (old == MASK))
    kept = np.where(again, MASK, np.where(old == MASK, candidate, old))
    width = np.where(stays, 1 + more, 0)
    result = np.full(int(width.sum()), MASK, dtype=np.int64)
    first = np.cumsum(width) - width
    result[first[stays]] = kept[stays]
    return result


def reveal_only(tokens, reveal) -> tuple[Bool[np.ndarray, " n"], Bool[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
    """Control arrays (remask, insert, delete) of the write-once step that unmasks exactly the positions `reveal`.

    >>> [control.tolist() for control in tm.any_process.reveal_only([-1, -1], [1, 0])]
    [[False, True], [False, False], [False, False]]
    """
    old = sequence("tokens", tokens)
    chosen = control("reveal", reveal, old)
    none = np.zeros(old.shape, dtype=bool)
    return (old == MASK) & ~chosen, none, none


def sequence(name: str, values, like=None, masks: bool = True) -> Int[np.ndarray, " n"]:
    """`values` as a 1-D int64 array of tokens >= 0, with MASK = -1 where `masks` allows it."""
    array = integers(name, values)
    if array.ndim != 1 or (like is not None and array.shape != like.shape):
        wanted = "(n,)" if like is None else f"{like.shape}, the shape of tokens"
        raise ValueError(f"{name} must have shape {wanted}, got {array.shape}")
    wrong = array < (MASK if masks else 0)
    if wrong.any():
        k = int(np.argmax(wrong))
        allowed = "tokens >= 0 or MASK = -1" if masks else "tokens >= 0 (a proposal holds no mask)"
        raise ValueError(f"{name}[{k}] = {int(array[k])}, allowed: {allowed}")
    return array


def control(name: str, bits, tokens: Int[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """`bits` as booleans of the shape of `tokens`."""
    array = np.asarray(bits)
    if array.shape != tokens.shape:
        raise ValueError(f"{name} must have shape {tokens.shape}, the shape of tokens, got {array.shape}")
    wrong = (array != 0) & (array != 1)
    if wrong.any():
        k = int(np.argmax(wrong))
        raise ValueError(f"{name}[{k}] = {array[k]}, allowed: 0 or 1")
    return array.astype(bool)
