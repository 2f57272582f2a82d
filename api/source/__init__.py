"""The source bureaus' door: records in, and the few things a bureau may ask."""
