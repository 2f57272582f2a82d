"""City cards: which cards an operator issued, and which of them a gate without a line may let through."""
