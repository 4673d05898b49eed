"""What a sampler writes and what it loses: laws, divergences, sequence error, likelihood, calls, information curves."""
