"""Total and dual total correlation: the bound D and hidden Markov models."""

from functools import cache
from itertools import accumulate
from math import comb, log

import numpy as np
from flint import arb, ctx, fmpq

import toy_models as tm
from theory.ledger.instances import all_hold, instances
from theory.ledger.registry import Outcome, check, control, decide, tightness
from theory.perplexity.checks.instances import families, tc_dtc
from theory.perplexity.results import Results
from toy_models import exact
from toy_models.exact import curves as ec
from toy_models.exact import decide_at_most
from toy_models.quantities.information_curve import reveal_curve
from toy_models.quantities.lattice import to_table


@check("dhw-d-min", tier="float64")
def dhw_d_min(results: Results) -> Outcome:
    """dhw-d-min: D = L int min(1, log 1/a) a (-h') <= min(TC, DTC), and 5.994 on the symmetric chain, L = 64."""
    margins = []
    for g in families(64).values():
        tc, dtc = tc_dtc(g)
        margins.append(min(tc, dtc) - _d_integral(g, clipped=True))
    symmetric = tm.information_curve(tm.MarkovChain([[0.9, 0.1], [0.1, 0.9]], 64))
    known = abs(_d_integral(symmetric, clipped=True) - 5.994) < 5e-4
    return decide(min(margins) >= -1e-9 and known, len(margins) + 1, min(margins), "margin: nats per sequence")


def _d_integral(g: np.ndarray, clipped: bool) -> float:
    """L int w(a) (-h'(a)) da on Gauss-Legendre cells split at 1/e; -h' = (L-1) Bernstein of the drops of g."""
    drops = (len(g) - 1) * -np.diff(g)
    nodes, weights = np.polynomial.legendre.leggauss(96)
    total = 0.0
    for low, high in ((0.0, np.exp(-1)), (np.exp(-1), 1.0)):
        a = low + (high - low) * (nodes + 1) / 2
        factor = np.minimum(1.0, -np.log(a)) if clipped else -np.log(a)
        total += (high - low) / 2 * float(weights @ (factor * a * reveal_curve(drops, a)))
    return len(g) * total


@check("dhw-d-min", tier="enclosed")
def dhw_d_min_for_every_language(results: Results) -> Outcome:
    """dhw-d-min: D <= TC and D <= DTC for every language of length <= 8, by balls on the rays; D of a ray by the curve.

    The constant curve has D = 0: its coefficients sum to zero.
    """
    verdicts, before, ctx.prec = [], ctx.prec, 192
    for length in range(2, 9):
        d = list(accumulate(_d_coefficients(length)))
        verdicts.append("PROVED" if abs(d[-1]) < 1e-30 else "REFUTED")
        for k in range(1, length):
            gap = fmpq(min(k, length - k)) - d[k - 1]  # TC = L - k and DTC = k on the ray
            verdicts.append("PROVED" if gap > 0 else "REFUTED" if gap < 0 else "UNDECIDED")
            ray = (np.arange(length) < k).astype(float)
            verdicts.append("PROVED" if abs(_d_integral(ray, clipped=True) - float(d[k - 1])) < 1e-9 else "REFUTED")
    ctx.prec = before
    return all_hold(verdicts)


@cache
def _d_coefficients(length: int) -> list[arb]:
    """D as a functional of g, by int_0^1 min(1, log 1/a) a^(q-1) da = (1 - e^-q)/q^2."""
    n, coefficients = length - 2, [arb(0)] * length
    for k in range(length - 1):  # -h' = (L - 1) sum_k (g[k] - g[k+1]) binom(n, k) a^k (1 - a)^(n - k)
        moment = arb(0)
        for j in range(n - k + 1):
            q = k + j + 2
            moment += arb(comb(n, k) * comb(n - k, j) * (-1) ** j) * (1 - arb(-q).exp()) / q**2
        coefficients[k] += length * (length - 1) * moment
        coefficients[k + 1] -= length * (length - 1) * moment
    return coefficients


@tightness("dhw-d-min", tier="float64")
def dhw_d_tight(results: Results) -> Outcome:
    """dhw-d-min: repetition has D = DTC up to rounding; 5% is asked for."""
    g = families(64)["repetition"]
    ratio = _d_integral(g, clipped=True) / min(tc_dtc(g))
    return decide(0.95 < ratio <= 1 + 1e-9, 1, 1 - ratio)


@control("dhw-d-min", tier="float64")
def dhw_d_unclipped(results: Results) -> Outcome:
    """dhw-d-min without the minimum with one."""
    g = families(64)["repetition"]
    return decide(_d_integral(g, clipped=False) <= min(tc_dtc(g)), 1)


@check("dhw-prop-1", tier="rational")
def dhw_prop_1(results: Results) -> Outcome:
    """dhw-prop-1: DTC <= H(hidden path) for random HMMs with two states, zeros among their entries."""
    still = [[1, 0], [0, 1]]  # a hidden state that never moves and shows itself: equality
    rng, verdicts = np.random.default_rng(15), [_dtc_against_path(["1/2", "1/2"], still, still, 4)]
    for k in range(instances(results, 60, 400)):
        symbols, length = ((3, 3), (2, 4))[k % 2]
        (initial,), transition, emission = (_rational_rows(rng, *shape) for shape in ((1, 2), (2, 2), (2, symbols)))
        verdicts.append(_dtc_against_path(initial, transition, emission, length))
        if k < 6:
            floats = (
                [[float(int(p.p) / int(p.q)) for p in row] for row in m] for m in ([initial], transition, emission)
            )
            (start,), move, show = floats
            library = tm.dual_total_correlation(to_table(tm.HMM(start, move, show, length)))
            known = float(ec.curve(exact.hmm_pmf(initial, transition, emission, length)).at(ec.dtc_row(length)))
            verdicts.append("PROVED" if abs(library - known) < 1e-12 else "REFUTED")
    return all_hold(verdicts)


def _dtc_against_path(initial, transition, emission, length: int) -> str:
    """DTC(X) <= H(Z), decided."""
    text = ec.curve(exact.hmm_pmf(initial, transition, emission, length))
    path = ec.curve(exact.chain_pmf(initial, transition, length))
    return decide_at_most(text.at(ec.dtc_row(length)), path.at(ec.entropy_row(length)))


def _floats(rows) -> list[list[float]]:
    return [[int(p.p) / int(p.q) for p in row] for row in rows]


def _rational_rows(rng: np.random.Generator, count: int, size: int) -> list[list[fmpq]]:
    """Random rational laws, an entry in three zero."""
    rows = rng.integers(1, 9, size=(count, size)) * (rng.random((count, size)) >= 1 / 3)
    rows[rows.sum(axis=1) == 0] = 1
    return [[fmpq(int(w), int(row.sum())) for w in row] for row in rows]


@tightness("dhw-prop-1", tier="float64")
def dhw_prop_1_tight(results: Results) -> Outcome:
    """dhw-prop-1: equality for a hidden state that never moves and shows itself."""
    target = to_table(tm.HMM(np.full(2, 0.5), np.eye(2), np.eye(2), 5))
    gap = log(2) - tm.dual_total_correlation(target)
    return decide(abs(gap) < 1e-12, 1, abs(gap))


@control("dhw-prop-1", tier="float64")
def dhw_prop_1_total(results: Results) -> Outcome:
    """dhw-prop-1 claimed for TC in place of DTC."""
    target = to_table(tm.HMM(np.full(2, 0.5), np.eye(2), np.eye(2), 5))
    return decide(tm.total_correlation(target) <= log(2), 1)
