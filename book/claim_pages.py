"""One page for each claim, from where its facts stand: block, claims.toml, references.bib, outcomes, checks."""

import inspect
import re
from collections.abc import Mapping
from html import escape
from pathlib import Path

from book import ROOT
from book.bibtex import entry, of_claim
from book.derivation_pages import chip
from book.markdown import displays, plain_text, references, title_text
from book.material import Figure
from theory.formal.statements import statements as proofs
from theory.ledger.claims import OURS, Claim, notebook_of
from theory.ledger.figures import figures_of, why_no_figure
from theory.ledger.references import references as sources
from theory.ledger.registry import REGISTRY, Registered
from theory.ledger.statements import Statement, statement_of

INSTANCES = {"smoke": "small instances", "full": "all instances"}
TOLD = {
    "check": "the statement",
    "construction": "the construction",
    "condition": "with the condition",
    "correction": "what is true instead",
    "sharper": "the stronger form",
    "definition": "the definition",
    "tightness": "tightness",
}
ELSEWHERE = ("control", "formal")  # these have sections of their own


def page(
    claim: Claim,
    claims: Mapping[str, Claim],
    found: Mapping[str, dict],
    figures: Mapping[str, Figure],
) -> str:
    """The page of one claim, claims/ID.md."""
    block = statement_of(claim.topic, claim.id)
    assert block is not None
    told = found[claim.id]
    parts = [
        "---\norphan: true\n---",
        f"# {block.title}",
        f'<p class="told">{chip(found, claim.id, "../")} <code>{claim.id}</code> '
        f'<a href="../topics/{claim.topic}.html">{claim.topic.replace("_", " ")}</a></p>',
        _statement(block, claims),
        _source(claim),
        _ways(claim, claims),
        "## What was computed",
        _numbers(told),
        _checks(claim, told),
        "## Controls: false neighbours that were rejected",
        _controls(told),
        _formal(claim),
        "## Figures",
        _figures(claim, figures),
        "## The code of the check",
        *(_code(entry_) for entry_ in REGISTRY.of(claim.id) if inspect.isroutine(entry_.function)),
        "## Cite",
        _cite(claim, block),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def link_to_page(claim: Claim) -> str:
    """A reference to another claim's page by its title."""
    block = statement_of(claim.topic, claim.id)
    return f"[{title_text(block.title) if block else claim.id}]({claim.id}.md)"


def link_from_elsewhere(claim: Claim) -> str:
    """The same from a page one folder below the root."""
    return link_to_page(claim).replace("](", "](../claims/")


def _statement(block: Statement, claims: Mapping[str, Claim]) -> str:
    text = displays(references(block.text, claims, link_to_page))
    return f"::::::{{admonition}} {block.kind.capitalize()}\n:class: statement\n\n{text}\n::::::"


def _source(claim: Claim) -> str:
    """Paper, place, form and quotation; the nearest earlier result."""
    if claim.paper == OURS:
        where = f"Ours: {claim.where}." if claim.where else "Ours."
    else:
        paper = sources()[claim.paper]
        where = f"[{paper}](../sources.md#{claim.paper.lower()}), {claim.where}; {claim.form}."
    lines = [f"**Source.** {where}"]
    if claim.quotation:
        version = f" ({claim.version})" if claim.version else ""
        lines.append(f"> As printed{version}: {claim.quotation}")
    return "\n\n".join([*lines, f"**Prior.** {claim.prior}."])


def _ways(claim: Claim, claims: Mapping[str, Claim]) -> str:
    """The proof, the notebook, what the claim rests on and what rests on it."""
    notebook = notebook_of(claim.topic)
    lines = [f'**Proof.** <a href="../theory/{claim.topic}/derivation.html#{claim.id}">In the derivation</a>.']
    if notebook:
        lines[0] += f" Notebook: [{notebook}](../notebooks/{notebook}.ipynb)."
    users = [other for other in claims.values() if claim.id in other.uses]
    for name, those in (("Rests on", [claims[used] for used in claim.uses]), ("Used by", users)):
        if those:
            lines.append(f"**{name}.** " + ", ".join(link_to_page(other) for other in those) + ".")
    return "\n\n".join(lines)


def _numbers(told: dict) -> str:
    rows = [
        ("Verdict", told["shown"]),
        ("Tier", told["tier"]),
        ("Margin", told["margin"] or "none is stated"),
        ("Instances", f"{told['instances']} ({INSTANCES[told['profile']]})"),
        ("Found", told["note"]),
    ]
    cells = "".join(f"<tr><th>{name}</th><td>{escape(str(value))}</td></tr>" for name, value in rows if value)
    return f'<table class="facts">{cells}</table>'


def _checks(claim: Claim, told: dict) -> str:
    """A row for each function but the controls, and why no tightness is claimed."""
    rows = [_row(claim, ran, TOLD[ran["role"]]) for ran in told["ran"] if ran["role"] not in ELSEWHERE]
    reason = REGISTRY.not_tight.get(claim.id)
    note = f"\n\nNo tightness is claimed: {plain_text(reason)}." if reason else ""
    return _table(("", "decides", "result", "found"), rows, "checks") + note


def _controls(told: dict) -> str:
    rows = [_row(None, ran, "") for ran in told["ran"] if ran["role"] == "control"]
    return _table(("the neighbour", "result", "numbers"), [row[1:] for row in rows], "controls")


def _formal(claim: Claim) -> str:
    """The Coq theorem and what of the words it covers; its changed statements stand among the controls."""
    proof = proofs().get(claim.id)
    if proof is None:
        return ""
    parts = ["## Proved by machine", f"Coq accepts the proof in `theory/formal/{proof.file}`. Covers: {proof.covers}"]
    if proof.leaves_out:
        parts[1] += f" Left out: {proof.leaves_out}"
    parts += [f"```coq\n{statement}\n```" for statement in proof.theorems.values()]
    return "\n\n".join(parts)


def _row(claim: Claim | None, ran: dict, role: str) -> tuple[str, ...]:
    """Role, what it decides, result with tier and instances, numbers."""
    instances = f"{ran['instances']} instance{'s' * (ran['instances'] != 1)}"
    counted = f"{ran['result']}<br><small>{ran['tier']}, {instances}</small>"
    numbers = [escape(ran["note"])] if ran["note"] else []
    numbers += [f"margin {escape(ran['margin'])}"] if ran["margin"] else []
    told = re.sub("`([^`]+)`", r"<code>\1</code>", escape(decides(ran["function"])))
    return role, told, counted, "<br>".join(numbers) or "–"


def decides(name: str) -> str:
    """What a registered function says that it decides."""
    for entry_ in REGISTRY.entries:
        if entry_.function.__name__ == name:
            return " ".join((entry_.function.__doc__ or "").split())
    return name.replace("_", " ")


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]], name: str) -> str:
    head = "".join(f"<th>{name}</th>" for name in heads)
    body = "\n".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    table = f"<thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody>"
    return f'<div class="wide"><table class="ran {name}">{table}</table></div>'


def _figures(claim: Claim, figures: Mapping[str, Figure]) -> str:
    names = [name for name in figures_of(claim.id) if name in figures]
    if names:
        return "\n".join(figures[name].html("../", links=False) for name in names)
    return f"No figure shows it: {plain_text(why_no_figure(claim.id) or 'none was drawn in this batch')}."


def _code(function: Registered) -> str:
    """The source of a registered function, folded."""
    lines, start = inspect.getsourcelines(function.function)
    path = Path(inspect.getfile(function.function)).resolve().relative_to(ROOT).as_posix()
    name = f"{function.role}: {function.function.__name__}"
    return (
        f'<details class="code"><summary>{escape(name)} <small>{path}:{start}</small></summary>\n\n'
        f"```python\n{''.join(lines).rstrip()}\n```\n\n</details>"
    )


def _cite(claim: Claim, block: Statement) -> str:
    """How to cite the claim, and its source."""
    parts = [
        f"This page stays at `claims/{claim.id}.html`; the name of the claim, `{claim.id}`, does not change.",
        f"```bibtex\n{of_claim(claim, block)}\n```",
    ]
    if claim.paper != OURS:
        parts += ["Its source:", f"```bibtex\n{entry(claim.paper)}\n```"]
    return "\n\n".join(parts)
