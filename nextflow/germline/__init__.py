"""The small pipeline: reads of single samples, trios, and tumour with normal, to variants."""
