"""SAM and BAM: the rules of the specification, and two readers that share them."""
