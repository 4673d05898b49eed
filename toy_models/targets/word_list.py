"""Uniform laws on an explicit list of words."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from toy_models.targets.kernels.impossible import reveal_one_hot, settle_impossible
from toy_models.targets.kernels.inverse_cdf import inverse_cdf
from toy_models.validation import MASK, positive_int, tokens

CHUNK = 2**22  # matches tested at once


@dataclass(frozen=True, eq=False)
class WordList:
    """q uniform on the distinct rows of `words`. Marginals by filtering the list: O(batch * words * L).

    Symmetries are optional, checked, and shorten the recursion over policies: `relabelling=True` says that every
    permutation of the symbols maps the list to itself, `moves` that the rows words[:, move] are the same list again.

    >>> words = tm.targets.WordList(np.array([[0, 1], [1, 0], [1, 1]]), 2)
    >>> words.marginals(np.array([[1, -1]]))[0, 1].tolist()
    [0.5, 0.5]
    """

    words: Int[np.ndarray, "n L"]
    vocab_size: int
    relabelling: bool
    moves: Int[np.ndarray, "m L"]

    def __init__(
        self,
        words: Int[np.ndarray, "n L"],
        vocab_size: int,
        relabelling: bool = False,
        moves: Int[np.ndarray, "m L"] | None = None,
    ):
        given = len(words)
        vocab_size = positive_int("vocab_size", vocab_size)
        words = np.array(words)
        if words.ndim != 2 or words.size == 0:
            raise ValueError(f"words must be a non-empty (n, L) array, got shape {words.shape}")
        words = np.unique(tokens(words, vocab_size, words.shape[1], masks=False), axis=0)
        if len(words) != given:
            raise ValueError(f"words has {given} rows of which {len(words)} are distinct, repeat none")
        words.setflags(write=False)
        moves = np.arange(words.shape[1])[None] if moves is None else np.array(moves)
        for name, value in (
            ("words", words),
            ("vocab_size", vocab_size),
            ("relabelling", relabelling),
            ("moves", moves),
        ):
            object.__setattr__(self, name, value)
        for index, move in enumerate(moves):
            if sorted(move) != list(range(words.shape[1])) or not np.array_equal(_sorted(words[:, move]), words):
                raise ValueError(f"moves[{index}] = {move.tolist()} is no permutation of positions that keeps the list")
        if relabelling:
            for swap in range(vocab_size - 1):
                image = np.arange(vocab_size)
                image[[swap, swap + 1]] = swap + 1, swap
                if not np.array_equal(_sorted(image[words]), words):
                    raise ValueError(
                        f"relabelling = True, but exchanging symbols {swap} and {swap + 1} leaves the list"
                    )

    @property
    def length(self) -> int:
        return self.words.shape[1]

    @cached_property
    def classes(self) -> Int[np.ndarray, " n"]:
        """Orbit of each word under relabelling (its own index without `relabelling`)."""
        if not self.relabelling:
            return np.arange(len(self.words))
        return np.unique(first_occurrence(self.words), axis=0, return_inverse=True)[1].reshape(-1)

    def log_prob(self, x: Int[np.ndarray, "batch L"]) -> Float[np.ndarray, " batch"]:
        x = tokens(x, self.vocab_size, self.length, masks=False)
        known = {word.tobytes() for word in self.words}
        member = np.array([row.tobytes() in known for row in np.ascontiguousarray(x)], dtype=bool)
        return np.where(member, -np.log(len(self.words)), -np.inf)

    def matches(self, y: Int[np.ndarray, "batch L"]):
        """(batch, n) bool: which words agree with the revealed tokens of each row."""
        result = np.ones((len(y), len(self.words)), dtype=bool)
        for i in range(self.length):
            result &= (y[:, i] == MASK)[:, None] | (y[:, i][:, None] == self.words[:, i])
        return result

    def marginals(self, y: Int[np.ndarray, "batch L"], on_impossible: str = "raise") -> Float[np.ndarray, "batch L V"]:
        y = tokens(y, self.vocab_size, self.length, masks=True)
        one_hot = np.eye(self.vocab_size)[self.words].reshape(len(self.words), -1)
        parts = [self.matches(part) for part in np.array_split(y, len(y) * len(self.words) // CHUNK + 1)]
        counts = np.concatenate([match.astype(np.float64) @ one_hot for match in parts])
        total = np.concatenate([match.sum(axis=1) for match in parts])
        with np.errstate(invalid="ignore", divide="ignore"):
            result = counts.reshape(len(y), self.length, self.vocab_size) / total[:, None, None]
        reveal_one_hot(result, y)
        return settle_impossible(result, y, total == 0, on_impossible)

    def sample(self, size: int, rng: np.random.Generator) -> Int[np.ndarray, "size L"]:
        uniform = np.full((1, len(self.words)), 1.0 / len(self.words))
        return self.words[inverse_cdf(uniform, rng.random((1, size)))[0]]

    def entropy(self) -> float:
        return float(np.log(len(self.words)))

    def support(self) -> tuple[Int[np.ndarray, "n L"], Float[np.ndarray, " n"]]:
        return self.words, np.full(len(self.words), 1.0 / len(self.words))

    def subset_entropies(self) -> Float[np.ndarray, " subsets"]:
        from toy_models.rules.fixed_schedule import word_entropies

        return word_entropies(self)

    def best_policy(self, step_cost: float):
        from toy_models.rules.word_policy import optimal_word_policy

        return optimal_word_policy(self, step_cost)


def first_occurrence(words: Int[np.ndarray, "n L"]) -> Int[np.ndarray, "n L"]:
    """Each word with its symbols renamed 0, 1, ... in the order in which they first appear."""
    result = np.empty_like(words)
    for row, word in enumerate(words):
        name = {symbol: k for k, symbol in enumerate(dict.fromkeys(word.tolist()))}
        result[row] = [name[symbol] for symbol in word.tolist()]
    return result


def _sorted(words: Int[np.ndarray, "n L"]) -> Int[np.ndarray, "n L"]:
    return words[np.lexsort(words.T[::-1])]
