"""Figures: the engine (registry, save, layout, drift) and the draw functions of the topics."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STYLE = Path(__file__).with_name("mdm.mplstyle")
