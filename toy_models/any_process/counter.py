"""Long runs in short sequences: with remask the number of steps is not bounded by the number of masks."""

from itertools import product

import numpy as np

from toy_models.any_process.pram import Machine
from toy_models.any_process.programs import Site, String, stay_all, sure
from toy_models.any_process.transition import REMASK, apply, reveal_only, write
from toy_models.validation import MASK, positive_int


def counter(bits: int) -> Machine:
    """A binary counter from 0 to 2^b - 1: two banks need 2 b tokens and 2^b - 1 steps."""
    positive_int("bits", bits)

    def update(state: tuple[int, ...]) -> tuple[int, ...]:
        value = sum(b << i for i, b in enumerate(state)) + 1
        return tuple(value >> i & 1 for i in range(bits))

    return Machine((0,) * bits, update, all)


def gray_walk(x: String) -> list[Site] | None:
    """All 2^b bit strings in reflected Gray order inside one bank of b tokens: 2 (2^b - 1) steps.

    The bit to flip is remasked, then unmasked flipped. With bit j masked the others tell its old value: bit 0 flips at
    even parity; bit j > 0 flips at odd parity, when bit j - 1 is the lowest 1.
    """
    sites = stay_all(x)
    if MASK in x:
        j = x.index(MASK)
        rest = sum(v for v in x if v != MASK) % 2
        old = rest if j == 0 else 1 - rest
        sites[j] = sure(write(1 - old))
        return sites
    if sum(x) % 2 == 0:
        flip = 0
    else:
        flip = x.index(1) + 1
        if flip == len(x):
            return None
    sites[flip] = sure(REMASK)
    return sites


def longest_walk(size: int, vocab_size: int) -> int:
    """Most distinct sequences that one run of unmask and remask can visit, by exhaustive search (tiny sizes).

    The bound is (|Sigma| + 1)^S.
    """
    states = list(product(range(-1, vocab_size), repeat=size))
    index = {x: k for k, x in enumerate(states)}
    moves = []
    for x in states:
        choices = [range(-1, vocab_size) if v == MASK else (v, MASK) for v in x]
        moves.append([index[z] for z in product(*choices) if z != x])
    best = 0

    def extend(state: int, seen: frozenset[int]) -> None:
        nonlocal best
        best = max(best, len(seen))
        if best == len(states):
            return
        for z in moves[state]:
            if z not in seen:
                extend(z, seen | {z})

    for first in range(len(states)):
        extend(first, frozenset((first,)))
    return best


def random_write_once_run(
    length: int, masks: int, vocab_size: int, rng: np.random.Generator
) -> tuple[list[String], list[tuple[int, ...]]]:
    """(sequences, revealed sets) of a write-once run through g: sets[t] is what step t was asked to reveal, random and
    possibly empty; the run ends when no mask is left. A step that does nothing is kept in both lists.
    """
    x = rng.integers(vocab_size, size=length)
    x[rng.permutation(length)[:masks]] = MASK
    sequences, asked = [tuple(x.tolist())], []
    while (x == MASK).any():
        chosen = (x == MASK) & (rng.random(length) < rng.random())
        x = apply(x, rng.integers(vocab_size, size=length), *reveal_only(x, chosen))
        sequences.append(tuple(x.tolist()))
        asked.append(tuple(np.flatnonzero(chosen).tolist()))
    return sequences, asked


def longest_write_once_runs(size: int, vocab_size: int) -> dict[String, int]:
    """{x: most steps of a write-once run from x that change the sequence}, all runs through g, by recursion.

    Every set of masks may be revealed with every candidate. The bound is the number of masks of x. O((3 V)^S) steps.
    """
    longest: dict[String, int] = {}
    for x in sorted(product(range(-1, vocab_size), repeat=size), key=lambda x: x.count(MASK)):
        best = 0
        for values in product(range(vocab_size), repeat=size):
            for chosen in product((False, True), repeat=size):
                following = tuple(apply(x, values, *reveal_only(x, chosen)).tolist())
                if following != x:
                    best = max(best, 1 + longest[following])
        longest[x] = best
    return longest
