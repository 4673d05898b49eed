"""The energy of the data: limit of N KL/L, its minimum, and which schedules can reach it."""

from itertools import pairwise
from math import comb

import numpy as np
from flint import fmpq, fmpq_mat, fmpq_poly
from scipy.special import beta as beta_function

import toy_models as tm
from theory.energy.data_energy import SPEEDS, data_energy, geodesic, least_energy, slope
from theory.energy.results import Results
from theory.ledger.registry import Outcome, check, control, decide, tightness
from toy_models.exact import curves as ec
from toy_models.schedules import weights_cost

POLYNOMIALS = (fmpq_poly([0, 1]), fmpq_poly([0, 0, 1]), fmpq_poly([0, 0, 3, -2]), fmpq_poly([0, 2, -1]))
PRINTED = {8: (4, 1.75, 3.61797144), 64: (32, 1.96875, 11.02740706)}  # repetition, N E KL/log K: linear, optimum, sin^2


@check("data-aware-energy", tier="rational")
def limit_for_every_language(results: Results) -> Outcome:
    """data-aware-energy: alpha = t, t^2, 3 t^2 - 2 t^3, 2 t - t^2, L = 2..5: E KL is a polynomial in 1/N, recovered in
    Q from N = 1, 2, ..; its coefficient of 1/N is L J(alpha) as a row over the curve g, hence for every language.
    """
    holds, count = True, 0
    for length in range(2, 6 if results.profile == "full" else 5):
        for alpha in POLYNOMIALS:
            degree = alpha.degree() * length
            rows = [_row(length, alpha, n) for n in range(1, degree + 2)]
            powers = fmpq_mat([[fmpq(1, n) ** k for k in range(degree + 1)] for n in range(1, degree + 2)])
            found = powers.solve(fmpq_mat([[row[0, k] for k in range(length)] for row in rows]))
            limit = _limit_row(length, alpha)
            holds &= all(found[0, k] == 0 and found[1, k] == limit[k] for k in range(length))
            check_at = _row(length, alpha, degree + 5)
            holds &= all(
                sum((found[p, k] / fmpq(degree + 5) ** p for p in range(degree + 1)), fmpq(0)) == check_at[0, k]
                for k in range(length)
            )
            count += 1
    return decide(holds, count, 0.0)


def _row(length: int, alpha: fmpq_poly, steps: int) -> fmpq_mat:
    ends = [alpha(fmpq(j, steps)) for j in range(steps + 1)]
    return ec.weights_row(length, [b - a for a, b in pairwise(ends)])


def _limit_row(length: int, alpha: fmpq_poly) -> list[fmpq]:
    """L/2 int -h'(alpha) alpha'^2 as coefficients of g(0), .., g(L-1): -h' is (L-1) times the Bernstein form of the
    drops g(k) - g(k+1)."""
    row, rate = [fmpq(0)] * length, alpha.derivative()
    for k in range(length - 1):
        weight = alpha**k * (1 - alpha) ** (length - 2 - k) * comb(length - 2, k) * rate * rate
        value = weight.integral()(fmpq(1)) * fmpq(length * (length - 1), 2)
        row[k] += value
        row[k + 1] -= value
    return row


def _curves() -> list[np.ndarray]:
    rng = np.random.default_rng(76)
    random = [np.sort(rng.random(n))[::-1].copy() for n in (3, 5, 8, 12, 20)]
    chain = tm.information_curve(tm.MarkovChain([[0.9, 0.1], [0.3, 0.7]], 16))
    return [*random, chain, tm.information_curve(tm.repetition(2, 8)), tm.information_curve(tm.zero_sum(2, 6))]


@check("data-aware-energy", tier="float64")
def minimum_and_its_schedule(results: Results) -> Outcome:
    """data-aware-energy: J >= J* for linear, sin^2 and powers on random and named curves; alpha' sqrt(-h') constant
    reaches J* (N E KL/L at N = 4096 within 1 %); sin^2 stays above on all of them; linear is equal where h is affine.
    """
    margins, reached = [], []
    for g in _curves():
        least = least_energy(g)
        speeds = [*SPEEDS.values(), lambda a: 2 * np.sqrt(a), lambda a: 1.5 * a ** (1 / 3)]
        margins.append(min(data_energy(g, speed) for speed in speeds) / least - 1)
        margins.append(data_energy(g, SPEEDS["sin²"]) / least - 1)
        reached.append(abs(4096 * weights_cost(g, geodesic(g).weights(4096)) / len(g) / least - 1))
    affine = tm.information_curve(tm.pairs(2, 8))
    equal = abs(data_energy(affine, np.ones_like) / least_energy(affine) - 1)
    holds = min(margins) > 0 and max(reached) < 0.01 and equal < 1e-10
    return decide(holds, len(margins) + len(reached) + 1, min(margins), "margin: least relative excess over J*")


@check("data-aware-energy", tier="float64")
def repetition_in_closed_form(results: Results) -> Outcome:
    """data-aware-energy, repetition: L/2, 2 (L - 1)/L and pi L (L - 1)/2 B(3/2, L - 1/2), as printed at L = 8 and 64,
    by quadrature; at L = 8, N = 1024: 4.004557, 1.758165, 3.622788; -h' against a difference quotient of h.
    """
    gaps, finite = [], []
    for length, printed in PRINTED.items():
        g = (np.arange(length) < 1).astype(float)
        closed = (length / 2, 2 * (length - 1) / length)
        closed = (*closed, np.pi * length * (length - 1) / 2 * float(beta_function(1.5, length - 0.5)))
        found = [length * data_energy(g, SPEEDS["linear"]), length * least_energy(g)]
        found.append(length * data_energy(g, SPEEDS["sin²"]))
        gaps += [abs(x - y) for values in (found, closed) for x, y in zip(values, printed, strict=True)]
    g, times = (np.arange(8) < 1).astype(float), np.arange(1025) / 1024
    for alpha, printed in (
        (times, 4.004557),
        (1 - (1 - times) ** 0.25, 1.758165),
        (np.sin(np.pi * times / 2) ** 2, 3.622788),
    ):
        finite.append(abs(1024 * weights_cost(g, np.diff(alpha)) - printed))
    a, step = np.linspace(0.1, 0.9, 9), 1e-6
    quotient = (tm.reveal_curve(_curves()[3], a - step) - tm.reveal_curve(_curves()[3], a + step)) / (2 * step)
    near = np.abs(quotient - slope(_curves()[3], a)).max()
    holds = max(gaps) < 5.1e-9 and max(finite) < 5.1e-7 and near < 1e-6
    return decide(bool(holds), len(gaps) + 4, max(gaps))


@tightness("data-aware-energy", tier="float64")
def optimum_of_the_library(results: Results) -> Outcome:
    """data-aware-energy: the exact optimum over weights of repetition, L = 8, comes within 4 % of J* at N = 64."""
    g = (np.arange(8) < 1).astype(float)
    ratio = 64 * weights_cost(g, tm.optimal_weights(g, 64)) / 8 / least_energy(g)
    return decide(abs(ratio - 1) < 0.04, 1, ratio - 1)


@control("data-aware-energy", tier="float64")
def geodesic_of_the_energy_papers(results: Results) -> Outcome:
    """data-aware-energy: sin^2 claimed optimal for repetition, L = 8."""
    g = (np.arange(8) < 1).astype(float)
    return decide(data_energy(g, SPEEDS["sin²"]) <= least_energy(g) * (1 + 1e-9), 1)


@control("data-aware-energy", tier="float64")
def linear_on_a_convex_curve(results: Results) -> Outcome:
    """data-aware-energy: linear claimed optimal for a chain, whose h is not affine."""
    g = tm.information_curve(tm.MarkovChain([[0.9, 0.1], [0.3, 0.7]], 16))
    return decide(data_energy(g, np.ones_like) <= least_energy(g) * (1 + 1e-9), 1)


@control("data-aware-energy", tier="rational")
def limit_without_one_half(results: Results) -> Outcome:
    """data-aware-energy with the limit int -h'(alpha) alpha'^2: twice the coefficient of 1/N of pairs, alpha = t^2."""
    row, limit = _row(2, POLYNOMIALS[1], 1000), _limit_row(2, POLYNOMIALS[1])
    return decide(abs(row[0, 0] * 1000 / (2 * limit[0]) - 1) < fmpq(1, 50), 1)
