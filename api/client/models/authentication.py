"""Authentication; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from uuid import UUID

from genoflow.api.client.answers import Answer


class User(Answer):
    """Whose session it is."""

    user_id: UUID
    username: str
    roles: tuple[str, ...]


class TokenResponse(Answer):
    """One token to call with, and one to get the next two."""

    access_token: str
    refresh_token: str
    expires_in: int
    """seconds for which the access token is valid"""
    user: User
