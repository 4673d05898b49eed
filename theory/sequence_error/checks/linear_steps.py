"""Linearly many steps: chains with a forbidden transition, and fixed sizes on pairs."""

from itertools import product
from math import comb, exp, floor, log

import numpy as np
from flint import fmpq, fmpq_poly

import toy_models as tm
from theory.ledger.registry import Outcome, check, control, decide, tightness
from theory.perplexity.results import uniform
from theory.sequence_error.chain import first_order_constant
from theory.sequence_error.checks.pair_language import _generating_function
from theory.sequence_error.clashes import event_rate, least_clash, primitive_power, window_events
from theory.sequence_error.results import Results
from toy_models import exact
from toy_models.chains import gap_sequence_error
from toy_models.chains.recursion import sequence_error_table
from toy_models.exact import curves as ec
from toy_models.targets.pair_language import pair_validity

CHAINS = {  # rows, m, where beta is attained, beta
    "A": ([["7/10", "3/10", 0], [0, "3/5", "2/5"], ["1/2", 0, "1/2"]], 2, (3, 3, 2, 2), 0.2666247232),
    "golden": ([["1/2", "1/2"], [1, 0]], 2, (3, 3, 1, 1), 4 / 49),
    "Wielandt3": ([[0, 1, 0], [0, 0, 1], ["1/2", "1/2", 0]], 5, (6, 6, 1, 2), 0.4864),
}
PRINTED = {  # SER at L = 48, N = 32, its bounds and c, uniform and any schedule, as the page prints them
    "A": (0.2975638446, 0.0143041104, 0.0073822888, 0.0128219389, 0.0071232994),
    "golden": (0.1182775918, 0.0043986646, 0.0022653254, 0.0039257008, 0.0021809449),
    "Wielandt3": (0.4171665153, 0.0065107372, 0.0016878196, 0.0053161126, 0.0016243677),
}


def _float(value: fmpq) -> float:
    return int(value.p) / int(value.q)


def _chain(name: str, length: int) -> tm.MarkovChain:
    return tm.MarkovChain([[_float(exact.rational(v)) for v in row] for row in CHAINS[name][0]], length)


@check("linear-steps-markov", tier="rational")
def pairs_clash_in_every_context(results: Results) -> Outcome:
    """linear-steps-markov: beta of three chains over all contexts, in Q, at the printed place; positive."""
    holds = True
    for rows, m, at, value in CHAINS.values():
        found = least_clash(rows)
        holds &= found.proved and found.beta > 0 and found.at == at and primitive_power(rows) == m
        holds &= abs(_float(found.beta) - value) < 5.1e-11
    return decide(holds, len(CHAINS), 0.0, "infimum over distances up to infinity: beyond 24 by a proved factor")


@check("linear-steps-markov", tier="rational")
def one_window_by_enumeration(results: Results) -> Outcome:
    """linear-steps-markov: golden mean, L = 6, one window: 1 - SER <= 1 - beta rho for random weights; for each of the
    64 orders in two steps p_tau(supp q) <= (1 - beta)^events; rho >= 1/((m+1)^2 N), all in Q.
    """
    rows, beta, m = CHAINS["golden"][0], least_clash(CHAINS["golden"][0]).beta, 2
    pmf = exact.chain_pmf(["2/3", "1/3"], rows, 6)
    known, holds, count = exact.rational_law.oracle_marginals(pmf), True, 0
    for steps in product((0, 1), repeat=6):
        written = _possible(pmf, steps, known)
        holds &= written <= (1 - beta) ** window_events(steps, m)
        count += 1
    rng = np.random.default_rng(73)
    for n in (1, 2, 2, 3, 8):
        weights = ec.random_weights(rng, n)
        rho = event_rate(weights, m)
        holds &= rho >= fmpq(1, 9 * n) and event_rate([fmpq(1, n)] * n, m) >= fmpq(1, 5 * n)
        if n <= 2:
            mass = sum((_possible(pmf, s, known) * _chance(weights, s) for s in product(range(n), repeat=6)), fmpq(0))
            holds &= mass <= 1 - beta * rho
        count += 1
    return decide(holds, count, 0.0)


def _chance(weights, steps) -> fmpq:
    value = fmpq(1)
    for s in steps:
        value *= weights[s]
    return value


def _possible(pmf: np.ndarray, steps, known) -> fmpq:
    """p_tau(supp q) of the order that writes position i in step steps[i]."""
    return sum(ec.path_law(pmf, steps, known).ravel(), fmpq(0))


@check("linear-steps-markov", tier="float64")
def long_texts_obey_the_bound(results: Results) -> Outcome:
    """linear-steps-markov: three chains, L = 12 to 48: exact SER of uniform and random schedules above the bound; SER,
    bounds and constants at L = 48, N = 32 as printed; SER >= 1/2 at N <= c L needs L > 1/c and is covered by the bound.
    """
    rng, worst, gaps, count = np.random.default_rng(74), np.inf, [], 0
    for name, (rows, m, _, _) in CHAINS.items():
        beta, width = _float(least_clash(rows).beta), 2 * m + 2
        table = sequence_error_table(_chain(name, 48), 32, [12, 24, 48])
        for n, k in product((1, 2, 4, 8, 16, 32), range(3)):
            windows = int(table.lengths[k]) // width
            error = table.error[n - 1, k] - table.error_bound[n - 1, k]
            worst = min(worst, error - _bound(beta * event_rate([1 / n] * n, m), windows))
            count += 1
        for n in (2, 3, 6):
            weights = rng.dirichlet(np.ones(n))
            found = gap_sequence_error(_chain(name, 24), weights, [24])
            least = _bound(beta * event_rate(weights.tolist(), m), 24 // width)
            worst = min(worst, found.error[0, 0] - found.error_bound[0, 0] - least)
            count += 1
        values = (
            table.error[31, 2],
            _bound(beta * event_rate([1 / 32] * 32, m), 48 // width),
            _bound(beta / ((m + 1) ** 2 * 32), 48 // width),
            beta / ((2 * m + 2) * (2 * m + 1) * log(2)),
            beta / (2 * (m + 1) ** 3 * log(2)),
        )
        gaps += [abs(v - p) for v, p in zip(values, PRINTED[name], strict=True)]
    return decide(worst >= 0 and max(gaps) < 6e-11, count, worst, "margin: least SER minus bound")


def _bound(rate: float, windows: int) -> float:
    return -float(np.expm1(windows * np.log1p(-rate)))


@check("linear-steps-markov", tier="float64")
def learned_denoisers_obey_the_bound(results: Results) -> Outcome:
    """linear-steps-markov with beta - sqrt(2 epsilon): golden mean, L = 6, sharpened conditionals, enumerated."""
    target, beta = tm.Table(exact.to_float(exact.chain_pmf(["2/3", "1/3"], CHAINS["golden"][0], 6))), 4 / 49
    worst, count = np.inf, 0
    for power in (0.98, 1.02, 1.05):
        model = tm.Tempered(target, power)
        error = tm.learning_error(target, model)
        for n in (1, 2, 3):
            least = (beta - (2 * error) ** 0.5) * event_rate([1 / n] * n, 2)
            worst, count = min(worst, tm.sequence_error(target, uniform(n), model) - least), count + (least > 0)
    return decide(worst >= 0, count, worst, "margin: least SER minus bound")


@tightness("linear-steps-markov", tier="float64")
def loose_by_a_constant(results: Results) -> Outcome:
    """linear-steps-markov: on chain A the true N with SER = 1/2, kappa L/log 2, is 26 to 27 times c L."""
    factor = first_order_constant(_chain("A", 2)) / log(2) / PRINTED["A"][3]
    return decide(26 < factor < 27, 1, factor, "margin: factor between the sharp constant and c")


@control("linear-steps-markov", tier="float64")
def constant_forty_times_larger(results: Results) -> Outcome:
    """linear-steps-markov with 40 c: chain A, L = 48, SER >= 1/2 up to N = 24."""
    steps = floor(40 * PRINTED["A"][3] * 48)
    return decide(sequence_error_table(_chain("A", 48), steps, [48]).error[-1, 0] >= 0.5, 1)


@control("linear-steps-markov", tier="float64")
def without_a_forbidden_transition(results: Results) -> Outcome:
    """linear-steps-markov for a positive chain with the constant of the golden mean: its SER is 0 at N = 1, L = 48."""
    chain = tm.MarkovChain([[0.7, 0.3], [0.4, 0.6]], 48)
    return decide(sequence_error_table(chain, 1, [48]).error[0, 0] >= _bound(4 / 49, 8), 1)


@control("linear-steps-markov", tier="float64")
def orders_fixed_in_advance(results: Results) -> Outcome:
    """linear-steps-markov for an order fixed in advance: bisection on the golden mean, L = 6, has SER 0."""
    target = tm.Table(exact.to_float(exact.chain_pmf(["2/3", "1/3"], CHAINS["golden"][0], 6)))
    return decide(tm.sequence_error(target, tm.bisection(6)) >= _bound(4 / 49 / (9 * 3), 1), 1)


def matching_validity(symbols: int, length: int, steps: int) -> fmpq:
    """E K^-M by the matching formula of the page: blocks of two and three, L/3 <= N <= L/2."""
    ways = fmpq_poly([1, 1]) ** (3 * steps - length) * fmpq_poly([1, 3]) ** (length - 2 * steps)
    total, below = fmpq(0), fmpq(1)
    for r in range(min(length // 2, ways.degree()) + 1):
        below *= length - 2 * r + 1 if r else 1
        total += ways[r] * (fmpq(1, symbols) - 1) ** r / below
    return total


def _near_equal(length: int, steps: int) -> tuple[int, ...]:
    return (2,) * (3 * steps - length) + (3,) * (length - 2 * steps)


@check("fixed-size-pairs-threshold", tier="rational")
def matching_formula(results: Results) -> Outcome:
    """fixed-size-pairs-threshold: the formula against the law by enumeration (L = 4, 6), and against the generating
    function of pair-fixed-formula for L up to 24, in any order of the blocks; factorial moments at R = 1, 2 by hand.
    """
    holds, count = True, 0
    block = np.array([[fmpq(int(a == b), 2) for b in range(2)] for a in range(2)], dtype=object)
    for length, steps in ((4, 2), (6, 2), (6, 3)):
        pmf = block  # copied bits: the same clashes as the pair language with K = 2, half the alphabet
        for _ in range(length // 2 - 1):
            pmf = np.multiply.outer(pmf, block)
        written, _ = exact.law(pmf, exact.fixed_size_stages(_near_equal(length, steps)))
        holds &= exact.support_mass(pmf, written) == matching_validity(2, length, steps)
        count += 1
    for length in range(6, 26, 2):
        for steps in range(-(-length // 3), length // 2 + 1):
            sizes = _near_equal(length, steps)
            holds &= matching_validity(8, length, steps) == _generating_function(8, length, sizes[::-1])
            count += 1
    two, three = 3 * 9 - 24, 24 - 2 * 9  # L = 24, N = 9
    moments = [fmpq_poly([1, 1]) ** two * fmpq_poly([1, 3]) ** three][0]
    holds &= moments[1] == two + 3 * three and moments[2] == comb(two, 2) + two * 3 * three + comb(three, 2) * 9
    return decide(holds, count + 2, 0.0)


@check("fixed-size-pairs-threshold", tier="rational")
def crossing_at_the_threshold(results: Results) -> Outcome:
    """fixed-size-pairs-threshold: K = 8, L = 512: SER .5012930737 at N = 206 and .4987205819 at 207, in Q and by the
    recursion; the exact crossing N/L tends to c* like 1/L: K = 4, 8, 32, L = 128 to 1024.
    """
    gaps, away = [], []
    for steps, printed in ((206, 0.5012930737), (207, 0.4987205819)):
        found = 1 - _float(matching_validity(8, 512, steps))
        gaps += [
            abs(found - printed),
            abs(1 - pair_validity(8, 512, tm.RandomOrder(_near_equal(512, steps))) - printed),
        ]
    for symbols in (4, 8, 32):
        threshold = (2 - log(2) / (1 - 1 / symbols)) / 3
        for length in (128, 1024) if results.profile == "full" else (128,):
            low, high = -(-length // 3), length // 2
            while high - low > 1:
                middle = (low + high) // 2
                above = matching_validity(symbols, length, middle) < fmpq(1, 2)
                low, high = (middle, high) if above else (low, middle)
            away.append(length * max(threshold - low / length, low / length - threshold))
    holds = max(gaps) < 6e-11 and max(away) < 1.5
    return decide(holds, len(gaps) + len(away), max(away), "margin: largest L |N/L - c*| at the last N with SER > 1/2")


@check("fixed-size-pairs-threshold", tier="float64")
def limit_of_the_error(results: Results) -> Outcome:
    """fixed-size-pairs-threshold: L (SER - limit) is in [.25, .53] for K = 4, 8, c = 1/3 .. 1/2, L = 120 .. 960."""
    scaled = []
    for symbols, length in product((4, 8), (120, 480, 960) if results.profile == "full" else (120, 480)):
        for steps in (length // 3, 3 * length // 8, 2 * length // 5, 9 * length // 20, length // 2):
            limit = -np.expm1(-(1 - 1 / symbols) * (2 - 3 * steps / length))
            scaled.append(length * (1 - _float(matching_validity(symbols, length, steps)) - float(limit)))
    return decide(
        min(scaled) > 0.25 and max(scaled) < 0.53, len(scaled), max(scaled), "margin: largest L (SER - limit)"
    )


@tightness("fixed-size-pairs-threshold", tier="float64")
def threshold_within_one_step(results: Results) -> Outcome:
    """fixed-size-pairs-threshold: c* L = 206.14 at K = 8, L = 512, and the exact crossing is between 206 and 207."""
    place = (2 - log(2) / (7 / 8)) / 3 * 512
    return decide(206 < place < 207 and abs(place / 512 - 0.4026105979) < 5.1e-11, 1, place)


@control("fixed-size-pairs-threshold", tier="rational")
def threshold_of_independent_reveal(results: Results) -> Outcome:
    """fixed-size-pairs-threshold at the constant of independent reveal, .631: SER > 1/2 claimed at N = 207 < .631 L."""
    return decide(matching_validity(8, 512, 207) < fmpq(1, 2), 1)


@control("fixed-size-pairs-threshold", tier="float64")
def one_pair_in_a_block_of_three(results: Results) -> Outcome:
    """fixed-size-pairs-threshold with one place pair in a block of three: the mean of M would be N, not 2 L - 3 N, per
    L places; at c = 2/5 the limit is then 1 - exp(-.35), far from the SER at L = 480.
    """
    found = 1 - _float(matching_validity(8, 480, 192))
    return decide(abs(found - (1 - exp(-7 / 8 * 2 / 5))) < 0.53 / 480, 1, found)
