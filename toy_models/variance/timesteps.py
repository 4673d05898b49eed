"""Densities p(t) of the mask probability t, and ways to draw a batch of t from one.

The loss of a draw is S(x, M) / (L t p(t)): unbiased for the integral of g(t) over [low, high] when p > 0 there.
A density of t is the same thing as a noise schedule: t = m(s) with s uniform has density p(t) = ds/dm and weight
m'(s)/m(s) = 1/(t p(t)).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize

from toy_models.validation import positive_int
from toy_models.variance.loss_moments import Moments

NODES, WEIGHTS = np.polynomial.legendre.leggauss(24)
PANEL = 0.4  # width of one panel in ln t; integrands are polynomials of degree <= 2L in t times smooth factors
INTEGRAL_TOLERANCE = 1e-8


def check_interval(epsilon: float, upper: float = 1.0) -> None:
    """Raise unless 0 < epsilon < upper <= 1."""
    if not 0.0 < epsilon < 1.0:
        raise ValueError(
            f"epsilon = {epsilon}, allowed: 0 < epsilon < 1. At epsilon = 0 the variance of S/(L t) is infinite: one "
            "token is masked with probability about L t and then l^2 is of order 1/t^2, so A grows like ln(1/epsilon); "
            "variance.size_decomposition (number of masks drawn directly) stays finite"
        )
    if not epsilon < upper <= 1.0:
        raise ValueError(f"upper = {upper}, allowed: epsilon = {epsilon} < upper <= 1")


def quadrature(low: float, high: float, breaks: tuple = ()) -> tuple[Float[np.ndarray, " T"], Float[np.ndarray, " T"]]:
    """Nodes t and weights w, sum w f(t) = integral of f over [low, high]: Gauss-Legendre in ln t, split at `breaks`."""
    ends = [low, *sorted(b for b in set(breaks) if low < b < high), high]
    nodes, weights = [], []
    for a, b in zip(np.log(ends[:-1]), np.log(ends[1:]), strict=True):
        edges = np.linspace(a, b, max(1, int(np.ceil((b - a) / PANEL))) + 1)
        half = np.diff(edges)[:, None] / 2
        t = np.exp((edges[:-1, None] + half) + half * NODES).ravel()
        nodes.append(t)
        weights.append((half * WEIGHTS).ravel() * t)
    return np.concatenate(nodes), np.concatenate(weights)


@dataclass(frozen=True, eq=False)
class Density:
    """A law of t on [low, high] with density `pdf`; `breaks` are points where pdf has a kink or a jump.

    `quantile`, where known in closed form, is the inverse of the distribution function.
    """

    low: float
    high: float
    pdf: Callable
    name: str
    breaks: tuple = ()
    quantile: Callable | None = None

    def __post_init__(self):
        t, w = quadrature(self.low, self.high, self.breaks)
        values = np.asarray(self.pdf(t), dtype=np.float64)
        wrong = ~np.isfinite(values) | (values < 0)
        if wrong.any():
            k = int(np.flatnonzero(wrong)[0])
            raise ValueError(f"density {self.name!r} is {values[k]} at t = {t[k]:.6g}, it must be finite and >= 0")
        mass = float(w @ values)
        if abs(mass - 1.0) > INTEGRAL_TOLERANCE:
            raise ValueError(
                f"density {self.name!r} integrates to {mass:.9g} over [{self.low:g}, {self.high:g}], it must integrate "
                "to 1; divide it by this number, and list its kinks in breaks"
            )

    def require_positive(self, low: float, high: float) -> None:
        """Raise where p(t) = 0 and the integrand is not: the estimate would be biased."""
        t, _ = quadrature(low, high, (*self.breaks, self.low, self.high))
        zero = (t < self.low) | (t > self.high) | (np.asarray(self.pdf(t)) <= 0)
        if zero.any():
            raise ValueError(
                f"density {self.name!r} vanishes at t = {t[np.flatnonzero(zero)[0]]:.6g}, where the loss does not: "
                f"S/(L t p) would be biased for the integral over [{low:g}, {high:g}]. Use a density positive there, "
                f"or set epsilon = {self.low:g}, upper = {self.high:g} to estimate the integral over its support"
            )

    def histogram(self, cells: int = 256) -> "Density":
        """The piecewise constant density with the same mass on cells even in ln t: sampled and weighted exactly."""
        edges = np.exp(np.linspace(np.log(self.low), np.log(self.high), positive_int("cells", cells) + 1))
        edges[0], edges[-1] = self.low, self.high
        mass = np.empty(cells)
        for k in range(cells):
            t, w = quadrature(edges[k], edges[k + 1], self.breaks)
            mass[k] = w @ self.pdf(t)
        return from_cells(edges, mass / mass.sum(), f"{self.name}, {cells} cells")


def from_cells(edges: Float[np.ndarray, " edges"], mass: Float[np.ndarray, " cells"], name: str) -> Density:
    """The density with P(cell k) = mass[k], constant on each cell."""
    height = mass / np.diff(edges)
    cdf = np.concatenate([[0.0], np.cumsum(mass)])
    cdf[-1] = 1.0

    def pdf(t):
        return height[np.clip(np.searchsorted(edges, t, side="right") - 1, 0, len(height) - 1)]

    return Density(
        float(edges[0]), float(edges[-1]), pdf, name, tuple(edges[1:-1].tolist()), lambda s: np.interp(s, cdf, edges)
    )


def uniform(epsilon: float = 1e-3, upper: float = 1.0) -> Density:
    """p(t) = 1 / (upper - epsilon). `uniform(low, high)` with a narrower interval is the clipped sampler."""
    check_interval(epsilon, upper)
    width = upper - epsilon
    return Density(
        epsilon, upper, lambda t: np.full_like(t, 1.0 / width), f"uniform on [{epsilon:g}, {upper:g}]", (),
        lambda s: epsilon + width * np.asarray(s),
    )  # fmt: skip


clipped = uniform


def power(exponent: float, epsilon: float = 1e-3) -> Density:
    """Density of t = s^c, s uniform on [epsilon^(1/c), 1]: the noise schedule with masked fraction s^c."""
    check_interval(epsilon)
    if not exponent > 0:
        raise ValueError(f"exponent = {exponent}, it must be > 0")
    start = epsilon ** (1.0 / exponent)
    return Density(
        epsilon, 1.0, lambda t: t ** (1.0 / exponent - 1.0) / (exponent * (1.0 - start)), f"power {exponent:g}", (),
        lambda s: (start + (1.0 - start) * np.asarray(s)) ** exponent,
    )  # fmt: skip


def proportional(function: Callable, epsilon: float, upper: float, name: str, breaks: tuple = ()) -> Density:
    """The density on [epsilon, upper] proportional to `function`."""
    check_interval(epsilon, upper)
    t, w = quadrature(epsilon, upper, breaks)
    mass = float(w @ function(t))
    return Density(epsilon, upper, lambda s: function(np.asarray(s)) / mass, name, breaks)


def second_moment(moments: Moments, t: Float[np.ndarray, " T"], masks: str = "single") -> Float[np.ndarray, " T"]:
    """E[|l|^2 | t] of one draw: one mask, the mean of an independent pair, or the mean of a mirrored pair."""
    if masks == "single":
        return moments.second_moment(t)
    if masks == "independent-pair":
        return (moments.second_moment(t) + moments.mean_square(t)) / 2
    if masks == "mirror":
        return (moments.second_moment(t) + moments.cross(t)) / 2
    raise ValueError(f'masks = {masks!r}, allowed: "single", "independent-pair", "mirror"')


def optimal(
    moments: Moments, epsilon: float = 1e-3, upper: float = 1.0, masks: str = "single", objective: str = "total"
) -> Density:
    """The density of least variance, p(t) proportional to the root of the objective's second moment.

    objective: "total" sqrt(m2), the P-POTS optimum with g^2 + v read as E_x[g^2 + v]; "published"
    sqrt((E_x g)^2 + E_x v), which leaves out Var_x g; "pattern" sqrt(E_x v), the A-minimiser; "rate" sqrt(E_x g^2), the
    B-minimiser; "stratified" sqrt(m2 - (E_x g)^2), the optimum when t is finely stratified over the batch (Neyman
    allocation).
    """
    objectives = {
        "total": lambda t: second_moment(moments, t, masks),
        "published": lambda t: second_moment(moments, t, masks) - moments.spread_of_mean(t),
        "pattern": lambda t: second_moment(moments, t, masks) - moments.mean_square(t),
        "rate": moments.mean_square,
        "stratified": lambda t: second_moment(moments, t, masks) - moments.square_of_mean(t),
    }
    if objective not in objectives:
        raise ValueError(f"objective = {objective!r}, allowed: {', '.join(map(repr, objectives))}")
    square = objectives[objective]
    kinks = (0.5,) if masks == "mirror" else ()
    return proportional(
        lambda t: np.sqrt(np.maximum(square(t), 0.0)), epsilon, upper, f"optimal ({objective}, {masks})", kinks
    )


def epr(parameters: Float[np.ndarray, "7"], t: Float[np.ndarray, " T"]) -> Float[np.ndarray, " T"]:
    """sqrt(a t^r + b (1-t)^q + A^2 exp(2 kappa t^m)), unnormalised; parameters (a, b, A, kappa, r, q, m)."""
    a, b, scale, kappa, r, q, m = parameters
    return np.sqrt(a * t**r + b * (1.0 - t) ** q + scale**2 * np.exp(2.0 * kappa * t**m))


def fit_epr(
    t: Float[np.ndarray, " T"], p: Float[np.ndarray, " T"], starts: int = 20, seed: int = 0
) -> Float[np.ndarray, "7"]:
    """The seven EPR parameters of least KL(p || EPR) by the trapezoid rule on the grid t, 0 < t < 1.

    Softplus keeps a, b, A, kappa positive, 1 + softplus keeps r, q, m above one; L-BFGS-B from `starts` random points
    (Jia et al. 2025, arXiv 2511.18159, and the authors' first published fit), the best of them followed to the floor of
    double precision: at the default tolerance the curve moves by 1e-3 with the last digits of p, there by 1e-7.
    """
    target = p / np.trapezoid(p, t)
    log_t, log_rest = np.log(t), np.log1p(-t)

    def unpack(raw):
        positive = np.logaddexp(0.0, raw)
        return np.concatenate([positive[:4], 1.0 + positive[4:]])

    def divergence(raw):
        """KL and its gradient; with q = sqrt(h) / Z it is the integral of (q - target) dlog sqrt(h)."""
        a, b, scale, kappa, r, q, m = unpack(raw)
        rise, fall, power = t**r, (1.0 - t) ** q, t**m
        growth = np.exp(2.0 * kappa * power)
        h = a * rise + b * fall + scale**2 * growth
        slopes = [rise, fall, 2.0 * scale * growth, 2.0 * scale**2 * power * growth]
        slopes += [a * rise * log_t, b * fall * log_rest, 2.0 * scale**2 * kappa * power * log_t * growth]
        root = np.sqrt(h) / np.trapezoid(np.sqrt(h), t)
        value = np.trapezoid(target * np.log(target / root), t)
        gradient = np.trapezoid((root - target) * np.stack(slopes) / (2.0 * h), t) / (1.0 + np.exp(-raw))
        return value, gradient

    rng = np.random.default_rng(seed)
    centre = np.array([-0.3, 0.4, -1.0, 0.3, 0.2, -0.2, 0.2])
    fits = [
        minimize(divergence, centre + 0.6 * rng.standard_normal(7), jac=True, method="L-BFGS-B", bounds=[(-20, 20)] * 7)
        for _ in range(starts)
    ]
    best = min(fits, key=lambda fit: fit.fun)
    floor = {"ftol": 0.0, "gtol": 1e-13, "maxiter": 20_000, "maxfun": 40_000}
    end = minimize(divergence, best.x, jac=True, method="L-BFGS-B", bounds=[(-20, 20)] * 7, options=floor)
    return unpack(end.x)


def sample_times(
    density: Density, size: int, rng: np.random.Generator, coupling: str = "independent", strata: int | None = None
) -> Float[np.ndarray, " size"]:
    """`size` values of t, each with law `density`, coupled over the batch.

    coupling: "independent" | "stratified" (size/strata draws in each of `strata` equal-probability strata; default one
    draw per stratum) | "low-discrepancy" (one shared uniform shift of the grid j/size).
    """
    size = positive_int("size", size)
    if density.quantile is None:
        raise ValueError(f"density {density.name!r} has no quantile function; draw from density.histogram()")
    if coupling == "independent":
        s = rng.random(size)
    elif coupling == "stratified":
        strata = size if strata is None else positive_int("strata", strata)
        if size % strata:
            raise ValueError(f"strata = {strata}, it must divide size = {size}")
        s = (np.arange(size) % strata + rng.random(size)) / strata
    elif coupling == "low-discrepancy":
        s = (np.arange(size) + rng.random()) / size
    else:
        raise ValueError(f'coupling = {coupling!r}, allowed: "independent", "stratified", "low-discrepancy"')
    return np.asarray(density.quantile(s))
