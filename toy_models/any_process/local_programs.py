"""All local programs of fixed length, by exhaustive search: which (n, r, T) decide parity with unmask and remask alone.

Input: n bits and one masked cell on their right, the answer. A step replaces cell i by a function of the cells within
radius r: a mask stays or becomes a bit, a bit stays or becomes a mask. Functions may differ by cell and by step, so a
search that finds none rules out every program of that radius.
"""

from collections.abc import Iterator
from itertools import product

from toy_models.any_process.programs import String
from toy_models.any_process.transition import HOLD, KEEP, REMASK, emit, write
from toy_models.errors import IntractableError
from toy_models.validation import MASK, positive_int

Step = tuple[dict[String, int], ...]  # one function per cell: the cells within the radius -> the cell after the step
MOST = 1_000_000  # choices of one step


def parity_program(n: int, radius: int, steps: int) -> tuple[Step, ...] | None:
    """Functions of every step that leave the parity of all 2^n inputs in the last cell, or None: there are none.

    Depth first over the steps; inputs of unlike parity that the coming steps can no longer tell apart end a branch.
    IntractableError where one step has more than a million choices.
    """
    n, radius, steps = (positive_int(k, v) for k, v in (("n", n), ("radius", radius), ("steps", steps)))
    inputs = list(product((0, 1), repeat=n))
    return _search([(*x, MASK) for x in inputs], [sum(x) % 2 for x in inputs], radius, steps)


def _search(cells: list[String], odd: list[int], radius: int, left: int) -> tuple[Step, ...] | None:
    last = len(cells[0]) - 1
    seen: dict[String, int] = {}
    if any(seen.setdefault(x[max(0, last - radius * left) :], b) != b for x, b in zip(cells, odd, strict=True)):
        return None
    if left == 0:
        return () if all(x[last] == b for x, b in zip(cells, odd, strict=True)) else None
    for step in _steps(cells, radius, max(0, last - radius * (left - 1))):
        rest = _search([after(x, step, radius) for x in cells], odd, radius, left - 1)
        if rest is not None:
            return (step, *rest)
    return None


def _steps(cells: list[String], radius: int, first: int) -> Iterator[Step]:
    """Every choice of functions for the cells from `first` on, those that the answer can still see; others stay."""
    options, count = [], 1
    for i in range(len(cells[0])):
        views = {x[max(0, i - radius) : i + radius + 1]: x[i] for x in cells}
        moves = [((MASK, 0, 1) if v == MASK else (v, MASK)) if i >= first else (v,) for v in views.values()]
        options.append([dict(zip(views, chosen, strict=True)) for chosen in product(*moves)])
        count *= len(options[-1])
    if count > MOST:
        raise IntractableError("all local programs", f"{count} choices of one step", f"{MOST}", "smaller n or radius")
    yield from product(*options)


def after(x: String, step: Step, radius: int) -> String:
    """The sequence after one step, through g."""
    result: list[int] = []
    for i, function in enumerate(step):
        wanted = function[x[max(0, i - radius) : i + radius + 1]]
        kept = HOLD if x[i] == MASK else KEEP
        action = kept if wanted == x[i] else REMASK if wanted == MASK else write(wanted)
        result.extend(emit(x[i], action))
    return tuple(result)
