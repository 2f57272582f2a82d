"""What a new scorecard would do, told before it rules."""
