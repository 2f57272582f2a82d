"""What anybody may read, signed: the rule book, the log, quarterly numbers, a report's page of checking."""
