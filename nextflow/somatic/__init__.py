"""Reads of a tumour and of its normal to the variants that the tumour alone has."""
