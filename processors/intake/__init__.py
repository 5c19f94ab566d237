"""The porch: where facts of the outside world come onto the log."""
