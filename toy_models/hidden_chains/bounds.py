"""Certified two-sided reveal curves, entropies and trajectory KL of HMMs and n-grams at any length.

For independent reveal the expected trajectory KL depends on the target through h and H(X) alone:

    E KL = L sum_j Delta_j h(a_{j-1}) - H(X),      a_j = Delta_1 + ... + Delta_j,

so enclosures of h and of H(X) enclose it. "Certified" means proved in exact arithmetic from numbers evaluated in double
precision: float rounding (a few 1e-15 per token) is not enclosed. The window and the cells are tightened until the
enclosure is narrow enough; a width that cannot be reached raises IntractableError, naming the width that was.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from toy_models.chains.formula import chain_reveal_curve, curve_length, reveal_fractions
from toy_models.hidden_chains.tighten import MAX_GRID_STATES, curve_points, entropy_point
from toy_models.hidden_chains.window import HiddenForm, hidden_form
from toy_models.rules import IndependentReveal
from toy_models.targets.protocol import own_route

METHODS = ("gap", "exact", "extremal", "grid", "hybrid")


@dataclass(frozen=True, eq=False)
class CurveBounds:
    """low <= h(a) <= high in nats per token; the window and cells each point took; the route.

    >>> bounds = tm.reveal_curve_bounds(tm.MarkovChain([[0.9, 0.1], [0.1, 0.9]], 64), [0.0, 1.0], 1e-6)
    >>> bool(bounds.low[0] <= np.log(2) <= bounds.high[0] <= bounds.low[0] + 1e-6)
    True
    """

    low: Float[np.ndarray, "..."]
    high: Float[np.ndarray, "..."]
    window: Int[np.ndarray, "..."]
    cells: Int[np.ndarray, "..."]
    method: str


def reveal_curve_bounds(
    target, a, tolerance: int | float, length: int | float | None = None, method: str | None = None
) -> CurveBounds:
    """low <= h(a) <= high, high - low <= tolerance: h(a) = (1/L) sum_i E H(X_i | each other token revealed w.p. a).

    `target` is an HMM, an NGram or a MarkovChain; `length` replaces its length and may be math.inf. Methods:
    "gap"      Markov chains (n-grams up to n = 2 among them), exact (low == high);
    "exact"    every pattern of the window, proportional atoms added: best for n-grams; atoms grow geometrically;
    "extremal" two hidden states, O(cells^2) per point, width O(cells^-2);
    "grid"     S <= 6 hidden states, width O(cells^-2) at binom(cells+S-1, S-1) atoms;
    "hybrid"   the heaviest atoms exact, the others on a grid.
    None takes gap for chains, extremal for two hidden states; else exact, then grid (three states), then hybrid (at
    most six states).
    IntractableError, with the width reached, when the tolerance is out of reach.

    >>> bounds = tm.reveal_curve_bounds(tm.HMM([0.5, 0.5], np.full((2, 2), 0.5), np.eye(2), 8), 0.5, 1e-6)
    >>> bool(bounds.low <= np.log(2) <= bounds.high)  # independent fair bits
    True
    """
    a = reveal_fractions(a)
    tolerance = _positive("tolerance", tolerance)
    length = curve_length(target.length if length is None else length)
    chain = own_route(target, "as_chain")
    if chain is not None and method in (None, "gap"):
        h = chain_reveal_curve(chain.transition, chain.initial, a, length)
        nothing = np.zeros(a.shape, dtype=np.int64)
        return CurveBounds(h, h, nothing, nothing, "gap")
    form = _form_at(target, length)
    _check_method(method, form)
    points = curve_points(form, a.ravel(), np.full(a.size, tolerance), length, method)

    def column(name: str, dtype) -> np.ndarray:
        return np.array([getattr(p, name) for p in points], dtype=dtype).reshape(a.shape)

    last = points[-1].method if points else (method or "exact")
    return CurveBounds(
        column("low", float), column("high", float), column("window", np.int64), column("cells", np.int64), last
    )


def entropy_bounds(target, tolerance: int | float) -> tuple[float, float]:
    """low <= H(X) <= high in nats per sequence, high - low <= tolerance. HMM, NGram or MarkovChain, any length.

    H(X) = sum_i H(X_i | X_{<i}) needs one-sided lists only: O(window * cells * V).

    >>> low, high = tm.hidden_chains.entropy_bounds(tm.MarkovChain([[0.5, 0.5], [0.5, 0.5]], 8), 1e-6)
    >>> bool(low - 1e-9 <= 8 * np.log(2) <= high + 1e-9)
    True
    """
    tolerance = _positive("tolerance", tolerance)
    chain = own_route(target, "as_chain")
    if chain is not None:
        value = chain.entropy()
        return value, value
    found = entropy_point(_form_at(target, target.length), target.length, tolerance)
    return found.low, found.high


def trajectory_kl_bounds(target, weights, tolerance: int | float) -> tuple[float, float]:
    """low <= E KL(q || p_tau) <= high for independent reveal with P(step = j) = weights[j]; nats per sequence.

    `tolerance` bounds high - low, in nats per sequence: nine tenths go to the curve, one tenth to H(X).
    Cost: one point of `reveal_curve_bounds` for every step, at a width of about tolerance / L.

    >>> low, high = tm.hidden_chains.trajectory_kl_bounds(tm.repetition(2, 2), [0.5, 0.5], 1e-6)
    >>> bool(low - 1e-9 <= np.log(2) / 2 <= high + 1e-9)
    True
    """
    weights = IndependentReveal(weights).weights
    tolerance = _positive("tolerance", tolerance)
    used = weights > 0
    a = np.clip(np.cumsum(weights) - weights, 0.0, 1.0)[used]
    weights, length = weights[used] / weights.sum(), target.length
    chain = own_route(target, "as_chain")
    if chain is not None:
        h = chain_reveal_curve(chain.transition, chain.initial, a, length)
        value = max(0.0, length * float(weights @ h) - chain.entropy())
        return value, value
    form = _form_at(target, length)
    per_token = 0.9 * tolerance / length / max(1.0 - weights[0], 1e-300)
    points = curve_points(form, a, np.full(a.size, per_token), length, None)
    entropy_low, entropy_high = entropy_bounds(target, 0.1 * tolerance)
    low = length * float(weights @ np.array([p.low for p in points])) - entropy_high
    high = length * float(weights @ np.array([p.high for p in points])) - entropy_low
    return max(0.0, low), high


def _form_at(target, length: int | float) -> HiddenForm:
    form = hidden_form(target)
    return form.at_infinity() if length == math.inf else form


def _check_method(method: str | None, form: HiddenForm) -> None:
    if method not in (None, *METHODS) or method == "gap":
        allowed = ", ".join(METHODS[1:])
        raise ValueError(f"method = {method!r}, allowed for this target: None, {allowed}")
    if method == "extremal" and form.states != 2:
        raise ValueError(f"method = 'extremal' needs two hidden states, the target has {form.states}")

    if method in ("grid", "hybrid") and form.states > MAX_GRID_STATES:
        raise ValueError(f"method = {method!r} needs at most {MAX_GRID_STATES} hidden states, it has {form.states}")


def _positive(name: str, value) -> float:
    if not (isinstance(value, int | float | np.number) and math.isfinite(value) and value > 0):
        raise ValueError(f"{name} = {value!r}, it must be a finite number > 0")
    return float(value)
