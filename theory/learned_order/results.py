"""Learned order: schedules as laws over decoding orders, and what learning them finds. The experiments.

Units: nats per sequence. Decoding order = masking times sorted descending, except where "ascending" is said.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Float

from theory.learned_order.averages import Identity, RatioCurve, average, identities, ratio_curve
from theory.learned_order.descent import Gap, Landscape, Success, gaps, landscape, sink_flows, success_rates
from theory.learned_order.instances import CIRCULANT, FOUR_SCHEDULES, REFERENCE_WEIGHTS, Instance, instances
from theory.learned_order.partitions import Front, fronts
from toy_models.learned_order.mixtures import sandwich, shared_table_loss
from toy_models.learned_order.nelbo import nelbo_variance
from toy_models.learned_order.plackett_luce import plackett_luce, positions_table, uniform_orders
from toy_models.learned_order.reveal_times import binned_order_law, order_law
from toy_models.learned_order.reveal_weights import plackett_luce_reveals
from toy_models.learned_order.rloo import ESTIMATORS, estimator_moments


@dataclass(frozen=True, eq=False)
class Results:
    profile: str
    identities: list[Identity]
    curves: list[RatioCurve]
    law_maps: dict[str, np.ndarray]  # P[i, k]: position i decoded k-th
    variance_scale: np.ndarray
    variance: np.ndarray
    variance_mean: np.ndarray
    estimators: dict[str, dict[str, tuple[float, int, float]]]  # instance -> estimator -> total variance, calls, bias
    success: list[Success]
    edge_flow: tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]  # starting difference, steps per unit rate * I
    fronts: list[Front]
    sandwiches: np.ndarray  # (laws, 2): both directions, random independent times
    sandwich_pl: np.ndarray  # the same for weights (1, w, 1)
    sink_times: np.ndarray  # log times
    sinks: dict[str, np.ndarray]  # pattern -> log(t I g) of the violated edge
    shared: np.ndarray = field(repr=False)  # (points, 2): forward probability, loss

    @cached_property
    def landscape(self) -> Landscape:
        """Read by no claim, so computed when first asked for, as `gaps` is."""
        return landscape(*((81, 2000) if self.profile == "full" else (25, 400)))

    @cached_property
    def gaps(self) -> list[Gap]:
        return gaps(instances(), 800 if self.profile == "full" else 80)


def sandwiches(count: int, rng: np.random.Generator) -> np.ndarray:
    """Both directions of (0, 1, 2) for random independent times; concentrated Dirichlet bins reach the boundary."""
    rows = []
    for _ in range(count):
        masses = rng.dirichlet(np.full(5, rng.choice([0.1, 0.3, 1.0])), size=3)
        rows.append(sandwich({o: float(p) for o, p in binned_order_law(masses.tolist()).items()}))
    return np.array(rows)


def results(profile: str, rng: np.random.Generator) -> Results:
    """All sweeps of the topic; smoke about 6 s, full about 60 s on one core."""
    full = profile == "full"
    cases = instances()
    by_name = {c.name: c for c in cases}
    ratio = np.geomspace(1.0, 1000.0, 41 if full else 13)
    curves = [ratio_curve(by_name[f"K1 {n}"], ratio) for n in ("left parent", "tempered", "smoothed", "oracle")]
    scale = np.unique(np.concatenate([np.linspace(1.02, 4.0, 40 if full else 12), [1.5, 2.0, 3.0]]))
    weights = np.array(REFERENCE_WEIGHTS) / min(REFERENCE_WEIGHTS)
    case = by_name["K1 tempered"]
    variance = np.array([nelbo_variance(case.each, case.probabilities, c * weights) for c in scale])
    means = np.array([float(average(plackett_luce_reveals(list(c * weights)), case.mean)) for c in scale])
    maps = {"scalar": positions_table(uniform_orders(4))}
    maps["power (4, 2, 1, .5)"] = positions_table(plackett_luce((4.0, 2.0, 1.0, 0.5)))
    maps["power (64, 16, 4, 1)"] = positions_table(plackett_luce((64.0, 16.0, 4.0, 1.0)))
    maps["four different"] = positions_table(order_law(list(FOUR_SCHEDULES)))
    start = np.linspace(-9.0, 0.0, 37)
    log_times = np.linspace(0.0, 60.0, 121 if full else 31)
    forward = np.linspace(0.0, 1.0, 41)
    middle = np.geomspace(1e-2, 1e2, 81)
    return Results(
        profile=profile,
        identities=identities(cases),
        curves=curves,
        law_maps=maps,
        variance_scale=scale,
        variance=variance,
        variance_mean=means,
        estimators=estimators([by_name[n] for n in ("K1 left parent", "K1 tempered", "K1 oracle")]),
        success=success_rates(240 if full else 40, 1500 if full else 300, 6, rng),
        edge_flow=(start, 2.0 * np.abs(start) + 2.0 * np.sinh(np.abs(start))),
        fronts=fronts(8 if full else 6),
        sandwiches=sandwiches(3000 if full else 300, rng),
        sandwich_pl=np.array([sandwich(plackett_luce((1.0, float(w), 1.0))) for w in middle]),
        sink_times=log_times,
        sinks=sink_flows(log_times),
        shared=np.stack([forward, [shared_table_loss(CIRCULANT, float(s)) for s in forward]], axis=1),
    )


def estimators(cases: list[Instance]) -> dict[str, dict[str, tuple[float, int, float]]]:
    """Total variance, calls and largest bias of each gradient estimator in log w, at w = 2 * reference."""
    from toy_models.learned_order.nelbo import nelbo_gradient

    weights = np.array(REFERENCE_WEIGHTS) * 2.0 / min(REFERENCE_WEIGHTS)
    table = {}
    for case in cases:
        exact = weights * nelbo_gradient(case.mean, weights)
        rows = {}
        for name in ESTIMATORS:
            found = estimator_moments(case.each, case.probabilities, weights, name)
            rows[name] = (found.total, found.calls, float(np.abs(found.mean - exact).max()))
        table[case.name] = rows
    return table
