"""One module a command; each imports its clients only when it is called."""
