"""`/v1/staff`: what the credit office does."""
