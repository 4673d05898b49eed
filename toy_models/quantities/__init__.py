"""What a sampler writes and what it loses: exact laws, divergences, sequence error, likelihood, calls, information curves."""
