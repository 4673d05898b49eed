"""Laws over decoding orders, their losses, and schedules per position that learn them."""
