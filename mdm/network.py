"""`mdm network`: what a trained network pays on held-out texts under every schedule, and its best sizes."""

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import typer

from mdm.door import AsJson, answer, bad_input, bars_on_terminals_only, require, require_folder

Option = typer.Option


def network(
    make: Annotated[str, typer.Argument(help="module.py:make; make() returns a NetworkDenoiser, or any denoiser")],
    data: Annotated[Path, Option(help="held-out texts, .npy: rows of L tokens, or one long row that is cut")],
    steps: Annotated[str, Option(help="numbers of calls N, each at most L")] = "4,8,16,32",
    rules: Annotated[
        str | None, Option(help="adaptive rules between commas, such as eb:0.1,threshold:0.9; see `mdm list rules`")
    ] = None,
    ids: Annotated[bool, Option("--ids", help="the data hold ids of the network, not letters 0..V-1")] = False,
    rows: Annotated[int, Option(help="at most so many texts behind the curve")] = 64,
    replayed: Annotated[int, Option(help="of them, along which rules and left to right are replayed")] = 16,
    windows: Annotated[int, Option(help="windows of two tokens behind the bound on the learning error")] = 32,
    confidence: Annotated[float, Option(help="of every interval")] = 0.99,
    seed: Annotated[int, Option(help="of the random orders")] = 0,
    out: Annotated[Path | None, Option(help="folder for network.json, network.csv and network.html")] = None,
    as_json: AsJson = False,
) -> None:
    """A network on held-out texts: the bound on -log p of every schedule, best sizes, replayed rules, learning error.

    Needs no truth: the entropy of the texts stays unknown, differences are without it. About rows * L passes of a row.
    """
    require("network", "torch")
    bars_on_terminals_only()
    with bad_input("network"):
        from mdm.network_report import table, told, write

        require_folder(out)
        with redirect_stdout(sys.stderr):  # what the network prints is no part of the report
            try:
                report = told(make, data, steps, rules, ids, rows, replayed, windows, confidence, seed)
            except ModuleNotFoundError as problem:
                raise ValueError(problem) from problem
            except MemoryError:
                raise ValueError("out of memory; lower batch_tokens of the NetworkDenoiser, or --rows") from None
        if out is not None:
            write(report, out)
    answer("network", report, table, as_json, out)
