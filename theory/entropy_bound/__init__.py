"""Entropy-bounded unmasking: derivation, claims, experiments, checks and figures."""
