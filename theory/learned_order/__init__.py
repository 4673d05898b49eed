"""Learned order: derivation, claims, experiments, checks and figures."""
