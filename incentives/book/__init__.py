"""The closed language of perks: what a file may say, what follows from it, and what is proved of it."""
