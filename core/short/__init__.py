"""The two stores behind `core.shortlived`."""
