"""Masked marginals of an n-gram, n >= 2, by messages over windows of n-1 tokens.

f_i(a) = P(window a ends at i, tokens revealed up to i), b_i(a) = P(tokens revealed after i | a). A window's code is its
base-V number; window (a_1, mid) and token v give window (mid, v), so the square V^(n-1) x V^(n-1) is never formed. Only
windows that agree with the revealed tokens are touched: a step costs V^(masked among n adjacent positions). A revealed
window of n-1 adjacent tokens screens, so a row falls into segments and memory follows the longest one.

As in forward_backward.py nothing is clamped: messages are rescaled at every step, and a row in which a positive entry
falls under LOW is done again in extended range.
"""

import numpy as np
from jaxtyping import Bool, Float, Int
from numba import prange

from toy_models.errors import IntractableError
from toy_models.kernel import kernel
from toy_models.targets.kernels import extended_range
from toy_models.targets.kernels.forward_backward import LOW
from toy_models.targets.kernels.impossible import reveal_one_hot

MAX_MESSAGES = 2**27  # float64 numbers of one row's longest segment: 1 GiB


def window_marginals(
    initial: Float[np.ndarray, " T"], conditional: Float[np.ndarray, "T V"], context: int, y: Int[np.ndarray, "batch L"]
) -> tuple[Float[np.ndarray, "batch L V"], Bool[np.ndarray, " batch"]]:
    """q(x_i = v | revealed), one-hot where revealed, and which rows have revealed tokens of probability 0."""
    batch, length = y.shape
    tuples, vocab = conditional.shape
    initial, conditional = np.array(initial, order="C"), np.array(conditional, order="C")
    longest = longest_segment(y, context)
    if longest * tuples > MAX_MESSAGES:
        raise IntractableError(
            "masked marginals of an n-gram",
            f"V = {vocab}, n = {context + 1} and {longest} positions without {context} adjacent revealed tokens",
            f"V^(n-1) * positions <= {MAX_MESSAGES}",
            "lower the order or the length, or reveal more",
        )
    result = np.zeros((batch, length, vocab))
    flagged, impossible = np.zeros(batch, dtype=bool), np.zeros(batch, dtype=bool)
    smallest = min(float(p.min(where=p > 0, initial=1.0)) for p in (initial, conditional))
    if smallest < LOW:
        flagged[:] = True
    else:
        marginals_kernel(initial, conditional, context, longest, y, flagged, impossible, result)
    if flagged.any():
        part, lost = np.zeros_like(result[flagged]), np.zeros(flagged.sum(), dtype=bool)
        split = [half for p in (initial, conditional) for half in extended_range.split(p)]
        extended_range.ngram_marginals(*split, context + 1, y[flagged], lost, part)
        result[flagged] = part
        impossible[flagged] = lost
    return reveal_one_hot(result, y), impossible


def longest_segment(y: Int[np.ndarray, "batch L"], context: int) -> int:
    """Windows in the longest stretch between two revealed windows, both included."""
    length = y.shape[1]
    revealed = np.cumsum(np.pad(y >= 0, ((0, 0), (1, 0))), axis=1)
    screen = revealed[:, context:] - revealed[:, :-context] == context
    screen[:, 0] = screen[:, -1] = True
    row, window = np.nonzero(screen)
    return int(np.diff(row * length + window).max(where=np.diff(row) == 0, initial=0)) + 1


def _agreeing(y, start, stop, vocab, codes):
    """Codes of the strings at start..stop-1 that agree with the revealed tokens, in place; returns how many."""
    count = 1
    codes[0] = 0
    for position in range(start, stop):
        token = y[position]
        if token >= 0:
            for k in range(count):
                codes[k] = codes[k] * vocab + token
        else:
            for k in range(count - 1, -1, -1):
                base = codes[k] * vocab
                for v in range(vocab):
                    codes[k * vocab + v] = base + v
            count *= vocab
    return count


def _rescale(message, mids, count, low_v, high_v, vocab, weights, use_weights):
    """Divide by the total (for b: weighted by f, and zero where f is); returns (total, an entry is under LOW)."""
    total = 0.0
    for k in range(count):
        for code in range(mids[k] * vocab + low_v, mids[k] * vocab + high_v):
            if not use_weights:
                total += message[code]
            elif weights[code] > 0.0:
                total += weights[code] * message[code]
            else:
                message[code] = 0.0
    low = False
    if total > 0.0:
        scale = 1.0 / total
        for k in range(count):
            for code in range(mids[k] * vocab + low_v, mids[k] * vocab + high_v):
                message[code] *= scale
                low |= (message[code] > 0.0) & (message[code] < LOW)
    return total, low


def _row_marginals(initial, conditional, context, forth, y, result):
    """One row; returns (impossible, flagged)."""
    length = len(y)
    tuples, vocab = conditional.shape
    tail = tuples // vocab
    mids, back, following = np.empty(tail, np.int64), np.empty(tuples), np.empty(tuples)
    start = context - 1
    run = 0  # revealed tokens in a row up to `start`
    for i in range(context):
        run = run + 1 if y[i] >= 0 else 0
    while True:
        count = agreeing(y, start - context + 1, start, vocab, mids)
        low_v, high_v = (y[start], y[start] + 1) if y[start] >= 0 else (0, vocab)
        for k in range(count):
            for code in range(mids[k] * vocab + low_v, mids[k] * vocab + high_v):
                forth[0, code] = initial[code] if start == context - 1 else 1.0
        total, low = rescale(forth[0], mids, count, low_v, high_v, vocab, back, False)
        stop = start
        while total > 0.0 and not low and stop + 1 < length and (stop == start or run < context):
            stop += 1
            run = run + 1 if y[stop] >= 0 else 0
            old, new = forth[stop - start - 1], forth[stop - start]
            count = agreeing(y, stop - context + 1, stop, vocab, mids)
            low_a, high_a = (y[stop - context], y[stop - context] + 1) if y[stop - context] >= 0 else (0, vocab)
            low_v, high_v = (y[stop], y[stop] + 1) if y[stop] >= 0 else (0, vocab)
            for k in range(count):
                base = mids[k] * vocab
                for v in range(low_v, high_v):
                    new[base + v] = 0.0
                for a in range(low_a, high_a):
                    weight = old[a * tail + mids[k]]
                    if weight > 0.0:
                        for v in range(low_v, high_v):
                            new[base + v] += weight * conditional[a * tail + mids[k], v]
            total, low = rescale(new, mids, count, low_v, high_v, vocab, back, False)
        if low or total == 0.0:
            return not low, low
        for k in range(count):
            for code in range(mids[k] * vocab + low_v, mids[k] * vocab + high_v):
                back[code] = 1.0
        for i in range(stop, start - 1, -1):
            count = agreeing(y, i - context + 1, i, vocab, mids)
            low_v, high_v = (y[i], y[i] + 1) if y[i] >= 0 else (0, vocab)
            here = forth[i - start]
            total, low = rescale(back, mids, count, low_v, high_v, vocab, here, True)
            if low:
                return False, True
            earliest = 0 if i == context - 1 else i  # the first window also holds the positions before its last one
            for k in range(count):
                for code in range(mids[k] * vocab + low_v, mids[k] * vocab + high_v):
                    rest = code
                    for position in range(i, earliest - 1, -1):
                        result[position, rest % vocab] += here[code] * back[code]
                        rest //= vocab
            if i > start:
                low_a, high_a = (y[i - context], y[i - context] + 1) if y[i - context] >= 0 else (0, vocab)
                for k in range(count):
                    base = mids[k] * vocab
                    for a in range(low_a, high_a):
                        total = 0.0
                        for v in range(low_v, high_v):
                            total += conditional[a * tail + mids[k], v] * back[base + v]
                        following[a * tail + mids[k]] = total
                back, following = following, back
        if stop + 1 >= length:
            return False, False
        start = stop


def _marginals(initial, conditional, context, longest, y, flagged, impossible, result):
    for b in prange(len(y)):
        forth = np.empty((longest, len(initial)))
        impossible[b], flagged[b] = row_marginals(initial, conditional, context, forth, y[b], result[b])


FASTMATH = {"contract", "reassoc", "nsz"}
agreeing = kernel(_agreeing)
rescale = kernel(_rescale, fastmath=FASTMATH)
row_marginals = kernel(_row_marginals, fastmath=FASTMATH)
marginals_kernel = kernel(_marginals, parallel=True)
