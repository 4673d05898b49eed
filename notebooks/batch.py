"""make figures: all notebooks in one batch graph (batch/Snakefile), parameters checked before the first one starts.

    python -m notebooks.batch --profile smoke --out build/mine --corpus my.txt --cores 2

One batch at a time writes into a folder. It owns OUT/.runs/owner through a lock that the kernel drops when the process
ends, so after a kill or a power loss the next batch goes on where that one stopped; a live one is named and left alone.
Arguments after `--` go to snakemake.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from notebooks.run import ParameterError, checked_parameters, declared_parameters, notebook_names, source
from toy_models.files import ROOT, hold, in_checkout

SHARED = ("profile", "seed", "device", "out_dir", "corpus")


def given_to(declared, values: dict[str, str]) -> dict[str, str]:
    """The values that a notebook with these declared parameters takes; empty ones keep the notebook's default."""
    return {name: value for name, value in values.items() if value and name in declared}


def check(values: dict[str, str]) -> None:
    """ParameterError when a notebook refuses its part of `values`; a text is read once for all of them."""
    for name in notebook_names():
        mine = given_to(declared_parameters(source(name)), values)
        checked_parameters(source(name), mine)
        if "corpus" in mine:
            values = values | {"corpus": ""}


def own(folder: Path) -> int:
    """The lock on the output folder, which names this process; ParameterError names the live owner."""
    path = folder / ".runs" / "owner"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = hold(path)
    if lock is None:
        owner = path.read_text().strip() or "another"
        raise ParameterError(f"out_dir = {str(folder)!r} is being written by process {owner}; wait for it or stop it")
    os.ftruncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())
    return lock


def command(values: dict[str, str], cores: int, extra: list[str]) -> list[str]:
    """The call of snakemake, with the values in a file: on its command line 1e3 is a number and [x] a list.

    Its own lock is left out: that one outlives a killed process.
    """
    file = Path(values["out_dir"]) / ".runs" / "values.json"
    file.write_text(json.dumps({name: value for name, value in values.items() if value}, indent=1) + "\n")
    call = [
        sys.executable,
        "-m",
        "snakemake",
        "-s",
        "batch/Snakefile",
        "--directory",
        ".",
        "--nolock",
        "--cores",
        str(cores),
    ]
    return [*call, "--workflow-profile", "batch/profiles/local", *extra, "--configfile", str(file)]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m notebooks.batch", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--profile", default="full", help="smoke or full")
    parser.add_argument("--out", default="figures/out", metavar="FOLDER", dest="out_dir")
    parser.add_argument("--corpus", default="", metavar="FILE", help="a UTF-8 text in place of the shipped English")
    parser.add_argument("--seed", default="")
    parser.add_argument("--device", default="")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("extra", nargs="*", help="arguments of snakemake, after --")
    options = parser.parse_args(arguments)
    values = {name: getattr(options, name) for name in SHARED}
    try:
        if Path.cwd() != ROOT or not in_checkout():
            raise ParameterError("runs in the root of a checkout; elsewhere: python -m notebooks.run NOTEBOOK")
        check(values)
        lock = own(Path(options.out_dir))
    except ValueError as problem:
        print(f"notebooks.batch: {problem}", file=sys.stderr)
        return 2
    os.set_inheritable(lock, True)
    call = command(values, options.cores, options.extra)
    os.execv(call[0], call)  # the same process: it keeps the lock, and its exit status is the batch's


if __name__ == "__main__":
    sys.exit(main())
