"""Remasking as a corrector: two colours against schedules and mixtures, floors, and the remask kernel."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import numpy as np
from scipy.optimize import OptimizeResult, minimize_scalar
from scipy.special import rel_entr

import toy_models as tm
from toy_models.any_process import corrector, mixtures, remask
from toy_models.any_process.laws import program_law
from toy_models.any_process.programs import Site, String, sure
from toy_models.any_process.remdm import remdm_law
from toy_models.any_process.transition import HOLD, KEEP, REMASK, write
from toy_models.quantities import lattice
from toy_models.rules.fixed_schedule import fixed_schedule_front
from toy_models.validation import MASK


@dataclass(frozen=True, eq=False)
class Correction:
    model: str
    beta: float
    write_once: np.ndarray  # best KL with at most K steps, K = 1..6
    two_colour: np.ndarray


@dataclass(frozen=True, eq=False)
class Corrector:
    rows: tuple[Correction, ...]
    mixtures: dict[float, mixtures.MixtureBound]  # 3x3, K = 3
    through_g: float  # |KL through g - KL by matrices|, 2x2, K = 4
    floors: dict[str, tuple[float, ...]]  # subset sizes 1, 2, 3, 6
    alternating: dict[str, float]
    bisection: dict[tuple[str, int], float]  # TV
    bisection_steps: dict[int, int]  # L: steps
    remdm: dict[tuple[str, int], tuple[float, ...]]  # (target, K): TV for eta in ETAS
    remdm_through_g: float  # largest |law - law of the kernel as an edit program|, L = 3, K = 4, all eta
    certificates: tuple[tuple[float, float, float], ...]  # (low, least KL, high) of mixtures of two laws
    front_gap: float  # largest |KL of the best fixed schedule - KL of what the sampler writes with it|
    etas: tuple[float, ...] = (0.0, 0.25, 0.5, 1.0)


def corrector_results(full: bool) -> Corrector:
    models = {
        "grid 3x3": (corrector.grid, (3, 3), (0.1, 0.2, 0.44)),
        "grid 3x4": (corrector.grid, (3, 4), (0.1,)),
        "K_{5,5}": (corrector.complete, (5,), (0.1, 0.2)),
        "chain 9": (corrector.chain, (9,), (0.3,)),
    }
    rows, gaps = [], []
    for name, (build, size, betas) in models.items():
        for b in betas:
            model = build(*size, b)
            target = model.target()
            front = fixed_schedule_front(target, steps=6)
            best = np.array([s.loss for s in front]) - target.entropy()
            if model.length <= 9:
                gaps += [abs(tm.marginal_kl(target, s.rule) - kl) for s, kl in zip(front, best, strict=True)]
            rows.append(Correction(name, b, np.maximum(best, 0.0), corrector.two_colour_kl(model, 6)))
    bounds, orbits, symmetries = {}, mixtures.grid_orbits(3), mixtures.grid_symmetries(3)
    for b in (0.1, 0.2, 0.3, 0.44) if full else (0.2,):
        model = corrector.grid(3, 3, b)
        laws = mixtures.schedule_laws(model, 3, orbits, symmetries)
        bounds[b] = mixtures.best_mixture(np.bincount(orbits, weights=model.pmf.ravel()), laws)
    targets = instances(6)
    quarter = instances(4)
    remdm = {}
    for name, target in quarter.items():
        pmf = lattice.to_table(target).pmf
        for steps in (2, 4, 8, 16, 32, 64) if full else (2, 4, 16, 64):
            laws = [remdm_law(target, steps, eta) for eta in (0.0, 0.25, 0.5, 1.0)]
            remdm[name, steps] = tuple(float(np.abs(law - pmf).sum() / 2) for law in laws)
    bisection = {}
    for length in (3, 7, 10) if full else (3, 7):
        for name in ("Markov .1", "HMM"):
            target = instances(length)[name]
            law = tm.sampler_law(target, tm.bisection(length)).pmf
            bisection[name, length] = float(np.abs(law - lattice.to_table(target).pmf).sum() / 2)
    named = ("Markov .1", "Markov .3", "HMM")
    return Corrector(
        tuple(rows),
        bounds,
        through_g_gap(),
        {n: tuple(remask.stationary_floor(targets[n], m)[0] for m in (1, 2, 3, 6)) for n in named},
        {n: remask.alternating_floor(targets[n]) for n in ("Markov .1", "HMM", "two modes")},
        bisection,
        {length: tm.bisection(length).steps for length in range(1, 33)},
        remdm,
        remdm_gap(),
        tuple(two_law_certificates()),
        max(gaps),
    )


def instances(length: int) -> dict[str, tm.Target]:
    """Binary targets: two chains, an HMM (flip .1, noise .1), two modes (noise .05), even parity."""
    flip = np.array([[0.9, 0.1], [0.1, 0.9]])
    even = 1.0 - np.indices((2,) * length).sum(axis=0) % 2
    return {
        "Markov .1": tm.MarkovChain(flip, length),
        "Markov .3": tm.MarkovChain(np.array([[0.7, 0.3], [0.3, 0.7]]), length),
        "HMM": tm.HMM(np.array([0.5, 0.5]), flip, flip, length),
        "two modes": remask.two_mode(length, 0.05),
        "even parity": tm.Table(even / even.sum()),
    }


def through_g_gap() -> float:
    """|KL of the two-colour law run through g - KL by matrices| on the 2x2 grid, beta = .4, K = 4."""
    model = corrector.grid(2, 2, 0.4)
    law = program_law(*corrector.two_colour_program(model, 4))
    pmf = np.zeros((2,) * 4)
    for x, p in law.final.items():
        pmf[x[2:]] += float(p)
    return float(abs((model.pmf * np.log(model.pmf / pmf)).sum() - corrector.two_colour_kl(model, 4)[-1]))


def remdm_program(target: tm.Target, steps: int, eta: Fraction):
    """(edit program, its start) of the ReMDM-type kernel: two slots count down, a token is remasked with probability
    sigma = eta min(1, (1 - a_s)/a_t), a mask is written so that the revealed fraction becomes a_s on average."""

    def program(x: String) -> list[Site] | None:
        clock, cells = x[:2], x[2:]
        if max(clock) == 0:
            return None
        before, after = Fraction(steps - max(clock), steps), Fraction(steps - max(clock) + 1, steps)
        sigma = eta * min(Fraction(1), (1 - after) / before) if before else Fraction(0)
        reveal = (after - before + sigma * before) / (1 - before)
        law = target.marginals(np.array([cells]))[0]
        sites = [sure(write(max(clock) - 1)) if v == MASK else sure(REMASK) for v in clock]
        for i, v in enumerate(cells):
            if v == MASK:
                drawn = ((reveal * Fraction(float(p)), write(t)) for t, p in enumerate(law[i]))
                sites.append(((1 - reveal, HOLD), *drawn))
            else:
                sites.append(((sigma, REMASK), (1 - sigma, KEEP)))
        return sites

    return program, (steps, MASK, *(MASK,) * target.length)


def remdm_gap() -> float:
    """Largest |probability by the lattice - probability through g|: chain with flip .1, L = 3, K = 4."""
    target, worst = instances(3)["Markov .1"], 0.0
    for eta in (Fraction(0), Fraction(1, 4), Fraction(1, 2), Fraction(1)):
        law = remdm_law(target, 4, float(eta))
        final = program_law(*remdm_program(target, 4, eta)).final
        worst = max(worst, *(abs(law[x[2:]] - float(p)) for x, p in final.items()))
    return worst


def two_law_certificates() -> Iterator[tuple[float, float, float]]:
    """The certificate after few and after many updates, beside the least KL found by a scalar minimiser."""
    rng = np.random.default_rng(0)
    for _ in range(3):
        p, *laws = rng.dirichlet(np.ones(6), 3)
        least = cast(OptimizeResult, minimize_scalar(mixed_kl, bounds=(0, 1), args=(p, *laws), method="bounded"))
        for iterations in (1, 4, 400):
            bound = mixtures.best_mixture(p, np.array(laws), iterations)
            yield bound.low, float(least.fun), bound.high


def mixed_kl(w: float, p: np.ndarray, first: np.ndarray, second: np.ndarray) -> float:
    """KL(p || w first + (1 - w) second)."""
    return float(rel_entr(p, w * first + (1 - w) * second).sum())
