"""Figures of the pages as inline SVG: lines, intervals, a band; nothing is loaded."""

from collections.abc import Sequence
from html import escape
from math import floor, log10

WIDTH, HEIGHT = 560, 320
LEFT, RIGHT, TOP, BOTTOM = 64, 150, 30, 44
COLOURS = ("#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59")
DASHES = ("", "6 3", "2 3", "8 3 2 3", "1 4", "10 4")
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;margin:1rem 0}"
    "td,th{padding:.2rem .6rem;border-bottom:1px solid #ddd;text-align:right}"
    "td:first-child,th:first-child{text-align:left}code{font-size:.85em;word-break:break-all}"
    "dt{font-weight:600;margin-top:1rem}figure{margin:1rem 0}figcaption{font-size:.9em;color:#444}"
)

Points = list[tuple[float, float, float, float]]  # x, y and its interval


def chart(
    lines: dict[str, Points],
    x_name: str,
    y_name: str,
    caption: str,
    names: Sequence[str],
    log_x=False,
    log_y=False,
    band=None,
) -> str:
    """Lines with markers and direct labels, the look of each by its place in `names`; nothing <= 0 on a log axis."""
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
        number = names.index(name) % len(COLOURS) if name in names else 0
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
