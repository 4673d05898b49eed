"""Variance of training losses: moments, ways to draw times and masks, and remedies."""
