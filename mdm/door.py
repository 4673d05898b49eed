"""What every subcommand does alike: one line and exit 2 for bad input, the extra to install, JSON alone on stdout."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
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


def bars_on_terminals_only() -> None:
    """No progress bar of anything below where stderr is no terminal."""
    if not sys.stderr.isatty():
        os.environ["TQDM_DISABLE"] = "1"


def require_folder(out: Path | None) -> None:
    """Refuse before the work what could not be written after it."""
    if out is not None and out.exists() and not out.is_dir():
        raise ValueError(f"--out {out} is a file, it must be a folder")


def write_files(out: Path, files: Mapping[str, str]) -> None:
    """{name: text} into the folder, each written aside and renamed."""
    from toy_models.files import write_aside

    out.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        write_aside(out / name, lambda path, text=text: path.write_text(text, encoding="utf-8"))


def answer(command: str, report: dict, table: Callable[[dict], str], as_json: bool, out: Path | None) -> None:
    """The report as JSON and nothing else, or as a table and what was written."""
    if as_json:
        print_json(report)
        return
    typer.echo(table(report))
    if out is not None:
        typer.echo(f"Written: {out}/{command}.json, {command}.csv, {command}.html")


def print_json(value: object) -> None:
    typer.echo(as_text(value))


def as_text(value: object) -> str:
    return json.dumps(value, indent=1, allow_nan=False)
