"""Where the training noise of a masked diffusion model comes from, and what each remedy does to it: the experiments.

Units: nats per token, per draw of the loss; `per_call` counts network calls. epsilon = 1e-3 unless stated.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from scipy.optimize import minimize_scalar

from toy_models import MarkovChain, ParentPointer, Smoothed, Tempered
from toy_models.information import Estimate
from toy_models.targets import toys
from toy_models.variance import decomposition as va
from toy_models.variance import methods, mirror, timesteps
from toy_models.variance.decomposition import VarianceDecomposition
from toy_models.variance.ensemble_torch import EnsembleRun, SmallDenoiser, train, variance_ratio
from toy_models.variance.gradient_moments import tabular_gradient_moments
from toy_models.variance.loss_moments import LossMoments, Moments, loss_moments
from toy_models.variance.losses_torch import LossOptions, gradient_moments

EPSILON = 1e-3
LEFT_PARENTS = (-1, 0, 1, 2)

# Count laws of the noisy repetition family, found by maximising Cov/Var + Cov/D over the first entries: (L, t, flips).
FAMILY = (
    (8, 0.6875, (0.4129, 0.0652, 0.0165, 0.0055)),
    (10, 0.70, (0.3961, 0.0718, 0.0213, 0.0095, 0.0013)),
    (12, 0.75, (0.3923, 0.0765, 0.0265, 0.0001, 0.0047)),
    (16, 0.7875, (0.3798, 0.0843, 0.0263, 0.0068, 0.0029)),
    (24, 0.8417, (0.3632, 0.0939, 0.0346, 0.0082, 0.0001)),
    (40, 0.885, (0.3120, 0.1184, 0.0442, 0.0250, 0.0004)),
    (80, 0.935, (0.2592, 0.0813, 0.1517, 0.0071, 0.0007)),
    (110, 0.95, (0.2090, 0.1178, 0.1432, 0.0257, 0.0042)),
)


@dataclass(frozen=True, eq=False)
class Method:
    """One way to draw (t, M): its parts, and the variance per network call, with t stratified over the batch or not."""

    name: str
    parts: VarianceDecomposition
    stratified: bool = False

    @property
    def per_call(self) -> float:
        removed = self.parts.rate_time_first if self.stratified else 0.0
        return (self.parts.total - removed) * self.parts.calls


@dataclass(frozen=True, eq=False)
class Instance:
    """One target with one denoiser."""

    name: str
    loss: LossMoments
    moments: Moments
    methods: dict[str, Method]


@dataclass(frozen=True, eq=False)
class Curves:
    """Functions of t on the K1 oracle, and of other single parameters."""

    t: np.ndarray
    mean: np.ndarray  # g(t), root of (E_x g)^2
    pattern: np.ndarray  # E_x v
    spread: np.ndarray  # Var_x g
    densities: dict[str, np.ndarray]
    rho_t: np.ndarray
    rho: dict[str, np.ndarray]
    epsilons: np.ndarray
    pattern_of_epsilon: np.ndarray
    exponents: np.ndarray
    total_of_exponent: np.ndarray
    best_exponent: float
    front: np.ndarray  # rows (A, B) of densities ~ sqrt(E v + w E g^2), w from 0 to infinity
    epr_total: float


@dataclass(frozen=True, eq=False)
class Family:
    """Mirrored covariance of noisy repetition at the oracle."""

    length: np.ndarray
    t: np.ndarray
    covariance: np.ndarray
    correlation: np.ndarray
    against_own: np.ndarray  # Cov/Var + Cov/D


@dataclass(frozen=True, eq=False)
class Training:
    """Runs of a small network from common initial weights; ratio[m] = (value, low, high) of the variance of
    log(excess loss) against uniform t, F interval at 95 %."""

    runs: int
    steps: int
    calls: int
    seed: int
    options: dict[str, LossOptions]
    made: dict[str, EnsembleRun] = field(default_factory=dict, repr=False)

    def run(self, name: str) -> EnsembleRun:
        """The runs of one method, trained when first asked for: the claim reads two methods, the figure all."""
        if name not in self.made:
            generator = torch.Generator().manual_seed(self.seed + list(self.options).index(name))
            options = self.options[name]
            self.made[name] = train(
                toys.k1(), options, self.runs, self.steps, self.calls, generator, learning_rate=0.15
            )
        return self.made[name]

    @cached_property
    def excess(self) -> dict[str, EnsembleRun]:
        return {name: self.run(name) for name in self.options}

    @cached_property
    def ratio(self) -> dict[str, tuple[float, float, float]]:
        last = {name: np.log(run.excess[:, -1]) for name, run in self.excess.items()}
        return {name: variance_ratio(values, last["uniform"]) for name, values in last.items()}


@dataclass(frozen=True, eq=False)
class Results:
    profile: str
    instances: dict[str, Instance]
    gradients: dict[str, dict[str, Method]]  # trace of the gradient covariance: "table" (own logits) and "network"
    curves: Curves
    family: Family
    training: Training
    rng: np.random.Generator = field(repr=False)

    @cached_property
    def sampled(self) -> Estimate:
        """Monte Carlo of K1 oracle at epsilon = 1e-2. Read by no claim, so drawn when first asked for."""
        size = 400_000 if self.profile == "full" else 100_000
        return va.estimate_variance(toys.k1(), size, deepcopy(self.rng), epsilon=1e-2)

    @cached_property
    def sampled_exact(self) -> VarianceDecomposition:
        return va.variance_decomposition(toys.k1(), epsilon=1e-2)


def cases() -> dict[str, tuple]:
    """Targets and denoisers of the tables."""
    k1, k2 = toys.k1(), toys.k2()
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
    return {f"binary chain, L = {binary}": (chain, None), f"K1, L = {ternary}": (toys.k1(ternary), None)}


def all_methods(moments: Moments, epsilon: float = EPSILON) -> dict[str, Method]:
    """Every sampler of (t, M) compared at equal compute."""

    def by_time(density, masks="single"):
        return va.decompose(moments, density, epsilon, masks)

    def optimal(objective="total", masks="single"):
        return timesteps.optimal(moments, epsilon, 1.0, masks, objective)

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


def k1_curves(instances: dict[str, Instance]) -> Curves:
    moments = instances["K1 oracle"].moments
    t = np.exp(np.linspace(np.log(EPSILON), 0.0, 160))
    grid = np.arange(1, 30) / 30
    noise = (1.0 - EPSILON) * grid + EPSILON
    fitted = timesteps.fit_epr(grid, np.sqrt(moments.second_moment(noise) - moments.spread_of_mean(noise)))
    epr = timesteps.proportional(lambda s: timesteps.epr(fitted, (s - EPSILON) / (1.0 - EPSILON)), EPSILON, 1.0, "EPR")
    densities = {
        "uniform": timesteps.uniform(EPSILON),
        "optimal p*": timesteps.optimal(moments, EPSILON),
        "EPR fit": epr,
        "optimal p* with MIRROR": timesteps.optimal(moments, EPSILON, masks="mirror"),
    }
    rho_t = np.linspace(0.01, 0.99, 99)
    anti = loss_moments(mirror.copy_law(), mirror.AntiCopy(0.05), pairs=True).average
    rho = {name: mirror.correlation(i.moments, rho_t) for name, i in instances.items() if name.startswith("K")}
    rho["anti-copy"] = mirror.correlation(anti, rho_t)
    rho["additive loss"] = mirror.additive_correlation(rho_t)
    rho["gradient, table"] = mirror.correlation(tabular_gradient_moments(toys.k1()), rho_t)
    epsilons = 10.0 ** -np.arange(1, 9)
    exponents = np.linspace(1.15, 4.0, 58)
    best = minimize_scalar(lambda c: methods.power_variance(moments, c), bounds=(1.05, 4.0), method="bounded")
    front = [front_point(moments, w) for w in [0.0, *np.logspace(-2, 4, 37), np.inf]]
    return Curves(
        t=t,
        mean=np.sqrt(moments.square_of_mean(t)),
        pattern=moments.second_moment(t) - moments.mean_square(t),
        spread=moments.spread_of_mean(t),
        densities={name: np.asarray(d.pdf(t)) for name, d in densities.items()},
        rho_t=rho_t,
        rho=rho,
        epsilons=epsilons,
        pattern_of_epsilon=np.array([va.decompose(moments, None, e).pattern for e in epsilons]),
        exponents=exponents,
        total_of_exponent=np.array([methods.power_variance(moments, c) for c in exponents]),
        best_exponent=float(best.x),
        front=np.array(front),
        epr_total=va.decompose(moments, epr, EPSILON).total,
    )


def front_point(moments: Moments, weight: float) -> tuple[float, float]:
    """(A, B) at the density that minimises A + weight * B."""

    def square(t):
        mean_square = moments.mean_square(t)
        pattern = moments.second_moment(t) - mean_square
        return mean_square if np.isinf(weight) else pattern + weight * mean_square

    density = timesteps.proportional(lambda t: np.sqrt(square(t)), EPSILON, 1.0, f"weight {weight:g}")
    parts = va.decompose(moments, density, EPSILON)
    return parts.pattern, parts.rate


def noisy_repetition_family(longest: int) -> Family:
    rows = [
        (n, t, mirror.exchangeable_pair(mirror.noisy_repetition(n, np.array(f)), t))
        for n, t, f in FAMILY
        if n <= longest
    ]
    return Family(
        length=np.array([n for n, _, _ in rows]),
        t=np.array([t for _, t, _ in rows]),
        covariance=np.array([m.covariance for _, _, m in rows]),
        correlation=np.array([m.correlation for _, _, m in rows]),
        against_own=np.array([m.covariance / m.variance + m.covariance / m.own for _, _, m in rows]),
    )


def training_options(moments: Moments) -> dict[str, LossOptions]:
    """The methods trained live; all use the same number of network calls per step."""
    return {
        "uniform": LossOptions(),
        "uniform, stratified": LossOptions(coupling="stratified"),
        "independent pair": LossOptions(masks="independent-pair"),
        "MIRROR": LossOptions(masks="mirror"),
        "P-POTS": LossOptions(timesteps.optimal(moments)),
        "P-POTS + MIRROR": LossOptions(timesteps.optimal(moments, masks="mirror"), masks="mirror"),
        "size, uniform k": LossOptions(size_weights=[1.0 / moments.length] * moments.length),
    }


def results(profile: str, rng: np.random.Generator) -> Results:
    """All sweeps of the topic, once. profile "smoke" or "full"."""
    if profile not in ("smoke", "full"):
        raise ValueError(f'profile = {profile!r}, allowed: "smoke", "full"')
    full = profile == "full"
    instances = {name: instance(name, *case) for name, case in {**cases(), **long_cases(profile)}.items()}
    network = SmallDenoiser(3, 4, 6, torch.Generator().manual_seed(0))
    gradients = {
        "table": all_methods(tabular_gradient_moments(toys.k1())),
        "network": all_methods(gradient_moments(network, toys.k1())),
    }
    training = Training(
        240 if full else 40,
        200 if full else 50,
        16,
        int(rng.integers(2**31)),
        training_options(instances["K1 oracle"].moments),
    )
    return Results(
        profile=profile,
        instances=instances,
        gradients=gradients,
        curves=k1_curves(instances),
        family=noisy_repetition_family(110 if full else 24),
        training=training,
        rng=deepcopy(rng),
    )
