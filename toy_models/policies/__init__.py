"""Adaptive rules: their exact replay, the best ones, and the best fixed partitions to compare them with."""
