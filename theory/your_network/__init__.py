"""A network of one's own, judged on held-out texts: one trained here, where the truth is known, and one of others."""
