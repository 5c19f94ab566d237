"""The demonstration: a generated sequencing run, played onto a real stack."""
