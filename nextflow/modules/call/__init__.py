"""Inherited variants of all members of a case."""
