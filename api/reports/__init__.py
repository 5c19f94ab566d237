"""Reports of quality: one page that stands alone, and the same figures for MultiQC."""
