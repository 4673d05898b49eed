"""Energies of schedules, the great circle, and the rates of a probability path."""
