"""What the API answers, as the OpenAPI has them."""
