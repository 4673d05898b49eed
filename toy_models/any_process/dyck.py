"""Two-sided Dyck words by insertion.

Letters 0..2k-1 of the free group F_k: letter a and its inverse a ^ 1. L_k = words that reduce to the empty word. One
round inserts x x^-1 at some places; every nonempty word of L_k has an adjacent cancelling pair, so rounds reach all.
"""

from fractions import Fraction
from functools import cache, lru_cache
from itertools import product

from toy_models.any_process.laws import site_law, visits
from toy_models.any_process.programs import Site, String, stay, stay_all, sure
from toy_models.any_process.transition import DELETE, REMASK, write
from toy_models.validation import MASK, positive_int

HALF = Fraction(1, 2)


def reduced(word: String) -> String:
    """The freely reduced form, by one pass with a stack."""
    stack: list[int] = []
    for letter in word:
        if stack and stack[-1] == letter ^ 1:
            stack.pop()
        else:
            stack.append(letter)
    return tuple(stack)


def is_one_sided(word: String) -> bool:
    """Balanced brackets: even letters open, a closer cancels the last open one."""
    stack: list[int] = []
    for letter in word:
        if letter % 2 == 0:
            stack.append(letter)
        elif not stack or stack.pop() != letter ^ 1:
            return False
    return not stack


@cache
def language(k: int, length: int, one_sided: bool = False) -> frozenset[String]:
    """All words of L_k (or of one-sided Dyck-k) of one length, by enumeration of (2k)^length words."""
    member = is_one_sided if one_sided else (lambda w: not reduced(w))
    return frozenset(w for w in product(range(2 * k), repeat=length) if member(w))


def grower(k: int, one_sided: bool = False):
    """The insertion program as a function of the sequence: two control slots in front, exactly one masked.

    The visible slot holds the phase (2k + 1, 2, 3 or stop). Phase 1: slot 2 and every letter insert a mask with
    probability 1/2. Phase 2: each mask becomes a uniform letter (an opener if one_sided) and inserts one. Phase 3: each
    mask becomes the inverse of its left neighbour; the next phase is 1 or stop, 1/2 each. Stop: both slots are
    remasked, then deleted. All sites are independent and local given the slots.
    """
    one, two, three, stop = range(2 * k + 1, 2 * k + 5)
    letters = tuple(range(0, 2 * k, 2 if one_sided else 1))
    turn = {one: two, two: three}

    def program(x: String) -> list[Site] | None:
        if len(x) < 2 or 0 <= x[0] < 2 * k:
            return None
        if x[0] == x[1] == MASK:
            return [sure(DELETE), sure(DELETE), *stay_all(x[2:])]
        phase = max(x[0], x[1])
        if phase == stop:
            return [sure(REMASK), sure(REMASK), *stay_all(x[2:])]
        coming = (turn[phase],) if phase in turn else (one, stop)
        share = Fraction(1, len(coming))
        insert = phase == one
        sites = []
        for slot in (0, 1):
            actions = [(share, write(p)) for p in coming] if x[slot] == MASK else [(Fraction(1), REMASK)]
            if insert and slot == 1:
                actions = [(w * HALF, (a[0], a[1], bit, a[3])) for w, a in actions for bit in (0, 1)]
            sites.append(tuple(actions))
        for i, v in enumerate(x[2:], start=2):
            if phase == one:
                sites.append(((HALF, (0, 0, 0, 0)), (HALF, (0, 0, 1, 0))))
            elif v != MASK:
                sites.append(stay(v))
            elif phase == two:
                sites.append(tuple((Fraction(1, len(letters)), write(a, insert=True)) for a in letters))
            else:
                sites.append(sure(write(x[i - 1] ^ 1)))
        return sites

    return program


def grower_start(k: int) -> String:
    """The empty word with phase 3 visible, so that the first step draws: another round, or stop."""
    return (2 * k + 3, MASK)


def grown_words(k: int, longest: int) -> dict[String, Fraction]:
    """P(the grower ends in w) for every word of at most `longest` letters, exact: expected visits of w with `stop`.

    From one decision to the next the program makes three steps; the word comes back longer, or as it was. The roles of
    the two slots alternate and the law does not, so the visible one is always written first here.
    """
    program, stop = grower(k), 2 * k + 4

    def until_decided(x: String) -> dict[String, Fraction]:
        law, steps = {x: Fraction(1)}, 1 if x == grower_start(k) else 3
        for _ in range(0 if x[0] == stop else steps):
            following: dict[String, Fraction] = {}
            for y, mass in law.items():
                for z, weight in site_law(y, program(y) or stay_all(y), longest + 2).items():
                    z = z if z[0] != MASK else (z[1], MASK, *z[2:])
                    following[z] = following.get(z, Fraction(0)) + mass * Fraction(weight)
            law = following
        return {} if x[0] == stop else law

    def climbs(x: String) -> int:
        return -1 if x == grower_start(k) else 2 * len(x) + (x[0] == stop)

    return {x[2:]: times for x, times in visits(until_decided, grower_start(k), climbs).items() if x[0] == stop}


def insertion_rounds(k: int, longest: int, parallel: bool, one_sided: bool = False) -> dict[String, int]:
    """Fewest insertion rounds to each reachable word of at most `longest` letters.

    One anchor per round, or any set of anchors at once. Words are grown by rounds; an anchor is a gap of the word.
    """
    pairs = [(a, a ^ 1) for a in range(0, 2 * k, 2 if one_sided else 1)]
    rounds: dict[String, int] = {(): 0}
    frontier = [()]
    while frontier:
        following = []
        for word in frontier:
            for grown in _insertions(word, pairs, longest, parallel):
                if grown not in rounds:
                    rounds[grown] = rounds[word] + 1
                    following.append(grown)
        frontier = following
    return rounds


def _insertions(word: String, pairs, longest: int, parallel: bool):
    room = (longest - len(word)) // 2
    if not parallel:
        if room:
            for gap in range(len(word) + 1):
                for pair in pairs:
                    yield word[:gap] + pair + word[gap:]
        return
    grown = [((), 0)]
    for gap in range(len(word) + 1):
        tail = word[gap : gap + 1]
        grown = [
            (head + piece + tail, used + bool(piece))
            for head, used in grown
            for piece in ((), *(pairs if used < room else ()))
        ]
    yield from (w for w, used in grown if used)


def prefix_classes(k: int, n: int, t: int) -> int:
    """States a left-to-right acceptor of L_k,n needs after t letters: sum of sphere sizes |S_j|, j <= min(t, n - t),
    j = t mod 2, |S_0| = 1, |S_j| = 2k (2k-1)^(j-1)   (Myhill-Nerode)."""
    return sum(1 if j == 0 else 2 * k * (2 * k - 1) ** (j - 1) for j in range(min(t, n - t) + 1) if j % 2 == t % 2)


def most_classes(k: int, n: int) -> int:
    """max over t of prefix_classes: n/2 + 1 for k = 1, (3^(n/2+1) - 1)/2 for k = 2."""
    return max(prefix_classes(k, n, t) for t in range(n + 1))


def prefix_classes_by_enumeration(k: int, n: int, t: int) -> int:
    """The same count from the language itself: distinct nonempty sets of continuations."""
    futures: dict[String, set[String]] = {}
    for word in language(k, n):
        futures.setdefault(word[:t], set()).add(word[t:])
    return len({frozenset(f) for f in futures.values()})


def longest_covered(k: int, states: int) -> int:
    """The largest even n whose words of L_k,n a left-to-right generator with that many states can still cover."""
    n = 0
    while most_classes(k, n + 2) <= positive_int("states", states):
        n += 2
    return n


def window_support(words: frozenset[String], window: int) -> int:
    """Support size of the smallest position-aware left-to-right generator with a window of `window` letters that covers
    `words`: the next letter may be whatever follows the same window at the same position in some word."""
    length = len(next(iter(words)))
    allowed: dict[tuple[int, String], set[int]] = {}
    for w in words:
        for t in range(length):
            allowed.setdefault((t, w[max(0, t - window) : t]), set()).add(w[t])
    counts: dict[String, int] = {(): 1}
    for t in range(length):
        following: dict[String, int] = {}
        for tail, many in counts.items():
            for letter in allowed[t, tail[len(tail) - min(window, t) :]]:
                end = (*tail, letter)[-window:] if window else ()
                following[end] = following.get(end, 0) + many
        counts = following
    return sum(counts.values())


def valid_probability(words: frozenset[String], groups: list[list[int]]) -> Fraction:
    """P(a word of the set) when groups are decoded in parallel from the exact marginals of its uniform law."""
    listed = tuple(sorted(words))
    return sum((_path(listed, w, tuple(map(tuple, groups))) for w in listed), Fraction(0))


def _path(words: tuple[String, ...], word: String, groups) -> Fraction:
    alive, mass = words, Fraction(1)
    for group in groups:
        mass *= _group_mass(alive, tuple(word[i] for i in group), group)
        alive = _restrict(alive, tuple(word[i] for i in group), group)
    return mass


@lru_cache(maxsize=200_000)
def _restrict(words, letters, group):
    return tuple(w for w in words if all(w[i] == a for i, a in zip(group, letters, strict=True)))


@lru_cache(maxsize=200_000)
def _group_mass(words, letters, group) -> Fraction:
    mass = Fraction(1)
    for i, a in zip(group, letters, strict=True):
        mass *= Fraction(sum(w[i] == a for w in words), len(words))
    return mass
