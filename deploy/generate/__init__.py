"""Material out of a seed: genomes, reads, run folders, sheets, and what can be wrong with each."""
