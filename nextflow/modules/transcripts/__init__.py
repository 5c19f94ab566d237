"""The transcripts of an annotation, as sequences."""
