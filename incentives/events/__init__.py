"""What partners are told of afterwards: a list, which is the truth, and webhooks, which say that it grew."""
