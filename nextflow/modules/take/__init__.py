"""An alignment as ALIGN leaves its own."""
