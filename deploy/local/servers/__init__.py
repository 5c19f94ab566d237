"""One file per embedded server: how it is prepared, started, asked and addressed."""
