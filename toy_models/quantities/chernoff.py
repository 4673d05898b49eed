"""A lower bound on the learning error from the denoiser alone: no text, no law of the data is needed.

p_s is the law that the denoiser writes one token per call in the order s. An exact denoiser has one law for all orders.
For any q, weights lambda >= 0 that sum to one, and Z = sum_x prod_s p_s(x)^lambda_s,

    L eps_learning >= max_s KL(q || p_s) >= sum_s lambda_s KL(q || p_s) >= -log Z.

The largest -log Z over lambda is the Chernoff information of the orders. At full length it is out of reach (sums over
V^L texts; n samples certify at most half of log n nats), so windows of a few tokens are taken, all else of a text given
or masked: |W| eps_learning >= the value of the window.
"""

from dataclasses import dataclass
from itertools import permutations
from math import factorial

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import minimize

from toy_models.errors import IntractableError
from toy_models.quantities import lattice
from toy_models.targets.protocol import Denoiser
from toy_models.validation import MASK, reals

MOST_STATES = 2**16  # (V + 1)^|W| contexts of one window
MOST_ORDERS = 24


@dataclass(frozen=True, eq=False)
class Chernoff:
    """bound = -log sum_x prod_s p_s(x)^weights[s], nats; divide by the number of tokens for eps_learning.

    >>> flip, back = np.log([[0.45, 0.05, 0.05, 0.45], [0.4, 0.1, 0.1, 0.4]])
    >>> found = tm.quantities.chernoff_information(np.stack([flip, back]))
    >>> round(found.bound, 10), found.weights.round(4).tolist()  # second token flipped w.p. 1/10, first w.p. 1/5
    (0.0101245166, [0.4761, 0.5239])
    """

    bound: float
    weights: Float[np.ndarray, " orders"]


def chernoff_information(log_p: Float[np.ndarray, "orders texts"]) -> Chernoff:
    """max over lambda in the simplex of -log sum_x prod_s p_s(x)^lambda_s; every lambda gives a lower bound.

    log Z is convex in lambda: sequential quadratic programming from the centre. The value is computed at the weights
    where it ended, so how close they are to the best ones does not touch the validity.

    >>> laws = np.log([[0.5, 0.5]])
    >>> round(float(np.exp(-tm.quantities.chernoff_information(laws[[0, 0]]).bound)), 12)  # one law twice
    1.0
    """
    log_p = reals("log_p", log_p)
    if log_p.ndim != 2 or log_p.size == 0:
        raise ValueError(f"log_p has shape {log_p.shape}, it must be (orders, texts)")
    possible = np.isfinite(log_p).all(axis=0)
    if not possible.any():
        return Chernoff(np.inf, np.full(len(log_p), 1.0 / len(log_p)))
    kept = log_p[:, possible]

    def log_z(weights):
        total = weights @ kept
        value = np.logaddexp.reduce(total)
        return value, kept @ np.exp(total - value)

    centre = np.full(len(kept), 1.0 / len(kept))
    simplex = {"type": "eq", "fun": lambda w: w.sum() - 1.0, "jac": np.ones_like}
    found = minimize(
        log_z,
        centre,
        jac=True,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * len(kept),
        constraints=simplex,
        options={"ftol": 1e-15, "maxiter": 500},
    ).x
    found = np.maximum(found, 0.0) / np.maximum(found, 0.0).sum()
    weights = min((centre, found), key=lambda w: log_z(w)[0])
    value, _ = log_z(weights)
    return Chernoff(max(0.0, -float(value)), weights)


def order_laws(
    denoiser: Denoiser, y: Int[np.ndarray, " L"], window: Int[np.ndarray, " W"]
) -> Float[np.ndarray, "orders texts"]:
    """log p_s(x_W | y) for all orders s of the masked positions `window` and all V^W texts there, other masks kept.

    (V+1)^W - V^W contexts of the denoiser, in one batch. Orders as itertools.permutations, texts as lattice.sequences.

    >>> tm.quantities.order_laws(tm.repetition(2, 2), np.array([-1, -1]), np.array([0, 1])).round(4).tolist()
    [[-0.6931, -inf, -inf, -0.6931], [-0.6931, -inf, -inf, -0.6931]]
    """
    vocab, size = denoiser.vocab_size, len(window)
    if (vocab + 1) ** size > MOST_STATES or factorial(size) > MOST_ORDERS:
        asked = f"V = {vocab}, {size} tokens: (V+1)^W = {(vocab + 1.0) ** size:.3g}, {factorial(size)} orders"
        raise IntractableError(
            "orders of a window", asked, f"(V+1)^W <= {MOST_STATES}, {MOST_ORDERS} orders", "take a shorter window"
        )
    inside = lattice.states(vocab, size)
    open_states = np.flatnonzero((inside == MASK).any(axis=1))
    shown = np.tile(np.asarray(y), (len(open_states), 1))
    shown[:, window] = inside[open_states]
    p = np.zeros((len(inside), size, vocab))
    p[open_states] = denoiser.marginals(shown, on_impossible="uniform")[:, window]
    texts = lattice.sequences(vocab, size)
    power = (vocab + 1) ** np.arange(size)[::-1]
    laws = []
    for order in permutations(range(size)):
        seen, total = np.full_like(texts, MASK), np.zeros(len(texts))
        for i in order:
            with np.errstate(divide="ignore"):
                total += np.log(p[(seen + 1) @ power, i, texts[:, i]])
            seen[:, i] = texts[:, i]
        laws.append(total)
    return np.stack(laws)
