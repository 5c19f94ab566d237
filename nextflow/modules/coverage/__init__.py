"""How deep and how wide the reads of a sample lie."""
