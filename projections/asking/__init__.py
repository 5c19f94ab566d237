"""Asking about a subject: from its events to what is known of it, and to why it waits."""
