"""The embedded servers: real ones, from packages, as child processes under one supervisor."""
