"""One read set, aligned by BWA-MEM."""
