"""Trained networks: derivation, claims, experiments, checks and figures."""
