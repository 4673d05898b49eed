"""Small laws with rational probabilities and the trajectories of unmasking rules on them, all exact.

The slow, obvious twin of the float routes: dictionaries over sequences, every sum written out.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from flint import fmpq

from toy_models.exact import LogSum
from toy_models.validation import MASK

State = tuple[int, ...]
Subset = tuple[int, ...]
Model = Callable[[State, int], list[fmpq]]  # (state, position) -> law of the token there


@dataclass(frozen=True, eq=False)
class RationalLaw:
    """q(x) for x in {0..V-1}^L, only positive probabilities kept."""

    pmf: dict[State, fmpq]
    vocab_size: int
    length: int

    def probability(self, y: State) -> fmpq:
        """q(revealed part of y)."""
        return sum((p for x, p in self.pmf.items() if fits(x, y)), fmpq(0))

    def marginal(self, y: State, position: int) -> list[fmpq]:
        """q(x_position | y) as a list over tokens."""
        total = self.probability(y)
        return [self.probability(replace(y, (position,), (v,))) / total for v in range(self.vocab_size)]

    def joint(self, y: State, subset: Subset) -> dict[State, fmpq]:
        """q(x_subset | y), positive entries."""
        total, law = self.probability(y), {}
        for x, p in self.pmf.items():
            if fits(x, y):
                key = tuple(x[i] for i in subset)
                law[key] = law.get(key, fmpq(0)) + p / total
        return law

    def entropy(self, subset: Subset | None = None, y: State | None = None) -> LogSum:
        """H(X_subset | y) of the fixed context y."""
        y = (MASK,) * self.length if y is None else y
        return entropy_of(self.joint(y, tuple(range(self.length)) if subset is None else subset).values())

    def total_correlation(self, y: State, subset: Subset) -> LogSum:
        """TC(X_subset | y)."""
        total = LogSum()
        for i in subset:
            total = total + entropy_of(self.marginal(y, i))
        return total - self.entropy(subset, y)


def entropy_of(law: Iterable[fmpq | int]) -> LogSum:
    """-sum p log p of a rational law."""
    return LogSum((fmpq(p), -fmpq(p)) for p in law if p != 0)


def fits(x: State, y: State) -> bool:
    return all(b in (MASK, a) for a, b in zip(x, y, strict=True))


def replace(y: State, subset: Iterable[int], tokens: Iterable[int]) -> State:
    changed = list(y)
    for i, v in zip(subset, tokens, strict=True):
        changed[i] = v
    return tuple(changed)


def masked(y: State) -> Subset:
    return tuple(i for i, v in enumerate(y) if v == MASK)


def random_law(vocab_size: int, length: int, rng: np.random.Generator, zeros: float = 0.3) -> RationalLaw:
    """Integer weights 1..9, some set to zero, divided by their sum."""
    while True:
        weights = rng.integers(1, 10, vocab_size**length) * (rng.random(vocab_size**length) >= zeros)
        if weights.any():
            total = int(weights.sum())
            states = product(range(vocab_size), repeat=length)
            pmf = {x: fmpq(int(w), total) for x, w in zip(states, weights, strict=True) if w}
            return RationalLaw(pmf, vocab_size, length)


def random_model(vocab_size: int, length: int, rng: np.random.Generator) -> Model:
    """Arbitrary positive conditionals that come from no joint law."""
    table: dict[tuple[State, int], list[fmpq]] = {}
    for y in product(range(-1, vocab_size), repeat=length):
        for i in masked(y):
            w = [int(k) for k in rng.integers(1, 6, vocab_size)]
            table[y, i] = [fmpq(k, sum(w)) for k in w]
    return lambda y, i: table[y, i]


def choose_by(rule, model: Model, vocab_size: int) -> Callable[[State], Subset]:
    """The set that a float rule picks in each state, from the model's marginals rounded to float64."""
    memory: dict[State, Subset] = {}

    def choose(y: State) -> Subset:
        if y not in memory:
            rows = np.eye(vocab_size)[[max(v, 0) for v in y]]
            for i in masked(y):
                rows[i] = [float(p) for p in model(y, i)]
            chosen = rule.select(rows[None], np.array([[v == MASK for v in y]]))[0]
            memory[y] = tuple(int(i) for i in np.flatnonzero(chosen))
        return memory[y]

    return choose


def propagate(model: Model, choose: Callable[[State], Subset], vocab_size: int, length: int) -> dict[State, fmpq]:
    """The law of what the sampler writes, by pushing mass from state to state."""
    front, written = {(MASK,) * length: fmpq(1)}, {}
    while front:
        following: dict[State, fmpq] = {}
        for y, mass in front.items():
            subset = choose(y)
            for tokens in product(range(vocab_size), repeat=len(subset)):
                p = mass
                for i, v in zip(subset, tokens, strict=True):
                    p *= model(y, i)[v]
                target = written if len(subset) == len(masked(y)) else following
                if p != 0:
                    end = replace(y, subset, tokens)
                    target[end] = target.get(end, fmpq(0)) + p
        front = following
    return written


def visits(law: RationalLaw, choose: Callable[[State], Subset]) -> Iterator[tuple[State, Subset, fmpq]]:
    """(state, chosen set, q(state)) for every state that the rule meets along data."""
    front = {(MASK,) * law.length}
    while front:
        following = set()
        for y in sorted(front):
            subset = choose(y)
            yield y, subset, law.probability(y)
            for tokens in law.joint(y, subset):
                following.add(replace(y, subset, tokens))
        front = {y for y in following if MASK in y}


def error_parts(law: RationalLaw, model: Model, choose: Callable[[State], Subset]) -> tuple[LogSum, LogSum]:
    """(model error, joint dependence) of a deterministic rule: Ben-Hamu et al. 2025, eq. 7."""
    error, dependence = LogSum(), LogSum()
    for y, subset, weight in visits(law, choose):
        for i in subset:
            q, p = law.marginal(y, i), model(y, i)
            error = error + LogSum((a / b, a) for a, b in zip(q, p, strict=True) if a != 0).scaled(weight)
        dependence = dependence + law.total_correlation(y, subset).scaled(weight)
    return error, dependence


def divergence(q: dict, p: dict) -> LogSum:
    """KL(q || p) of two rational laws over the same keys, p > 0 where q > 0."""
    return LogSum((a / p[x], a) for x, a in q.items() if a != 0)


def subsets(positions: Subset) -> list[Subset]:
    """The nonempty subsets."""
    return [s for size in range(1, len(positions) + 1) for s in combinations(positions, size)]
