"""Reads of a panel to variants within its targets, and how well each target is covered."""
