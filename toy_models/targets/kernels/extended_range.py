"""Exact recursions in extended range, for the rows on which float64 would lose a positive number to underflow.

A non-negative number is significand * 2**(512 exponent), its significand 0 or in [2**-256, 2**256), its exponent int64
(Smith, Olver and Lozier 1981; Fukushima 2012). Sums and products keep float64's relative precision at any magnitude, so
a total is zero here exactly when no path of positive probability exists. No logarithm is taken, hence none is rounded.
"""

import numpy as np
from jaxtyping import Float, Int

from toy_models.kernel import kernel

LOG_RADIX = 512 * np.log(2.0)
UP, DOWN = 2.0**512, 2.0**-512
UPPER, LOWER = 2.0**256, 2.0**-256


def split(values: Float[np.ndarray, "..."]) -> tuple[Float[np.ndarray, "..."], Int[np.ndarray, "..."]]:
    """Significands and exponents of finite numbers >= 0, subnormal ones included."""
    significand, exponent = np.array(values, dtype=np.float64), np.zeros(np.shape(values), dtype=np.int64)
    while (low := (significand > 0) & (significand < LOWER)).any():
        significand[low] *= UP
        exponent[low] -= 1
    return significand, exponent


def _normal(x, k):
    """The same number with its significand back in range; one step is enough after a product or a sum."""
    if x >= UPPER:
        return x * DOWN, k + 1
    if 0.0 < x < LOWER:
        return x * UP, k - 1
    return x, k


def _add(x, k, y, m):
    """x 2**(512 k) + y 2**(512 m); a summand two exponents below the other is under its last bit."""
    if y == 0.0 or (x != 0.0 and m < k - 1):
        return x, k
    if x == 0.0 or k < m - 1:
        return y, m
    if k > m:
        return normal(x + y * DOWN, k)
    if m > k:
        return normal(x * DOWN + y, m)
    return normal(x + y, k)


def _larger(x, k, y, m):
    """The larger of two numbers: of positive ones that with the larger exponent, or significand."""
    if y > 0.0 and (x == 0.0 or m > k or (m == k and y > x)):
        return y, m
    return x, k


def _ratio(x, k, peak, peak_k):
    """x 2**(512 k) over a number at least as large, as a float64; 0 only where it is too small for one."""
    x /= peak
    while k < peak_k and x > 0.0:
        x *= DOWN
        k += 1
    return x


def _hmm_forward(initial, initial_k, transition, transition_k, likelihood, likelihood_k, tokens, message, message_k):
    """message[i] = P(hidden state at i, tokens revealed before i), zeros on entry; returns P(all revealed tokens)."""
    length, states = message.shape
    message[0], message_k[0] = initial, initial_k
    total, total_k = 0.0, 0
    for i in range(length):
        row = tokens[i] + 1
        for s in range(states):
            x, k = normal(message[i, s] * likelihood[row, s], message_k[i, s] + likelihood_k[row, s])
            if x == 0.0:
                continue
            if i + 1 == length:
                total, total_k = add(total, total_k, x, k)
                continue
            for t in range(states):
                y, m = normal(x * transition[s, t], k + transition_k[s, t])
                message[i + 1, t], message_k[i + 1, t] = add(message[i + 1, t], message_k[i + 1, t], y, m)
    return total, total_k


def _hmm_marginals(
    initial, initial_k, transition, transition_k, likelihood, likelihood_k, emission, y, impossible, result
):
    """result[b, i] = q(x_i | revealed tokens of row b) at masked positions; likelihood row 0 belongs to the mask."""
    batch, length = y.shape
    states, vocab = emission.shape
    for b in range(batch):
        message, message_k = np.zeros((length, states)), np.zeros((length, states), np.int64)
        total, _ = hmm_forward(
            initial, initial_k, transition, transition_k, likelihood, likelihood_k, y[b], message, message_k
        )
        impossible[b] = total == 0.0
        if impossible[b]:
            continue
        back, back_k = np.ones(states), np.zeros(states, np.int64)
        work, work_k = np.empty(states), np.empty(states, np.int64)
        for i in range(length - 1, -1, -1):
            row = y[b, i] + 1
            if row == 0:
                peak, peak_k = 0.0, 0
                for s in range(states):
                    work[s], work_k[s] = normal(message[i, s] * back[s], message_k[i, s] + back_k[s])
                    peak, peak_k = larger(peak, peak_k, work[s], work_k[s])
                result[b, i] = 0.0
                for s in range(states):
                    weight = ratio(work[s], work_k[s], peak, peak_k)
                    for v in range(vocab):
                        result[b, i, v] += weight * emission[s, v]
                result[b, i] /= result[b, i].sum()
            for s in range(states):
                work[s], work_k[s] = normal(back[s] * likelihood[row, s], back_k[s] + likelihood_k[row, s])
            for s in range(states):
                x, k = 0.0, 0
                for t in range(states):
                    p, m = normal(transition[s, t] * work[t], transition_k[s, t] + work_k[t])
                    x, k = add(x, k, p, m)
                back[s], back_k[s] = x, k


def _hmm_log_prob(initial, initial_k, transition, transition_k, likelihood, likelihood_k, x, result):
    """result[b] = log P(x[b]), -inf when impossible."""
    batch, length = x.shape
    for b in range(batch):
        message, message_k = np.zeros((length, len(initial))), np.zeros((length, len(initial)), np.int64)
        total, k = hmm_forward(
            initial, initial_k, transition, transition_k, likelihood, likelihood_k, x[b], message, message_k
        )
        result[b] = np.log(total) + k * LOG_RADIX


def _ngram_marginals(initial, initial_k, conditional, conditional_k, order, y, impossible, result):
    """The same for an n-gram, dense over the V**(n-1) tuples: initial (tuples,), conditional (tuples, V), n >= 2."""
    batch, length = y.shape
    tuples, vocab = conditional.shape
    tail = tuples // vocab
    first = order - 2
    for b in range(batch):
        message, message_k = np.zeros((length, tuples)), np.zeros((length, tuples), np.int64)
        total = 0.0
        for a in range(tuples):
            code, fits = a, True
            for i in range(first, -1, -1):
                fits &= y[b, i] < 0 or y[b, i] == code % vocab
                code //= vocab
            if fits:
                message[first, a], message_k[first, a] = initial[a], initial_k[a]
        for i in range(first + 1, length):
            for a in range(tuples):
                for v in range(vocab):
                    if message[i - 1, a] > 0.0 and (y[b, i] < 0 or y[b, i] == v):
                        to = a % tail * vocab + v
                        x, k = normal(message[i - 1, a] * conditional[a, v], message_k[i - 1, a] + conditional_k[a, v])
                        message[i, to], message_k[i, to] = add(message[i, to], message_k[i, to], x, k)
        total = message[length - 1].sum()
        impossible[b] = total == 0.0
        if impossible[b]:
            continue
        back, back_k = np.ones(tuples), np.zeros(tuples, np.int64)
        joint, joint_k = np.empty(tuples), np.empty(tuples, np.int64)
        for i in range(length - 1, first - 1, -1):
            peak, peak_k = 0.0, 0
            for a in range(tuples):
                joint[a], joint_k[a] = normal(message[i, a] * back[a], message_k[i, a] + back_k[a])
                peak, peak_k = larger(peak, peak_k, joint[a], joint_k[a])
            power = 1
            for position in range(i, (-1 if i == first else i - 1), -1):
                if y[b, position] < 0:
                    result[b, position] = 0.0
                    for a in range(tuples):
                        result[b, position, a // power % vocab] += ratio(joint[a], joint_k[a], peak, peak_k)
                    result[b, position] /= result[b, position].sum()
                power *= vocab
            joint[:], joint_k[:] = back, back_k
            for a in range(tuples):
                x, k = 0.0, 0
                for v in range(vocab):
                    if y[b, i] < 0 or y[b, i] == v:
                        to = a % tail * vocab + v
                        p, m = normal(conditional[a, v] * joint[to], conditional_k[a, v] + joint_k[to])
                        x, k = add(x, k, p, m)
                back[a], back_k[a] = x, k


normal = kernel(_normal)
add = kernel(_add)
larger = kernel(_larger)
ratio = kernel(_ratio)
hmm_forward = kernel(_hmm_forward)
hmm_marginals = kernel(_hmm_marginals)
hmm_log_prob = kernel(_hmm_log_prob)
ngram_marginals = kernel(_ngram_marginals)
