"""The command `mdm`: each subcommand parses, calls the library and prints."""

import sys

import typer
from typer.exceptions import TyperException

from mdm.audit import audit
from mdm.ledger import claim, verify
from mdm.listing import listing
from mdm.network import network
from mdm.notebook import run
from mdm.steps import steps

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.callback()
def mdm() -> None:
    """What masked diffusion samplers cost, measured against exactly known languages."""


app.command("audit")(audit)
app.command("steps")(steps)
app.command("network")(network)
app.command("run")(run)
app.command("verify")(verify)
app.command("claim")(claim)
app.command("list")(listing)


def main() -> None:
    """Exit with the command's code; an option or argument that is not allowed is one line on stderr and exit 2."""
    try:
        sys.exit(app(standalone_mode=False))
    except typer.Abort:
        sys.exit(1)
    except TyperException as problem:
        where = getattr(getattr(problem, "ctx", None), "command_path", "mdm")
        if len(sys.argv) > 1:
            told = " ".join(problem.format_message().split()).rstrip(".")
            typer.echo(f"{where}: {told}; see {where} --help", err=True)
        else:
            typer.echo(problem.format_message(), err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
