"""Scaled forward-backward recursions of an HMM with masked observations, compiled and batched.

Notation: f_i(s) = P(S_i = s, tokens revealed before i), b_i(s) = P(tokens revealed after i | S_i = s), both up to one
factor per row. A masked token has likelihood 1 (the sum of its emission row), so

    q(x_i = v | revealed) is proportional to sum_s f_i(s) b_i(s) emission[s, v],
    f_{i+1} = (f_i * likelihood_i) transition,     b_{i-1} = transition (b_i * likelihood_i).

Nothing is clamped. A row is trusted when no positive number can have been lost to underflow: every `cadence` steps the
messages are rescaled, and a positive entry under LOW flags the row. In between a path loses at most a factor
p_min**(2 cadence) >= 2**-220, p_min being the smallest positive probability of the model. Then positive entries stay
above 2**-460, products f b likelihood above 2**-990, and an entry is zero only when the support makes it so. Flagged
rows, and models with p_min < 2**-70, are done again in extended range.
"""

import numpy as np
from jaxtyping import Bool, Float, Int
from numba import get_num_threads, prange

from toy_models.kernel import kernel
from toy_models.targets.kernels import extended_range
from toy_models.targets.kernels.impossible import reveal_one_hot, settle_impossible

LOW = 2.0**-240
DROP_BITS = 110
SMALLEST_BITS = 70
MAX_CADENCE = 8
TILE = 32  # positions written at once: long runs of contiguous memory
ROWS = 32  # sequences carried together, so that one step is a matrix product
SCRATCH = 2**24  # float64 numbers of messages held per thread
FASTMATH = {"contract", "reassoc", "nsz"}


def masked_marginals(
    initial: Float[np.ndarray, " S"],
    transition: Float[np.ndarray, "S S"],
    emission: Float[np.ndarray, "S V"],
    y: Int[np.ndarray, "batch L"],
    on_impossible: str,
) -> Float[np.ndarray, "batch L V"]:
    """q(x_i = v | revealed tokens of y), one-hot where revealed. O(batch L (S^2 + S V)), parallel over the batch."""
    result, impossible = posterior(initial, transition, emission, y)
    return settle_impossible(result, y, impossible, on_impossible)


def posterior(
    initial: Float[np.ndarray, " S"],
    transition: Float[np.ndarray, "S S"],
    emission: Float[np.ndarray, "S V"],
    y: Int[np.ndarray, "batch L"],
) -> tuple[Float[np.ndarray, "batch L V"], Bool[np.ndarray, " batch"]]:
    """The marginals, and which rows have revealed tokens of probability 0 (masked positions there hold no law)."""
    batch, length = y.shape
    initial, transition, emission = (np.array(p, order="C") for p in (initial, transition, emission))
    likelihood = mask_first_likelihood(emission)
    result = np.empty((batch, length, emission.shape[1]))
    flagged, impossible = np.zeros(batch, dtype=bool), np.zeros(batch, dtype=bool)
    cadence = safe_cadence(initial, transition, emission)
    if cadence == 0:
        flagged[:] = True
    elif batch:
        backward_transition = np.ascontiguousarray(transition.T)
        rows = block_rows(batch, length * len(initial))
        marginals_kernel(
            *(initial, transition, backward_transition, emission, likelihood),
            *(y, cadence, rows, flagged, impossible, result),
        )
    if flagged.any():
        part, lost = result[flagged], np.zeros(flagged.sum(), dtype=bool)
        extended_range.hmm_marginals(*_split_all(initial, transition, likelihood), emission, y[flagged], lost, part)
        result[flagged] = reveal_one_hot(part, y[flagged])
        impossible[flagged] = lost
    return result, impossible


def sequence_log_prob(
    initial: Float[np.ndarray, " S"],
    transition: Float[np.ndarray, "S S"],
    emission: Float[np.ndarray, "S V"],
    x: Int[np.ndarray, "batch L"],
) -> Float[np.ndarray, " batch"]:
    """log q(x), -inf off the support; masked tokens are summed over. O(batch L S^2), parallel over the batch."""
    initial, transition, emission = (np.array(p, order="C") for p in (initial, transition, emission))
    likelihood = mask_first_likelihood(emission)
    log_prob, flagged = np.zeros(len(x)), np.zeros(len(x), dtype=bool)
    cadence = safe_cadence(initial, transition, emission)
    if cadence == 0:
        flagged[:] = True
    elif len(x):
        rows = block_rows(len(x), len(initial))
        log_prob_kernel(initial, transition, likelihood, x, cadence, rows, flagged, log_prob)
    if flagged.any():
        part = np.empty(flagged.sum())
        extended_range.hmm_log_prob(*_split_all(initial, transition, likelihood), x[flagged], part)
        log_prob[flagged] = part
    return log_prob


def safe_cadence(*parameters: Float[np.ndarray, "..."]) -> int:
    """Steps between two rescalings in which nothing can underflow; 0 when even one step might."""
    smallest = min(float(p.min(where=p > 0, initial=1.0)) for p in parameters)
    bits = max(-np.log2(smallest), 1.0)
    return int(min(MAX_CADENCE, DROP_BITS // bits)) if bits <= SMALLEST_BITS else 0


def mask_first_likelihood(emission: Float[np.ndarray, "S V"]) -> Float[np.ndarray, "V+1 S"]:
    """likelihood[token + 1, s]; row 0 is the mask."""
    return np.ascontiguousarray(np.vstack([emission.sum(axis=1), emission.T]))


def block_rows(batch: int, numbers_per_row: int) -> int:
    """Sequences per block: enough for a matrix product, no more than memory and an even split over threads allow."""
    return max(1, min(ROWS, -(-batch // get_num_threads()), SCRATCH // numbers_per_row))


def _split_all(*parameters: Float[np.ndarray, "..."]) -> list[np.ndarray]:
    return [half for p in parameters for half in extended_range.split(p)]


def _forward(initial, transition, likelihood, tokens, cadence, predicted, flagged, log_prob):
    """predicted[i] ~ f_i for a block of rows (a ring when shorter than L); log_prob[r] = log P(revealed tokens)."""
    length, rows = tokens.shape
    depth, _, states = predicted.shape
    filtered = np.empty((rows, states))
    evidence = np.ones(rows)
    for r in range(rows):
        predicted[0, r] = initial
        log_prob[r] = 0.0
    for i in range(length):
        now = predicted[i % depth]
        if i % cadence == 0:
            for r in range(rows):
                total = 0.0
                for s in range(states):
                    total += now[r, s]
                scale = 1.0 / total if total > 0.0 else 0.0
                low = False
                for s in range(states):
                    p = now[r, s] * scale
                    now[r, s] = p
                    low |= (p > 0.0) & (p < LOW)
                flagged[r] |= low
                evidence[r] *= total
                if evidence[r] < LOW:
                    log_prob[r] += np.log(evidence[r])
                    evidence[r] = 1.0
        for r in range(rows):
            row = tokens[i, r] + 1
            for s in range(states):
                filtered[r, s] = now[r, s] * likelihood[row, s]
        if i + 1 < length:
            np.dot(filtered, transition, predicted[(i + 1) % depth])
    for r in range(rows):
        total = 0.0
        for s in range(states):
            total += filtered[r, s]
        log_prob[r] += np.log(evidence[r]) + np.log(total)


def _backward(backward_transition, emission, likelihood, tokens, cadence, predicted, flagged, result):
    """Turn predicted into f_i b_i, rescaled to total 1, and write the marginals, TILE positions at a time."""
    length, rows = tokens.shape
    states, vocab = emission.shape
    back = np.ones((rows, states))
    work = np.empty((rows, states))
    flat_back = back.reshape(-1)
    laws = np.zeros((vocab + TILE * rows, vocab))  # one-hot laws of the tokens, then the marginals of the tile
    for v in range(vocab):
        laws[v, v] = 1.0
    for stop in range(length, 0, -TILE):
        start = max(stop - TILE, 0)
        for i in range(stop - 1, start - 1, -1):
            joint = predicted[i]
            if i + 1 == length or (i + 1) % cadence == 0:  # the end of a stretch on which the scale of f is constant
                for r in range(rows):
                    row = tokens[i, r] + 1
                    total = 0.0
                    for s in range(states):
                        total += joint[r, s] * back[r, s] * likelihood[row, s]
                    scale = 1.0 / total if total > 0.0 else 0.0
                    low = False
                    for s in range(states):
                        # a state that the past excludes has no bearing; left in, its b could grow without bound
                        b = back[r, s] * scale if joint[r, s] > 0.0 else 0.0
                        back[r, s] = b
                        low |= (b > 0.0) & (b < LOW)
                    flagged[r] |= low
            flat = joint.reshape(-1)
            for k in range(rows * states):
                flat[k] *= flat_back[k]
            if i > 0:
                for r in range(rows):
                    row = tokens[i, r] + 1
                    for s in range(states):
                        work[r, s] = back[r, s] * likelihood[row, s]
                np.dot(work, backward_transition, back)
        count = (stop - start) * rows
        np.dot(predicted[start:stop].reshape(count, states), emission, laws[vocab : vocab + count])
        for r in range(rows):
            for i in range(start, stop):
                token = tokens[i, r]
                row = token if token >= 0 else vocab + (i - start) * rows + r
                for v in range(vocab):
                    result[r, i, v] = laws[row, v]


def _marginals(
    initial, transition, backward_transition, emission, likelihood, y, cadence, block, flagged, impossible, result
):
    batch, length = y.shape
    for k in prange((batch + block - 1) // block):
        first, last = k * block, min((k + 1) * block, batch)
        rows = last - first
        tokens = np.ascontiguousarray(y[first:last].T)
        predicted, log_prob = np.empty((length, rows, len(initial))), np.empty(rows)
        forward(initial, transition, likelihood, tokens, cadence, predicted, flagged[first:last], log_prob)
        for r in range(rows):
            impossible[first + r] = log_prob[r] == -np.inf
        backward(
            backward_transition,
            emission,
            likelihood,
            tokens,
            cadence,
            predicted,
            flagged[first:last],
            result[first:last],
        )


def _log_prob(initial, transition, likelihood, x, cadence, block, flagged, log_prob):
    batch = len(x)
    for k in prange((batch + block - 1) // block):
        first, last = k * block, min((k + 1) * block, batch)
        tokens = np.ascontiguousarray(x[first:last].T)
        ring = np.empty((2, last - first, len(initial)))
        forward(initial, transition, likelihood, tokens, cadence, ring, flagged[first:last], log_prob[first:last])


forward = kernel(_forward, fastmath=FASTMATH, error_model="numpy")
backward = kernel(_backward, fastmath=FASTMATH, error_model="numpy")
marginals_kernel = kernel(_marginals, parallel=True, error_model="numpy")
log_prob_kernel = kernel(_log_prob, parallel=True, error_model="numpy")
