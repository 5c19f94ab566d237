"""How many fragments each transcript and gene gave."""
