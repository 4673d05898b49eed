"""The engine behind the figures: registry, layout, save, drift. Draw functions lie in theory/<topic>/figures*.py."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STYLE = Path(__file__).with_name("mdm.mplstyle")
