"""One self-contained HTML page: tables, sentences, and figures as inline SVG; nothing is loaded from anywhere."""

from html import escape
from math import floor, log10

WIDTH, HEIGHT = 560, 320
LEFT, RIGHT, TOP, BOTTOM = 64, 150, 30, 44
COLOURS = ("#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59")
DASHES = ("", "6 3", "2 3", "8 3 2 3", "1 4", "10 4")
NAMES = ("uniform", "cosine", "growing", "optimal", "entropy-bounded", "halving")  # one look in every figure
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;margin:1rem 0}"
    "td,th{padding:.2rem .6rem;border-bottom:1px solid #ddd;text-align:right}"
    "td:first-child,th:first-child{text-align:left}code{font-size:.85em;word-break:break-all}"
    "dt{font-weight:600;margin-top:1rem}figure{margin:1rem 0}figcaption{font-size:.9em;color:#444}"
)


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
            f"<li>N = {row['asked']}: <code>{row['sizes']}</code></li>"
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


Points = list[tuple[float, float, float, float]]  # x, y and its interval


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
    return _chart(lines, "calls", "excess, nats per token", caption, log_x=True, log_y=True)


def _error_figure(report: dict, scope: str) -> str:
    def point(row):
        ser = row["sequence error"]
        return None if ser is None else (ser["calls"], ser["value"], ser["low"], ser["high"])

    caption = f"Sequence error of independent reveal against its expected calls; bars: intervals. {scope}."
    return _chart(_by_schedule(report, point), "expected calls", "sequence error", caption, log_x=True)


def _curve_figure(report: dict, scope: str) -> str:
    g = report["language"]["information curve"]
    k = range(len(g["value"]))
    lines = {"g": [(float(i), v, v, v) for i, v in zip(k, g["value"], strict=True)]}
    band = None if g["exact"] else (g["low"], g["high"])
    how = "exact" if g["exact"] else f"{g['rows']} sequences, pointwise 99 % band"
    caption = f"Information curve: entropy of a masked token when k others are revealed ({how}). {scope}."
    return _chart(lines, "revealed tokens k", "g, nats per token", caption, band=band)


def _chart(
    lines: dict[str, Points], x_name: str, y_name: str, caption: str, log_x=False, log_y=False, band=None
) -> str:
    """Lines with markers and direct labels; nothing is drawn at or below 0 on a log axis."""
    points = [p for line in lines.values() for p in line]
    if not points:
        return ""
    high_y = max(high for *_, high in points) if band is None else max(band[1])
    low_y = min(y for _, y, *_ in points) if log_y else 0.0
    x_at, x_ticks = _axis(min(p[0] for p in points), max(p[0] for p in points), log_x, LEFT, WIDTH - RIGHT)
    y_at, y_ticks = _axis(low_y, high_y, log_y, HEIGHT - BOTTOM, TOP)
    svg = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}' width='{WIDTH}' role='img' "
        f"aria-label='{escape(caption, quote=True)}' font-family='system-ui,sans-serif' font-size='12'>"
    ]
    for value, label in x_ticks:
        svg.append(f"<line x1='{value:.1f}' x2='{value:.1f}' y1='{TOP}' y2='{HEIGHT - BOTTOM}' stroke='#eee'/>")
        svg.append(f"<text x='{value:.1f}' y='{HEIGHT - BOTTOM + 16}' text-anchor='middle'>{label}</text>")
    for value, label in y_ticks:
        svg.append(f"<line x1='{LEFT}' x2='{WIDTH - RIGHT}' y1='{value:.1f}' y2='{value:.1f}' stroke='#eee'/>")
        svg.append(f"<text x='{LEFT - 6}' y='{value + 4:.1f}' text-anchor='end'>{label}</text>")
    if band is not None:
        upper = " ".join(f"{x_at(k):.1f},{y_at(v):.1f}" for k, v in enumerate(band[1]))
        lower = " ".join(f"{x_at(k):.1f},{y_at(max(v, 0.0)):.1f}" for k, v in reversed(list(enumerate(band[0]))))
        svg.append(f"<polygon points='{upper} {lower}' fill='{COLOURS[0]}' opacity='.2'/>")
    free: list[float] = []
    for name, line in sorted(lines.items(), key=lambda item: y_at(item[1][-1][1])):
        number = NAMES.index(name) if name in NAMES else 0
        colour, dash = COLOURS[number], DASHES[number]
        path = " ".join(f"{x_at(x):.1f},{y_at(y):.1f}" for x, y, *_ in line)
        svg.append(
            f"<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='2' stroke-dasharray='{dash}'/>"
        )
        if len(line) <= 12:
            for x, y, low, high in line:
                across, bottom, top = x_at(x), y_at(max(low, low_y)), y_at(high)
                svg.append(f"<circle cx='{across:.1f}' cy='{y_at(y):.1f}' r='3' fill='{colour}'/>")
                ends = f"x1='{across:.1f}' x2='{across:.1f}' y1='{bottom:.1f}' y2='{top:.1f}'"
                svg.append(f"<line {ends} stroke='{colour}'/>")
        height = max([y_at(line[-1][1]), *(other + 14 for other in free)])
        free.append(height)
        svg.append(f"<text x='{WIDTH - RIGHT + 8}' y='{height + 4:.1f}' fill='{colour}'>{escape(name)}</text>")
    svg.append(f"<text x='{(LEFT + WIDTH - RIGHT) / 2}' y='{HEIGHT - 6}' text-anchor='middle'>{escape(x_name)}</text>")
    svg.append(f"<text x='{LEFT - 50}' y='{TOP - 12}'>{escape(y_name)}</text></svg>")
    return "<figure>" + "".join(svg) + f"<figcaption>{escape(caption)}</figcaption></figure>"


def _axis(low: float, high: float, log: bool, start: float, end: float):
    """(value -> coordinate, [(coordinate, label)])."""
    if log:
        low, high = (low, high) if high > low else (low / 2, high * 2)
        span = log10(high / low)

        def at(value: float) -> float:
            return start + (end - start) * log10(value / low) / span

        marks = [m * 10.0**e for e in range(floor(log10(low)), floor(log10(high)) + 1) for m in (1, 2, 5)]
        marks = [m for m in marks if low <= m * (1 + 1e-12) and m <= high * (1 + 1e-12)]
        return at, [(at(m), f"{m:g}") for m in marks]
    high = high if high > low else low + 1.0
    step = 10.0 ** floor(log10((high - low) / 2))
    step *= 2 if (high - low) / step > 8 else 1
    marks = [k * step for k in range(int(low / step), int(high / step) + 1)]

    def at(value: float) -> float:
        return start + (end - start) * (value - low) / (high - low)

    return at, [(at(m), f"{m:g}") for m in marks]
