"""Variants that were called elsewhere, as everybody spells them, indexed and counted."""
