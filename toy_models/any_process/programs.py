"""Programs of any-process generation: a map from the sequence to one law over actions per position, run to its end.

A program takes the sequence (a tuple of ints, MASK = -1) and returns None to stop, or one site per position. A site is
a tuple of (weight, action) pairs with weights summing to 1; sites are drawn independently. Weights are Fractions
(exact laws) or floats. All positions see the same old sequence: one denoiser call per step.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from toy_models.any_process.trace import render
from toy_models.any_process.transition import HOLD, KEEP, Action, emit_all, sequence
from toy_models.validation import MASK, positive_int

String = tuple[int, ...]
Site = tuple[tuple[Fraction | float | int, Action], ...]
Program = Callable[[String], Sequence[Site] | None]


class ProgramError(RuntimeError):
    """A run that does not end as it should; `trace` holds the sequences so far, the start first.

    >>> try:
    ...     tm.any_process.run(tm.any_process.Rules("a", ["a -> M", "M -> a"]), (0,))
    ... except tm.any_process.ProgramError as problem:
    ...     len(problem.trace)
    3
    """

    def __init__(self, message: str, trace: Sequence[String]):
        self.trace = tuple(trace)
        first = max(0, len(self.trace) - 12)
        super().__init__(f"{message}; the trace so far:\n{render(self.trace[first:], first_step=first)}")


class ProgramCycle(ProgramError):
    """A deterministic stretch of the run came back to an earlier sequence.

    >>> issubclass(tm.any_process.ProgramCycle, tm.any_process.ProgramError)
    True
    """


class StepLimit(ProgramError):
    """More steps than allowed.

    >>> issubclass(tm.any_process.StepLimit, tm.any_process.ProgramError)
    True
    """


class ContextLimit(ProgramError):
    """A sequence longer than allowed.

    >>> issubclass(tm.any_process.ContextLimit, tm.any_process.ProgramError)
    True
    """


@dataclass(frozen=True)
class Run:
    """A finished run. steps = applications of g that happened; peak = longest sequence, start and end included.

    >>> from toy_models.any_process import counter, pram
    >>> machine = counter.counter(2)
    >>> found = tm.any_process.run(pram.two_bank(machine), pram.two_bank_start(machine))
    >>> found.steps, found.peak  # 2^b - 1 steps in 2 b tokens
    (3, 4)
    """

    trace: tuple[String, ...]

    @property
    def final(self) -> String:
        return self.trace[-1]

    @property
    def steps(self) -> int:
        return len(self.trace) - 1

    @property
    def peak(self) -> int:
        return max(map(len, self.trace))


def sure(action: Action) -> Site:
    """The site that always takes `action`.

    >>> tm.any_process.sure(tm.any_process.HOLD)
    ((1, (0, 1, 0, 0)),)
    """
    return ((1, action),)


def stay(token: int) -> Site:
    """The site that leaves a position as it is, mask or token."""
    return sure(HOLD if token == MASK else KEEP)


def stay_all(x: Sequence[int]) -> list[Site]:
    """`stay` of every token.

    >>> len(tm.any_process.stay_all((-1, 0)))
    2
    """
    return [((1, HOLD),) if v == MASK else ((1, KEEP),) for v in x]


def write_all(values: Sequence[int]) -> list[Site]:
    """The sites that unmask to the given tokens, one each."""
    return [((1, (int(v), 0, 0, 0)),) for v in values]


def run(
    program: Program,
    start,
    rng: np.random.Generator | None = None,
    max_steps: int = 100_000,
    max_context: int | None = None,
) -> Run:
    """Apply the program until it returns None or a deterministic step changes nothing (that idle step is not counted).

    rng is needed when a site has more than one action. Errors: ProgramCycle when a sequence returns and no site was
    drawn since (the program is a function of the sequence, so it would repeat for ever), StepLimit, ContextLimit;
    each carries the trace so far. ValueError when a site list does not fit the sequence.

    >>> from toy_models.any_process import counter, pram
    >>> machine = counter.counter(3)
    >>> tm.any_process.run(pram.two_bank(machine), pram.two_bank_start(machine)).steps  # 2^b - 1
    7
    """
    max_steps = positive_int("max_steps", max_steps, minimum=0)
    x = tuple(int(v) for v in sequence("start", start))
    trace, seen = [x], {x}
    _check_context(x, max_context, trace)
    while (sites := program(x)) is not None:
        check_sites(x, sites)
        drawn = any(len(site) > 1 for site in sites)
        following = emit_all(x, [_draw(site, rng, len(trace)) for site in sites])
        if following == x and not drawn:
            break
        if len(trace) > max_steps:
            raise StepLimit(f"the program needs more than max_steps = {max_steps} steps", trace)
        trace.append(following)
        _check_context(following, max_context, trace)
        if drawn:
            seen = {following}
        elif following in seen:
            raise ProgramCycle(f"the program cycles: step {len(trace) - 1} returns to an earlier sequence", trace)
        else:
            seen.add(following)
        x = following
    return Run(tuple(trace))


def check_sites(x: String, sites: Sequence[Site]) -> None:
    """Raise unless there is one site per position."""
    if len(sites) != len(x):
        raise ValueError(f"the program returned {len(sites)} sites for a sequence of {len(x)} positions")


def _check_context(x: String, limit: int | None, trace: list[String]) -> None:
    if limit is not None and len(x) > limit:
        raise ContextLimit(f"the sequence has {len(x)} positions, max_context = {limit}", trace)


def _draw(site: Site, rng: np.random.Generator | None, step: int) -> Action:
    if len(site) == 1:
        return site[0][1]
    if rng is None:
        raise ValueError(f"rng = None, but the program draws at step {step}; pass a numpy Generator")
    u, total = rng.random(), 0.0
    for weight, action in site:
        total += float(weight)
        if u < total:
            return action
    return site[-1][1]
