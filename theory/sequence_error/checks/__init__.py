"""Checks of the sequence-error claims, one module per subject."""
