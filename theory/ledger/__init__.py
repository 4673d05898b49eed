"""The claims ledger: registered checks, statements, sources, links, verdicts and how they are told."""

from pathlib import Path

THEORY = Path(__file__).resolve().parent.parent
