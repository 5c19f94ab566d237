"""The calls of the client that waits, as the OpenAPI has them."""
