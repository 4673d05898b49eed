"""The report of `mdm steps`: one dictionary of numbers and sentences, its table, its CSV, its files."""

import csv
import io
from pathlib import Path

import numpy as np

from mdm.door import as_text, write_files
from mdm.steps_page import page
from toy_models.quantities.intervals import Estimate, exactly
from toy_models.text.answers import free_of_sizes, sentences
from toy_models.text.call_costs import StepCost, StepCosts, step_costs
from toy_models.text.language import CONFIDENCE, Language, fit_language, require_enough
from toy_models.text.pair_errors import PairError
from toy_models.text.reading import Text, read

COLUMNS = ("schedule", "asked", "calls", "excess", "low", "high", "written", "sequence error", "slots", "how", "sizes")


def told(text, length, steps, alphabet, words, lines, order, states, rows, excess, ser, seed) -> dict:
    """Everything that is printed and written; ValueError, one line, for what cannot be."""
    wanted = numbers(steps)
    for name, value, low, high in (("excess", excess, 0.0, np.inf), ("ser", ser, 0.0, 1.0)):
        if not (low <= value <= high and np.isfinite(value)):
            allowed = f"{low:g}..{high:g}" if np.isfinite(high) else f"{low:g} and above, finite"
            raise ValueError(f"--{name} {value}, allowed: {allowed}")
    if seed < 0:
        raise ValueError(f"--seed {seed}, allowed: 0 and above")
    if length < 2:
        raise ValueError(f"--length {length}, allowed: 2 and above")
    if order is not None and states is not None:
        raise ValueError("--order and --states exclude each other: an n-gram or a hidden Markov model")
    if wanted[-1] > length:
        if steps != "4,8,16,32":
            raise ValueError(f"--steps {wanted[-1]}, allowed: 1..{length}, the length (one token per call)")
        wanted = [n for n in wanted if n <= length] or [length]
    source = read(text, alphabet, lines, words)
    require_enough(source, length)
    rng = np.random.default_rng(seed)
    language = fit_language(source, length, rng, order, states, rows)
    return as_dict(source, language, step_costs(language, wanted, rng, excess, ser), seed)


def numbers(steps: str) -> list[int]:
    """The numbers of calls of `--steps`, sorted."""
    try:
        found = sorted({int(part) for part in steps.split(",")})
    except ValueError:
        raise ValueError(f"--steps {steps!r}, allowed: whole numbers between commas, for example 4,8,16") from None
    if found[0] < 1:
        raise ValueError(f"--steps {found[0]}, allowed: 1 and above")
    return found


def as_dict(text: Text, language: Language, costs: StepCosts, seed: int) -> dict:
    length, curve = language.target.length, language.curve
    ones, first, last = np.ones(length), np.eye(length)[0], np.eye(length)[-1]
    known = None if language.used is None else language.target.entropy()
    entropy = exactly(known) if known is not None else curve.functional(ones)
    g = curve.values
    report = {
        "text": {
            "source": text.source,
            "alphabet": text.alphabet,
            "tokens": text.size,
            "sequences": len(text.rows),
            "vocabulary": text.vocab_size,
            "symbols that occur": text.used,
            "kept": text.kept,
        },
        "language": {
            "name": language.name,
            "order": language.used,
            "states": language.states,
            "best held-out order": language.best or None,
            "scores": [{"order": s.order, "fitted": s.fitted, "held_out": s.held_out} for s in language.scores],
            "length": length,
            "entropy": _interval(entropy),
            "entropy per token": _interval(entropy, length),
            "total correlation": _interval(curve.functional(length * first - ones)),
            "dual total correlation": _interval(curve.functional(ones - length * last)),
            "information curve": {
                "exact": curve.exact,
                "rows": None if curve.exact else len(curve.rows),
                "value": g.value.tolist(),
                "low": g.low.tolist(),
                "high": g.high.tolist(),
            },
        },
        "costs": [_cost(row) for row in costs.rows],
        "smallest": {
            "wished excess": costs.wished_excess,
            "calls": costs.smallest,
            "wished sequence error": costs.wished_error,
            "uniform slots": costs.smallest_slots,
        },
        "one call": _pair(costs.one_call),
        "blocks": [{"block": b, "calls": n, "excess": _interval(e)} for b, n, e in costs.block],
        "monte carlo draw": costs.draw,
        "sizes do not matter at": free_of_sizes(costs),
        "confidence": CONFIDENCE,
        "seed": seed,
    }
    report["notes"] = [
        "excess: trajectory KL, an upper bound on what the written text loses",
        "written: KL of what is written (enumerated, or in N uniform slots from the exact log p of sampled texts)",
        f"sequence error: independent reveal in N slots on the bigram language, L = {length}; of entropy-bounded and "
        "of halving the rule itself, on the same language; ~ sampled",
    ]
    report["sentences"] = sentences(language, costs)
    return report


def _ends(estimate: Estimate) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return estimate.value, estimate.low, estimate.high


def _interval(estimate: Estimate, over: int = 1) -> dict:
    value, low, high = (float(part) / over for part in _ends(estimate))
    return {"value": value, "low": low, "high": high}


def _pair(error: PairError) -> dict:
    return {
        "value": error.value,
        "low": error.low,
        "high": error.high,
        "slots": error.slots,
        "calls": error.calls,
        "how": error.how,
    }


def _cost(row: StepCost) -> dict:
    return {
        "schedule": row.schedule,
        "asked": row.asked,
        "calls": row.calls,
        "sizes": None if row.sizes is None else list(row.sizes),
        "gamma": row.gamma,
        "excess": _interval(row.excess),
        "written": None if row.written is None else _interval(row.written),
        "sequence error": None if row.error is None else _pair(row.error),
    }


def table(report: dict) -> str:
    """What is printed."""
    text, language = report["text"], report["language"]
    entropy, curve = language["entropy per token"], language["information curve"]
    lines = [
        f"{text['source']}: {text['tokens']} tokens ({text['alphabet']}), {text['symbols that occur']} of "
        f"{text['vocabulary']} symbols occur, {100 * text['kept']:.1f} % of the text kept",
        f"{language['name']}, L = {language['length']}: entropy {entropy['value']:.4f} nats per token, "
        f"total correlation {language['total correlation']['value']:.3f}, "
        f"dual {language['dual total correlation']['value']:.3f} nats",
        "information curve g (nats per token, "
        + ("exact):" if curve["exact"] else f"{curve['rows']} sequences, 99 %):"),
    ]
    length = language["length"]
    for k in sorted({0, length // 8, length // 4, length // 2, 3 * length // 4, length - 1}):
        band = "" if curve["exact"] else f"  ({curve['low'][k]:.4f} to {curve['high'][k]:.4f})"
        lines.append(f"  {k:5d} of {length} tokens revealed  {curve['value'][k]:.4f}{band}")
    lines += ["held out against fitted (nats per token):"]
    for s in language["scores"]:
        label = f"order {s['order']}" if s["order"] else language["name"]
        lines.append(f"  {label}  fitted {s['fitted']:.4f}  held out {s['held_out']:.4f}")
    lines += [
        "",
        f"{'':16s} {'N':>4s} {'calls':>6s}  {'excess nats/token':>28s}  {'written':>8s}  {'sequence error':>15s} slots",
    ]
    for row in report["costs"]:
        e, written, ser = row["excess"], row["written"], row["sequence error"]
        band = f"{e['value']:.4f}" + (f" ({e['low']:.4f} to {e['high']:.4f})" if e["high"] - e["low"] > 5e-5 else "")
        wrote = "" if written is None else f"{written['value']:.4f}"
        error = "" if ser is None else f"{ser['value']:.4f}" + ("~" if ser["how"] == "sampled" else "")
        slots = "" if ser is None or ser["slots"] is None else str(ser["slots"])
        line = f"{row['schedule']:16s} {row['asked']:4d} {row['calls']:6.1f}  {band:>28s}  {wrote:>8s}"
        line += f"  {error:>15s} {slots:>5s}"
        lines.append(line.rstrip() + (f"  gamma {row['gamma']:g}" if row["gamma"] is not None else ""))
    lines += [
        *report["notes"],
        "",
        "optimal sizes:",
    ]
    for row in report["costs"]:
        if row["schedule"] == "optimal":
            free = "  (sizes do not matter here)" if row["asked"] in report["sizes do not matter at"] else ""
            lines.append(f"  N = {row['asked']}: {row['sizes']}{free}")
    for said in report["sentences"]:
        lines += ["", said["question"], "  " + said["answer"]]
    return "\n".join(lines)


def as_csv(report: dict) -> str:
    """One line per schedule and N."""
    handle = io.StringIO()
    writer = csv.writer(handle, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in report["costs"]:
        e, written, ser = row["excess"], row["written"], row["sequence error"] or {}
        writer.writerow(
            [
                *(row["schedule"], row["asked"], row["calls"], e["value"], e["low"], e["high"]),
                "" if written is None else written["value"],
                *(ser.get(key, "") for key in ("value", "slots", "how")),
                " ".join(map(str, row["sizes"] or [])),
            ]
        )
    return handle.getvalue()


def write(report: dict, out: Path) -> None:
    """steps.json, steps.csv, steps.html."""
    write_files(out, {"steps.json": as_text(report), "steps.csv": as_csv(report), "steps.html": page(report)})
