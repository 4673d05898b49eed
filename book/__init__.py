"""The book: derivations, executed notebooks, the ledger and one page for each claim, as a site without a server."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BOOK = Path(__file__).resolve().parent


class BookError(ValueError):
    """The book cannot be built; each line of the message names a place."""
