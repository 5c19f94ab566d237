"""Variants as everybody spells them, packed, indexed and counted."""
