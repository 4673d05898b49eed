"""Raise the window and the cells, each where it helps, until an enclosure is narrow enough."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from tqdm import tqdm

from toy_models.errors import IntractableError
from toy_models.hidden_chains.cells import Exact, Extremal, Grid, Hybrid
from toy_models.hidden_chains.window import (
    MAX_SINGLE_ATOMS,
    HiddenForm,
    TooManyAtoms,
    atom_count,
    curve_bound,
    entropy_bound,
)

MAX_GRID_STATES = 6  # a grid in more dimensions is too coarse to help
MAX_WINDOW = 2**11
MAX_CORNERS = {"grid": 20_000, "hybrid": 10_000}
MAX_EXTREMAL_CELLS = 20_000
FEW_ATOMS = 300  # no forecast from lists shorter than this
SHORT_PATTERNS = 10**5  # (V+1)^(L-1) patterns are taken in one go
MAX_SINGLE_CELLS = 10**6  # one-sided lists are not paired


@dataclass(frozen=True)
class Enclosure:
    """One enclosure and the parameters that reached it."""

    low: float
    high: float
    window: int
    cells: int
    method: str


def curve_points(form: HiddenForm, a, tolerances, length: int | float, method: str | None) -> list[Enclosure]:
    """One enclosure per point; each point starts from the parameters that served the one before."""
    points: list[Enclosure] = []
    guess = None
    for value, tolerance in zip(
        tqdm(a, desc="reveal curve", leave=False, delay=3, disable=None), tolerances, strict=True
    ):
        found = curve_point(form, float(value), length, float(tolerance), method, guess)
        guess = _cheaper(found, tolerance) if value > 0 else None
        points.append(found)
    return points


def curve_routes(states: int) -> list[str]:
    """What is tried in turn when no method is forced."""
    if states == 2:
        return ["extremal"]
    if states == 3:
        return ["exact", "grid", "hybrid"]
    return ["exact", "hybrid"] if states <= MAX_GRID_STATES else ["exact"]


def _cheaper(found: Enclosure, tolerance: float) -> Enclosure:
    """The same parameters with as many cells as the tolerance needs, by width ~ cells^-2."""
    factor = math.sqrt(1.2 * (found.high - found.low) / tolerance)
    return replace(found, cells=max(1, math.ceil(found.cells * min(max(factor, 0.5), 1.0))))


@dataclass(frozen=True, eq=False)
class Quantity:
    """What is enclosed: bound(window, reduction, upper) is one side of it, `tolerance` the width to reach,
    `per_token` the same per token.

    `a` is the reveal probability of its lists. The exact route is left early when it is forecast to need more than
    `max_atoms` atoms.
    """

    name: str
    form: HiddenForm
    length: int | float
    a: float
    bound: Callable[[int, Exact | Extremal | Grid | Hybrid, bool], float]
    tolerance: float
    per_token: float
    kinds: list[str]
    max_extremal: int
    max_atoms: int | float

    def attempt(self, window: int, cells: int, kind: str) -> tuple[float, float]:
        shorten = reduction(kind, cells, self.form.states)
        return self.bound(window, shorten, False), self.bound(window, shorten, True)

    def worth_longer(self, window: int, width: float, before: float) -> bool:
        """Whether longer exact windows get there first: atoms and width both go on geometrically."""
        if self.kinds[-1] == "exact" or self.max_atoms == math.inf:
            return True
        count = atom_count(self.form, self.a, window)
        if count < FEW_ATOMS:
            return True
        ratio = min(width / before, 0.999)
        steps = math.ceil(math.log(self.tolerance / width) / math.log(ratio))
        growth = count / max(atom_count(self.form, self.a, window - 1), 1)
        return math.log(count) + steps * math.log(max(growth, 1.0)) <= math.log(2 * self.max_atoms)


def curve_point(
    form: HiddenForm, a: float, length: int | float, tolerance: float, method: str | None, guess: Enclosure | None
) -> Enclosure:
    """The enclosure of h(a) at one point; `guess` gives first values of window and cells."""
    if a == 0.0:
        value = curve_bound(form, 0.0, length, 0, Exact(), True)
        return Enclosure(value, value, 0, 0, method or "exact")
    kinds = [method] if method else curve_routes(form.states)
    if guess and guess.method in kinds:
        kinds = kinds[kinds.index(guess.method) :]
    quantity = Quantity(
        name=f"h({a:g})",
        form=form,
        length=length,
        a=a,
        bound=partial(curve_bound, form, a, length),
        tolerance=tolerance,
        per_token=tolerance,
        kinds=kinds,
        max_extremal=MAX_EXTREMAL_CELLS,
        max_atoms=3000 if form.states == 3 else math.inf,  # beyond this a grid on three states is cheaper
    )
    return tighten(quantity, guess)


def entropy_point(form: HiddenForm, length: int, tolerance: float) -> Enclosure:
    """The enclosure of H(X), nats per sequence: one-sided lists are not paired, so many more atoms are allowed."""
    quantity = Quantity(
        name="H(X)",
        form=form,
        length=length,
        a=1.0,
        bound=partial(entropy_bound, form, length),
        tolerance=tolerance,
        per_token=tolerance / length,
        kinds=[kind for kind in curve_routes(form.states) if kind != "grid"],
        max_extremal=MAX_SINGLE_CELLS,
        max_atoms=MAX_SINGLE_ATOMS,
    )
    return tighten(quantity)


def tighten(quantity: Quantity, guess: Enclosure | None = None) -> Enclosure:
    """Raise window and cells, each where it helps, until high - low <= tolerance; the routes of `kinds` in turn.

    A width that more cells do not lower by their square is due to the window, and the other way round.
    """
    q, form, length, tolerance = quantity, quantity.form, quantity.length, quantity.tolerance
    low, high, last = -math.inf, math.inf, (0, 0, q.kinds[0])
    for kind in q.kinds:
        window, cells, top = _first_values(kind, q, guess)
        before, grew, factor, limited_by = math.inf, "", 1.0, "window" if kind == "exact" else "cells"
        while True:
            try:
                new_low, new_high = q.attempt(window, cells, kind)
            except TooManyAtoms:
                top = int(cells / 1.5)
                if kind == "exact" or grew != "cells" or top < 1.1 * cells / factor:
                    break
                cells, factor = top, factor / 1.5
                continue
            low, high, last = max(low, new_low), min(high, new_high), (window, cells, kind)
            width = new_high - new_low
            if high - low <= tolerance:
                return Enclosure(min(low, high), max(low, high), window, cells, kind)
            if kind == "exact":
                if window >= length - 1 or (before < math.inf and not q.worth_longer(window, width, before)):
                    break
            elif grew == "cells":
                limited_by = "window" if width > 2.0 * before / factor**2 else "cells"
            elif grew == "window":
                limited_by = "cells" if width > 0.7 * before else "window"
            if limited_by == "cells" and cells < top:
                factor = min(max(math.sqrt(1.3 * width / tolerance), 1.3), 8.0)
                wider = min(math.ceil(cells * factor), top)
                cells, factor, grew = wider, wider / cells, "cells"
            elif limited_by == "window" and window < min(MAX_WINDOW, length - 1):
                window, grew = _wider_window(window, kind, form, length), "window"
            else:
                break
            before = width
    raise IntractableError(
        f"{q.name} within {tolerance:.3g}",
        f"a width of {high - low:.3g}, reached with window {last[0]}, cells {last[1]} ({last[2]}),",
        f"{form.states} hidden states; window <= {MAX_WINDOW}, lists of at most {form.paired_limit} atoms",
        "allow a larger tolerance or use estimate_information_curve",
    )


def _first_values(kind: str, q: Quantity, guess: Enclosure | None) -> tuple[int, int, int]:
    """Window, cells and the largest number of cells of one route."""
    form, length = q.form, q.length
    if kind == "exact":
        window = guess.window if guess and guess.method == kind else 1
        if length - 1 <= math.log(SHORT_PATTERNS) / math.log(form.emission.shape[1] + 1):
            window = length - 1
        return int(min(window, length - 1)), 0, 0
    top = q.max_extremal if kind == "extremal" else _grid_size(form.states, MAX_CORNERS[kind])
    if guess and guess.method == kind:
        return guess.window, guess.cells, top
    forget = np.sort(np.abs(np.linalg.eigvals(form.transition)))[-2] if form.states > 1 else 0.0
    steps = math.log(1e-2 * min(q.per_token, 0.1)) / math.log(min(max(forget, 1e-3), 0.97))
    coarse = {"extremal": 128, "grid": max(2, 1024 // 4**form.states * 4)}
    return _fit_window(math.ceil(steps), 0, form, length), coarse.get(kind, max(1, top // 12)), top


def _wider_window(window: int, kind: str, form: HiddenForm, length: int | float) -> int:
    wanted = window + 1 if kind == "exact" else min(2 * window, MAX_WINDOW)
    return _fit_window(wanted, window, form, length)


def _fit_window(wanted: int, current: int, form: HiddenForm, length: int | float) -> int:
    """`wanted`, unless the two ends would meet: then half the length, and after that all of it."""
    half = (length - form.burn_in) / 2 - 2
    if wanted <= half:
        return max(int(wanted), 1)
    return int(half) if half >= max(16, current + 1) else int(length - 1)


def _grid_size(states: int, corners: int) -> int:
    """The largest number of cells whose grid has at most `corners` corners."""
    cells = 1
    while math.comb(cells + states, states - 1) <= corners:
        cells += 1
    return cells


def reduction(kind: str, cells: int, states: int) -> Exact | Extremal | Grid | Hybrid:
    """The reduction of a route; the hybrid keeps as many exact atoms as its grid has corners."""
    if kind == "hybrid":
        return Hybrid(math.comb(cells + states - 1, states - 1), cells)
    return {"exact": Exact, "extremal": Extremal, "grid": Grid}[kind](cells)
