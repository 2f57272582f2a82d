"""Credentials for other cities: offered to a citizen's wallet, given in copies, and taken back by lists."""
