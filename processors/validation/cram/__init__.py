"""CRAM 2.1, 3.0 and 3.1, to the letter of their specification."""
