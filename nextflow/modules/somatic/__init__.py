"""Variants of a tumour that its normal does not show."""
