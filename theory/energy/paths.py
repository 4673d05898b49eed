"""Energies along probability paths: integrands at one time, optimal paths of a mask-free source, cheapest rates."""

from dataclasses import dataclass
from typing import cast

import numpy as np
from scipy.optimize import brentq

import toy_models as tm
from toy_models.energy.fisher_rao import fisher_information, mixture_kinetic, uniform_mixture
from toy_models.energy.geodesic import tanh_sinh
from toy_models.energy.kinetic import kinetic_sum, lattice_of, path_probabilities, path_slopes, rates
from toy_models.energy.rate_optimality import EDGES, cheapest_flux, edges_of

SOURCE = (0.7, 0.2, 0.1)  # data law of the mask-free source


DIAGONAL = ((0.45, 0.05), (0.05, 0.45))


SKEWED = ((0.5, 0.1), (0.15, 0.25))


# np.random.default_rng(7).integers(1, 13, (3, 3)) ** 2, stored so that no result depends on a stream
DRAWN = ((144, 64, 81), (121, 49, 100), (121, 9, 1))


@dataclass(frozen=True, eq=False)
class RatioCurves:
    """Integrands over alpha'^2 / (alpha (1-alpha)) against alpha, and for sources where they are not constant."""

    alpha: np.ndarray
    kinetic: np.ndarray
    conditional: np.ndarray
    geodesic: np.ndarray
    weight_one_kinetic: np.ndarray  # weight 1 in place of 1/p(x), times alpha so that both fit one plot
    weight_one_conditional: np.ndarray
    source_kinetic: np.ndarray  # uniform source, no mask
    source_conditional: np.ndarray
    source_fisher_marginal: np.ndarray
    source_fisher_conditional: np.ndarray


@dataclass(frozen=True, eq=False)
class SourceOptima:
    """Mask-free source: which path between the same ends each energy prefers."""

    half_conditional: float  # kappa at t = 1/2 of the conditional-optimal path
    half_marginal: float
    half_kinetic: float
    least_conditional: float
    least_marginal: float
    marginal_of_conditional: float  # marginal energy of the conditional-optimal path
    weight_one_half_conditional: float  # masked source with weight 1: alpha(1/2)
    weight_one_half_marginal: float


@dataclass(frozen=True)
class RateRow:
    """Energy at one time over base: of the model's rates, and the least over each edge set; backwards = least flux."""

    name: str
    model: float
    unmask: float
    single_site: float
    all_pairs: float
    least_unmask_flux: float


def ratio_curves(points: int) -> RatioCurves:
    alpha = np.linspace(0.01, 0.99, points)
    kappa = alpha
    paper = [tm.energy.energy_integrands(np.array(DIAGONAL), float(a), 1.0) for a in alpha]
    one = [tm.energy.energy_integrands(np.array(DIAGONAL), float(a), 1.0, "one") for a in alpha]
    source = [source_integrands(float(k)) for k in kappa]
    return RatioCurves(
        alpha,
        *(np.array([getattr(e, name) / e.base for e in paper]) for name in ("kinetic", "conditional", "geodesic")),
        *(np.array([getattr(e, name) / e.base for e in one]) for name in ("kinetic", "conditional")),
        *np.array(source).T,
    )


def source_integrands(kappa: float) -> tuple[float, float, float, float]:
    """(kinetic marginal, conditional, Fisher marginal, conditional) of the uniform source, kappa' = 1."""
    q = np.array(SOURCE)
    given, slope = uniform_mixture(q, kappa)
    conditional = float(sum(w * fisher_information(p, dp) for w, p, dp in zip(q, given, slope, strict=True)))
    kinetic, conditional_kinetic = (float(v) for v in mixture_kinetic(q, kappa))
    return kinetic, conditional_kinetic, float(fisher_information(q @ given, q @ slope)), conditional


def source_optima() -> SourceOptima:
    marginal_kinetic, _, marginal, conditional = (
        lambda k, index=index: np.array([source_integrands(float(v))[index] for v in k]) for index in range(4)
    )

    def weight_one(pmf):
        lattice = lattice_of(pmf)

        def at(a):
            return float(kinetic_sum(lattice, path_probabilities(lattice, a), rates(lattice, a, 1.0), "one"))

        return lambda alphas: np.array([at(float(a)) for a in alphas])

    mixed = length_of(lambda k: marginal(k) / np.sqrt(conditional(k)))
    return SourceOptima(
        half_way(conditional),
        half_way(marginal),
        half_way(marginal_kinetic),
        length_of(lambda k: np.sqrt(conditional(k))) ** 2,
        length_of(lambda k: np.sqrt(marginal(k))) ** 2,
        length_of(lambda k: np.sqrt(conditional(k))) * mixed,
        half_way(weight_one(np.array([[1.0, 0.0], [0.0, 0.0]]))),
        half_way(weight_one(np.array(DIAGONAL))),
    )


def length_of(speed, high: float = 1.0) -> float:
    """Integral of speed from 0 to `high`; nodes within 1e-9 of an end carry no weight at the tolerance used here."""

    def integrand(t, u, weight):
        return speed(np.clip(t, 1e-12, 1 - 1e-12)) * weight

    return tanh_sinh(integrand, 0.0, high, levels=3)[0]


def half_way(integrand) -> float:
    """Where the energy-optimal path, of constant speed, is at t = 1/2: half of the length of sqrt(integrand)."""
    whole = length_of(lambda k: np.sqrt(integrand(k)))
    found = brentq(lambda x: length_of(lambda k: np.sqrt(integrand(k)), x) - whole / 2, 0.05, 0.95, xtol=1e-6)
    return cast(float, found)


def rate_rows() -> tuple[RateRow, ...]:
    """Cheapest rates at alpha = 1/4 for conditional paths (point masses) and marginal ones."""
    point = [np.eye(1, 2**n)[0].reshape((2,) * n) for n in (1, 2, 3)]
    cases = {f"conditional, n = {n}": p for n, p in enumerate(point, start=1)}
    cases |= {
        "uniform": np.full((2, 2), 0.25),
        "[.4 .1; .1 .4]": np.array([[0.4, 0.1], [0.1, 0.4]]),
        "diag(.7, .3)": np.diag([0.7, 0.3]),
        "[.5 .1; .15 .25]": np.array(SKEWED),
        "drawn, K = 3": np.array(DRAWN) / np.sum(DRAWN),
    }
    return tuple(rate_row(name, pmf, 0.25) for name, pmf in cases.items())


def rate_row(name: str, pmf: np.ndarray, alpha: float) -> RateRow:
    lattice = lattice_of(pmf)
    p, dp = path_probabilities(lattice, alpha), path_slopes(lattice, alpha, 1.0)
    base = 1 / (alpha * (1 - alpha))
    found = [cheapest_flux(p, dp, *edges_of(lattice, kind)) for kind in EDGES]
    model = float(kinetic_sum(lattice, p, rates(lattice, alpha, 1.0))) / base
    first, second, third = (float(f.value) / base for f in found)
    return RateRow(name, model, first, second, third, float(found[0].flux.min()))
