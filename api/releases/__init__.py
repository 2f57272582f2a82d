"""A new rule book before it rules: drafts beside what is in force, and everybody through both."""
