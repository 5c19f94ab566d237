"""VCF 4.1 to 4.5: every rule of the specifications, read by parsers of the house's own."""
