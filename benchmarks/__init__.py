"""Side by side with other packages, ratios in one run. Measured values are in RESULTS.md."""
