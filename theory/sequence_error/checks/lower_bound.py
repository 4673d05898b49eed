"""Linearly many steps in random order: Feng et al., Thm 4.4, on the 16-symbol language."""

from dataclasses import dataclass

import numpy as np
from flint import arb, fmpq
from scipy.optimize import minimize

import toy_models as tm
from theory.ledger.registry import Outcome, construction, control, decide, tightness
from theory.perplexity.results import uniform
from theory.sequence_error.results import SHARP, THRESHOLD_ORACLE, Results
from toy_models.quantities.lattice import to_table


def worst_collision(K: int, epsilon: float) -> float:
    """max sum_s p_1(s) p_2(s) over laws with KL(uniform || p_i) <= epsilon: what the best adversary achieves.

    A search over all pairs of laws from several starts; symmetric tilts p_1 = p_2 turn out to be optimal.
    """

    def law(z):
        e = np.exp(z - z.max())
        return e / e.sum()

    def kl(z):
        return -np.log(law(z) * K).mean()

    best, rng = 0.0, np.random.default_rng(23)
    for start in range(8):
        z0 = rng.normal(size=2 * K) * 0.2 if start else np.r_[0.5, np.zeros(K - 1), 0.5, np.zeros(K - 1)]
        found = minimize(
            lambda z: -float(law(z[:K]) @ law(z[K:])),
            z0,
            constraints=[
                {"type": "ineq", "fun": lambda z: epsilon - kl(z[:K])},
                {"type": "ineq", "fun": lambda z: epsilon - kl(z[K:])},
            ],
            method="SLSQP",
            options={"maxiter": 300, "ftol": 1e-12},
        )
        if kl(found.x[:K]) <= epsilon + 1e-9 and kl(found.x[K:]) <= epsilon + 1e-9:
            best = max(best, -found.fun)
    return best


@construction("feng-thm-4-4", tier="float64")
def feng_lower(results: Results) -> Outcome:
    """feng-thm-4-4: SER > 1/2 for N <= 0.625 L slots, every even L, every denoiser within epsilon = 1/128.

    (1 - c/N)^(L/2) <= exp(-c L/(2N)) <= exp(-c/1.25) < 1/2 at c = 111/128, decided by balls; the collision bound
    1/K + epsilon is above the best adversary; a tilted denoiser of K = 8 pairs, enumerated, obeys the bound.
    """
    adversary = worst_collision(8, 1 / 128)
    below = adversary <= 1 / 8 + 1 / 128 <= 1 / 8 + 1 / 16
    every_length = bool((-arb(fmpq(111, 128)) * fmpq(4, 5)).exp() < fmpq(1, 2)) and fmpq(111, 128) == 1 - fmpq(17, 128)
    errors = []
    for length in (2, 4, 6, 10, 16, 64, 512):
        steps = max(1, int(0.625 * length))
        errors.append(-np.expm1(length / 2 * np.log1p(-SHARP / steps)))
    one_pair = to_table(tm.pairs(8, 2))
    model = Tilted(one_pair, 0.3)
    epsilon, gaps = tm.learning_error(one_pair, model), []
    for steps in (1, 2, 5):
        collision = 1 / steps
        valid = 1 - tm.sequence_error(one_pair, uniform(steps), model)
        gaps.append(1 - (1 - 1 / 8 - epsilon) * collision - valid)
    holds = below and every_length and min(errors) > 0.5 and epsilon <= 1 / 128 and min(gaps) >= 0
    note = f"best adversary {adversary:.4f}, allowed 0.1328; margin: smallest SER at N <= 0.625 L minus 1/2"
    return decide(holds, len(errors) + len(gaps) + 2, min(errors) - 0.5, note)


@tightness("feng-thm-4-4", tier="float64")
def feng_lower_threshold(results: Results) -> Outcome:
    """feng-thm-4-4: with the oracle SER crosses 1/2 at N = 0.631 L."""
    at = [tm.sequence_error(tm.pairs(8, 4096), uniform(round(f * THRESHOLD_ORACLE * 4096))) for f in (0.99, 1.01)]
    return decide(at[0] > 0.5 > at[1], 2, at[0] - 0.5)


@dataclass(frozen=True)
class Tilted:
    """The exact conditionals times exp(tilt) on the symbols of index 0 of the pair language, renormalised."""

    target: tm.Table
    tilt: float

    @property
    def vocab_size(self) -> int:
        return self.target.vocab_size

    @property
    def length(self) -> int:
        return self.target.length

    def marginals(self, y, on_impossible="raise"):
        half = self.vocab_size // 2
        weight = np.exp(self.tilt * (np.arange(self.vocab_size) % half == 0))
        law = self.target.marginals(y, on_impossible) * weight
        return law / law.sum(axis=2, keepdims=True)


def tilted_sequence_errors() -> list[tuple[float, float, float]]:
    """(SER, learning error, sum of Delta_j^2) of tilted denoisers on two pairs of K = 2, enumerated."""
    target, found = to_table(tm.pairs(2, 4)), []
    for tilt in (0.05, 0.2, 0.8):
        model = Tilted(target, tilt)
        for weights in (np.full(2, 0.5), np.full(4, 0.25), np.array([0.7, 0.2, 0.1])):
            error = tm.sequence_error(target, tm.IndependentReveal(weights), model)
            found.append((error, tm.learning_error(target, model), float((weights**2).sum())))
    return found


@construction("feng-thm-4-4", tier="float64")
def feng_lower_enumerated(results: Results) -> Outcome:
    """feng-thm-4-4, the bound itself at K = 2, L = 4: SER >= 1 - (1 - (1 - 1/K - epsilon) rho)^(L/2), tilted models."""
    gaps = [error - (1 - (1 - (0.5 - epsilon) * rho) ** 2) for error, epsilon, rho in tilted_sequence_errors()]
    return decide(min(gaps) >= 0, len(gaps), min(gaps), "margin: probability")


@dataclass(frozen=True)
class Scattered:
    """The exact conditionals times random factors of their own at each context, and a share on impossible symbols."""

    target: tm.Table
    spread: float
    leak: float
    seed: int

    @property
    def vocab_size(self) -> int:
        return self.target.vocab_size

    @property
    def length(self) -> int:
        return self.target.length

    def marginals(self, y, on_impossible="raise"):
        exact = self.target.marginals(y, on_impossible)
        codes = (np.asarray(y) + 1) @ (self.vocab_size + 1) ** np.arange(self.length)
        noise = np.array([np.random.default_rng([self.seed, int(c)]).normal(size=exact.shape[1:]) for c in codes])
        law = exact * np.exp(self.spread * noise)
        law = (1 - self.leak) * law / law.sum(axis=2, keepdims=True) + self.leak / self.vocab_size
        return np.where((np.asarray(y) == tm.MASK)[:, :, None], law, exact)


@construction("feng-thm-4-4", tier="float64")
def feng_lower_scattered(results: Results) -> Outcome:
    """feng-thm-4-4, the bound at K = 2, L = 4 and K = 3, L = 2: models with errors of their own at every context."""
    gaps = []
    for symbols, length in ((2, 4), (3, 2)):
        target = to_table(tm.pairs(symbols, length))
        for seed, (spread, leak) in enumerate(((0.1, 0.0), (0.4, 0.0), (0.0, 0.1), (0.3, 0.05))):
            model = Scattered(target, spread, leak, seed)
            epsilon = tm.learning_error(target, model)
            for weights in (np.ones(1), np.full(3, 1 / 3), np.array([0.7, 0.2, 0.1])):
                error = tm.sequence_error(target, tm.IndependentReveal(weights), model)
                bound = 1 - (1 - (1 - 1 / symbols - epsilon) * (weights**2).sum()) ** (length / 2)
                gaps.append(error - bound)
    return decide(min(gaps) >= 0, len(gaps), min(gaps), "margin: probability")


@construction("feng-thm-4-4", tier="float64")
def collisions_of_many_pairs(results: Results) -> Outcome:
    """feng-thm-4-4: sum_s p_1 p_2 <= 1/K + max_i KL(u || p_i), 4 000 pairs of laws on 2K symbols, K = 2..16."""
    rng, slack, tilts = np.random.default_rng(29), [], []
    for symbols in (2, 3, 5, 8, 16):
        for _ in range(800):
            p = np.exp(rng.normal(size=(2, symbols)) * rng.choice([0.05, 0.3, 1.0]))
            if rng.random() < 0.5:
                p[1] = p[0]  # the worst are equal
            p *= (1 - rng.choice([0.0, 0.1]) * rng.random()) / p.sum(axis=1, keepdims=True)
            epsilon = (-np.log(symbols * p).mean(axis=1)).max()
            slack.append(1 / symbols + epsilon - p[0] @ p[1])
    for delta in (1e-2, 1e-3):
        tilts.append(2 * delta**2 / (-0.5 * np.log1p(-4 * delta**2)))
    tight = max(abs(v - 1) for v in tilts) < 1e-3
    return decide(
        min(slack) >= 0 and tight, len(slack) + 2, min(slack), "K = 2 and small tilts: equality to first order"
    )


@control("feng-thm-4-4", tier="float64")
def feng_lower_half_epsilon(results: Results) -> Outcome:
    """feng-thm-4-4 with epsilon/2 in place of epsilon in the collision bound: tilted models go below."""
    gaps = [error - (1 - (1 - (0.5 - epsilon / 2) * rho) ** 2) for error, epsilon, rho in tilted_sequence_errors()]
    return decide(min(gaps) >= 0, len(gaps), min(gaps), "margin: probability")


@control("feng-thm-4-4", tier="float64")
def feng_lower_at_l(results: Results) -> Outcome:
    """feng-thm-4-4 with C = 1: at N = L the oracle has SER .355."""
    return decide(tm.sequence_error(tm.pairs(8, 512), uniform(512)) > 0.5, 1)


@control("feng-thm-4-4", tier="float64")
def feng_lower_loose_model(results: Results) -> Outcome:
    """feng-thm-4-4 for denoisers with epsilon = 1: an adversary makes SER small at N = 300."""
    adversary = worst_collision(8, 1.0)
    return decide(-np.expm1(256 * np.log1p(-(1 - adversary) / 300)) > 0.5, 1, adversary)


@control("feng-thm-4-4", tier="float64")
def feng_lower_any_order(results: Results) -> Outcome:
    """feng-thm-4-4 for every order, not only random ones: odd positions first are exact in two steps."""
    odd_even = tm.FixedOrder((tuple(range(0, 6, 2)), tuple(range(1, 6, 2))))
    return decide(tm.sequence_error(tm.pairs(2, 6), odd_even) > 0.5, 1)
