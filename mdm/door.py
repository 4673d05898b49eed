"""What every subcommand does alike: one line and exit 2 for bad input, the extra to install, JSON alone on stdout."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Annotated, NoReturn

import typer

EXTRAS = {"torch": "networks", "papermill": "notebooks", "sympy": "notebooks", "matplotlib": "notebooks"}
AsJson = Annotated[bool, typer.Option("--json", help="one JSON object on stdout and nothing else")]


def refuse(command: str, problem: object) -> NoReturn:
    """One line on stderr, exit 2."""
    typer.echo(f"mdm {command}: {' '.join(str(problem).split())}", err=True)
    raise typer.Exit(2)


def require(command: str, *modules: str) -> None:
    """Refuse with the extra to install where one of the modules is missing."""
    for module in modules:
        if find_spec(module) is None:
            refuse(
                command,
                f"{module} is not installed; pip install 'masked-diffusion-theory[{EXTRAS[module]}]'",
            )


@contextmanager
def bad_input(command: str) -> Iterator[None]:
    """ValueError, TypeError, OSError and RuntimeError (torch's for too much memory) as one line."""
    try:
        yield
    except (ValueError, TypeError, OSError, RuntimeError) as problem:
        refuse(command, problem)
    except MemoryError:
        refuse(command, "out of memory; lower --size or --length")


def print_json(value: object) -> None:
    typer.echo(json.dumps(value, indent=1, allow_nan=False))
