"""What citizens may demand about records, each with its clock: disputes, repairs, declarations, commitments."""
