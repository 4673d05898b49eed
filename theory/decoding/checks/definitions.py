"""Definitions that the lines rest on: rules that see their draws, and samplers, against the walk over all runs."""

import numpy as np

import toy_models as tm
from theory.decoding.results import Results
from theory.ledger.conformance import ATOL, is_accepted, is_refused, rule_gaps
from theory.ledger.every import KINDS, TARGETS
from theory.ledger.registry import Outcome, decide, definition
from toy_models.rules.kinds import DRAWN, SAMPLER

SEEING = [name for name, kind in KINDS.items() if kind == DRAWN]
SAMPLERS = [name for name, kind in KINDS.items() if kind == SAMPLER]


@definition("drawn-confidence-biased", tier="float64")
def drawn_rules_are_their_runs(_: Results) -> Outcome:
    """Law, calls, SER, KL, log p(x), draws of rules that see their candidates, by the walk over all runs."""
    gaps = rule_gaps(SEEING, ("table",)) + rule_gaps(
        ("drawn confidence", "sees the candidates"), ("chain, stationary",)
    )
    return decide(max(gaps) < ATOL, len(gaps), max(gaps))


@definition("corrector-balance", tier="float64")
def samplers_are_their_runs(_: Results) -> Outcome:
    """Law, calls, SER, KL, draws of the samplers that remask, verify, plan or stop, by walks over their histories."""
    gaps = rule_gaps(SAMPLERS, ("table", "chain, stationary"))
    return decide(max(gaps) < ATOL, len(gaps), max(gaps))


@definition("price-of-exactness", tier="float64")
def dilated_and_speculative(_: Results) -> Outcome:
    """Dilated and speculative decoding on a longer chain and on one letter, by the walk over all runs."""
    gaps = rule_gaps(("dilated", "speculative"), ("chain, started", "one letter", "one position"))
    return decide(max(gaps) < ATOL, len(gaps), max(gaps))


@definition("drawn-confidence-biased", tier="float64")
def scores_by_their_formulas(_: Results) -> Outcome:
    """Scores by hand: pi, top1 - top2, -H, and exp(-decay i) min(cap, -pi log background), decay = cap = 1/2."""
    pi = np.array([[[0.75, 0.25, 0.0], [0.2, 0.5, 0.3]]])
    h = [-sum(p * np.log(p) for p in row if p > 0) for row in pi[0]]
    background = np.array([0.2, 0.3, 0.5])
    flat = np.minimum(-pi[0] * np.log(background), 0.5)
    wanted = {
        "probability": pi[0],
        "margin": np.repeat([[0.5], [0.2]], 3, axis=1),
        "entropy": -np.repeat(np.array(h)[:, None], 3, axis=1),
        "position": np.array([flat[0], np.exp(-0.5) * flat[1]]),
    }
    made = {
        "probability": tm.rules.Probability(),
        "margin": tm.rules.OfMarginal("margin"),
        "entropy": tm.rules.OfMarginal("entropy"),
        "position": tm.rules.PositionWeighted(0.5, background, cap=0.5),
    }
    gaps = [float(np.abs(made[name].scores(pi)[0] - wanted[name]).max()) for name in wanted]
    return decide(max(gaps) < 1e-14, len(gaps), max(gaps))


@definition("nucleus-conventions", tier="float64")
def truncations_by_hand(_: Results) -> Outcome:
    """Nuclei and top-k of one law by hand, ties and exact sums included; what is kept is renormalised."""
    p = np.array([[0.4, 0.3, 0.2, 0.1]])
    cases = [
        (tm.targets.nucleus(p, 0.7, "at least"), [4, 3, 0, 0]),
        (tm.targets.nucleus(p, 0.7, "at most"), [4, 3, 0, 0]),
        (tm.targets.nucleus(p, 0.71, "at least"), [4, 3, 2, 0]),
        (tm.targets.nucleus(p, 0.69, "at most"), [4, 0, 0, 0]),
        (tm.targets.nucleus(p, 0.3, "at most"), [4, 0, 0, 0]),
        (tm.targets.nucleus(p, 1.0, "at least"), [4, 3, 2, 1]),
    ]
    gaps = [float(np.abs(found[0] - np.array(kept) / sum(kept)).max()) for found, kept in cases]
    return decide(max(gaps) < 1e-12, len(gaps), max(gaps))


@definition("drawn-confidence-exact-cases", tier="float64")
def edges_of_the_hypotheses(_: Results) -> Outcome:
    """The edges of what a drawn rule or a sampler takes are taken; what lies beyond is refused."""
    uniform = np.array([0.5, 0.5])
    good = [
        lambda: tm.Dilated(1),
        lambda: tm.Dilated(4, 2),
        lambda: tm.Speculative(1),
        lambda: tm.DrawnConfidence(1, 0.0),
        lambda: tm.rules.PositionWeighted(0.0, uniform),
        lambda: tm.rules.PositionWeighted(0.0, uniform, cap=1e-9),
        lambda: tm.rules.Remasking([0.0, 1.0], [0.0]),
        lambda: tm.FactorThreshold(0.0),
        lambda: tm.DrawnConfidence(1, block=1),
        lambda: tm.DrawnConfidence(1, score=tm.rules.Probability()),
    ]
    bad = [
        lambda: tm.Dilated(0),
        lambda: tm.Dilated(4, 1),
        lambda: tm.Speculative(0),
        lambda: tm.DrawnConfidence(0),
        lambda: tm.DrawnConfidence(1, -0.1),
        lambda: tm.rules.PositionWeighted(-0.1, uniform),
        lambda: tm.rules.PositionWeighted(0.0, uniform, cap=0.0),
        lambda: tm.rules.PositionWeighted(0.0, np.array([1.0, 0.0])),
        lambda: tm.rules.PositionWeighted(float("inf"), uniform),
        lambda: tm.DrawnConfidence(1, score="luck"),
        lambda: tm.DrawnConfidence(1, ties="luck"),
        lambda: tm.DrawnConfidence(1, block=0),
        lambda: tm.FactorThreshold(-0.1),
        lambda: tm.rules.Remasking([0.1, 1.0], [0.0]),
        lambda: tm.rules.Remasking([0.0, 1.0], [1.5]),
        lambda: tm.trajectory_kl(TARGETS["table"], tm.DrawnConfidence(1)),
    ]
    return decide(all(map(is_accepted, good)) and all(map(is_refused, bad)), len(good) + len(bad))
