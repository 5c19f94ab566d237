"""Reads of a child and its parents to variants, and what is not of the parents."""
