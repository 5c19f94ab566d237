"""Illumina's run folders: bytes in, facts or reasons out; nothing here opens a file."""
