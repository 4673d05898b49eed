"""Certified enclosures of information curves of hidden Markov models and n-grams."""
