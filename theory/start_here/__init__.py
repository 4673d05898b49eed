"""The opening notebook: one run of a sampler, one exact law, and the map of the claims."""
