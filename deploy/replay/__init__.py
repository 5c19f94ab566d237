"""What a processor decided, beside what it decides now."""
