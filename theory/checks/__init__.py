"""The registered functions of the claims: one package per topic, one module per subject."""
