"""What a person reads, and what is judged."""
