"""Checks of the any-process claims, one module per subject."""
