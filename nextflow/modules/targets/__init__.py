"""How well each target of a panel is covered."""
