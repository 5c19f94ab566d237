"""The calls of the client that awaits, as the OpenAPI has them."""
