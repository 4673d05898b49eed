"""Chains of any length through their gaps: sequence error, likelihood and information curve of independent reveal."""
