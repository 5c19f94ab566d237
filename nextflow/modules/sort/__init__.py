"""The read sets of a sample in one file, duplicates marked."""
