"""The audit as one self-contained HTML page: verdict, numbers, an inline figure; nothing is loaded."""

import math
from html import escape

from mdm.audit import estimates
from toy_models.audit.report import Audit, p_text

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;margin:1rem 0}"
    "td,th{padding:.2rem .7rem;border-bottom:1px solid #ddd;text-align:right}"
    "td:first-child,th:first-child{text-align:left}"
    ".verdict{font-weight:600;border-left:.3rem solid #888;padding-left:.8rem}"
    ".wrong{border-color:#bd1f01}.exact{border-color:#3f90da}figcaption{font-size:.9em;color:#444}"
)
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 620, 300, 60, 44, 20, 150
COLOURS = ("#3f90da", "#ffa90e", "#832db6", "#94a4a2", "#a96b59")


def page(found: Audit, title: str) -> str:
    """A complete page."""
    kind = "exact" if found.exact else "wrong"
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width,initial-scale=1'>",
        f"<title>Audit: {escape(title)}</title><style>{STYLE}</style></head><body>",
        f"<h1>Audit of {escape(title)}</h1>",
        f"<p class='verdict {kind}'>{escape(found.verdict)}</p>",
        f"<p>{found.size} texts of {found.length} letters, alphabet of {found.vocab_size}, confidence "
        f"{found.confidence:g}. An interval holds at that confidence; the verdict accuses an exact sampler with "
        f"probability at most {1 - found.confidence:.3g}. Nats per text.</p>",
        "<table><tr><th></th><th>value</th><th>low</th><th>high</th></tr>",
        *(_row(name, estimate.value, estimate.low, estimate.high) for name, estimate in estimates(found)),
        f"<tr><td>entropy of the language</td><td>{_number(found.language_entropy)}</td><td></td><td></td></tr>",
        "</table>",
    ]
    if found.rule is not None and found.rule_comparison is not None:
        fits = "does not fit" if found.rule_comparison.differs else "fits"
        parts.append(f"<p>Declared rule <code>{escape(found.rule)}</code>: {fits}.</p>")
    if found.comparison.differences:
        parts += ["<h2>Where it differs</h2>", _differences(found)]
    if found.split:
        parts += [
            "<h2>Why, as far as the calls tell</h2><ul>",
            *(f"<li>{escape(r)}</li>" for r in found.split),
            "</ul>",
        ]
    if found.excess:
        parts += [
            "<h2>The bias in nats</h2><p>E[&minus;log q] &minus; H(q) of the texts that the language allows, in parts "
            "that add up. A negative part makes texts likelier than the language's own, not better.</p>",
            "<table><tr><th>part</th><th>value</th><th>low</th><th>high</th></tr>",
            *(_row(name, part.value, part.low, part.high) for name, part in found.excess),
            "</table>",
        ]
    if found.baselines:
        parts += ["<h2>Where it stands</h2>", _figure(found), _baselines(found)]
    return "\n".join([*parts, "</body></html>\n"])


def _row(name: str, *values) -> str:
    return f"<tr><td>{escape(name)}</td>" + "".join(f"<td>{_number(v)}</td>" for v in values) + "</tr>"


def _number(value) -> str:
    return f"{float(value):.4g}".replace("inf", "∞")


def _differences(found: Audit) -> str:
    rows = ["<table><tr><th>event</th><th>written</th><th>interval</th><th>language</th><th>p</th></tr>"]
    for d in found.comparison.differences[:10]:
        low, high = d.promised
        due = _number(low) if low == high else f"{_number(low)} to {_number(high)}"
        rows.append(
            f"<tr><td>{escape(d.event)}</td><td>{_number(d.measured)}</td>"
            f"<td>{_number(d.low)} to {_number(d.high)}</td><td>{due}</td><td>{escape(p_text(d.p_value))}</td></tr>"
        )
    return "\n".join([*rows, "</table>"])


def _baselines(found: Audit) -> str:
    rows = ["<table><tr><th>exact marginals</th><th>calls</th><th>KL</th><th>regret, low</th><th>high</th></tr>"]
    for b in found.baselines:
        name = b.name + (" (upper bound)" if b.bound else "")
        rows.append(_row(name, b.calls, b.kl, *found.regret(b)))
    return "\n".join([*rows, "</table>"])


def _figure(found: Audit) -> str:
    """KL against calls: the sampler with its interval, the baselines as points."""
    here = float(found.useful_calls.value)
    low, value = float(found.kl.low), float(found.kl.value)
    high = float(found.kl.high) if math.isfinite(float(found.kl.high)) else None
    most_calls = max([here, *(b.calls for b in found.baselines)]) * 1.1
    most_kl = max([value, low, high or 0.0, *(b.kl for b in found.baselines), 1e-3]) * 1.15

    def x(calls: float) -> float:
        return LEFT + calls / most_calls * (WIDTH - LEFT - RIGHT)

    def y(kl: float) -> float:
        return HEIGHT - BOTTOM - max(kl, 0.0) / most_kl * (HEIGHT - BOTTOM - TOP)

    top = TOP if high is None else y(high)
    marks = [
        f"<path d='M{x(here):.1f} {y(low):.1f}V{top:.1f}' stroke='#bd1f01' stroke-width='3'/>",
        f"<circle cx='{x(here):.1f}' cy='{y(value):.1f}' r='5' fill='#bd1f01'/>",
        _label(WIDTH - RIGHT + 12, TOP + 12, "this sampler", "#bd1f01"),
    ]
    for k, b in enumerate(found.baselines):
        colour = COLOURS[k % len(COLOURS)]
        marks.append(f"<rect x='{x(b.calls) - 4:.1f}' y='{y(b.kl) - 4:.1f}' width='8' height='8' fill='{colour}'/>")
        marks.append(_label(WIDTH - RIGHT + 12, TOP + 32 + 20 * k, b.name, colour))
    axes = (
        f"<path d='M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}' fill='none' stroke='#444'/>"
        f"<text x='{LEFT - 6}' y='{HEIGHT - BOTTOM}' text-anchor='end'>0</text>"
        f"<text x='{LEFT - 6}' y='{TOP + 10}' text-anchor='end'>{most_kl:.2g}</text>"
        f"<text x='{WIDTH - RIGHT}' y='{HEIGHT - BOTTOM + 18}' text-anchor='end'>{most_calls:.2g}</text>"
        f"<text x='{(LEFT + WIDTH - RIGHT) / 2}' y='{HEIGHT - 8}' text-anchor='middle'>calls per text</text>"
        f"<text x='{LEFT + 6}' y='{TOP + 4}'>KL in nats</text>"
    )
    caption = "The line is the interval of the sampler's KL; it runs to the top where no upper end is known."
    return (
        f"<figure><svg viewBox='0 0 {WIDTH} {HEIGHT}' width='{WIDTH}' font-size='13' role='img' "
        f"aria-label='KL against calls per text'>{axes}{''.join(marks)}</svg>"
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _label(x: float, y: float, text: str, colour: str) -> str:
    return f"<text x='{x}' y='{y}' fill='{colour}'>{escape(text)}</text>"
