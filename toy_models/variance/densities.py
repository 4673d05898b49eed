"""Densities p(t) of the mask probability t, and ways to draw a batch of t from one."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import beta as beta_function

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

    >>> density = tm.variance.densities.uniform(0.5)
    >>> density.low, density.high, float(density.pdf(np.array([0.75]))[0])
    (0.5, 1.0, 2.0)
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


def power_variance(moments: Moments, exponent: float) -> float:
    """Total variance at epsilon = 0 of the noise schedule with masked fraction s^c: infinite for c <= 1.

    c sum over k of second[k]/L^2 B(k - 1/c, L - k + 1) - (integral of g)^2, B the beta function.
    """
    if exponent <= 1.0:
        return np.inf
    k = np.arange(1, moments.length + 1)
    second = moments.second[1:] @ beta_function(k - 1.0 / exponent, moments.length - k + 1.0)
    integral = beta_function(k, moments.length - k + 1.0) / moments.length
    return float(exponent * second / moments.length**2 - integral @ moments.mean_gram[1:, 1:] @ integral)


def additive_optimum(c: Float[np.ndarray, " L"]) -> float:
    """Least variance over densities on (0, 1) of the additive loss S(M) = sum of c_i over M, in closed form.

    With m = mean c, s = sum c^2 / L^2, a = m^2 - s: (m + (s/sqrt(a)) asinh(sqrt(a/s)))^2 - m^2; at a = 0 (2m)^2 - m^2.
    """
    c = np.asarray(c, dtype=float)
    mean, s = float(c.mean()), float((c**2).sum()) / len(c) ** 2
    a = max(mean**2 - s, 0.0)
    root = mean + (s / np.sqrt(a) * np.arcsinh(np.sqrt(a / s)) if a > 1e-14 * s else np.sqrt(s))
    return root**2 - mean**2
