"""The typed client of the API, for programs that wait and for those that await."""

from genoflow.api.client.answers import Answer, Head, head_of
from genoflow.api.client.call import Timeouts, new_key
from genoflow.api.client.client import AsyncClient, Client
from genoflow.api.client.errors import (
    ApiError,
    BadArgument,
    Conflict,
    Denied,
    Failed,
    Invalid,
    NotAllowed,
    NotFound,
    TooMany,
    Unavailable,
    Unreachable,
    Unreadable,
)
from genoflow.api.client.pages import AsyncPages, Page, Pages
from genoflow.api.client.stream import AsyncStream, Stream

__all__ = [
    "Answer",
    "ApiError",
    "AsyncClient",
    "AsyncPages",
    "AsyncStream",
    "BadArgument",
    "Client",
    "Conflict",
    "Denied",
    "Failed",
    "Head",
    "Invalid",
    "NotAllowed",
    "NotFound",
    "Page",
    "Pages",
    "Stream",
    "Timeouts",
    "TooMany",
    "Unavailable",
    "Unreachable",
    "Unreadable",
    "head_of",
    "new_key",
]
