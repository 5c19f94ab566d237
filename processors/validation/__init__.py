"""What a file holds, found in its bytes: one pass, and no trust in its name."""
