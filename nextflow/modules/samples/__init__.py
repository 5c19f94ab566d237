"""What enters: the table of samples, as each pipeline reads it."""
