"""The best adaptive unmasking policy of a uniform law on few words, where the full lattice is out of reach.

Same recursion as in optimal.py, over the states that occur: a revealed set R and the word seen on it. The
symmetries that the list declares are used: words that a relabelling of the symbols maps to each other are one class,
and a set R that a move of the positions brings to one solved before copies its values.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from toy_models.errors import IntractableError
from toy_models.kernel import kernel
from toy_models.targets.word_list import WordList
from toy_models.validation import MASK

MAX_WORK = 2**31  # 3^L * classes additions: 4x4 Sudoku needs 5.2e8


@dataclass(frozen=True, eq=False)
class WordPolicy:
    """As Policy: kl + step_cost * mean_steps is minimal; `states` counts revealed sets with the word seen on them.

    It counts them up to the list's symmetries. actions[R, c] is the set to reveal, as a bit mask, when the revealed
    set R shows what word class c has there.

    >>> tm.optimal_policy(tm.targets.WordList(np.array([[0, 0, 1], [1, 1, 0]]), 2), step_cost=0.1).mean_steps
    2.0
    """

    step_cost: float
    kl: float
    mean_steps: float
    value: float
    states: int
    visited: int
    target: WordList
    actions: Int[np.ndarray, "subsets classes"]

    @property
    def cost(self) -> float:
        return self.kl + self.step_cost * self.mean_steps

    def action(self, y: Int[np.ndarray, "batch L"]) -> Bool[np.ndarray, "batch L"]:
        """Positions to reveal next; in a context that no word fits, all masked positions."""
        y = np.asarray(y)
        matches = self.target.matches(y)
        revealed = (y != MASK) @ (1 << np.arange(y.shape[1]))
        bits = self.actions[revealed, self.target.classes[matches.argmax(axis=1)]]
        chosen = (bits[:, None] >> np.arange(y.shape[1])) & 1 == 1
        return np.where(np.any(matches, axis=1)[:, None], chosen, y == MASK)

    def select(self, marginals, masked):
        if marginals.shape[1:] != (self.target.length, self.target.vocab_size):
            raise ValueError(
                f"marginals have (L, V) = {tuple(marginals.shape[1:])}, the policy was made for "
                f"{(self.target.length, self.target.vocab_size)}"
            )
        return self.action(np.where(masked, MASK, marginals.argmax(axis=-1)))


def optimal_word_policy(target: WordList, step_cost: float) -> WordPolicy:
    """argmin over adaptive policies of KL(q || p) + step_cost * E_q[calls] for a word list. O(3^L classes)."""
    if not (np.isfinite(step_cost) and step_cost >= 0):
        raise ValueError(f"step_cost = {step_cost}, it must be a finite number >= 0 (nats per call)")
    classes = target.classes
    count = int(classes.max()) + 1
    work = 3**target.length * count
    if work > MAX_WORK:
        raise IntractableError(
            "the optimal adaptive policy of a word list",
            f"L = {target.length}, {count} word classes, hence 3^L * classes = {work} additions",
            f"3^L * classes <= {MAX_WORK}",
            "use fixed_schedule_front",
        )
    first = np.unique(classes, return_index=True)[1]
    agree = agreement(target.words[first], target.words)
    place = {word.tobytes(): index for index, word in enumerate(target.words)}
    moved = [[classes[place[target.words[f][move].tobytes()]] for f in first] for move in target.moves]
    tables = np.zeros((2**target.length, count)), np.zeros((2**target.length, count), dtype=np.int64)
    values, actions, states = word_bellman(
        target.words, classes, agree, target.moves, np.array(moved), target.vocab_size, float(step_cost), *tables
    )
    value = float(values[0, 0]) - target.entropy()
    kl, mean_steps, visited = _follow(target, actions)
    return WordPolicy(float(step_cost), kl, mean_steps, value, int(states), visited, target, actions)


def agreement(first: Int[np.ndarray, "m L"], words: Int[np.ndarray, "n L"]) -> Int[np.ndarray, "m n"]:
    """Bit mask of the positions on which each pair of words agrees."""
    return (first[:, None, :] == words[None]) @ (1 << np.arange(words.shape[1]))


def _follow(target: WordList, actions: Int[np.ndarray, "subsets classes"]) -> tuple[float, float, int]:
    """(KL, mean calls, visited states) over all words; KL adds log q(x_S | y) - sum log q(x_i | y), counted."""
    words, length = target.words, target.length
    y = np.full_like(words, MASK)
    calls = kl = 0.0
    seen = set()
    while (y == MASK).any():
        live = np.flatnonzero((y == MASK).any(axis=1))
        here = y[live]
        seen.update(row.tobytes() for row in here)
        revealed = (here != MASK) @ (1 << np.arange(length))
        chosen = (actions[revealed, target.classes[live]][:, None] >> np.arange(length)) & 1 == 1
        marginals = target.marginals(here)
        own = np.take_along_axis(marginals, words[live][:, :, None], axis=2)[..., 0]
        before = target.matches(here).sum(axis=1)
        y[live] = np.where(chosen, words[live], here)
        after = target.matches(y[live]).sum(axis=1)
        kl += float((np.log(after / before) - np.where(chosen, np.log(own), 0.0).sum(axis=1)).sum())
        calls += len(live)
    return kl / len(words), calls / len(words), len(seen)


def _word_bellman(words, classes, agree, moves, moved, vocab_size, step_cost, values, actions):
    """values[R, c] = least cost to come, charging H(X_i | y) for each revealed i; R from full to empty.

    moved[m, c] is the class of class c's word after move m. Of an orbit of sets the largest is met first.
    """
    count, length = values.shape[1], words.shape[1]
    done = np.zeros(2**length, dtype=np.bool_)
    states = 0
    weight = np.empty(count)
    tokens = np.empty((length, vocab_size))
    where = np.empty(length, dtype=np.int64)
    charge = np.empty(length)
    kept = np.empty(count, dtype=np.int64)
    paid = np.empty(2**length)
    for revealed in range(2**length - 2, -1, -1):
        if done[revealed]:
            continue
        masks = 0
        for i in range(length):
            if (revealed >> i) & 1 == 0:
                where[masks] = i
                masks += 1
        for c in range(count):
            weight[:] = 0.0
            tokens[:] = 0.0
            matching = 0
            for x in range(len(words)):
                if agree[c, x] & revealed == revealed:
                    matching += 1
                    weight[classes[x]] += 1.0
                    for k in range(masks):
                        tokens[where[k], words[x, where[k]]] += 1.0
            twin = 0
            while weight[twin] == 0.0:
                twin += 1
            if twin < c:  # the same state up to relabelling, done before
                values[revealed, c] = values[revealed, twin]
                actions[revealed, c] = actions[revealed, twin]
                continue
            states += 1
            used = 0
            for other in range(count):
                if weight[other] > 0.0:
                    weight[used] = weight[other] / matching
                    kept[used] = other
                    used += 1
            for k in range(masks):
                charge[k] = 0.0
                for v in range(vocab_size):
                    p = tokens[where[k], v] / matching
                    if p > 0.0:
                        charge[k] -= p * np.log(p)
            paid[0] = step_cost
            for k in range(masks):
                for subset in range(2**k):
                    paid[2**k + subset] = paid[subset] + charge[k]
            best, chosen = np.inf, 0
            masked = 2**length - 1 - revealed
            subset = masked
            for rank in range(2**masks - 1, 0, -1):  # subsets of `masked` in falling order, `paid` in step with them
                total = paid[rank]
                for m in range(used):
                    total += weight[m] * values[revealed | subset, kept[m]]
                if total < best:
                    best, chosen = total, subset
                subset = (subset - 1) & masked
            values[revealed, c] = best
            actions[revealed, c] = chosen
        for m in range(len(moves)):
            image = image_of(revealed, moves[m])
            if not done[image]:
                done[image] = True
                for c in range(count):
                    values[image, moved[m, c]] = values[revealed, c]
                    actions[image, moved[m, c]] = image_of(actions[revealed, c], moves[m])
    return values, actions, states


def _image_of(subset, move):
    """{i : move[i] in subset}, sets as bit masks."""
    result = 0
    for i in range(len(move)):
        result |= ((subset >> move[i]) & 1) << i
    return result


image_of = kernel(_image_of)
word_bellman = kernel(_word_bellman)
