"""Mask schedules: the named ones, the Beta family, and those that are best for a language or for a budget."""
