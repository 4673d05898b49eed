"""Checks of the perplexity claims, one module per subject."""
