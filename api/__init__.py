"""The HTTP side: thin endpoints over what the log and its read models hold."""
