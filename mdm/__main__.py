"""The command `mdm`: each subcommand parses, calls the library and prints."""

import typer

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
    app()


if __name__ == "__main__":
    main()
