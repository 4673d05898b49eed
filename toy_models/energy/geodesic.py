"""The energy of a mask schedule and its N-step forms (Chen et al. 2025, arXiv 2509.13866).

    E(alpha, gamma) = integral of alpha'^2 / (gamma' alpha (1 - alpha)) dt = pi^2 integral of eta'^2 / gamma' dt
                    = pi^2 [1 + chi^2(eta' || gamma')],      eta = (2/pi) arcsin sqrt(alpha),

so E >= pi^2 with equality iff eta = gamma, that is alpha = sin^2(pi gamma / 2). This is the Fisher-Rao normalisation;
the sphere normalisation of the N-step energies below is a quarter of it.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaln

from toy_models.energy.beta_family import beta_parameters
from toy_models.schedules.knots import KnotSchedule
from toy_models.schedules.named import SmoothstepSchedule
from toy_models.schedules.protocol import Schedule, increasing

PROBES = 257  # points at which a schedule is checked to increase


@dataclass(frozen=True)
class PathEnergy:
    """E(alpha, gamma) with how it was found; `reason` says why an infinite value is infinite.

    >>> linear, least = map(tm.energy.path_energy_report, [tm.LinearSchedule(), tm.SineSquaredSchedule()])
    >>> linear.value, least.reason
    (inf, '')
    """

    value: float
    error: float  # estimated absolute error of a quadrature; 0 for a closed form, which is exact up to rounding
    method: str
    reason: str = ""


def path_energy(schedule: Schedule, reference: Schedule | None = None) -> float:
    """E(alpha, gamma) with gamma = (2/pi) arcsin sqrt(reference.alpha); None: gamma = t. At least pi^2, or inf.

    Closed forms: Beta under Beta (linear = Beta(1/2, 1/2) and sin^2 = Beta(1, 1) among them), smoothstep and
    piecewise linear under gamma = t. Otherwise tanh-sinh quadrature; `path_energy_report` tells which, and why an
    infinite value is infinite (decided from the exponents at the ends, never by overflow).

    >>> round(tm.path_energy(tm.SineSquaredSchedule()), 9)  # pi^2, the least
    9.869604401
    """
    return path_energy_report(schedule, reference).value


def path_energy_report(schedule: Schedule, reference: Schedule | None = None) -> PathEnergy:
    """`path_energy` with its error, its method and the reason of an infinite value.

    >>> report = tm.energy.path_energy_report(tm.PowerSchedule(2.0))
    >>> round(report.value, 9), report.method
    (inf, 'exponents at the ends')
    """
    require_schedule(schedule, "schedule")
    if reference is not None:
        require_schedule(reference, "reference")
        if schedule == reference and not _clipped(schedule):
            return PathEnergy(np.pi**2, 0.0, "gamma is the schedule's own interpolation function")
        if isinstance(reference, KnotSchedule):
            raise ValueError("reference is a KnotSchedule; gamma must be smooth unless it is the schedule's own")
    reason = divergence(schedule, reference)
    if reason:
        return PathEnergy(np.inf, 0.0, "exponents at the ends", reason)
    own, given = beta_parameters(schedule), (1.0, 1.0) if reference is None else beta_parameters(reference)
    if own is not None and given is not None:
        return PathEnergy(beta_energy(own, given), 0.0, "Beta closed form")
    if given == (1.0, 1.0) and isinstance(schedule, SmoothstepSchedule):
        return PathEnergy(9.0 * np.log(3.0), 0.0, "smoothstep closed form")
    if given == (1.0, 1.0) and isinstance(schedule, KnotSchedule):
        return PathEnergy(_knot_energy(schedule), 0.0, "piecewise-linear closed form")
    value, error = energy_quadrature(schedule, reference)
    return PathEnergy(value, error, "tanh-sinh quadrature")


def beta_energy(own: tuple[float, float], reference: tuple[float, float]) -> float:
    """pi^2 B(2a'-a, 2b'-b) B(a, b) / B(a', b')^2 for eta = CDF of Beta(a', b'), gamma = CDF of Beta(a, b).

    inf unless 2a' > a and 2b' > b.

    >>> round(tm.energy.beta_energy((1.0, 1.0), (1.0, 1.0)) / np.pi**2, 12)
    1.0
    """
    for name, pair in (("own", own), ("reference", reference)):
        if not all(np.isfinite(v) and v > 0 for v in pair):
            raise ValueError(f"{name} = {pair}, both parameters must be finite numbers > 0")
    (p, q), (a, b) = own, reference
    if not (2 * p > a and 2 * q > b):
        return np.inf
    return float(np.pi**2 * np.exp(betaln(2 * p - a, 2 * q - b) + betaln(a, b) - 2 * betaln(p, q)))


def divergence(schedule: Schedule, reference: Schedule | None = None) -> str:
    """Why E(alpha, gamma) is infinite; the empty string when it is finite.

    With alpha ~ t^r and gamma ~ t^a at 0 the integrand is ~ t^(r-a-1), so E is finite there iff r > a; likewise at 1.
    """
    limits = (1.0, 1.0) if reference is None else tuple(e / 2 for e in reference.endpoint_exponents())
    exponents = _knot_exponents(schedule) if isinstance(schedule, KnotSchedule) else schedule.endpoint_exponents()
    reasons = []
    for end, power, limit in zip((0, 1), exponents, limits, strict=True):
        if not power > limit:
            of_t, alpha = ("t", "alpha") if end == 0 else ("(1-t)", "1 - alpha")
            reasons.append(
                f"at t = {end}: {alpha} ~ {of_t}^{power:g} and gamma' ~ {of_t}^{limit - 1:g}, "
                f"so the integrand is ~ {of_t}^{power - limit - 1:g}; "
                f"finite needs an exponent of {alpha} above {limit:g}"
            )
    if isinstance(schedule, KnotSchedule):
        v = schedule.values
        for k in range(1, len(v) - 1):
            if (v[k] == 0 and v[k + 1] > 0) or (v[k] == 1 and v[k - 1] < 1):
                reasons.append(
                    f"at t = {schedule.times[k]:g}: alpha meets {v[k]:g} inside (0, 1) with a kink, so log-divergent"
                )
    return "; ".join(reasons)


def require_schedule(schedule, name: str) -> None:
    """ValueError unless alpha stays in [0, 1], never decreases and runs from 0 to 1 (knots may be clipped)."""
    grid = np.linspace(0.0, 1.0, PROBES)
    values = np.asarray(schedule.alpha(grid), dtype=np.float64)
    try:
        increasing(values, grid, whole=not isinstance(schedule, KnotSchedule))
    except ValueError as problem:
        raise ValueError(f"{name}: {problem}") from problem


def _clipped(schedule: Schedule) -> bool:
    return isinstance(schedule, KnotSchedule) and (schedule.values[0] > 0 or schedule.values[-1] < 1)


def _knot_exponents(schedule: KnotSchedule) -> tuple[float, float]:
    """r, s with the integrand ~ t^(r-a-1) at 0, likewise at 1: 1 from alpha = 0, 2 where clipped, inf where flat."""
    v = schedule.values
    ends = []
    for here, there, bound in ((v[0], v[1], 0.0), (v[-1], v[-2], 1.0)):
        flat = here == there
        ends.append(np.inf if flat else (1.0 if here == bound else 2.0))
    return ends[0], ends[1]


def _knot_energy(schedule: KnotSchedule) -> float:
    """Sum over pieces of slope * [logit alpha at the right end - at the left end]; all inner values lie in (0, 1)."""
    total = 0.0
    for k, (low, high) in enumerate(zip(schedule.values[:-1], schedule.values[1:], strict=True)):
        if high > low:
            slope = (high - low) / (schedule.times[k + 1] - schedule.times[k])
            total += slope * (np.log(high / (1 - high)) - np.log(low / (1 - low)))
    return float(total)


def energy_quadrature(schedule: Schedule, reference: Schedule | None) -> tuple[float, float]:
    """pi^2 integral of eta'^2 / gamma' by tanh-sinh on each smooth piece; error: change on halving the spacing.

    >>> value, error = tm.energy.energy_quadrature(tm.SineSquaredSchedule(), None)
    >>> round(value / np.pi**2, 9), error < 1e-9
    (1.0, True)
    """

    def integrand(t, u, weight):
        with np.errstate(divide="ignore"):
            log_value = 2.0 * schedule.log_speed(t, u) + np.log(weight)
        return np.exp(log_value - (0.0 if reference is None else reference.log_speed(t, u)))

    total = error = 0.0
    for low, high in zip(schedule.breakpoints[:-1], schedule.breakpoints[1:], strict=True):
        value, gap = tanh_sinh(integrand, low, high)
        total, error = total + value, error + gap
    return float(np.pi**2 * total), float(np.pi**2 * error)


def tanh_sinh(integrand, low: float = 0.0, high: float = 1.0, levels: int = 9) -> tuple[float, float]:
    """Integral over [low, high] of f, where integrand(t, 1 - t, w) = w f(t); also the change on the last halving.

    Double-exponential nodes come within 1e-300 of both ends, so algebraic end singularities cost nothing.

    >>> value, change = tm.energy.tanh_sinh(lambda t, rest, w: w / np.sqrt(t))
    >>> round(value, 9)  # singular at 0
    2.0
    """
    previous, value, gap = np.nan, np.nan, np.inf
    for level in range(2, levels + 1):
        s = np.arange(-6.0, 6.0 + 1e-12, 2.0**-level)
        y = np.pi * np.sinh(s)
        x, rest = 1.0 / (1.0 + np.exp(-y)), 1.0 / (1.0 + np.exp(y))
        weight = np.pi * np.cosh(s) * x * rest * (high - low)
        terms = integrand(low + (high - low) * x, (1.0 - high) + (high - low) * rest, weight)
        previous, value = value, float(2.0**-level * np.sum(terms))
        gap = abs(value - previous)
        if gap <= 1e-14 * abs(value):
            break
    return value, gap + 1e-14 * abs(value)
