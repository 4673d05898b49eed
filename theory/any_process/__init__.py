"""Any-process generation: derivation, claims, experiments, checks and figures."""
