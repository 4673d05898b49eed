"""The samplers people run: what they write when the network is exact."""
