"""Training variance: derivation, claims, experiments, checks and figures."""
