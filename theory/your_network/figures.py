"""Figures of a network judged on held-out texts: one whose truth is known, and the antibody network."""

import matplotlib.pyplot as plt
import numpy as np

from figures.layout import GREY, Drawn, plain_ticks
from figures.registry import figure
from theory.your_network.results import ANTIBODY_TEXTS, Results

LOOK = {
    "uniform": ("C0", "o", "-"),
    "cosine": ("C1", "s", "--"),
    "growing": ("C3", "^", ":"),
    "best": ("C2", "D", "-."),
}


@figure(
    "your-network-known",
    claims=(),
    kind="trained",
    note=lambda results: (
        f"chain A, L = 6, {len(results.known.texts)} held-out texts; black: enumerated on all 4⁶ contexts"
    ),
)
def known(results: Results) -> Drawn:
    """Estimates from held-out texts beside the truth, for a small network on an exact language.

    Left: cross-entropy curve with its simultaneous band, and the information curve below it. Right: what each schedule
    and each rule pays per token, estimated with 99 % intervals, and exact.
    """
    found = results.known
    fig, (left, right) = plt.subplots(1, 2, figsize=(9.6, 4.0), width_ratios=(1, 1.3))
    band, k = found.costs.curves.cross_entropy.band, np.arange(found.target.length)
    left.fill_between(k, band.low, band.high, color="C0", alpha=0.25, lw=0)
    left.plot(k, band.value, "o-", color="C0", label="c, estimated (99 % band, all k)")
    left.plot(k, found.cross_entropy.rows[0], "k_", ms=14, label="c, exact")
    left.plot(k, found.cross_entropy.rows[0] - found.learning, color=GREY, ls="--", label="g of the exact denoiser")
    inside = bool(((band.low <= found.cross_entropy.rows[0]) & (found.cross_entropy.rows[0] <= band.high)).all())
    told = "inside" if inside else "not inside"
    left.set(xlabel="tokens revealed, k", ylabel="nats per token", title=f"the true curve lies {told} the band")
    left.legend(fontsize=8)
    rows = [
        (f"{s.schedule}, N = {s.asked}", s.nelbo, exact)
        for s, exact in zip(found.costs.schedules, found.exact, strict=True)
    ]
    rows += [(r.rule, r.nll, exact) for r, exact in zip(found.costs.rules, found.exact_rules, strict=True)]
    y = -np.arange(len(rows))
    value, low, high = (np.array([float(getattr(e, part)) for _, e, _ in rows]) for part in ("value", "low", "high"))
    right.errorbar(value, y, xerr=[value - low, high - value], fmt="o", color="C0", ms=4, capsize=2, label="estimated")
    right.plot([exact for *_, exact in rows], y, "k|", ms=11, label="exact")
    right.set_yticks(y, [name for name, *_ in rows], fontsize=8)
    covered = sum(a <= exact <= b for a, b, (*_, exact) in zip(low, high, rows, strict=True))
    right.set(xlabel="nats per token", title=f"{covered} of {len(rows)} costs within their 99 % intervals")
    right.legend(fontsize=8, loc="upper left")
    names = [name for name, *_ in rows]
    return fig, {
        "curve": {"value": band.value, "low": band.low, "high": band.high, "exact": found.cross_entropy.rows[0]},
        "costs": {"names": names, "value": value, "low": low, "high": high, "exact": [exact for *_, exact in rows]},
        "learning": found.learning,
    }


@figure(
    "your-network-antibody",
    claims=(),
    kind="trained",
    needs="real",
    note=f"antiberty 0.1.3, V = 20, L = 120, {ANTIBODY_TEXTS} texts of its own, one residue at a time; 99 % intervals",
)
def antibody(results: Results) -> Drawn:
    """The antibody network on its own texts: its cross-entropy curve, and what schedules and rules pay at N calls.

    Left: loss of a masked residue when k others are revealed, with a band for all k, and the entropy of the network's
    own law. Right: nats per residue above one residue per call: bounds of schedules, exact values of rules.
    """
    costs = results.antibody
    fig, (left, right) = plt.subplots(1, 2, figsize=(9.6, 4.2), width_ratios=(1, 1.2))
    band, own = costs.curves.cross_entropy.band, costs.curves.entropy.rows.mean(axis=0)
    k = np.arange(len(own))
    left.fill_between(k, band.low, band.high, color="C0", alpha=0.25, lw=0)
    left.plot(k, band.value, color="C0", label="c, loss (band: all k)")
    left.plot(k, own, color="C1", ls="--", label="entropy of its own law")
    left.set(xlabel="residues revealed, k", ylabel="nats per residue", ylim=(0, None), title=_shape(band.value))
    left.legend(fontsize=8)
    for name, (colour, marker, line) in LOOK.items():
        rows = [s for s in costs.schedules if s.schedule == name]
        value, low, high = (np.array([float(getattr(s.excess, p)) for s in rows]) for p in ("value", "low", "high"))
        bars = [value - low, high - value]
        calls = [len(s.sizes) for s in rows]
        right.errorbar(calls, value, yerr=bars, color=colour, marker=marker, ls=line, ms=5, capsize=2, label=name)
    for rule in costs.rules:
        x, e = float(rule.calls.value), rule.against
        right.errorbar(x, e.value, yerr=[[e.value - e.low], [e.high - e.value]], color=GREY, marker="x", capsize=2)
        right.annotate(
            rule.rule, (x, float(e.value)), xytext=(5, 4), textcoords="offset points", fontsize=7, color="0.3"
        )
    right.axhline(0.0, color="0.6", lw=0.8)
    right.set_xscale("log")
    plain_ticks(right.xaxis, [8, 16, 30, 60, 120])
    right.set_xlim(7, 160)
    right.set(xlabel="calls", ylabel="above one residue per call, nats per residue", title=_loses(costs))
    right.legend(fontsize=8)
    return fig, {
        "curve": {"value": band.value, "low": band.low, "high": band.high, "own": own},
        "schedules": [
            {"schedule": s.schedule, "asked": s.asked, "sizes": s.sizes, "nelbo": s.nelbo, "excess": s.excess}
            for s in costs.schedules
        ],
        "rules": costs.rules,
        "orders": {"left to right": costs.left_to_right, "gap": costs.order_gap, "spread": costs.order_spread},
        "learning": costs.learning,
    }


def _shape(c: np.ndarray) -> str:
    """How far the loss falls."""
    return f"loss falls from {c[0]:.2f} to {c[len(c) // 2]:.2f} halfway"


def _loses(costs) -> str:
    """What uniform sizes lose against the best ones at the smallest number of calls."""
    row = next(s for s in costs.schedules if s.schedule == "uniform")
    loses = row.loses
    if loses.low <= 0.0 <= loses.high:
        return f"at {row.asked} calls equal sizes cannot be told from the best"
    return f"at {row.asked} calls equal sizes lose {float(loses.value):.3f} nats per residue"
