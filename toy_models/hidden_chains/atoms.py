"""What the revealed tokens on one side say about a hidden state: a list of atoms.

An atom is alpha(s) = P(pattern, S_i = s): the probability of one pattern of revealed tokens on the left of position i
together with the hidden state there. On the right it is gamma(s) = rho(s) P(pattern | S_i = s), rho any positive
reference law. Given S_i the two sides are independent, so the pair of patterns (k, l) and the token x have probability

    p_kl(x) = sum_s alpha_k(s) gamma_l(s) B(s, x) / rho(s),
    H(X_i | both sides) = sum_kl phi(p_kl),      phi(p) = - sum_x p(x) log(p(x) / sum_y p(y)).

phi is concave and homogeneous of degree one, so adding atoms raises H and splitting them lowers it. Proportional
atoms carry the same posterior and may be added without changing H.
"""

import numpy as np
from jaxtyping import Float

PROPORTIONAL = 1e-12  # posteriors closer than this are one atom; it moves H by the square of this
CHUNK = 2**15  # entries of p held at once; fits the second-level cache


def reveal_symbols(emission: Float[np.ndarray, "S V"], a: float) -> Float[np.ndarray, "Q S"]:
    """The likelihoods of what a neighbour shows: masked, 1-a for every state; token y, a B(s, y). Equal ones merged."""
    rows = np.concatenate([np.full((1, len(emission)), 1.0 - a), a * emission.T])
    return merge_proportional(rows)


def extend(
    atoms: Float[np.ndarray, "K S"], symbols: Float[np.ndarray, "Q S"], matrix: Float[np.ndarray, "S S"]
) -> Float[np.ndarray, "K*Q S"]:
    """One position further: every atom meets every symbol of the neighbour, then the hidden state moves by `matrix`."""
    return (atoms[:, None, :] * symbols[None]).reshape(-1, atoms.shape[1]) @ matrix


def merge_proportional(atoms: Float[np.ndarray, "K S"]) -> Float[np.ndarray, "K2 S"]:
    """The list with zero atoms left out and proportional atoms (to rounding) added. O(K log K)."""
    weight = atoms.sum(axis=1)
    atoms, weight = atoms[weight > 0], weight[weight > 0]
    if len(atoms) < 2:
        return atoms
    posterior = atoms / weight[:, None]
    # one generic projection puts equal posteriors side by side; a pair that it separates stays unmerged, harmlessly
    order = np.argsort(posterior @ np.sqrt(np.arange(2.0, 2.0 + atoms.shape[1])))
    posterior = posterior[order]
    fresh = np.abs(np.diff(posterior, axis=0)).max(axis=1) > PROPORTIONAL
    starts = np.concatenate([[0], np.flatnonzero(fresh) + 1])
    return np.add.reduceat(atoms[order], starts, axis=0)


def pair_entropy(
    left: Float[np.ndarray, "K S"],
    right: Float[np.ndarray, "M S"],
    emission: Float[np.ndarray, "S V"],
    reference: Float[np.ndarray, " S"],
) -> float:
    """sum over k, l of phi(p_kl), in nats. O(K M V (S + 1)); every term is non-negative."""
    if len(left) < len(right):
        left, right = right, left
    tail = np.ascontiguousarray((right / reference).T)
    rows = max(1, CHUNK // tail.shape[1])
    total = 0.0
    for start in range(0, len(left), rows):
        part = left[start : start + rows]
        whole = part @ tail
        total += _sum_x_log_x(whole)
        for column in emission.T:
            total -= _sum_x_log_x((part * column) @ tail)
    return total


def single_entropy(atoms: Float[np.ndarray, "K S"], emission: Float[np.ndarray, "S V"]) -> float:
    """sum over k of phi(alpha_k B): H(X_i | one side)."""
    return _sum_x_log_x(atoms.sum(axis=1)) - _sum_x_log_x(atoms @ emission)


def _sum_x_log_x(x: np.ndarray) -> float:
    logs = np.log(np.maximum(x, 1e-300))
    return float(np.vdot(x, logs))
