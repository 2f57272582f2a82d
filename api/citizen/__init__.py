"""`/v1/me`: what a citizen sees and decides about themselves."""
