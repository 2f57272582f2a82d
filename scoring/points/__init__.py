"""From live records to points and their reasons, by the scorecard alone. Nothing here does I/O."""
