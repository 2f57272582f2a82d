"""A citizen's points on another day, or if something else had happened."""
