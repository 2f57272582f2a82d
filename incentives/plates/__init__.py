"""Number plates as keyed digests: typed by a citizen, confirmed once at an exit, told to that one car park as pairs."""
