"""Several demo cities that recognise one another, on one machine."""
