"""n-gram languages: the next token depends on the n-1 tokens before it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int, Real

from toy_models.errors import IntractableError
from toy_models.quantities.entropy import entropy_of_rows
from toy_models.targets.kernels.ancestral import sample_windows
from toy_models.targets.kernels.bridges import chain_marginals
from toy_models.targets.kernels.impossible import reveal_one_hot, settle_impossible
from toy_models.targets.kernels.windows import window_marginals
from toy_models.targets.markov import MarkovChain
from toy_models.targets.protocol import own_route
from toy_models.validation import distribution, integers, nonnegative, positive_int, probabilities, reals, tokens

MAX_ENTRIES = 2**27  # V^n conditionals held: 1 GiB
SMOOTHING_RANGE = (1e-290, 1e290)  # (count + smoothing) / (sum + V smoothing) stays a normal float64 number


@dataclass(frozen=True, eq=False)
class NGram:
    """q(x) = initial[x_1, ..., x_{n-1}] prod over i >= n of conditional[x_{i-n+1}, ..., x_{i-1}, x_i].

    conditional.shape == (V,)*n, the last axis is the next token; n = 2 is a Markov chain, n = 1 independent tokens.
    initial.shape == (V,)*(n-1); None takes the stationary law of the contexts, an error if it is not unique.
    Contexts are handled by their sparse transitions, never as a square of V^(n-1) by V^(n-1).

    >>> rows = np.array([[0.75, 0.25], [0.5, 0.5]])
    >>> tm.NGram(rows, 3).entropy() == tm.MarkovChain(rows, 3).entropy()  # order 2
    True
    """

    conditional: Float[np.ndarray, "..."]
    length: int
    initial: Float[np.ndarray, "..."]

    def __init__(
        self, conditional: Float[np.ndarray, "..."], length: int, initial: Float[np.ndarray, "..."] | None = None
    ):
        conditional = probabilities("conditional", conditional)
        if len(set(conditional.shape)) != 1:
            raise ValueError(f"conditional must have shape (V,)*n, got {conditional.shape}")
        object.__setattr__(self, "conditional", conditional)
        object.__setattr__(self, "length", ngram_length(length, conditional.ndim))
        object.__setattr__(self, "initial", self._initial_law(initial))

    def _initial_law(self, initial: Float[np.ndarray, "..."] | None) -> Float[np.ndarray, "..."]:
        shape = self.conditional.shape[1:]
        if not shape:
            if initial is not None and np.shape(initial) != ():
                raise ValueError(f"initial has shape {np.shape(initial)}; n = 1 has no context, pass None")
            law = np.ones(())
        elif initial is None:
            from toy_models.targets.kernels.stationary import stationary_windows  # scipy.sparse loads slowly

            law = stationary_windows(self.rows).reshape(shape)
        else:
            law = reals("initial", initial)
            if law.shape != shape:
                raise ValueError(
                    f"initial has shape {law.shape}, it must be {shape}: one axis per token of the context"
                )
        return distribution("initial", law.reshape(shape or 1)).reshape(shape)

    @property
    def order(self) -> int:
        return self.conditional.ndim

    @property
    def vocab_size(self) -> int:
        return len(self.conditional)

    @property
    def rows(self) -> Float[np.ndarray, "T V"]:
        """conditional as one row per context, contexts numbered in base V."""
        return self.conditional.reshape(-1, self.vocab_size)

    @cached_property
    def is_stationary(self) -> bool:
        """Whether every window of n-1 tokens has the law `initial`, up to rounding."""
        law = self.initial.ravel()
        return bool(np.allclose(next_law(law, self.rows), law, rtol=0, atol=1e-12))

    def log_prob(self, x: Int[np.ndarray, "batch L"]) -> Float[np.ndarray, " batch"]:
        x = tokens(x, self.vocab_size, self.length, masks=False)
        context = self.order - 1
        windows = np.lib.stride_tricks.sliding_window_view(x, self.order, axis=1) if self.length > context else None
        with np.errstate(divide="ignore"):
            total = np.log(self.initial[tuple(x[:, :context].T)]) + np.zeros(len(x))
            if windows is not None:
                total += np.log(self.conditional[tuple(np.moveaxis(windows, 2, 0))]).sum(axis=1)
        return total

    def marginals(self, y: Int[np.ndarray, "batch L"], on_impossible: str = "raise") -> Float[np.ndarray, "batch L V"]:
        """n = 2: rows of powers (bridges.py); n > 2: messages over the windows that agree with y (windows.py)."""
        y = tokens(y, self.vocab_size, self.length, masks=True)
        law = self.initial.ravel()
        if self.order == 1:
            result = np.broadcast_to(self.conditional, (*y.shape, self.vocab_size)).copy()
            impossible = ((y >= 0) & (self.conditional[y] == 0)).any(axis=1)
            reveal_one_hot(result, y)
        elif self.order == 2:
            result, impossible = chain_marginals(law, self.rows, y)
        else:
            result, impossible = window_marginals(law, self.rows, self.order - 1, y)
        return settle_impossible(result, y, impossible, on_impossible)

    def sample(self, size: int, rng: np.random.Generator) -> Int[np.ndarray, "size L"]:
        return sample_windows(self.initial.ravel(), self.rows, self.order - 1, self.length, size, rng)

    def entropy(self) -> float:
        """H(first window) + sum over later tokens of E H(row). O(V^n) when stationary, O(L V^n) otherwise."""
        law, step = self.initial.ravel(), entropy_of_rows(self.rows)
        total, later = entropy_of_rows(law[None]).item(), self.length - self.order + 1
        if self.is_stationary:
            return total + later * float(law @ step)
        for _ in range(later):
            total += float(law @ step)
            law = next_law(law, self.rows)
        return total

    def as_chain(self) -> MarkovChain | None:
        """The same law as a Markov chain for n <= 2, None above."""
        if self.order == 1:
            return MarkovChain(np.tile(self.conditional, (self.vocab_size, 1)), self.length, self.conditional)
        return MarkovChain(self.conditional, self.length, self.initial) if self.order == 2 else None

    def hidden_chain(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """As a Markov chain, n <= 2; the windows of n-1 tokens above, each showing its first token."""
        from toy_models.hidden_chains.window import tuple_chain

        chain = self.as_chain()
        return tuple_chain(self) if chain is None else chain.hidden_chain()

    def information_curve(self) -> Float[np.ndarray, " L"] | None:
        """As a Markov chain, n <= 2."""
        return own_route(self.as_chain(), "information_curve")

    def exact_sequence_error(self, rule) -> float | None:
        """As a Markov chain, n <= 2."""
        return own_route(self.as_chain(), "exact_sequence_error", rule)

    def exact_log_likelihood(self, rule, x: Int[np.ndarray, "batch L"]) -> Float[np.ndarray, " batch"] | None:
        """As a Markov chain, n <= 2."""
        return own_route(self.as_chain(), "exact_log_likelihood", rule, x)

    @staticmethod
    def fit(
        tokens: Int[np.ndarray, " corpus"], order: int, vocab_size: int, length: int, smoothing: float = 0.0
    ) -> "NGram":
        """Relative frequencies of the windows of a corpus read as a circle; see `from_counts` for smoothing."""
        return NGram.from_counts(circular_counts(tokens, order, vocab_size), length, smoothing)

    @staticmethod
    def from_counts(counts: Real[np.ndarray, "..."], length: int, smoothing: float = 0.0) -> "NGram":
        """conditional = (counts + smoothing) / row sum from an (V,)*n table of circular window counts.

        On a circle every context that occurs continues, and the law of its windows is exactly stationary: it is
        `initial` when smoothing == 0. Contexts that never occur get a uniform row that no sample reaches. With
        smoothing > 0 every window is possible and `initial` is the stationary law of the smoothed rows.
        """
        table = require_circular(counts)
        vocab_size = len(table)
        low, high = SMOOTHING_RANGE
        if smoothing != 0 and not low <= smoothing <= high:
            raise ValueError(f"smoothing = {smoothing}, allowed: 0, or from {low:g} to {high:g}")
        context = table.sum(axis=-1)
        weight = context[..., None] + smoothing * vocab_size
        conditional = np.full(table.shape, 1.0 / vocab_size)
        np.divide(table + smoothing, weight, out=conditional, where=weight > 0)
        return NGram(conditional, length, context / table.sum() if smoothing == 0 and table.ndim > 1 else None)


def next_law(law: Float[np.ndarray, " T"], rows: Float[np.ndarray, "T V"]) -> Float[np.ndarray, " T"]:
    """Law of the window one position on: sum over a_1 of law(a_1, mid) rows[(a_1, mid), v]."""
    return (law[:, None] * rows).reshape(rows.shape[1], -1).sum(axis=0)


def circular_counts(tokens: Int[np.ndarray, " corpus"], order: int, vocab_size: int) -> Int[np.ndarray, "..."]:
    """How often each window of `order` tokens occurs in the corpus read as a circle, shape (V,)*n."""
    order, vocab_size = positive_int("order", order), positive_int("vocab_size", vocab_size)
    tokens = integers("tokens", tokens, 0, vocab_size - 1)
    if tokens.ndim != 1:
        raise ValueError(f"tokens must be a vector of integers, got shape {tokens.shape}, dtype {tokens.dtype}")
    if len(tokens) < order:
        raise ValueError(f"the corpus has {len(tokens)} tokens, an n-gram of order {order} needs at least {order}")
    if vocab_size**order > MAX_ENTRIES:
        size = f"V^n = {vocab_size}^{order} = {vocab_size**order} counts"
        raise IntractableError("an n-gram table", size, f"V^n <= {MAX_ENTRIES}", "lower the order")
    code = np.zeros(len(tokens), dtype=np.int64)
    for k in range(order):
        code = code * vocab_size + np.roll(tokens, -k)
    return np.bincount(code, minlength=vocab_size**order).reshape((vocab_size,) * order)


def require_circular(counts: Real[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """The counts as float64, if windows of a circle can have them: each context is left as often as entered."""
    table = reals("counts", counts)
    if table.ndim == 0 or len(set(table.shape)) != 1:
        raise ValueError(f"counts must have shape (V,)*n, got {table.shape}")
    nonnegative("counts", table)
    if table.sum() == 0:
        raise ValueError("counts are all zero, no language follows from them")
    left, entered = table.sum(axis=-1), table.sum(axis=0)
    wrong = np.argwhere(np.abs(left - entered) > 1e-9 * np.maximum(left, entered))
    if table.ndim > 1 and len(wrong):
        context = tuple(int(k) for k in wrong[0])
        raise ValueError(
            f"counts are not circular: context {context} is left {left[context]:.12g} times and entered "
            f"{entered[context]:.12g} times; count the corpus as a circle (NGram.fit does)"
        )
    return table


def ngram_length(length: int, order: int) -> int:
    """`length` if it holds the n-1 tokens of a context."""
    length = positive_int("length", length)
    if length < order - 1:
        raise ValueError(f"length = {length} is shorter than the {order - 1} tokens of a context of order {order}")
    return length
