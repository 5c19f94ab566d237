"""FASTQ: its rules, its reader, and what is measured on the way."""
