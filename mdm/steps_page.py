"""One self-contained HTML page: tables, sentences, and figures as inline SVG; nothing is loaded from anywhere."""

from html import escape

from mdm.charts import STYLE, Points, chart

NAMES = ("uniform", "cosine", "growing", "optimal", "entropy-bounded", "halving")  # one look in every figure


def page(report: dict) -> str:
    text, language = report["text"], report["language"]
    scope = f"{language['name']} of {text['source']}, L = {language['length']}"
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width,initial-scale=1'>",
        f"<title>Calls and their cost: {escape(text['source'])}</title><style>{STYLE}</style></head><body>",
        f"<h1>What N calls cost on {escape(text['source'])}</h1>",
        f"<p>{text['tokens']} tokens ({escape(text['alphabet'])}), {text['symbols that occur']} of "
        f"{text['vocabulary']} symbols occur, {100 * text['kept']:.1f} % of the text kept. "
        f"{escape(language['name'].capitalize())}, L = {language['length']}: "
        f"entropy {language['entropy per token']['value']:.4f} nats per token, "
        f"total correlation {language['total correlation']['value']:.3f} nats, "
        f"dual total correlation {language['dual total correlation']['value']:.3f} nats.</p>",
        _excess_figure(report, scope),
        _error_figure(report, f"bigram language of {text['source']}, L = {language['length']}"),
        _curve_figure(report, scope),
        "<h2>Costs</h2>",
        _table(report),
        *(f"<p>{escape(note)}</p>" for note in report["notes"]),
        "<h2>Optimal sizes</h2><ul>",
        *(
            f"<li>N = {row['asked']}: <code>{row['sizes']}</code>"
            + (" (sizes do not matter here)</li>" if row["asked"] in report["sizes do not matter at"] else "</li>")
            for row in report["costs"]
            if row["schedule"] == "optimal"
        ),
        "</ul><h2>Answers</h2><dl>",
        *(f"<dt>{escape(s['question'])}</dt><dd>{escape(s['answer'])}</dd>" for s in report["sentences"]),
        "</dl><h2>Held out against fitted</h2><table><tr><th>language</th><th>fitted</th><th>held out</th></tr>",
        *(
            f"<tr><td>{'order ' + str(s['order']) if s['order'] else escape(language['name'])}</td>"
            f"<td>{s['fitted']:.4f}</td><td>{s['held_out']:.4f}</td></tr>"
            for s in language["scores"]
        ),
        "</table></body></html>\n",
    ]
    return "\n".join(parts)


def _table(report: dict) -> str:
    head = ("schedule", "N", "calls", "excess nats/token", "99 % interval", "written", "sequence error", "slots")
    rows = ["<table><tr>" + "".join(f"<th>{h}</th>" for h in head) + "</tr>"]
    for row in report["costs"]:
        e, written, ser = row["excess"], row["written"], row["sequence error"]
        cells = [
            escape(row["schedule"]) + ("" if row["gamma"] is None else f", γ = {row['gamma']:g}"),
            str(row["asked"]),
            f"{row['calls']:.1f}",
            f"{e['value']:.4f}",
            "exact" if e["low"] == e["high"] else f"{e['low']:.4f} to {e['high']:.4f}",
            "" if written is None else f"{written['value']:.4f}",
            "" if ser is None else f"{ser['value']:.4f}" + (" (sampled)" if ser["how"] == "sampled" else ""),
            "" if ser is None or ser["slots"] is None else str(ser["slots"]),
        ]
        rows.append("<tr>" + "".join(f"<td>{c}</td>" for c in cells) + "</tr>")
    return "\n".join([*rows, "</table>"])


def _by_schedule(report: dict, wanted) -> dict[str, Points]:
    lines: dict[str, Points] = {}
    for row in report["costs"]:
        point = wanted(row)
        if point is not None and point[1] > 0:
            lines.setdefault(row["schedule"], []).append(point)
    return {name: sorted(points) for name, points in lines.items()}


def _excess_figure(report: dict, scope: str) -> str:
    def point(row):
        e = row["excess"]
        return row["calls"], e["value"], e["low"], e["high"]

    lines = _by_schedule(report, point)
    caption = f"Excess nats per token (trajectory KL, an upper bound) against calls; bars: 99 % intervals. {scope}."
    return chart(lines, "calls", "excess, nats per token", caption, NAMES, log_x=True, log_y=True)


def _error_figure(report: dict, scope: str) -> str:
    def point(row):
        ser = row["sequence error"]
        return None if ser is None else (ser["calls"], ser["value"], ser["low"], ser["high"])

    caption = f"Sequence error of independent reveal against its expected calls; bars: intervals. {scope}."
    return chart(_by_schedule(report, point), "expected calls", "sequence error", caption, NAMES, log_x=True)


def _curve_figure(report: dict, scope: str) -> str:
    g = report["language"]["information curve"]
    k = range(len(g["value"]))
    lines = {"g": [(float(i), v, v, v) for i, v in zip(k, g["value"], strict=True)]}
    band = None if g["exact"] else (g["low"], g["high"])
    how = "exact" if g["exact"] else f"{g['rows']} sequences, pointwise 99 % band"
    caption = f"Information curve: entropy of a masked token when k others are revealed ({how}). {scope}."
    return chart(lines, "revealed tokens k", "g, nats per token", caption, NAMES, band=band)
