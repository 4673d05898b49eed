"""`mdm list`: languages, rules, claims and notebooks by name."""

import json
from typing import Annotated

import typer

from mdm.door import AsJson, bad_input, print_json

KINDS = ("languages", "rules", "claims", "notebooks")


def listing(
    kind: Annotated[str | None, typer.Argument(help=f"{', '.join(KINDS)}; default all of them")] = None,
    as_json: AsJson = False,
) -> None:
    """What there is to name: languages and rules of `mdm audit`, claims, notebooks."""
    with bad_input("list"):
        if kind is not None and kind not in KINDS:
            raise ValueError(f"kind = {kind!r}, allowed: {', '.join(KINDS)}")
        found = {name: table(name) for name in (KINDS if kind is None else (kind,))}
    if as_json:
        print_json(found)
        return
    for name, rows in found.items():
        width = max(map(len, rows), default=0)
        typer.echo("\n".join([name, *(f"  {key:<{width}}  {said}" for key, said in rows.items()), ""]))


def table(kind: str) -> dict[str, str]:
    """{name: one line} of one kind."""
    if kind == "languages":
        from mdm.names import LANGUAGES

        return {name: f"{found.told}; L = {found.length} unless given" for name, found in LANGUAGES.items()}
    if kind == "rules":
        from mdm.names import RULES

        return {form: told for form, (told, _) in RULES.items()}
    if kind == "notebooks":
        from notebooks.run import notebook_names

        return dict.fromkeys(notebook_names(), "")
    from theory.ledger import THEORY
    from theory.ledger.claims import load_claims

    verdicts = json.loads((THEORY / "verdicts.json").read_text(encoding="utf-8"))
    return {
        name: f"{claim.topic}: {verdicts.get(name, {}).get('verdict', 'not run yet')}"
        for name, claim in load_claims().items()
    }
