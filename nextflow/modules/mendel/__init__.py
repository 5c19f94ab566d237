"""What a child does not have of its parents."""
