"""Targets with denoisers, and every way to draw (t, M) compared on them at equal compute."""

from dataclasses import dataclass

import numpy as np

from toy_models import MarkovChain, ParentPointer, Smoothed, Tempered
from toy_models.targets import instances
from toy_models.variance import decomposition as va
from toy_models.variance import p_pots
from toy_models.variance.decomposition import VarianceDecomposition
from toy_models.variance.loss_moments import LossMoments, Moments, loss_moments

EPSILON = 1e-3


LEFT_PARENTS = (-1, 0, 1, 2)


@dataclass(frozen=True, eq=False)
class Method:
    """One way to draw (t, M): its parts, and the variance per network call, with t stratified over the batch or not."""

    name: str
    parts: VarianceDecomposition
    stratified: bool = False

    @property
    def rate(self) -> float:
        """B, without the Var_t E_x g that stratified times remove: A + rate + C is the variance of one draw."""
        return self.parts.rate - (self.parts.rate_time_first if self.stratified else 0.0)

    @property
    def per_call(self) -> float:
        return (self.parts.pattern + self.rate + self.parts.data) * self.parts.calls


@dataclass(frozen=True, eq=False)
class Instance:
    """One target with one denoiser."""

    name: str
    loss: LossMoments
    moments: Moments
    methods: dict[str, Method]


def cases() -> dict[str, tuple]:
    """Targets and denoisers of the tables."""
    k1, k2 = instances.k1(), instances.k2()
    return {
        "K1 oracle": (k1, None),
        "K1 smooth": (k1, Smoothed(k1, 0.2)),
        "K1 temper": (k1, Tempered(k1, 0.5)),
        "K1 left-parent": (k1, ParentPointer(k1, LEFT_PARENTS)),
        "K2 oracle": (k2, None),
        "K2 temper": (k2, Tempered(k2, 0.5)),
    }


def long_cases(profile: str) -> dict[str, tuple]:
    """The largest sizes of the exact route (full profile), smaller ones in the smoke profile."""
    binary, ternary = (12, 7) if profile == "full" else (8, 5)
    chain = MarkovChain(np.array([[0.9, 0.1], [0.2, 0.8]]), binary)
    return {f"binary chain, L = {binary}": (chain, None), f"K1, L = {ternary}": (instances.k1(ternary), None)}


def all_methods(moments: Moments, epsilon: float = EPSILON) -> dict[str, Method]:
    """Every sampler of (t, M) compared at equal compute."""

    def by_time(density, masks="single"):
        return va.decompose(moments, density, epsilon, masks)

    def optimal(objective="total", masks="single"):
        return p_pots.optimal(moments, epsilon, 1.0, masks, objective)

    sizes, strata_sizes = va.optimal_size_weights(moments), va.optimal_size_weights(moments, stratified=True)
    mirrored_sizes = va.optimal_size_weights(moments, "mirror")
    table = [
        Method("uniform", by_time(None)),
        Method("uniform, stratified", by_time(None), True),
        Method("independent pair", by_time(None, "independent-pair")),
        Method("MIRROR", by_time(None, "mirror")),
        Method("P-POTS", by_time(optimal())),
        Method("P-POTS, published p", by_time(optimal("published"))),
        Method("Neyman p, stratified", by_time(optimal("stratified")), True),
        Method("P-POTS + MIRROR", by_time(optimal(), "mirror")),
        Method("P-POTS + MIRROR, p refitted", by_time(optimal(masks="mirror"), "mirror")),
        Method("size, uniform k", va.size_decomposition(moments)),
        Method("size, optimal k", va.size_decomposition(moments, sizes)),
        Method("size, stratified k", va.size_decomposition(moments, strata_sizes), True),
        Method("size + mirrored sets", va.size_decomposition(moments, mirrored_sizes, "mirror")),
    ]
    return {m.name: m for m in table}


def instance(name: str, target, denoiser) -> Instance:
    loss = loss_moments(target, denoiser, pairs=True)
    return Instance(name, loss, loss.average, all_methods(loss.average))
