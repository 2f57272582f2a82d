"""Recognition between cities 信用互认: a credential proves that something was reached, and nothing else."""
