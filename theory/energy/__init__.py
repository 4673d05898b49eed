"""Energy: derivation, claims, experiments, checks and figures."""
