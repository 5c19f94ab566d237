"""Accounts, sessions, keys and permissions: who calls, and what they may do."""
