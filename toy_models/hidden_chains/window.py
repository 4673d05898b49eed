"""Both bounds of a hidden chain's reveal curve for one window and one reduction.

Position i sees `window` steps on either side. Above: whatever lies beyond is forgotten (the list starts from one atom).
Below: the hidden state at that distance is disclosed (one atom per state), which screens off the rest. Within `window`
of an end of the sequence the list starts at the end itself and nothing is lost.

Once the hidden law is stationary all inner positions share their two lists, so that a sequence of any length costs
three bilinear forms: left end with inner right, inner with inner, inner left with right end.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from toy_models.errors import IntractableError
from toy_models.hidden_chains.atoms import extend, pair_entropy, reveal_symbols, single_entropy
from toy_models.hidden_chains.cells import Exact
from toy_models.targets.markov import stationary_law
from toy_models.targets.ngram import NGram
from toy_models.targets.protocol import own_route

MAX_BURN_IN = 10**5
MAX_OWN_LISTS = 2**12  # positions near the start, or before the hidden law is stationary
MAX_PAIRED_WORK = 2.5 * 10**9  # pairs times (V + 1) (1 + S / 16): about 5 s on one core
MAX_SINGLE_ATOMS = 2 * 10**6  # where only one side counts
MAX_ENTRIES = 5 * 10**7  # numbers in one list before it is shortened


class TooManyAtoms(Exception):
    """A list outgrew what can be paired."""


@dataclass(frozen=True, eq=False)
class HiddenForm:
    """Matrices of a hidden chain, with `burn_in` the first position whose hidden law is stationary to rounding."""

    initial: Float[np.ndarray, " S"]
    stationary: Float[np.ndarray, " S"]
    transition: Float[np.ndarray, "S S"]
    emission: Float[np.ndarray, "S V"]
    reference: Float[np.ndarray, " S"]
    burn_in: int | float

    @property
    def states(self) -> int:
        return len(self.initial)

    @property
    def backward(self) -> Float[np.ndarray, "S S"]:
        """Right atoms move by rho(s) A(s, s') / rho(s')."""
        return (self.reference[:, None] * self.transition / self.reference).T

    @property
    def paired_limit(self) -> int:
        """The longest list that may be paired with another one as long."""
        return int(math.sqrt(MAX_PAIRED_WORK / (self.emission.shape[1] + 1) / (1 + self.states / 16)))

    def at_infinity(self) -> "HiddenForm":
        """The stationary process, on its recurrent states."""
        return _form(self.stationary, self.stationary, self.transition, self.emission)


def hidden_form(target) -> HiddenForm:
    """The target's own `hidden_chain()`, restricted to the states that it visits.

    >>> tm.hidden_chains.hidden_form(tm.repetition(2, 4)).states
    2
    """
    hidden = own_route(target, "hidden_chain")
    if hidden is None:
        allowed = "HMM, NGram, MarkovChain or a target with a method hidden_chain"
        raise ValueError(f"target = {type(target).__name__}, allowed: {allowed}")
    initial, transition, emission = hidden
    if np.allclose(initial @ transition, initial, rtol=0, atol=1e-14):
        return _form(initial, initial, transition, emission)
    return _form(initial, stationary_law(transition), transition, emission)


def tuple_chain(target: NGram) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An n-gram as the chain of (n-1)-tuples (x_i, ..., x_{i+n-2}), each showing its first token.

    The tuples run beyond the end of the sequence; what lies there is never shown, so every length is served.
    """
    conditional = target.conditional
    vocab_size, order = conditional.shape[0], conditional.ndim
    states = vocab_size ** (order - 1)
    if states > 4096:
        raise IntractableError(
            "the reveal curve of an n-gram",
            f"V^(n-1) = {vocab_size}^{order - 1} hidden states",
            "4096 hidden states",
            "use estimate_information_curve",
        )
    transition = np.zeros((states, states))
    rows = np.arange(states)[:, None]
    follow = rows % (states // vocab_size) * vocab_size + np.arange(vocab_size)
    transition[rows, follow] = conditional.reshape(states, vocab_size)
    emission = np.zeros((states, vocab_size))
    emission[rows[:, 0], rows[:, 0] // (states // vocab_size)] = 1.0
    return target.initial.reshape(states), transition, emission


def _form(initial, stationary, transition, emission) -> HiddenForm:
    """Restricted to the states that are ever visited."""
    seen = (initial > 0) | (stationary > 0)
    while True:
        wider = seen | (transition[seen] > 0).any(axis=0)
        if (wider == seen).all():
            break
        seen = wider
    initial, stationary = initial[seen], stationary[seen]
    transition, emission = transition[np.ix_(seen, seen)], emission[seen]
    burn_in: int | float = 0
    law = initial
    while np.abs(law - stationary).max() > 1e-15:
        law = law @ transition
        burn_in += 1
        if burn_in > MAX_BURN_IN:
            burn_in = math.inf
            break
    reference = stationary if (stationary > 0).all() else 0.5 * stationary + 0.5 / len(stationary)
    return HiddenForm(initial, stationary, transition, emission, reference, burn_in)


def one_sided_lists(start, symbols, matrix, steps: int, reduction, upper: bool, limit: int) -> list[np.ndarray]:
    """The lists after 0, 1, ..., steps steps from the atoms `start`; TooManyAtoms beyond `limit` atoms."""
    lists = [reduction.shorten(start, upper)]
    for _ in range(steps):
        if lists[-1].size * len(symbols) > MAX_ENTRIES:
            raise TooManyAtoms
        lists.append(reduction.shorten(extend(lists[-1], symbols, matrix), upper))
        if len(lists[-1]) > limit:
            raise TooManyAtoms
    return lists


def atom_count(form: HiddenForm, a: float, window: int) -> int:
    """Distinct posteriors after `window` steps from the stationary law."""
    symbols = reveal_symbols(form.emission, a)
    start = form.stationary[None]
    return len(one_sided_lists(start, symbols, form.transition, window, Exact(), True, MAX_SINGLE_ATOMS)[-1])


def curve_bound(form: HiddenForm, a: float, length: int | float, window: int, reduction, upper: bool) -> float:
    """One side of h(a), nats per token. `window >= length - 1` reaches both ends from everywhere.

    >>> form = tm.hidden_chains.hidden_form(tm.repetition(2, 4))
    >>> bound = tm.hidden_chains.curve_bound(form, 0.0, 4, 3, tm.hidden_chains.Exact(), upper=True)
    >>> float(round(bound / np.log(2), 12))  # nothing is revealed: h(0) = log 2
    1.0
    """
    symbols = reveal_symbols(form.emission, a)
    forward, backward = form.transition, form.backward

    def pair(left, right) -> float:
        return pair_entropy(left, right, form.emission, form.reference)

    def lists(start, matrix, steps):
        return one_sided_lists(start, symbols, matrix, int(steps), reduction, upper, form.paired_limit)

    def inner(law, matrix):
        return lists(law[None] if upper else np.diag(law)[law > 0], matrix, window)[-1]

    if length == math.inf:
        return pair(inner(form.stationary, forward), inner(form.reference, backward))
    length = int(length)
    lead, trail = form.burn_in + window + 1, window + 1  # positions near an end, with a list that starts at that end
    if lead + trail < length:
        _own_lists(lead)
        left, right = inner(form.stationary, forward), inner(form.reference, backward)
        first = reduction.shorten(np.concatenate(lists(form.initial[None], forward, lead - 1)), upper)
        last = reduction.shorten(np.concatenate(lists(form.reference[None], backward, trail - 1)), upper)
        total = pair(first, right) + (length - lead - trail) * pair(left, right) + pair(left, last)
        return total / length
    _own_lists(min(lead, length))
    lefts = lists(form.initial[None], forward, min(lead, length) - 1)
    rights = lists(form.reference[None], backward, min(trail, length) - 1)
    if len(lefts) < length:
        lefts = lefts + [inner(form.stationary, forward)] * (length - len(lefts))
    if len(rights) < length:
        rights = rights + [inner(form.reference, backward)] * (length - len(rights))
    return sum(pair(left, right) for left, right in zip(lefts, reversed(rights), strict=True)) / length


def _own_lists(count: int | float) -> None:
    if count > MAX_OWN_LISTS:
        raise IntractableError(
            "the reveal curve of a hidden chain",
            f"{count} positions that need a list of their own",
            f"{MAX_OWN_LISTS} positions",
            "start from the stationary hidden law, shorten the sequence or allow a larger tolerance",
        )


def entropy_bound(form: HiddenForm, length: int, window: int, reduction, upper: bool) -> float:
    """One side of H(X) = sum_i H(X_i | X_{<i}), nats per sequence: the left lists at a = 1."""
    symbols = reveal_symbols(form.emission, 1.0)
    lead = min(form.burn_in + window + 1, length)
    _own_lists(lead)
    shared = (reduction, upper, MAX_SINGLE_ATOMS)
    starts = one_sided_lists(form.initial[None], symbols, form.transition, int(lead) - 1, *shared)
    total = sum(single_entropy(atoms, form.emission) for atoms in starts)
    if lead < length:
        law = form.stationary
        begin = law[None] if upper else np.diag(law)[law > 0]
        inner = one_sided_lists(begin, symbols, form.transition, window, *shared)[-1]
        total += (length - lead) * single_entropy(inner, form.emission)
    return total
