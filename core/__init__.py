"""Floor 1: mechanisms without a domain word. Nothing of ours is imported from here."""
