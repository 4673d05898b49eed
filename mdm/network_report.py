"""The report of `mdm network`: one dictionary of numbers and sentences, its table, its CSV, its files."""

import csv
import io
from pathlib import Path

import numpy as np

from mdm.door import as_text, write_files
from mdm.names import rule as named_rule
from mdm.network_answers import sentences
from mdm.network_input import made, read, texts
from mdm.network_page import page
from mdm.steps_report import numbers
from toy_models.networks import NetworkCosts, network_costs
from toy_models.quantities.intervals import Estimate
from toy_models.targets.protocol import Denoiser
from toy_models.validation import confidence_level

COLUMNS = (
    *("kind", "name", "asked", "calls", "nats per token", "low", "high"),
    *("loses", "loses low", "loses high", "sizes"),
)
OWN = "network's own entropy"


def told(make, data, steps, rules, ids, rows, replayed, windows, confidence, seed) -> dict:
    """Everything that is printed and written; ValueError, one line, for what cannot be."""
    for name, value, least in (
        ("rows", rows, 4),
        ("replayed", replayed, 2),
        ("windows", windows, 2),
        ("seed", seed, 0),
    ):
        if value < least:
            raise ValueError(f"--{name} {value}, allowed: {least} and above")
    confidence_level(confidence)
    wanted = numbers(steps)
    given = read(data)
    denoiser = made(make)
    length = denoiser.length
    if wanted[-1] > length:
        if steps != "4,8,16,32":
            raise ValueError(f"--steps {wanted[-1]}, allowed: 1..{length}, the length (one token per call)")
        wanted = [n for n in wanted if n <= length] or [length]
    chosen = None if rules is None else {name: named_rule(name, length) for name in filter(None, rules.split(","))}
    x = texts(given, denoiser, ids, data, rows)
    found = network_costs(
        denoiser,
        x,
        wanted,
        np.random.default_rng(seed),
        chosen,
        min(replayed, len(x)),
        windows,
        confidence,
    )
    return as_dict(make, data, denoiser, x, found, seed)


def as_dict(make: str, data: Path, denoiser: Denoiser, x: np.ndarray, found: NetworkCosts, seed: int) -> dict:
    curve = found.curves.cross_entropy
    learning = found.learning
    report = {
        "network": {"made by": make, "vocabulary": denoiser.vocab_size, "length": denoiser.length},
        "data": {"source": data.name, "rows": len(x)},
        "curve": {**_band(curve.band), OWN: found.curves.entropy.rows.mean(axis=0).tolist()},
        "one token per call": _interval(curve.functional(np.full(curve.length, 1.0 / curve.length))),
        "overconfidence": _interval(found.curves.overconfidence),
        "schedules": [
            {
                "schedule": s.schedule,
                "asked": s.asked,
                "calls": len(s.sizes),
                "nelbo": _interval(s.nelbo),
                "excess": _interval(s.excess),
                "loses": None if s.loses is None else _interval(s.loses),
                "sizes": list(s.sizes),
            }
            for s in found.schedules
        ],
        "rules": [
            {
                "rule": r.rule,
                "calls": _interval(r.calls),
                "nll": _interval(r.nll),
                "against one token per call": _interval(r.against),
                "against best sizes of as many calls": _interval(r.best),
            }
            for r in found.rules
        ],
        "orders": {
            "left to right": _interval(found.left_to_right),
            "left to right minus random": _interval(found.order_gap),
            "spread text by text": found.order_spread,
        },
        "learning error at least": None
        if learning is None
        else {"largest": learning.largest, "mean": _interval(learning.mean), "windows": len(learning.each)},
        "confidence": curve.confidence,
        "seed": seed,
    }
    report["notes"] = [
        "bound: E -log p_tau(X) / L of a random order cut into the sizes, over the held-out texts; -log p of what that "
        "schedule writes is at most this (Jensen). The entropy of the texts is unknown: differences do without it.",
        "best: sizes chosen on all texts, priced on texts that did not choose them. "
        "loses: against best, along the same texts.",
        "rules are deterministic: -log p(X) / L is exact along each text, and a difference of two is one of KL.",
    ]
    report["sentences"] = sentences(report)
    return report


def _interval(estimate: Estimate) -> dict:
    return {name: _finite(getattr(estimate, name)) for name in ("value", "low", "high")}


def _finite(value) -> float | str:
    """JSON knows no infinity: a text that the network excludes makes its cost "inf"."""
    number = float(value)
    return number if np.isfinite(number) else "inf"


def _band(estimate: Estimate) -> dict:
    return {name: [_finite(v) for v in getattr(estimate, name)] for name in ("value", "low", "high")}


def _pm(e: dict, digits: int = 4) -> str:
    if e["value"] == "inf":
        return "inf"
    return f"{e['value']:.{digits}f} ({e['low']:.{digits}f} to {e['high']:.{digits}f})"


def table(report: dict) -> str:
    """What is printed."""
    net, curve, length = report["network"], report["curve"], report["network"]["length"]
    percent = f"{100 * report['confidence']:g} %"
    lines = [
        f"{net['made by']}: V = {net['vocabulary']}, L = {length}, on {report['data']['rows']} rows of "
        f"{report['data']['source']}; nats per token, intervals at {percent}",
        "",
        f"cross-entropy curve c (all together at {percent}) and the network's own entropy:",
    ]
    for k in sorted({0, length // 8, length // 4, length // 2, 3 * length // 4, length - 1}):
        at = {name: curve[name][k] for name in ("value", "low", "high")}
        lines.append(f"  {k:5d} of {length} revealed  {_pm(at):30s}  {curve[OWN][k]:.4f}")
    lines += [
        f"one token per call: {_pm(report['one token per call'])}",
        "",
        f"{'schedule':10s} {'N':>4s} {'calls':>5s}  {'bound':>28s}  {'loses against best':>28s}",
    ]
    for s in report["schedules"]:
        loses = "" if s["loses"] is None else _pm(s["loses"])
        lines.append(
            f"{s['schedule']:10s} {s['asked']:4d} {s['calls']:5d}  {_pm(s['nelbo']):>28s}  {loses:>28s}".rstrip()
        )
    lines += ["", f"{'rule':16s} {'calls':>22s}  {'-log p / L':>28s}  {'against one token per call':>28s}"]
    for r in report["rules"]:
        against = _pm(r["against one token per call"])
        lines.append(f"{r['rule']:16s} {_pm(r['calls'], 1):>22s}  {_pm(r['nll']):>28s}  {against:>28s}")
    lines += [
        f"{'left to right':16s} {length:22d}  {_pm(report['orders']['left to right']):>28s}",
        *report["notes"],
        "",
    ]
    lines += [
        "best sizes:",
        *(f"  N = {s['asked']}: {s['sizes']}" for s in report["schedules"] if s["schedule"] == "best"),
    ]
    for said in report["sentences"]:
        lines += ["", said["question"], "  " + said["answer"]]
    return "\n".join(lines)


def as_csv(report: dict) -> str:
    """One line per schedule and N, and per rule."""
    handle = io.StringIO()
    writer = csv.writer(handle, lineterminator="\n")
    writer.writerow(COLUMNS)
    nothing = {"value": "", "low": "", "high": ""}
    for s in report["schedules"]:
        n, loses = s["nelbo"], s["loses"] or nothing
        numbers_ = (n["value"], n["low"], n["high"], loses["value"], loses["low"], loses["high"])
        writer.writerow(["schedule", s["schedule"], s["asked"], s["calls"], *numbers_, " ".join(map(str, s["sizes"]))])
    for r in report["rules"]:
        n, loses = r["nll"], r["against best sizes of as many calls"]
        numbers_ = (n["value"], n["low"], n["high"], loses["value"], loses["low"], loses["high"])
        writer.writerow(["rule", r["rule"], "", r["calls"]["value"], *numbers_, ""])
    return handle.getvalue()


def write(report: dict, out: Path) -> None:
    """network.json, network.csv, network.html."""
    write_files(out, {"network.json": as_text(report), "network.csv": as_csv(report), "network.html": page(report)})
