"""What the checks of a small trained network share."""

ROUNDING = 1e-9  # of sums of at most 4^6 * 6 * 3 terms of order one in float64, with a wide margin
