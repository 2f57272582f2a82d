"""Floor 4: points become perks; whoever has no points keeps the standard route."""
