"""Figures: pure functions Results -> Figure (<topic>.py) and the one place that writes them (save.py)."""

from pathlib import Path

STYLE = Path(__file__).with_name("mdm.mplstyle")
