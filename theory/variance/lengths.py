"""Training noise of Markov chains against their length, exact denoiser: what each way to draw times keeps."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

import toy_models as tm
from theory.variance import definitions
from toy_models.targets.instances import k1
from toy_models.variance import chain_moments, deduplicated_parts, gap_losses


@dataclass(frozen=True)
class Noise:
    """Variance of l/pi at one length, t on [epsilon, 1], and the lower bound of uniform k."""

    uniform: float
    between: float  # its part Var_t G: what strata and one shift remove
    optimal: float  # p*
    sizes: float  # Var_k g(L - k) <= Var of S/k, k uniform


@dataclass(frozen=True, eq=False)
class Lengths:
    """Noise of one chain at growing length."""

    language: str
    epsilon: float
    lengths: Int[np.ndarray, " L"]
    uniform: Float[np.ndarray, " L"]
    spread: Float[np.ndarray, " L"]  # uniform t, finely stratified
    optimal: Float[np.ndarray, " L"]
    sizes: Float[np.ndarray, " L"]


def chain_noise(chain: tm.MarkovChain, epsilon: float) -> Noise:
    gaps = gap_losses(chain)
    t, w = definitions.nodes(epsilon, 1.0)
    mean, second = np.array([chain_moments(gaps, float(s)) for s in t]).T
    whole, scale = float(w @ mean), 1.0 - epsilon
    uniform, between = scale * float(w @ second) - whole**2, scale * float(w @ mean**2) - whole**2
    return Noise(uniform, between, float(w @ np.sqrt(second)) ** 2 - whole**2, float(tm.information_curve(chain).var()))


@dataclass(frozen=True, eq=False)
class PairNoise:
    """Variance of one pair of masks against t on one target."""

    target: str
    t: Float[np.ndarray, " T"]
    variance: dict[str, Float[np.ndarray, " T"]]


def pair_noise() -> tuple[PairNoise, ...]:
    """A noisy copy of one bit, and three positions of K1; exact denoisers."""
    t, found = np.linspace(0.3, 1.0, 57), []
    targets = {
        "two bits, one a copy with flips .1": tm.Table(np.array([[0.45, 0.05], [0.05, 0.45]])),
        "K1, L = 3": k1(3),
    }
    for name, target in targets.items():
        losses = definitions.losses_of(target)
        rows = {"independent pair (the release)": [], "mirrored pair": [], "mirrored, deduplicated": []}
        for s in t.tolist():
            for label, masks in (("independent pair (the release)", "independent-pair"), ("mirrored pair", "mirror")):
                mean, square = definitions.at_time(losses, s, masks)
                rows[label].append(float(losses.probability @ square) - float(losses.probability @ mean) ** 2)
            rows["mirrored, deduplicated"].append(sum(deduplicated_parts(losses.each, losses.probability, s)[1:]))
        found.append(PairNoise(name, t, {label: np.array(values) for label, values in rows.items()}))
    return tuple(found)


def noise_by_length(full: bool) -> tuple[Lengths, ...]:
    """K1 and a chain that mostly stays."""
    longest = 256 if full else 32
    found = []
    for name, make, epsilon in (
        ("K1", k1, 1e-3),
        ("binary chain, flips with .1", lambda n: tm.MarkovChain([[0.9, 0.1], [0.1, 0.9]], n), 0.05),
    ):
        lengths = np.array([n for n in (4, 8, 16, 32, 64, 128, 256) if n <= longest])
        rows = [chain_noise(make(int(n)), epsilon) for n in lengths]
        columns = np.array([[r.uniform, r.uniform - r.between, r.optimal, r.sizes] for r in rows]).T
        found.append(Lengths(f"{name}, t on [{epsilon:g}, 1]", epsilon, lengths, *columns))
    return tuple(found)
