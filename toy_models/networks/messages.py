"""Hidden chains in the layout of the device recursion, and how rarely their messages may be rescaled.

Messages are (S, batch): the step of an HMM, and of an n-gram, is then one batched matrix product without a copy.
Likelihoods are multiplied by powers of two, token by token, so that the largest lies in (1/2, 1]: exact, and cancels.
`plans` turns the smallest positive parameters into a number of steps between rescalings; theory/networks has the proof.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from toy_models.targets import HMM, MarkovChain, NGram
from toy_models.validation import MASK

NORMAL = {torch.float32: 125, torch.float64: 1021}  # products stay above 2^-NORMAL, one bit above the smallest normal
CUTOFF = {torch.float32: 36, torch.float64: 300}  # a rescaled message with a positive entry below 2^-CUTOFF is flagged
MOST = 16  # steps between rescalings; more would save less than a tenth of the time


@dataclass(frozen=True)
class Plan:
    """Rescale every `every` steps. A row is flagged when a number falls below `level`.

    dense: the number is the total of a message before it is rescaled; else its smallest positive entry afterwards.
    """

    every: int
    level: float
    dense: bool


@dataclass(frozen=True, eq=False)
class States:
    """A hidden chain whose state emits a token: HMMs, and Markov chains (emission None: the token is the state)."""

    initial: Float[Tensor, " S"]
    pair: Float[Tensor, "2 S S"]  # transition transposed, transition: one step forward, one step backward
    reversed_pair: Float[Tensor, "2 S S"]
    emission: Float[Tensor, "S V"] | None
    likelihood: Float[Tensor, "S columns"]  # column 0: the mask
    plans: tuple[Plan, ...]
    first: int = 0

    @property
    def vocab_size(self) -> int:
        return self.likelihood.shape[1] - 1

    def start(self, y: Tensor) -> Tensor:
        return self.initial[:, None].expand(-1, len(y))

    def step(self, message: Tensor, out: Tensor, swapped: bool) -> None:
        """out = one step of both directions of `message` (2, S, batch): (forward, backward), swapped: the other way."""
        torch.bmm(self.reversed_pair if swapped else self.pair, message, out=out)

    def laws(self, joint: Tensor) -> Tensor:
        """(n, S, batch) -> (n, batch, V), not normalised."""
        turned = joint.transpose(1, 2)
        return turned if self.emission is None else torch.bmm(turned, self.emission.expand(len(joint), -1, -1))


@dataclass(frozen=True, eq=False)
class Tuples:
    """The last n-1 tokens of an n-gram as the state, V^(n-1) of them: a step costs V^n, not V^(2n-2)."""

    initial: Float[Tensor, " T"]
    forward: Float[Tensor, "M V V"]  # [middle, next, first]
    backward: Float[Tensor, "M V V"]  # [middle, first, next]
    likelihood: Float[Tensor, "T columns"]
    plans: tuple[Plan, ...]
    order: int
    emission: None = None

    @property
    def first(self) -> int:
        return self.order - 2

    @property
    def vocab_size(self) -> int:
        return self.forward.shape[1]

    def start(self, y: Tensor) -> Tensor:
        """The first n-1 tokens, restricted to those revealed among the first n-2."""
        vocab, context = self.vocab_size, self.order - 1
        message = self.initial[:, None].expand(-1, len(y))
        code = torch.arange(len(message), device=y.device)[:, None]
        for k in range(context - 1):
            digit = code // vocab ** (context - 1 - k) % vocab
            message = message * ((y[:, k] == MASK) | (digit == y[:, k]))
        return message

    def step(self, message: Tensor, out: Tensor, swapped: bool) -> None:
        """As States.step. Reading or writing (first, middle) as (middle, first) is a change of strides."""
        vocab, middle = self.vocab_size, len(self.forward)
        ahead, back = (1, 0) if swapped else (0, 1)
        by_first = message[ahead].view(vocab, middle, -1).transpose(0, 1)
        torch.bmm(self.forward, by_first, out=out[ahead].view(middle, vocab, -1))
        by_next = message[back].view(middle, vocab, -1)
        torch.bmm(self.backward, by_next, out=out[back].view(vocab, middle, -1).transpose(0, 1))

    def laws(self, joint: Tensor) -> Tensor:
        count, _, batch = joint.shape
        return joint.view(count, -1, self.vocab_size, batch).sum(dim=1).transpose(1, 2)

    def first_window(self, joint: Tensor) -> list[Tensor]:
        """(batch, V) laws of the tokens 0..n-3, which only the first window holds, not normalised."""
        table = joint.reshape(*(self.vocab_size,) * (self.order - 1), -1)
        axes = range(self.order - 1)
        return [table.sum(dim=[axis for axis in axes if axis != k]).T for k in range(self.first)]


def hidden_chain(target, device: torch.device, dtype: torch.dtype) -> States | Tuples:
    """The messages of HMM, MarkovChain or NGram of order >= 2 on the device; TypeError otherwise."""

    def put(array) -> Tensor:
        return torch.as_tensor(np.array(array, dtype=np.float64, order="C"), device=device).to(dtype)

    if isinstance(target, HMM):
        masked = [math.fsum(row) for row in target.emission]  # one rounding, as the bound counts
        likelihood = below_one(np.column_stack([masked, target.emission]))
        found = plans(target.initial, target.transition, likelihood, target.emission, dtype)
        return _states(put, target.initial, target.transition, target.emission, likelihood, found)
    if isinstance(target, MarkovChain) or (isinstance(target, NGram) and target.order == 2):
        step = target.transition if isinstance(target, MarkovChain) else target.rows
        likelihood = np.column_stack([np.ones(target.vocab_size), np.eye(target.vocab_size)])
        found = plans(target.initial, step, likelihood, 1.0, dtype)
        return _states(put, target.initial, step, None, likelihood, found)
    if isinstance(target, NGram) and target.order > 2:
        vocab, tuples = target.vocab_size, target.vocab_size ** (target.order - 1)
        last = np.arange(tuples)[:, None] % vocab == np.arange(vocab)
        likelihood = np.column_stack([np.ones(tuples), last])
        rows = np.asarray(target.rows).reshape(vocab, -1, vocab)  # first, middle, next
        found = tuple(p for p in plans(target.initial, rows, likelihood, 1.0, dtype) if not p.dense)
        steps = put(rows.transpose(1, 2, 0)), put(rows.transpose(1, 0, 2))
        return Tuples(put(target.initial.ravel()), *steps, put(likelihood), found, target.order)
    raise TypeError(f"no device posterior for {type(target).__name__}; allowed: HMM, MarkovChain, NGram, Table, Blocks")


def _states(put, initial, transition, emission, likelihood, found) -> States:
    both = put(np.stack([transition.T, transition]))
    emitted = None if emission is None else put(emission)
    return States(put(initial), both, both.flip(0).contiguous(), emitted, put(likelihood), found)


def below_one(likelihood: Float[np.ndarray, "S columns"]) -> Float[np.ndarray, "S columns"]:
    """Each column times the power of two that takes its maximum into (1/2, 1]; columns of zeros stay."""
    largest = likelihood.max(axis=0)
    mantissa, exponent = np.frexp(np.where(largest > 0, largest, 1.0))
    return np.ldexp(likelihood, -np.where(mantissa == 0.5, exponent - 1, exponent))


def plans(initial, transition, likelihood, emission, dtype: torch.dtype) -> tuple[Plan, ...]:
    """Plans in the order in which they are tried on the rows that the one before flagged; empty: none is safe.

    With the smallest positive transition 2^-a, likelihood 2^-e, emission 2^-g, and E = NORMAL, c = CUTOFF:
    dense (no zero in initial or transition, a possible state for each token; 2^-a counts the initial law too):
        level 2^-t, 2 a + log2 S + 2 t + max(e, g) <= E, and the message of a usual row keeps half of t in k steps;
    sparse: level 2^-c, c + k (a + e) <= E and 2c + 2 (k - 1)(a + e) + g <= E; the initial law is at least 2^-E.
    """
    normal, cutoff, found = NORMAL[dtype], CUTOFF[dtype], []
    a, e, g = _bits(transition), _bits(likelihood), _bits(emission)
    positive = np.all(np.asarray(initial) > 0) and np.all(np.asarray(transition) > 0)
    if positive and np.all(likelihood.max(axis=0) > 0):
        least = max(a, _bits(initial))
        room = (normal - 2 * least - math.ceil(math.log2(len(likelihood))) - max(e, g)) // 2
        usual = float(-np.log2(likelihood.mean(axis=0).min()))  # bits lost in a step from a uniform message, if most
        if room >= usual:
            every = MOST if 2 * MOST * usual <= room else max(1, int(room / (2 * usual)))
            found.append(Plan(every, 2.0**-room, True))
    loss = a + e
    every = min((normal - cutoff) // loss, (normal - 2 * cutoff - g) // (2 * loss) + 1, MOST) if loss else MOST
    if every >= 1 and 2 * cutoff + g <= normal and _bits(initial) <= normal:
        found.append(Plan(every, 2.0**-cutoff, False))
    return tuple(found)


def _bits(values) -> int:
    """The least k with 2^-k <= every positive value."""
    values = np.asarray(values)
    return max(0, math.ceil(-math.log2(float(np.min(values, where=values > 0, initial=1.0)))))
