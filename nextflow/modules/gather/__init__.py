"""Variants that were called elsewhere, beside each other."""
