"""How records come besides a push: dropped files, history pulled, questions that keep nothing; and how good it is."""
