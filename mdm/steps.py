"""`mdm steps`: what N calls cost on the language of a text."""

from pathlib import Path
from typing import Annotated

import typer

from mdm.door import AsJson, answer, bad_input, bars_on_terminals_only, require_folder

Alphabet = Annotated[str | None, typer.Option(help="letters, bytes, words or tokens; default letters, tokens for .npy")]


def steps(
    text: Annotated[str, typer.Argument(help="a UTF-8 text (at most 64 MiB) or a .npy array of tokens")],
    length: Annotated[int, typer.Option(help="L, tokens of one written text")] = 64,
    steps: Annotated[str, typer.Option(help="numbers of calls N, each at most L")] = "4,8,16,32",
    alphabet: Alphabet = None,
    words: Annotated[int, typer.Option(help="V of the alphabet words: the most frequent, and one for the rest")] = 256,
    lines: Annotated[bool, typer.Option("--lines", help="each line of the text is a sequence of its own")] = False,
    order: Annotated[
        int | None,
        typer.Option(
            help="n of the n-gram, 1..5; default by held-out likelihood where V^n L <= 2^21 (letters: up to 3)"
        ),
    ] = None,
    states: Annotated[int | None, typer.Option(help="fit a hidden Markov model with this many states instead")] = None,
    rows: Annotated[int, typer.Option(help="sequences behind an estimated curve")] = 48,
    excess: Annotated[float, typer.Option(help="wished excess, nats per token")] = 0.01,
    ser: Annotated[float, typer.Option(help="wished sequence error, a share")] = 0.1,
    out: Annotated[Path | None, typer.Option(help="folder for steps.json, steps.csv and steps.html")] = None,
    as_json: AsJson = False,
    seed: Annotated[int, typer.Option(help="of everything that is sampled")] = 0,
) -> None:
    """What N calls cost on the language of a text: excess nats per token and sequence error of the usual schedules."""
    bars_on_terminals_only()
    with bad_input("steps"):
        from mdm.steps_report import table, told, write

        require_folder(out)
        try:
            report = told(text, length, steps, alphabet, words, lines, order, states, rows, excess, ser, seed)
        except MemoryError:
            raise ValueError("out of memory; lower --length, --order or --rows") from None
        if out is not None:
            write(report, out)
    answer("steps", report, table, as_json, out)
