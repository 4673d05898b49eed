"""Hypothesis strategies for rational instances: simplex points, chains, hidden Markov models, n-grams, laws, masks.

Weights are small integers, zero, or 10**14 (so that the others become probabilities near 1e-14); rows may repeat, L may
be 1, everything or nothing may be masked. Every example shrinks to a short tuple of integers.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from flint import fmpq
from hypothesis import strategies as st

WEIGHTS = st.one_of(st.integers(0, 9), st.just(0), st.just(10**14))


@st.composite
def simplex(draw, size: int) -> tuple[Fraction, ...]:
    """A probability vector with `size` rational entries."""
    weights = draw(st.lists(WEIGHTS, min_size=size, max_size=size))
    if not any(weights):
        weights[draw(st.integers(0, size - 1))] = 1
    return tuple(Fraction(w, sum(weights)) for w in weights)


@st.composite
def rows(draw, count: int, size: int) -> tuple[tuple[Fraction, ...], ...]:
    """`count` probability vectors; each may be a copy of the one before (a duplicated state)."""
    result = [draw(simplex(size))]
    for _ in range(count - 1):
        result.append(result[-1] if draw(st.booleans()) else draw(simplex(size)))
    return tuple(result)


@dataclass(frozen=True)
class HiddenMarkov:
    """Parameters of an HMM; a chain has the identity as emission."""

    initial: tuple
    transition: tuple
    emission: tuple
    length: int

    @property
    def floats(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
        """The parameters as float64 arrays."""
        return (*(np.array(p, dtype=float) for p in (self.initial, self.transition, self.emission)), self.length)


@st.composite
def chains(draw, vocab: int = 3, length: int = 4) -> HiddenMarkov:
    """A Markov chain with 2..vocab tokens and 1..length positions."""
    size = draw(st.integers(2, vocab))
    identity = tuple(tuple(Fraction(i == j) for j in range(size)) for i in range(size))
    return HiddenMarkov(draw(simplex(size)), draw(rows(size, size)), identity, draw(st.integers(1, length)))


@st.composite
def hmms(draw, states: int = 3, vocab: int = 3, length: int = 4) -> HiddenMarkov:
    """A hidden Markov model with 1..states states and 2..vocab tokens."""
    count, size = draw(st.integers(1, states)), draw(st.integers(2, vocab))
    return HiddenMarkov(
        draw(simplex(count)), draw(rows(count, count)), draw(rows(count, size)), draw(st.integers(1, length))
    )


@st.composite
def ngrams(draw, order: int = 3, vocab: int = 2, length: int = 4) -> tuple[np.ndarray, np.ndarray, int]:
    """(initial, conditional, length) of an n-gram as float64 arrays."""
    contexts = vocab ** (order - 1)
    initial = np.array(draw(simplex(contexts)), dtype=float).reshape((vocab,) * (order - 1))
    conditional = np.array(draw(rows(contexts, vocab)), dtype=float).reshape((vocab,) * order)
    return initial, conditional, draw(st.integers(order - 1, length))


@st.composite
def laws(draw, vocab: int = 3, length: int = 3, cells: int = 16) -> np.ndarray:
    """A rational law on V^L as an object array of fmpq, shape (V,)*L, at most `cells` sequences."""
    size, positions = draw(
        st.sampled_from([(v, n) for v in range(2, vocab + 1) for n in range(1, length + 1) if v**n <= cells])
    )
    point = draw(simplex(size**positions))
    flat = [fmpq(p.numerator, p.denominator) for p in point]
    return np.array(flat, dtype=object).reshape((size,) * positions)


@st.composite
def masked(draw, length: int, vocab: int) -> tuple[int, ...]:
    """A partially masked sequence: everything, nothing or some of it masked."""
    everything = st.just((-1,) * length)
    anything = st.lists(st.integers(-1, vocab - 1), min_size=length, max_size=length).map(tuple)
    return draw(st.one_of(everything, anything))


@st.composite
def sizes(draw, length: int) -> tuple[int, ...]:
    """Step sizes >= 0 with sum `length`."""
    result = []
    while sum(result) < length:
        result.append(draw(st.integers(0, length - sum(result))))
        if len(result) == length + 2:
            result.append(length - sum(result))
    return tuple(result)
