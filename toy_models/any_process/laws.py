"""Exact laws of stochastic programs, by propagation over the strings they reach.

The transition is a concatenation of one-position maps, so the next string of a program with independent sites has the
law of a concatenation of independent short strings. Weights stay what the program gives: Fractions are exact.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from toy_models.any_process.programs import Program, Site, StepLimit, String, check_sites
from toy_models.any_process.transition import emit
from toy_models.errors import IntractableError

MAX_STRINGS = 2_000_000
Weight = Fraction | float | int


@dataclass(frozen=True, eq=False)
class ProgramLaw:
    """Law of the final string of a program.

    final[x] = P(stops at x); mean_steps = sum over t of P(still running after t steps), over runs inside the limits;
    cut = mass of runs that grew beyond max_context; longest = most steps of any run; strings = strings met.

    >>> start = tm.any_process.even_parity.start(2)
    >>> tm.any_process.program_law(tm.any_process.even_parity.hidden_bits, start).mean_steps
    Fraction(3, 1)
    """

    final: dict[String, Weight]
    mean_steps: Weight
    cut: Weight
    longest: int
    strings: int


def next_law(x: String, program: Program, max_context: int | None = None) -> dict[String, Weight] | None:
    """Law of g(f(x)); None where the program stops. Strings longer than max_context are left out.

    >>> start = tm.any_process.even_parity.start(2)
    >>> len(tm.any_process.next_law(start, tm.any_process.even_parity.hidden_bits))
    2
    """
    sites = program(x)
    return None if sites is None else site_law(x, sites, max_context)


def site_law(x: String, sites: Sequence[Site], max_context: int | None = None) -> dict[String, Weight]:
    """Law of g(x) when each position draws its action from its site, one step of `next_law`."""
    check_sites(x, sites)
    options: list[dict[String, Weight]] = []
    for token, site in zip(x, sites, strict=True):
        pieces: dict[String, Weight] = defaultdict(int)
        for weight, action in site:
            pieces[emit(token, action)] += weight
        options.append(pieces)
    room: list[int | None] = [None] * len(x)
    if max_context is not None:  # a head is dropped as soon as the shortest tail no longer fits
        left = max_context
        for k in range(len(x) - 1, -1, -1):
            room[k] = left
            left -= min(map(len, options[k]))
    law: dict[String, Weight] = {(): 1}
    for pieces, most in zip(options, room, strict=True):
        longer: dict[String, Weight] = defaultdict(int)
        for head, a in law.items():
            for piece, b in pieces.items():
                if b and (most is None or len(head) + len(piece) <= most):
                    longer[head + piece] += a * b  # different splits may give the same string
        law = longer
    return dict(law)


def program_law(program: Program, start: String, max_steps: int = 10_000, max_context: int | None = None) -> ProgramLaw:
    """Law of the final string of a program that ends after at most max_steps steps on every run.

    Forward propagation, one dictionary of strings per step. StepLimit when mass still runs after max_steps (a program
    with loops has no bound: use `visits`); IntractableError beyond 2,000,000 strings in one step.

    >>> start = tm.any_process.even_parity.start(3)
    >>> law = tm.any_process.program_law(tm.any_process.even_parity.hidden_bits, start)
    >>> len(law.final), law.cut  # the 2^(n-1) even strings
    (4, Fraction(0, 1))
    """
    running: dict[String, Weight] = {tuple(start): Fraction(1)}
    final: dict[String, Weight] = defaultdict(int)
    mean_steps = cut = 0
    met: set[String] = set(running)
    for step in range(max_steps + 1):
        following: dict[String, Weight] = defaultdict(int)
        for x, mass in running.items():
            law = next_law(x, program, max_context)
            if law is None:
                final[x] += mass
                continue
            mean_steps += mass
            kept = 0
            for z, weight in law.items():
                following[z] += mass * weight
                kept += weight
            cut += mass * (1 - kept)
        if not following:
            return ProgramLaw(dict(final), mean_steps, cut, step, len(met))
        running = following
        met.update(running)
        if len(running) > MAX_STRINGS:
            raise IntractableError(
                "exact law of a program", f"{len(running)} strings at step {step}", f"{MAX_STRINGS} strings", "sample"
            )
    raise StepLimit(f"mass still runs after max_steps = {max_steps} steps", [next(iter(running))])


def support(program: Program, start: String, max_context: int) -> set[String]:
    """All strings reachable with positive probability through strings of at most max_context positions.

    >>> start = tm.any_process.even_parity.start(2)
    >>> len(tm.any_process.support(tm.any_process.even_parity.hidden_bits, start, 8))
    7
    """
    seen, todo = {tuple(start)}, [tuple(start)]
    while todo:
        law = next_law(todo.pop(), program, max_context)
        for z, weight in (law or {}).items():
            if weight and z not in seen:
                seen.add(z)
                todo.append(z)
    return seen


def visits(
    kernel: Callable[[String], Mapping[String, Fraction]], start: String, order: Callable[[String], int]
) -> dict[String, Fraction]:
    """Expected number of visits to each string of a kernel that never goes back: order(z) > order(x), or z == x.

    Self-loops are summed as geometric series. The kernel may be substochastic (mass lost = stopped or cut).
    ValueError when a move does not climb.

    >>> from fractions import Fraction
    >>> tm.any_process.visits(lambda x: {(1,): Fraction(1)} if x == (0,) else {}, (0,), lambda x: x[0])
    {(0,): Fraction(1, 1), (1,): Fraction(1, 1)}
    """
    waiting: dict[int, dict[String, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    waiting[order(start)][start] = Fraction(1)
    result: dict[String, Fraction] = {}
    while waiting:
        level = min(waiting)
        for x, arriving in waiting.pop(level).items():
            law = kernel(x)
            result[x] = arriving / (1 - law.get(x, 0))
            for z, weight in law.items():
                if z == x:
                    continue
                if order(z) <= level:
                    raise ValueError(f"the kernel moves from {x} (order {level}) to {z} (order {order(z)})")
                waiting[order(z)][z] += result[x] * weight
    return result
