"""Compiled recursions behind the targets: masked marginals, ancestral samples, stationary laws."""
