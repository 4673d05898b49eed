"""The uniform law on strings of even parity: three edit steps with hidden bits, against write-once sampling."""

from fractions import Fraction
from itertools import product
from typing import Any

from toy_models.any_process.programs import Site, String, stay, sure
from toy_models.any_process.transition import DELETE, REMASK, write
from toy_models.validation import MASK

START = 2
HALF = Fraction(1, 2)


def hidden_bits(x: String) -> list[Site] | None:
    """From `< M^(n-1)`: (1) hidden fair bits y, a fresh mask behind each and behind the start token; (2) each fresh
    mask becomes (left y) xor (right y), a missing y counting 0, while all y are remasked; (3) all masks are deleted.

    Every site reads its two neighbours and the parity of its own index. Peak context 2n.
    """
    if MASK not in x:
        return None
    near = (MASK, *x, MASK)
    return [_site(i, near[i], x[i], near[i + 2], i + 1 == len(x)) for i in range(len(x))]


def _site(i: int, left: int, here: int, right: int, last: bool) -> Site:
    bit_left, bit_right = left in (0, 1), right in (0, 1)
    if here == START:  # step 1: make room and mark the step by masking the start token; later it stays
        return sure((START, 1, 1, 0)) if right == MASK and not last else stay(here)
    if i == 0:  # step 2: the start token comes back
        return sure(write(START))
    if here != MASK:  # a bit at an even index left of which stands a fresh mask is hidden: remask
        return sure(REMASK) if i % 2 == 0 and left == MASK else stay(here)
    if not bit_left and not bit_right:
        return ((HALF, write(0, insert=True)), (HALF, write(1, insert=True)))
    if i % 2:
        return sure(write((left if bit_left else 0) ^ (right if bit_right else 0)))
    return sure(DELETE)


def start(n: int) -> String:
    return (START,) + (MASK,) * (n - 1)


def even_strings(n: int) -> dict[String, Fraction]:
    """The uniform law on the 2^(n-1) even strings."""
    return {x: Fraction(1, 2 ** (n - 1)) for x in product((0, 1), repeat=n) if sum(x) % 2 == 0}


def windowed_write_once(n: int, window: int, groups: list[list[int]]) -> dict[String, Fraction]:
    """Law of write-once sampling of even parity by groups; each token sees the revealed tokens within `window`.

    A token is a fair coin unless it is the only one of the n not revealed and sees all others: then it is forced.
    """
    law = {}
    for x in product((0, 1), repeat=n):
        mass, revealed = Fraction(1), set()
        for group in groups:
            for i in group:
                others = set(range(n)) - {i}
                if others <= revealed and all(abs(i - j) <= window for j in others):
                    mass *= int(sum(x) % 2 == 0)
                else:
                    mass *= HALF
            revealed |= set(group)
        if mass:
            law[x] = mass
    return law


def total_variation(p: dict, q: dict) -> Any:
    """Half the L1 distance of two laws given as dictionaries; exact on Fractions."""
    return sum(abs(p.get(x, 0) - q.get(x, 0)) for x in {*p, *q}) / 2
