"""Checks of the training-noise claims, one module per subject."""
