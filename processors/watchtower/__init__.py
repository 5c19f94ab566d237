"""The watchtower: what is happening, what is late, what is missing."""
