"""`mdm claim` and `mdm verify`: the ledger of claims; thin doors to theory.ledger and to `python -m theory`."""

import io
import json
from contextlib import redirect_stdout
from typing import Annotated

import typer

from mdm.door import AsJson, bad_input, print_json, refuse

Option = typer.Option


def claim(
    name: Annotated[str, typer.Argument(metavar="ID", help="a claim of `mdm list claims`")],
    check: Annotated[bool, Option("--run", help="run its checks on small instances and show what each found")] = False,
    as_json: AsJson = False,
) -> None:
    """One claim: statement, source, prior, verdict, its false neighbours, where the proof is."""
    with bad_input("claim"):
        found = told(name, check)
    if as_json:
        print_json(found)
        return
    source = ", ".join(dict.fromkeys(filter(None, (found["source"], found["where"], found["form"]))))
    parts = [f"{found['id']}: {found['title']}", "", found["statement"], "", f"Source   {source}"]
    parts += [
        f"Prior    {found['prior']}",
        f"Verdict  {found['verdict']} ({found['tier']})",
        f"Proof    {found['proof']}",
    ]
    if found["quotation"]:
        parts.append(f"Printed  {found['quotation']} ({found['version']})")
    parts += [f"Notebook {found['notebook']}", "", "What is run"]
    for entry in found["functions"]:
        parts.append(f"  {entry['role']:<12} {entry['name']}: {entry['says']}")
        if "result" in entry:
            margin = "" if entry["margin"] is None else f", margin {entry['margin']:.4g}"
            parts.append(f"  {'':<12} -> {entry['result']}{margin}{', ' if entry['note'] else ''}{entry['note']}")
    typer.echo("\n".join(parts))


def told(name: str, check: bool) -> dict:
    """The claim as plain values. ValueError for an unknown id, or a topic whose packages are missing."""
    from theory.ledger import THEORY
    from theory.ledger.claims import OURS, load_claims, notebook_of
    from theory.ledger.references import references
    from theory.ledger.registry import REGISTRY
    from theory.ledger.run import load_topic, run_topic
    from theory.ledger.statements import page_of, statement_of

    claims = load_claims()
    if name not in claims:
        near = [other for other in claims if name in other or other in name]
        raise ValueError(f"no claim {name!r}; {'near: ' + ', '.join(near) if near else 'see `mdm list claims`'}")
    item = claims[name]
    block = statement_of(item.topic, name)
    committed = json.loads((THEORY / "verdicts.json").read_text(encoding="utf-8")).get(name, {})
    try:
        load_topic(item.topic)
        line = run_topic(item.topic, "smoke", only=name)[0] if check else None
    except ModuleNotFoundError as problem:
        raise ValueError(f"{problem.name} is not installed; pip install 'masked-diffusion-theory[all]'") from None
    outcomes = {} if line is None else {r.entry.function.__name__: r for r in line.ran}
    functions = []
    for entry in REGISTRY.of(name):
        doc = " ".join((entry.function.__doc__ or "").split())
        row = {"role": entry.role, "name": entry.function.__name__, "says": doc}
        if entry.function.__name__ in outcomes:
            ran = outcomes[entry.function.__name__]
            row |= {
                "result": ran.outcome.result if ran.outcome else f"raised {ran.error}",
                "margin": ran.outcome.margin if ran.outcome else None,
                "note": ran.outcome.note if ran.outcome else "",
            }
        functions.append(row)
    return {
        "id": name,
        "topic": item.topic,
        "title": block.title if block else "",
        "statement": block.text if block else "",
        "source": OURS if item.paper == OURS else str(references().get(item.paper, item.paper)),
        "where": item.where,
        "form": item.form,
        "prior": item.prior,
        "uses": list(item.uses),
        "quotation": item.quotation,
        "version": item.version,
        "verdict": (line.verdict if line else None) or committed.get("verdict", "not run yet"),
        "tier": (line.tier if line else None) or committed.get("tier", "-"),
        "proof": f"theory/{page_of(item.topic)}#{name}",
        "notebook": notebook_of(item.topic),
        "functions": functions,
    }


def verify(
    fast: Annotated[bool, Option("--fast", help="small instances, nothing written")] = False,
    topic: Annotated[str | None, Option(help="the claims of one topic")] = None,
    claim: Annotated[str | None, Option(help="one claim")] = None,
    accept: Annotated[list[str] | None, Option(help="statement and check of this claim were read together")] = None,
    compare: Annotated[bool, Option("--compare", help="compare with the committed verdicts, write nothing")] = False,
    as_json: AsJson = False,
) -> None:
    """Run the claims, as `python -m theory` does. Exits 1 when a line is red."""
    import theory.__main__ as ledger

    arguments = ["--fast"] * fast + ["--compare"] * compare
    arguments += ["--topic", topic] if topic else []
    arguments += ["--claim", claim] if claim else []
    arguments += ["--accept", *accept] if accept else []
    said = io.StringIO()
    try:
        if as_json:
            with redirect_stdout(said):
                code = ledger.main(arguments)
        else:
            code = ledger.main(arguments)
    except ModuleNotFoundError as problem:
        refuse("verify", f"{problem.name} is not installed; pip install 'masked-diffusion-theory[all]'")
    if as_json and code != 2:
        print_json({"exit": code, "lines": said.getvalue().splitlines()})
    raise typer.Exit(code)
