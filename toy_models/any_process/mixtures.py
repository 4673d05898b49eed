"""The best mixture of fixed write-once schedules, with a certificate.

For a mixture Q of the laws Q_r, every other mixture R has KL(p || R) >= KL(p || Q) - log max_r sum_x p(x) Q_r(x) / Q(x)
(Jensen), so an approximate minimiser comes with a lower bound.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from toy_models.any_process.corrector import Bipartite
from toy_models.errors import IntractableError
from toy_models.validation import positive_int

MAX_LAWS = 60_000


@dataclass(frozen=True)
class MixtureBound:
    """low <= min over mixtures of KL(p || mixture) <= high, in nats; laws = distinct symmetrised schedules."""

    low: float
    high: float
    laws: int


def schedule_laws(
    model: Bipartite,
    steps: int,
    orbit: Int[np.ndarray, " words"],
    symmetries: Int[np.ndarray, "images positions"] | None = None,
) -> Float[np.ndarray, "laws orbits"]:
    """Orbit masses of the write-once law of every ordered partition into at most `steps` blocks, distinct rows only.

    `symmetries` are permutations of the positions that leave the model unchanged and respect the orbits.
    """
    length, words = model.length, 2**model.length
    if steps**length > MAX_LAWS * 8:
        raise IntractableError(
            "all fixed schedules", f"{steps}^{length}", f"{MAX_LAWS * 8}", "fewer steps or positions"
        )
    subset_mass = {}  # P(X_S = x_S) for every word, by bit mask of S

    def mass(subset: int) -> Float[np.ndarray, " words"]:
        if subset not in subset_mass:
            hidden = tuple(i for i in range(length) if not subset >> i & 1)
            subset_mass[subset] = np.broadcast_to(model.pmf.sum(axis=hidden, keepdims=True), model.pmf.shape).ravel()
        return subset_mass[subset]

    block_law = {}  # prod over i in G of q(x_i | x_R)

    def block(before: int, group: tuple[int, ...]) -> Float[np.ndarray, " words"]:
        key = (before, group)
        if key not in block_law:
            base = mass(before)
            law = np.ones(words)
            for i in group:
                law = law * (mass(before | 1 << i) / base)
            block_law[key] = law
        return block_law[key]

    digits = np.indices((steps,) * length).reshape(length, -1).T
    if symmetries is not None:  # one schedule per orbit: the images have the same orbit masses
        powers = steps ** np.arange(length)
        codes = np.stack([digits[:, image] @ powers for image in symmetries]).min(axis=0)
        digits = digits[np.unique(codes, return_index=True)[1]]
    rows = set()
    for step_of in digits:
        law, before = np.ones(words), 0
        for s in range(steps):
            group = tuple(np.flatnonzero(step_of == s).tolist())
            if group:
                law = law * block(before, group)
                before |= sum(1 << i for i in group)
        rows.add(tuple(np.round(np.bincount(orbit, weights=law), 15)))
    return np.array(sorted(rows))


def grid_symmetries(side: int) -> Int[np.ndarray, "8 positions"]:
    """The 8 symmetries of a square grid as permutations of its positions."""
    index = np.arange(side**2).reshape(side, side)
    return np.array([np.rot90(m, k).ravel() for m in (index, index.T) for k in range(4)])


def grid_orbits(side: int) -> Int[np.ndarray, " words"]:
    """Orbit number of every word of a side x side grid under its 8 symmetries and the global spin flip."""
    words = np.indices((2,) * side**2).reshape(side**2, -1).T
    powers = 1 << np.arange(side**2)
    codes = np.stack([w[:, image] @ powers for image in grid_symmetries(side) for w in (words, 1 - words)])
    return np.unique(codes.min(axis=0), return_inverse=True)[1].ravel()


def best_mixture(
    p: Float[np.ndarray, " orbits"], laws: Float[np.ndarray, "laws orbits"], iterations: int = 20_000
) -> MixtureBound:
    """Certified interval of min over mixtures of KL(p || sum w_r Q_r), by accelerated multiplicative updates (EM).

    For a target and a family that share a symmetry group the optimum may be taken symmetric, so orbit masses suffice.
    """
    weights = np.full(len(laws), 1.0 / len(laws))
    low, high = -np.inf, np.inf
    power = 1.0
    for k in range(positive_int("iterations", iterations)):
        mixture = weights @ laws
        ratio = laws @ (p / mixture)
        r = mixture / p
        kl = float((p * (r - 1 - np.log(r))).sum())
        if kl > high:
            power = max(1.0, power / 2)
        high, low = min(high, kl), max(low, kl - float(np.log(ratio.max())))
        weights = weights * ratio**power
        weights /= weights.sum()
        power = min(power * 1.01, 64.0) if k % 2 else power
        if high - low < 1e-3 * high:
            break
    return MixtureBound(max(low, 0.0), high, len(laws))
