"""Imperfect denoisers made from a target, and how far they are from it.

A denoiser is anything with vocab_size, length and marginals(y, on_impossible); a target is its own oracle denoiser.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from jaxtyping import Float, Int

from toy_models.door import require_pair
from toy_models.quantities import lattice
from toy_models.rounding import nonnegative_curve
from toy_models.targets.kernels.impossible import reveal_one_hot, settle_impossible
from toy_models.targets.protocol import Denoiser, Target
from toy_models.validation import MASK, integers, positive_int, tokens


@dataclass(frozen=True, eq=False)
class Smoothed:
    """(1 - weight) q(x_i | revealed) + weight / V.

    >>> tm.Smoothed(tm.repetition(2, 2), 0.5).marginals(np.array([[0, -1]]))[0, 1].tolist()
    [0.75, 0.25]
    """

    target: Target
    weight: float

    def __post_init__(self):
        if not 0.0 <= self.weight <= 1.0:
            raise ValueError(f"weight = {self.weight}, it must lie in [0, 1]")

    @property
    def vocab_size(self) -> int:
        return self.target.vocab_size

    @property
    def length(self) -> int:
        return self.target.length

    def marginals(self, y: Int[np.ndarray, "batch L"], on_impossible: str = "raise") -> Float[np.ndarray, "batch L V"]:
        exact = self.target.marginals(y, on_impossible)
        return reveal_one_hot((1.0 - self.weight) * exact + self.weight / self.vocab_size, np.asarray(y))

    def log_marginals(self, y: Int[np.ndarray, "batch L"]) -> Float[np.ndarray, "batch L V"]:
        exact = lattice.log_marginals(self.target, y)
        with np.errstate(divide="ignore", invalid="ignore"):
            share, rest = np.log(self.weight) - np.log(self.vocab_size), np.log1p(-self.weight)
            return np.where((y == MASK)[..., None], np.logaddexp(rest + exact, share), exact)


@dataclass(frozen=True, eq=False)
class Tempered:
    """q(x_i | revealed)^power, renormalised; power = 1/temperature, so power > 1 sharpens.

    >>> target = tm.MarkovChain([[0.75, 0.25], [0.5, 0.5]], 2)
    >>> tm.Tempered(target, 2.0).marginals(np.array([[0, -1]]))[0, 1].round(12).tolist()  # (9, 1) / 10
    [0.9, 0.1]
    """

    target: Target
    power: float

    def __post_init__(self):
        if not (np.isfinite(self.power) and self.power > 0):
            raise ValueError(f"power = {self.power}, it must be a finite number > 0")

    @property
    def vocab_size(self) -> int:
        return self.target.vocab_size

    @property
    def length(self) -> int:
        return self.target.length

    def marginals(self, y: Int[np.ndarray, "batch L"], on_impossible: str = "raise") -> Float[np.ndarray, "batch L V"]:
        exact = self.target.marginals(y, on_impossible)
        if self.power < 1 and hasattr(self.target, "log_prob") and lattice.small_logs(self.target) is not None:
            logs = self.log_marginals(y)  # q = 1e-340 is no float64 number, q^(1/2) is one
            return np.where(np.isnan(logs), exact, np.exp(logs))
        powered = (exact / exact.max(axis=2, keepdims=True)) ** self.power  # a large power never empties a row
        return powered / powered.sum(axis=2, keepdims=True)

    def log_marginals(self, y: Int[np.ndarray, "batch L"]) -> Float[np.ndarray, "batch L V"]:
        exact = lattice.log_marginals(self.target, y)
        powered = self.power * (exact - exact.max(axis=2, keepdims=True))
        return powered - np.log(np.exp(powered).sum(axis=2, keepdims=True))


@dataclass(frozen=True, eq=False)
class ParentPointer:
    """q(x_i | x_a) when the one allowed parent a = parents[i] is revealed, else q(x_i); parents[i] = -1 for none.

    >>> model = tm.ParentPointer(tm.repetition(2, 3), [-1, 0, 1])
    >>> model.marginals(np.array([[0, -1, -1]]))[0, 1:].tolist()  # token 2 looks at token 1 alone
    [[1.0, 0.0], [0.5, 0.5]]
    """

    target: Target
    parents: Sequence[int]

    def __post_init__(self):
        parents = tuple(integers("parents", self.parents).tolist())
        if len(parents) != self.target.length:
            raise ValueError(f"parents has {len(parents)} entries, the target has length {self.target.length}")
        for i, a in enumerate(parents):
            if not -1 <= a < len(parents) or a == i:
                raise ValueError(f"parents[{i}] = {a}, allowed: -1 or another position 0..{len(parents) - 1}")
        object.__setattr__(self, "parents", parents)

    @property
    def vocab_size(self) -> int:
        return self.target.vocab_size

    @property
    def length(self) -> int:
        return self.target.length

    @cached_property
    def given_parent(self) -> Float[np.ndarray, "L contexts V"]:
        """[i, 0] = q(x_i), [i, 1 + u] = q(x_i | x_parent(i) = u); nan where x_parent(i) = u is impossible."""
        return self._table(partial(self.target.marginals, on_impossible="nan"))

    @cached_property
    def log_given_parent(self) -> Float[np.ndarray, "L contexts V"]:
        """The logarithms of `given_parent`."""
        return self._table(partial(lattice.log_marginals, self.target))

    def _table(self, read: Callable) -> Float[np.ndarray, "L contexts V"]:
        vocab_size, length = self.vocab_size, self.length
        masked = np.full((1, length), MASK)
        table = np.empty((length, vocab_size + 1, vocab_size))
        table[:, 0] = read(masked)[0]
        table[:, 1:] = table[:, :1]
        for a in {p for p in self.parents if p >= 0}:
            y = np.repeat(masked, vocab_size, axis=0)
            y[:, a] = np.arange(vocab_size)
            given = read(y)
            for i, parent in enumerate(self.parents):
                if parent == a:
                    table[i, 1:] = given[:, i]
        return table

    def _seen(self, y: Int[np.ndarray, "batch L"]) -> Int[np.ndarray, "batch L"]:
        """The parent's token, MASK where there is none or it is masked."""
        parents = np.array(self.parents)
        return np.where(parents >= 0, y[:, parents], MASK)

    def marginals(self, y: Int[np.ndarray, "batch L"], on_impossible: str = "raise") -> Float[np.ndarray, "batch L V"]:
        y = tokens(y, self.vocab_size, self.length, masks=True)
        result = reveal_one_hot(self.given_parent[np.arange(self.length), self._seen(y) + 1], y)
        return settle_impossible(result, y, np.any(np.isnan(result), axis=(1, 2)), on_impossible)

    def log_marginals(self, y: Int[np.ndarray, "batch L"]) -> Float[np.ndarray, "batch L V"]:
        result = _reveal_logs(self.log_given_parent[np.arange(self.length), self._seen(y) + 1], y)
        return settle_impossible(result, y, np.any(np.isnan(result), axis=(1, 2)), "nan")


@dataclass(frozen=True, eq=False)
class Windowed:
    """q(x_i | the revealed tokens at distance at most radius).

    >>> tm.Windowed(tm.repetition(2, 3), 1).marginals(np.array([[0, -1, -1]]))[0, 1:].tolist()
    [[1.0, 0.0], [0.5, 0.5]]
    """

    target: Target
    radius: int

    def __post_init__(self):
        object.__setattr__(self, "radius", positive_int("radius", self.radius, minimum=0))

    @property
    def vocab_size(self) -> int:
        return self.target.vocab_size

    @property
    def length(self) -> int:
        return self.target.length

    def marginals(self, y: Int[np.ndarray, "batch L"], on_impossible: str = "raise") -> Float[np.ndarray, "batch L V"]:
        y = tokens(y, self.vocab_size, self.length, masks=True)
        result = reveal_one_hot(self._near(partial(self.target.marginals, on_impossible="nan"), y), y)
        return settle_impossible(result, y, np.any(np.isnan(result), axis=(1, 2)), on_impossible)

    def log_marginals(self, y: Int[np.ndarray, "batch L"]) -> Float[np.ndarray, "batch L V"]:
        result = _reveal_logs(self._near(partial(lattice.log_marginals, self.target), y), y)
        return settle_impossible(result, y, np.any(np.isnan(result), axis=(1, 2)), "nan")

    def _near(self, read: Callable, y: Int[np.ndarray, "batch L"]) -> Float[np.ndarray, "batch L V"]:
        position = np.arange(self.length)
        result = np.empty((*y.shape, self.vocab_size))
        for i in range(self.length):
            near = np.where(np.abs(position - i) <= self.radius, y, MASK)
            near[:, i] = MASK
            result[:, i] = read(near)[:, i]
        return result


def _reveal_logs(logs: Float[np.ndarray, "batch L V"], y: Int[np.ndarray, "batch L"]) -> Float[np.ndarray, "batch L V"]:
    """Overwrite the revealed positions by the logarithm of their one-hot."""
    revealed = np.where(np.arange(logs.shape[2]) == y[..., None], 0.0, -np.inf)
    return np.where((y == MASK)[..., None], logs, revealed)


def learning_error(target: Target, denoiser: Denoiser, reduce: str = "max") -> float:
    """Max, or mean, over revealed sets T, contexts x_T with q(x_T) > 0 and i not in T of KL(q(.|x_T) || p(.|x_T)).

    Nats per token. `max` is the epsilon_learning of Feng et al. 2025; `mean` weighs every pair (T, i) equally and
    x_T by q. inf when the denoiser rules out what the target allows, or refuses a possible context.
    Cost O((V+1)^L L V).

    >>> round(tm.learning_error(tm.repetition(2, 2), tm.Smoothed(tm.repetition(2, 2), 0.5)), 12)  # log(4/3)
    0.287682072452
    """
    if reduce not in ("max", "mean"):
        raise ValueError(f'reduce = {reduce!r}, allowed: "max", "mean"')
    require_pair(target, denoiser)
    masked = lattice.states(target.vocab_size, target.length) == MASK
    possible = masked & (lattice.state_log_probabilities(target) > -np.inf)[:, None]
    log_q = lattice.state_log_marginals(target)[possible]
    log_p = np.nan_to_num(lattice.state_log_marginals(denoiser)[possible], nan=-np.inf, neginf=-np.inf)
    seen = log_q > -np.inf
    ratio = lattice.log_ratio(log_p, log_q)
    kl = nonnegative_curve("KL(q || p)", lattice.expected_loss(np.exp(log_q), ratio, seen), 1.0)
    if reduce == "max":
        return float(kl.max())
    if np.isinf(kl).any():
        return float("inf")
    weight = np.broadcast_to(lattice.state_probabilities(target)[:, None], possible.shape)[possible]
    return float(weight @ kl / (target.length * 2 ** (target.length - 1)))
