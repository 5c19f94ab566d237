"""Foreign reads, and whether the members of a case belong together."""
