"""The processes of the pipelines: a folder each, with the program that it runs."""
