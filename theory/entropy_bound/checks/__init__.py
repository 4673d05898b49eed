"""Checks of the claims on entropy-bounded unmasking, one module per subject.

Rational instances are decided exactly (toy_models.exact.trajectories); claims about whole sweeps read the Results.
"""
