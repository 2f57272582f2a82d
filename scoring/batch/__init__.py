"""The pass over everyone: one scorecard as a plan of columns, run by an engine of choice."""
