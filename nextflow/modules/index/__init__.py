"""The reference, indexed for aligning and calling."""
