"""What follows from what: porches that bring facts in, deciders that answer with new ones."""
