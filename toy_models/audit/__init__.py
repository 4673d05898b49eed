"""Is this the law of the language? Written texts against an exact law, with intervals that hold. Needs no torch.

binomial     exact intervals of shares, the divergence of two of them, what a test of this size finds
events       questions about a text: its letters, pairs, counts, surprise
reference    the law asked for: a full table, or texts of it and exact marginals
comparison   does the law differ, where, and by how much at least
estimates    entropy, cross-entropy and KL of what was written, with intervals
standing     what exact samplers pay for the same number of calls
verdict      in words
"""
