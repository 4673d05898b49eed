"""Sequence error: derivation, claims, experiments, checks and figures."""
