"""`mdm run`: a notebook with parameters, as `python -m notebooks.run` does."""

import sys
from typing import Annotated

import typer

from mdm.door import AsJson, bad_input, print_json, require


def run(
    notebook: Annotated[str, typer.Argument(help="a name of `mdm list notebooks`")],
    parameters: Annotated[
        list[str] | None, typer.Option("-p", metavar="NAME VALUE", help="set a parameter; may be given several times")
    ] = None,
    values: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    as_json: AsJson = False,
) -> None:
    """Execute a notebook; its copy goes to build/notebooks, its figures to its out_dir."""
    require("run", "papermill", "matplotlib")
    with bad_input("run"):
        from notebooks.run import once
        from notebooks.run import run as execute

        given = pairs(notebook, parameters or [], values or [])
        path = execute(notebook, once(notebook, given), progress=sys.stderr.isatty() and not as_json)
    if as_json:
        print_json({"notebook": notebook, "executed": str(path), "parameters": dict(given)})
    else:
        typer.echo(str(path))


def pairs(notebook: str, names: list[str], values: list[str]) -> list[list[str]]:
    """-p NAME VALUE, -p NAME VALUE: each name with the value that follows it; -p NAME=VALUE is understood too."""
    left, found = list(values), []
    for name in names:
        key, equals, value = name.partition("=")
        if not equals:
            if not left:
                raise ValueError(f"{notebook}: -p {name} has no value, its form is -p NAME VALUE")
            value = left.pop(0)
        found.append([key, value])
    if left:
        raise ValueError(f"{notebook}: {left[0]!r} belongs to no parameter, the form is -p NAME VALUE")
    return found
