"""The best adaptive unmasking policy of a small target, by Bellman's recursion over partially masked sequences.

A policy maps a partially masked sequence y with q(y) > 0 to a nonempty set S of masked positions. One call costs
`step_cost` plus the total correlation of X_S given y, so the expected cost is KL(q || p) + step_cost E_q[calls]:

    V(y) = min over S of  step_cost + TC(X_S | y) + E[V(y with X_S)],        V(complete) = 0.

As the total correlations along a path add up to the entropies at reveal minus H(X), the recursion charges the sum over
S of H(X_i | y) and subtracts H(X) once. With G(y) = q(y) V(y) the expectation becomes a plain sum over the values of S;
the sums over every S are shared by a table with one more digit per position, "summed over". One sweep in index order
fills that table of (V+2)^L entries, where enumerating the values of every S would take (2V+1)^L.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from toy_models.door import require_target
from toy_models.errors import IntractableError
from toy_models.kernel import kernel
from toy_models.quantities import lattice
from toy_models.rounding import nonnegative_measure
from toy_models.rules.word_policy import WordPolicy
from toy_models.targets.protocol import Target, own_route
from toy_models.targets.table import context_probabilities
from toy_models.validation import MASK

MAX_ENTRIES = 2**28  # (V+2)^L numbers of the shared table: 2 GiB, reached by V = 2, L = 14


@dataclass(frozen=True, eq=False)
class Policy:
    """An adaptive rule that minimises kl + step_cost * mean_steps; usable wherever a rule is.

    `kl` = KL(q || p) and `mean_steps` = E_q[calls] are recomputed along the policy's own tree; `value` is what the
    recursion promised, equal to `cost` up to rounding. actions[y] is the set to reveal as a bit mask (bit i = position
    i) in lattice order; `states` = (V+1)^L, `possible` of them have q(y) > 0, the policy visits `visited`.

    >>> policy = tm.optimal_policy(tm.permutations(3), step_cost=0.1)
    >>> round(policy.cost - policy.kl - policy.step_cost * policy.mean_steps, 12)
    0.0
    """

    step_cost: float
    kl: float
    mean_steps: float
    value: float
    states: int
    possible: int
    visited: int
    vocab_size: int
    length: int
    actions: Int[np.ndarray, " states"]

    @property
    def cost(self) -> float:
        return self.kl + self.step_cost * self.mean_steps

    def action(self, y: Int[np.ndarray, "batch L"]) -> Bool[np.ndarray, "batch L"]:
        """Positions to reveal next in each partially masked row."""
        powers = (self.vocab_size + 1) ** np.arange(self.length - 1, -1, -1)
        bits = self.actions[(np.asarray(y) + 1) @ powers]
        return (bits[:, None] >> np.arange(self.length)) & 1 == 1

    def select(self, marginals, masked):
        """The rule's interface: revealed positions are one-hot in the marginals, which gives y back."""
        if marginals.shape[1:] != (self.length, self.vocab_size):
            raise ValueError(
                f"marginals have (L, V) = {tuple(marginals.shape[1:])}, the policy was made for "
                f"{(self.length, self.vocab_size)}"
            )
        return self.action(np.where(masked, MASK, marginals.argmax(axis=-1)))


def optimal_policy(target: Target, step_cost: float) -> Policy | WordPolicy:
    """argmin over adaptive policies of KL(q || p) + step_cost * E_q[calls], with the exact denoiser. O(L (V+2)^L).

    Sweeping step_cost traces the lower convex hull of all (E_q[calls], KL) pairs that policies, also randomised ones
    with KL averaged over their draws, can reach; Pareto points above the hull are not found. Ties go to the set found
    first, so at step_cost = 0 the number of calls is not minimised: pass a small positive cost instead. A WordList goes
    to the recursion over its words.

    >>> policy = tm.optimal_policy(tm.repetition(2, 4), step_cost=0.1)
    >>> policy.mean_steps, round(policy.kl, 12)  # one token, then the rest
    (2.0, 0.0)
    """
    if not (np.isfinite(step_cost) and step_cost >= 0):
        raise ValueError(f"step_cost = {step_cost}, it must be a finite number >= 0 (nats per call)")
    require_target(target)
    own = own_route(target, "best_policy", step_cost)
    if own is not None:
        return own
    entries = require_policy(target.vocab_size, target.length)
    table = lattice.to_table(target)
    q = context_probabilities(table.pmf).ravel()
    actions, total = bellman(q, target.vocab_size, target.length, float(step_cost), np.zeros(entries))
    kl, mean_steps, visited = follow(q, actions, target.vocab_size, target.length)
    kl = nonnegative_measure("KL of the policy", kl, 1.0 + table.entropy())
    actions.setflags(write=False)
    value = nonnegative_measure("cost of the policy", float(total) - table.entropy(), 1.0 + float(total))
    possible = int(np.count_nonzero(q))
    return Policy(
        float(step_cost), kl, mean_steps, value, len(q), possible, visited, target.vocab_size, target.length, actions
    )


def require_policy(vocab_size: int, length: int) -> int:
    """Entries (V+2)^L of the shared table, or IntractableError."""
    entries = (vocab_size + 2) ** length
    if entries > MAX_ENTRIES:
        raise IntractableError(
            "the optimal adaptive policy",
            f"V = {vocab_size}, L = {length}, hence (V+1)^L = {(vocab_size + 1) ** length} states and "
            f"(V+2)^L = {entries} state-action sums",
            f"(V+2)^L <= {MAX_ENTRIES}",
            "use fixed_schedule_front, or a WordList for a uniform law on few words",
        )
    return entries


def _bellman(q, vocab_size, length, step_cost, table):
    """Fill `table` in place: index digits 0..V-1 token, V summed, V+1 masked, most significant position first.

    Every dependence goes to a smaller index, so one sweep suffices. Returns (actions per lattice state, G(all masked)).
    """
    base, mask_digit = vocab_size + 2, vocab_size + 1
    power = np.empty(length, dtype=np.int64)  # of the table
    state_power = np.empty(length, dtype=np.int64)  # of the lattice
    for i in range(length):
        power[i] = base ** (length - 1 - i)
        state_power[i] = (vocab_size + 1) ** (length - 1 - i)
    actions = np.zeros(len(q), dtype=np.int64)
    digits = np.zeros(length, dtype=np.int64)
    where = np.empty(length, dtype=np.int64)
    charge = np.empty(length)
    paid = np.empty(2**length)  # step cost and charges of a subset of the masked positions
    moved = np.empty(2**length, dtype=np.int64)  # by how much its index lies below the state's
    for index in range(len(table)):
        summed = -1
        masks = 0
        for i in range(length - 1, -1, -1):
            if digits[i] == vocab_size:
                summed = i
                break
            if digits[i] == mask_digit:
                where[masks] = i
                masks += 1
        if summed >= 0:
            total = 0.0
            for v in range(vocab_size):
                total += table[index - (vocab_size - v) * power[summed]]
            table[index] = total
        elif masks > 0:
            state = 0
            for i in range(length):
                if digits[i] != mask_digit:
                    state += (digits[i] + 1) * state_power[i]
            if q[state] > 0.0:
                for k in range(masks):
                    charge[k] = 0.0
                    for v in range(vocab_size):
                        joint = q[state + (v + 1) * state_power[where[k]]]
                        if joint > 0.0:
                            charge[k] -= joint * np.log(joint / q[state])
                paid[0], moved[0] = step_cost * q[state], 0
                best, chosen = np.inf, 0
                for k in range(masks):
                    for subset in range(2**k):
                        paid[2**k + subset] = paid[subset] + charge[k]
                        moved[2**k + subset] = moved[subset] + power[where[k]]
                for subset in range(1, 2**masks):
                    total = paid[subset] + table[index - moved[subset]]
                    if total < best:
                        best, chosen = total, subset
                table[index] = best
                for k in range(masks):
                    if (chosen >> k) & 1:
                        actions[state] |= 1 << where[k]
        i = length - 1
        while i >= 0:
            digits[i] += 1
            if digits[i] < base:
                break
            digits[i] = 0
            i -= 1
    return actions, table[len(table) - 1]


def _follow(q, actions, vocab_size, length):
    """(KL, mean calls, visited states) along the policy's tree; a visited state y is visited with probability q(y)."""
    state_power = np.empty(length, dtype=np.int64)
    for i in range(length):
        state_power[i] = (vocab_size + 1) ** (length - 1 - i)
    seen = np.zeros(len(q), dtype=np.bool_)
    seen[0] = True
    kl = calls = 0.0
    visited = 0
    ends = np.empty(vocab_size**length, dtype=np.int64)
    for state in range(len(q)):  # revealing only raises the index, so one pass in index order meets every visited state
        if not seen[state] or actions[state] == 0:
            continue
        visited += 1
        calls += q[state]
        ends[0] = state
        count = 1
        for i in range(length):
            if (actions[state] >> i) & 1:
                for v in range(vocab_size):
                    joint = q[state + (v + 1) * state_power[i]]
                    if joint > 0.0:
                        kl -= joint * np.log(joint / q[state])
                old = count
                for k in range(old):
                    start = ends[k]
                    for v in range(vocab_size):
                        slot = k if v == 0 else count
                        ends[slot] = start + (v + 1) * state_power[i]
                        if v > 0:
                            count += 1
        for k in range(count):
            joint = q[ends[k]]
            if joint > 0.0:
                seen[ends[k]] = True
                kl += joint * np.log(joint / q[state])
    return kl, calls, visited


bellman = kernel(_bellman)
follow = kernel(_follow)
