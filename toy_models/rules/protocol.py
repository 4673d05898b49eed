"""What an unmasking rule offers: which masked positions are revealed in the next denoiser call.

    ContentFree   a law over ordered partitions of the positions: stages(length), draw_steps(size, length, rng)
    Adaptive      select(marginals, masked): sees the marginals of the masked tokens
    Drawn         select(marginals, masked, drawn): sees a candidate drawn at every masked position as well
    Sampler       exact_law(denoiser), draw(denoiser, size, rng): a sampler that is more than a choice of positions (it
                  remasks, verifies, fills by argmax, stops early) and brings its own exact law

Nothing more is needed. Optional methods shorten a route and are never required: `require_length(length)` refuses a
length, `expected_calls(length)` is a closed form, `independent_parts(length)` writes a rule as a mixture of independent
reveals.
A Drawn rule may bring `candidates(marginals)`, the law it draws from where that is not the marginals; `select` may take
`noise`, a uniform number for every position; `push(mass, here, marginals, masked, increments)` moves the mass of states
to what one call writes, exactly.
"""

from dataclasses import dataclass
from inspect import signature
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int
from typing_extensions import TypeIs


@dataclass(frozen=True, eq=False)
class Stage:
    """One denoiser call: each set of s of the m masked positions among `active` is revealed w.p. weights[m, s].

    >>> (probability, [stage]), = tm.RandomOrder([2]).stages(2)
    >>> probability, stage.weights[2].tolist()
    (1.0, [0.0, 0.0, 1.0])
    """

    active: Bool[np.ndarray, " L"]
    weights: Float[np.ndarray, "m s"]


@runtime_checkable
class ContentFree(Protocol):
    """A law over ordered partitions of the positions, drawn before anything is revealed.

    >>> isinstance(tm.RandomOrder([2, 2]), tm.ContentFree), isinstance(tm.TopK(1), tm.ContentFree)
    (True, False)
    """

    def stages(self, length: int) -> list[tuple[float, list[Stage]]]:
        """A finite mixture: (probability, the denoiser calls in order), probabilities summing to one."""
        ...

    def draw_steps(self, size: int, length: int, rng: np.random.Generator) -> Int[np.ndarray, "size L"]:
        """The step in which each position is revealed, one independent draw per row."""
        ...


@runtime_checkable
class Independent(ContentFree, Protocol):
    """Each position draws its step i.i.d. from `weights`."""

    @property
    def weights(self) -> Float[np.ndarray, " N"]: ...


@runtime_checkable
class Adaptive(Protocol):
    """A deterministic function of the marginals, row by row: numpy arrays, or torch tensors where those are given.

    >>> isinstance(tm.TopK(1), tm.Adaptive), isinstance(tm.RandomOrder([2, 2]), tm.Adaptive)
    (True, False)
    """

    def select(self, marginals, masked) -> Any:
        """(batch, L, V) marginals and (batch, L) bool -> (batch, L) bool, at least one masked position in each row."""
        ...


@runtime_checkable
class Drawn(Protocol):
    """The same, with (batch, L) candidates drawn from the marginals; what is selected is written as drawn.

    >>> isinstance(tm.bisection(4), tm.Drawn)
    False
    """

    def select(self, marginals, masked, drawn) -> Any: ...


@runtime_checkable
class Sampler(Protocol):
    """A sampler with its own exact law and its own draws.

    >>> isinstance(tm.Speculative(2), tm.rules.Sampler), isinstance(tm.TopK(1), tm.rules.Sampler)
    (True, False)
    """

    def exact_law(self, denoiser) -> Any:
        """The `Law` of what is written."""
        ...

    def draw(self, denoiser, size: int, rng: np.random.Generator) -> Any:
        """`size` runs, as `Samples`."""
        ...


Rule = ContentFree | Adaptive | Drawn | Sampler


def is_sampler(rule: Rule) -> TypeIs[Sampler]:
    """Whether the rule is a sampler with its own law and draws."""
    return hasattr(rule, "exact_law") and hasattr(rule, "draw")


def sees_contents(rule: Rule) -> TypeIs[Adaptive | Drawn]:
    """Whether the rule looks at marginals (Adaptive or Drawn) and is no law over orders.

    >>> tm.rules.sees_contents(tm.TopK(1)), tm.rules.sees_contents(tm.bisection(3))
    (True, False)
    """
    return hasattr(rule, "select")


def sees_drawn(rule: Rule) -> TypeIs[Drawn]:
    """Whether the rule also looks at the candidates: its `select` takes `drawn`.

    >>> tm.rules.sees_drawn(tm.DrawnConfidence(1)), tm.rules.sees_drawn(tm.TopK(1))
    (True, False)
    """
    return sees_contents(rule) and "drawn" in signature(rule.select).parameters


def takes_noise(rule: Rule) -> bool:
    """Whether the rule's `select` takes a uniform number for every position."""
    return sees_contents(rule) and "noise" in signature(rule.select).parameters


def candidate_law(rule: Drawn, marginals: Float[np.ndarray, "batch L V"]) -> Float[np.ndarray, "batch L V"]:
    """The law that the candidates are drawn from: the rule's own `candidates`, else the marginals."""
    own = getattr(rule, "candidates", None)
    return marginals if own is None else own(marginals)


def select(
    rule: Adaptive | Drawn,
    marginals: Float[np.ndarray, "batch L V"],
    masked: Bool[np.ndarray, "batch L"],
    drawn: Int[np.ndarray, "batch L"] | None = None,
    noise: Float[np.ndarray, "batch L"] | None = None,
) -> Bool[np.ndarray, "batch L"]:
    """The rule's choice, refused unless it reveals a masked position in every row that has one, and no other."""
    if drawn is None:
        chosen = cast(Adaptive, rule).select(marginals, masked)
    elif noise is None:
        chosen = cast(Drawn, rule).select(marginals, masked, drawn)
    else:
        chosen = cast(Any, rule).select(marginals, masked, drawn, noise)
    name = type(rule).__name__
    if not isinstance(chosen, np.ndarray) or chosen.dtype != np.bool_ or chosen.shape != masked.shape:
        got = f"{chosen.dtype} {chosen.shape}" if isinstance(chosen, np.ndarray) else type(chosen).__name__
        raise ValueError(f"{name}.select returned {got}, it must return a boolean array of shape {masked.shape}")
    wrong = (chosen & ~masked).any(axis=1) | (masked.any(axis=1) & ~chosen.any(axis=1))
    if wrong.any():
        row = int(wrong.argmax())
        positions = np.flatnonzero(chosen[row]).tolist()
        allowed = np.flatnonzero(masked[row]).tolist()
        raise ValueError(f"{name}.select chose {positions} in row {row}, it must choose at least one of {allowed} only")
    return chosen


def stages_of(rule: ContentFree, length: int) -> list[tuple[float, list[Stage]]]:
    """rule.stages(length), refused unless it is a mixture of stages of that length."""
    mixture, name = rule.stages(length), type(rule).__name__
    total = float(sum(w for w, _ in mixture))
    if abs(total - 1.0) > 1e-9:
        raise ValueError(f"{name}.stages({length}) has mixture weights that sum to {total:.12g}, they must sum to 1")
    for _, stages in mixture:
        for j, stage in enumerate(stages):
            if stage.active.shape != (length,) or stage.weights.shape != (length + 1, length + 1):
                raise ValueError(
                    f"{name}.stages({length})[{j}] has active {stage.active.shape} and weights {stage.weights.shape}, "
                    f"they must be ({length},) and ({length + 1}, {length + 1})"
                )
    return mixture


def steps_of(rule: ContentFree, size: int, length: int, rng: np.random.Generator) -> Int[np.ndarray, "size L"]:
    """rule.draw_steps(size, length, rng), refused unless it gives an integer step to every position of every row."""
    steps, name = rule.draw_steps(size, length, rng), type(rule).__name__
    if not isinstance(steps, np.ndarray) or steps.shape != (size, length) or steps.dtype.kind not in "iu":
        got = f"{steps.dtype} {steps.shape}" if isinstance(steps, np.ndarray) else type(steps).__name__
        raise ValueError(f"{name}.draw_steps returned {got}, it must return integers of shape ({size}, {length})")
    return steps


def independent_parts(rule: Rule, length: int) -> list[tuple[float, Independent]] | None:
    """The rule as a mixture (probability, independent reveal) that is exact at this length; None where it is none."""
    parts = getattr(rule, "independent_parts", None)
    return None if parts is None else parts(length)
