"""Orders: a waiver from the moment it is reserved until the last fen is settled or given back."""
