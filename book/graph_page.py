"""Which claim rests on which: claims on one line each, arcs between them, every name a link."""

from collections.abc import Mapping
from html import escape

from book.markdown import title_text
from theory.ledger.claims import Claim
from theory.ledger.report import TITLES
from theory.ledger.statements import statement_of

ROW, HEAD, LEFT, WIDTH = 22, 34, 20, 720  # heights of a line and of a topic's name, where names begin, in pixels


def page(claims: Mapping[str, Claim], found: Mapping[str, dict]) -> str:
    edges = sum(len(claim.uses) for claim in claims.values())
    return "\n\n".join(
        [
            "# The claim graph",
            f"{len(claims)} claims, {edges} uses. An arc joins a claim to one that its proof rests on. Point at a "
            "claim, or reach it with the tabulator key, to see what it rests on (blue) and what rests on it (orange); "
            "a click opens its page. The same relations stand as links on every claim's page.",
            f'<div class="wide">{drawing(claims, found)}</div>',
        ]
    )


def drawing(claims: Mapping[str, Claim], found: Mapping[str, dict]) -> str:
    """The SVG; static/book.js marks the arcs of the claim that is pointed at."""
    place, parts, y, topic = {}, [], 0, ""
    for claim in claims.values():
        if claim.topic != topic:
            topic = claim.topic
            y += HEAD
            parts.append(f'<text class="topic" x="0" y="{y - 8}">{escape(TITLES[topic])}</text>')
        place[claim.id] = y + ROW // 2
        y += ROW
    arcs, names, ends = [], [], {}
    for claim in claims.values():
        block = statement_of(claim.topic, claim.id)
        title = escape(title_text(block.title) if block else claim.id)
        kind = found[claim.id]["verdict"].replace(",", "").replace(" ", "-")
        ends[claim.id] = LEFT + 8 + 7.3 * len(claim.id)
        names.append(
            f'<a href="claims/{claim.id}.html" id="{claim.id}" data-uses="{" ".join(claim.uses)}">'
            f"<title>{title} ({found[claim.id]['shown']})</title>"
            f'<circle class="{kind}" cx="{LEFT - 10}" cy="{place[claim.id]}" r="5"/>'
            f'<text x="{LEFT}" y="{place[claim.id] + 4}">{claim.id}</text></a>'
        )
    column = max(ends.values()) + 6
    for claim in claims.values():
        for used in claim.uses:
            a, b = place[claim.id], place[used]
            reach = min(column + 20 + abs(a - b) * 0.22, 1.32 * WIDTH - 0.32 * column)  # a quarter of it is drawn less
            bow = f"C{reach:.0f},{a} {reach:.0f},{b} {column:.0f},{b}"
            path = f"M{ends[claim.id]:.0f},{a} H{column:.0f} {bow} H{ends[used]:.0f}"
            arcs.append(f'<path d="{path}" data-from="{claim.id}" data-to="{used}"/>')
    label = "The claims by topic; arcs join a claim to those that its proof rests on."
    size = f'width="{WIDTH}" height="{y + 10}" viewBox="0 0 {WIDTH} {y + 10}"'
    return (
        f'<svg id="graph" role="group" aria-label="{label}" {size}>'
        f'{"".join(parts)}<g class="arcs">{"".join(arcs)}</g>{"".join(names)}</svg>'
    )
