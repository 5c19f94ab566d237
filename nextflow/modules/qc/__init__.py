"""How well the reads of a sample were read, and how they lie."""
