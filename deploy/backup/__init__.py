"""The log, sealed into the object store, and brought back from there into an empty broker."""
