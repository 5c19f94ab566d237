"""Loops over bytes, in Rust where it could be built and in Python everywhere: equal in results."""
