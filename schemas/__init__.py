"""The contract with other systems: every released edition of every event, as data."""
