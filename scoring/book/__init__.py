"""The rule book's languages: the catalogue, the check of a source's line, the scorecard. Nothing here does I/O."""
