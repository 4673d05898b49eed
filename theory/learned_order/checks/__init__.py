"""Checks of the learned-order claims, one module per subject."""
