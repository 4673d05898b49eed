"""Perplexity: derivation, claims, experiments, checks and figures."""
