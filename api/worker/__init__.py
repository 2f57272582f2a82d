"""What happens without being asked: the jobs of `osmanthus worker`, and what they put together."""
