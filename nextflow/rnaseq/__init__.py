"""Reads of RNA to fragments of each transcript and gene."""
