"""What a citizen can show others, and what a source calls by its occupation."""
