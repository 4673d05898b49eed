"""The report of `mdm network` as one self-contained HTML page: tables, sentences, inline figures; nothing is loaded."""

from html import escape

from mdm.charts import STYLE, Points, chart

RULE_KEYS = ("nll", "against one token per call", "against best sizes of as many calls")
NAMES = ("uniform", "cosine", "growing", "best", "rules", "c")  # one look in every figure


def page(report: dict) -> str:
    net, data = report["network"], report["data"]
    scope = f"{net['made by']}, V = {net['vocabulary']}, L = {net['length']}, {data['rows']} rows of {data['source']}"
    percent = f"{100 * report['confidence']:g} %"
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width,initial-scale=1'>",
        f"<title>A network and its schedules: {escape(net['made by'])}</title><style>{STYLE}</style></head><body>",
        f"<h1>What {escape(net['made by'])} pays under every schedule</h1>",
        f"<p>{escape(scope)}. Nats per token; intervals at {percent}. One token per call: "
        f"{_pm(report['one token per call'])}.</p>",
        _costs_figure(report, scope),
        _curve_figure(report, scope, percent),
        "<h2>Schedules</h2>",
        _rows(
            ("schedule", "N", "calls", "bound on -log p", "loses against best"),
            [
                (s["schedule"], s["asked"], s["calls"], _pm(s["nelbo"]), "" if s["loses"] is None else _pm(s["loses"]))
                for s in report["schedules"]
            ],
        ),
        "<h2>Deterministic rules, replayed</h2>",
        _rows(
            ("rule", "calls", "-log p", "against one token per call", "against best sizes of as many calls"),
            [
                (
                    r["rule"],
                    _pm(r["calls"], 1),
                    *(
                        _pm(r[key])
                        for key in ("nll", "against one token per call", "against best sizes of as many calls")
                    ),
                )
                for r in report["rules"]
            ],
        ),
        *(f"<p>{escape(note)}</p>" for note in report["notes"]),
        "<h2>Best sizes</h2><ul>",
        *(
            f"<li>N = {s['asked']}: <code>{s['sizes']}</code></li>"
            for s in report["schedules"]
            if s["schedule"] == "best"
        ),
        "</ul><h2>Answers</h2><dl>",
        *(f"<dt>{escape(s['question'])}</dt><dd>{escape(s['answer'])}</dd>" for s in report["sentences"]),
        "</dl></body></html>\n",
    ]
    return "\n".join(parts)


def _pm(e: dict, digits: int = 4) -> str:
    if e["value"] == "inf":
        return "∞"
    return f"{e['value']:.{digits}f} ({e['low']:.{digits}f} to {e['high']:.{digits}f})"


def _rows(head, rows) -> str:
    table = ["<table><tr>" + "".join(f"<th>{escape(h)}</th>" for h in head) + "</tr>"]
    table += ["<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows]
    return "\n".join([*table, "</table>"])


def _costs_figure(report: dict, scope: str) -> str:
    lines: dict[str, Points] = {}
    for s in report["schedules"]:
        e = s["nelbo"]
        if e["value"] != "inf":
            lines.setdefault(s["schedule"], []).append((float(s["calls"]), e["value"], e["low"], e["high"]))
    rules = [r for r in report["rules"] if r["nll"]["value"] != "inf"]
    if rules:
        lines["rules"] = [(r["calls"]["value"], *(r["nll"][k] for k in ("value", "low", "high"))) for r in rules]
    caption = f"Bound on -log p (schedules) and -log p (rules), nats per token, against calls. {scope}."
    return chart(
        {name: sorted(points) for name, points in lines.items()}, "calls", "nats per token", caption, NAMES, log_x=True
    )


def _curve_figure(report: dict, scope: str, percent: str) -> str:
    c = report["curve"]
    if "inf" in c["value"]:
        return ""
    own = c["network's own entropy"]
    lines = {
        "c": [(float(k), v, v, v) for k, v in enumerate(c["value"])],
        "entropy": [(float(k), v, v, v) for k, v in enumerate(own)],
    }
    caption = (
        f"Cross-entropy c of a masked token when k others are revealed, with its simultaneous {percent} band, and the "
        f"mean entropy of the network's own law there: equal where the network is exact. {scope}."
    )
    names = ("c", "entropy")
    return chart(lines, "revealed tokens k", "nats per token", caption, names, band=(c["low"], c["high"]))
