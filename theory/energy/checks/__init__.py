"""Checks of the energy claims, one module per subject."""
