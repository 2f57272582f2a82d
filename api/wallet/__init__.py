"""What a citizen's wallet is answered: tokens for offers, credentials, and which of them count no more."""
