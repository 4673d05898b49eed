"""Any order, one token per step, against left-to-right emission of (position, value) pairs: the same laws.

An oracle gives a law over (position, value) for every partial sequence. The any-order program writes the value at its
position. The emitter appends the pair as one token of a vocabulary of size S |Sigma|, and reads the partial sequence
back from the pairs it has written.
"""

from collections import defaultdict
from fractions import Fraction
from itertools import permutations, product

import numpy as np

from toy_models.any_process.programs import Site, String, sure
from toy_models.any_process.transition import KEEP, write
from toy_models.validation import MASK

Oracle = dict[String, dict[tuple[int, int], Fraction]]


def random_oracle(size: int, vocab_size: int, rng: np.random.Generator) -> Oracle:
    """A random rational law over the masked positions and their values, zeros allowed, for every partial sequence."""
    oracle = {}
    for x in product(range(-1, vocab_size), repeat=size):
        moves = [(i, v) for i, token in enumerate(x) if token == MASK for v in range(vocab_size)]
        if moves:
            weights = rng.integers(0, 12, size=len(moves))
            weights[rng.integers(len(moves))] += 1
            total = int(weights.sum())
            oracle[x] = {m: Fraction(int(w), total) for m, w in zip(moves, weights, strict=True) if w}
    return oracle


def any_order_law(oracle: Oracle, size: int) -> dict[String, Fraction]:
    """Law of the finished sequence when one position is written per step."""
    running, final = {(MASK,) * size: Fraction(1)}, defaultdict(Fraction)
    for _ in range(size):
        following: dict[String, Fraction] = defaultdict(Fraction)
        for x, mass in running.items():
            for (i, v), weight in oracle[x].items():
                following[(*x[:i], v, *x[i + 1 :])] += mass * weight
        running = following
    final.update(running)
    return dict(final)


def emitter(oracle: Oracle, size: int, vocab_size: int):
    """Left-to-right edit program: the last token inserts a mask, which becomes the next pair position * V + value.

    Starts at the one-token sequence `emitter_start(size, vocab_size)`; size + 1 steps.
    """

    def program(x: String) -> list[Site] | None:
        partial = rebuilt(x, size, vocab_size)
        if x[-1] != MASK:
            if MASK not in partial:
                return None
            return [sure(KEEP)] * (len(x) - 1) + [sure((0, 0, 1, 0))]
        last = len(x) == size + 1
        site: Site = tuple((w, write(i * vocab_size + v, insert=not last)) for (i, v), w in oracle[partial].items())
        return [sure(KEEP)] * (len(x) - 1) + [site]

    return program


def emitter_start(size: int, vocab_size: int) -> String:
    return (size * vocab_size,)


def rebuilt(x: String, size: int, vocab_size: int) -> String:
    """The partial sequence that a list of pairs stands for."""
    partial = [MASK] * size
    for pair in x[1:]:
        if pair != MASK:
            partial[pair // vocab_size] = pair % vocab_size
    return tuple(partial)


def fixed_order_laws(pmf: dict[String, Fraction], size: int, vocab_size: int) -> dict[tuple[int, ...], dict]:
    """{order: law} of one-token-per-step sampling from exact conditionals, for all size! orders."""
    laws = {}
    for order in permutations(range(size)):
        law = {}
        for x in product(range(vocab_size), repeat=size):
            mass, alive = Fraction(1), pmf
            for i in order:
                here = {z: p for z, p in alive.items() if z[i] == x[i]}
                total = sum(alive.values())
                mass *= sum(here.values()) / total if total else 0
                alive = here
            law[x] = mass
        laws[order] = law
    return laws
