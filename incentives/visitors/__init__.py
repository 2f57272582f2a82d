"""Visitors 外地来客: what a city gives to whom another city attests: by a published map, against a presentation."""
