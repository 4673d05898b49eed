"""Checks of the decoding claims, one module for each subject."""
