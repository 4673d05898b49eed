"""Definitions that every line rests on: targets, content-free rules, schedules, refusals, against the slow route."""

from fractions import Fraction

import numpy as np

import toy_models as tm
from theory.ledger.conformance import ATOL, refused_by_the_library, rises_to_one, rule_gaps, target_gaps
from theory.ledger.every import CONTENT_BLIND, TARGETS
from theory.ledger.registry import Outcome, decide, definition
from theory.perplexity.results import Results

SCHEDULES = (
    tm.LinearSchedule(),
    tm.CosineSchedule(),
    tm.SineSchedule(),
    tm.SineSquaredSchedule(),
    tm.PowerSchedule(1.7),
    tm.BetaSchedule(2.0, 1.5),
    tm.schedules.SmoothstepSchedule(),
    tm.schedules.MirroredSchedule(tm.PowerSchedule(2.0)),
)


@definition("ter-every-language", tier="float64")
def targets_are_their_words(_: Results) -> Outcome:
    """q, entropy, conditionals in all contexts, information curve, TC, DTC, draws of 22 targets by sums over words."""
    gaps = target_gaps(TARGETS)
    return decide(max(gaps) < ATOL, len(gaps), max(gaps))


@definition("trajectory-identity", tier="float64")
def rules_are_their_runs(_: Results) -> Outcome:
    """Law, calls, SER, KLs, log p(x), draws of content-free rules by the walk over all runs; two denoisers err."""
    where = ("table", "chain, stationary", "one position")
    gaps = rule_gaps(CONTENT_BLIND, where)
    gaps += rule_gaps(
        ("independent", "random order", "shifted"), ("pairs", "blocks", "3-gram", "hmm", "code", "word list")
    )
    return decide(max(gaps) < ATOL, len(gaps), max(gaps))


@definition("curve-identity-independent", tier="float64")
def schedules_are_their_alpha(_: Results) -> Outcome:
    """alpha from 0 to 1, rate, weights, sizes of eight schedules by differences of alpha."""
    gaps = [rises_to_one(schedule) for schedule in SCHEDULES]
    return decide(max(gaps) < 1e-9, len(gaps), max(gaps))


@definition("trajectory-identity", tier="rational")
def wrong_inputs_are_refused(_: Results) -> Outcome:
    """300 inputs outside of the hypotheses are refused: negative or missing mass, lengths that differ, wrong orders."""
    refused = refused_by_the_library()
    return decide(all(refused) and len(refused) >= 300, len(refused), note="every input of theory/ledger/refused.py")


@definition("ccl-thm-9", tier="rational")
def sizes_of_the_budget(_: Results) -> Outcome:
    """tc_sizes: floor((L - N_i)/zeta), then ones, with the largest zeta <= L that fits into N steps, L <= 40."""
    wrong, count = [], 0
    for length in (1, 2, 5, 13, 40):
        for steps in range(1, length + 3):
            best = max(z for z in range(1, length + 1) if z == 1 or len(_shrinking(length, z)) <= steps)
            wrong.append(tm.tc_sizes(length, steps).tolist() != _shrinking(length, best))
            wrong.append(tm.dtc_sizes(length, steps).tolist() != _shrinking(length, best)[::-1])
            count += 2
    return decide(not any(wrong), count)


def _shrinking(length: int, zeta: int) -> list[int]:
    sizes: list[int] = []
    while sum(sizes) < length:
        sizes.append(max(1, int(Fraction(length - sum(sizes), zeta))))
    return sizes


@definition("certified-hidden-chain-curve", tier="float64")
def long_routes_are_the_short_ones(_: Results) -> Outcome:
    """Routes for long texts at L = 8: chain, 2-gram and hidden chain curves = the table of the same law."""
    rows = [[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]]
    hidden = tm.HMM([0.4, 0.6], [[0.8, 0.2], [0.1, 0.9]], [[0.7, 0.3], [0.25, 0.75]], 8)
    gaps = []
    for target in (tm.MarkovChain(rows, 6), tm.NGram(np.array(rows), 6), hidden, tm.Blocks(tm.zero_sum(2, 4), 2)):
        x = np.indices((target.vocab_size,) * target.length).reshape(target.length, -1).T
        table = tm.Table(np.exp(target.log_prob(x)).reshape((target.vocab_size,) * target.length))
        gaps.append(float(np.abs(tm.information_curve(target) - tm.information_curve(table)).max()))
    return decide(max(gaps) < ATOL, len(gaps), max(gaps))
