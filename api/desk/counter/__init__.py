"""Assisted sessions in the browser: what a clerk does at the desk for a citizen who sits opposite."""
