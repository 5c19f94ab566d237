"""One call of the API before it is sent, and how long each part of it may take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import quote
from uuid import uuid4

from pydantic_core import to_json

from genoflow.api.client.errors import BadArgument

IDEMPOTENCY_KEY = "Idempotency-Key"
LAST_EVENT_ID = "Last-Event-ID"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a client waits; a walk over pages or tries waits so long for each of its calls."""

    connect_seconds: float = 5.0  # what does not connect by then is away
    read_seconds: float = 35.0  # the API ends a write after 30 s
    write_seconds: float = 35.0  # it waits 30 s for a body
    pool_seconds: float = 35.0  # for a connection that others of this client use
    # Of a stream: the API says something every 15 s, and two of those may be lost.
    silence_seconds: float = 45.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What is asked: where, with which filters and body, and whether it may be sent again."""

    method: str
    path: str
    query: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, object] = field(default_factory=dict)
    fields: Mapping[str, object] | None = None  # of its body; what is None is left out
    body: object = None  # as it is
    content: bytes | None = None
    content_type: str = "application/json"
    idempotency_key: str | None = None
    is_public: bool = False  # nobody has to sign in for it
    is_stream: bool = False

    @property
    def is_repeatable(self) -> bool:
        """Whether it is safe to send it again when nobody knows whether it was done."""
        return self.method in SAFE or self.idempotency_key is not None

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The filters as they stand in the address."""
        return [(name, one) for name, value in self.query.items() for one in _words(value)]

    @property
    def sent_headers(self) -> dict[str, str]:
        """The headers of its own."""
        found = {name: one for name, value in self.headers.items() for one in _words(value)}
        found["Accept"] = "text/event-stream" if self.is_stream else "application/json, */*;q=0.5"
        if self.idempotency_key is not None:
            found[IDEMPOTENCY_KEY] = self.idempotency_key
        if self.sent_body is not None:
            found["Content-Type"] = self.content_type
        return found

    @property
    def sent_body(self) -> bytes | None:
        """The bytes of its body; the same ones on every try."""
        if self.body is not None:
            return to_json(self.body, by_alias=True, exclude_none=True)
        if self.fields is None:
            return self.content
        given = {name: value for name, value in self.fields.items() if value is not None}
        return to_json(given, by_alias=True, exclude_none=True)


def path_of(template: str, **values: object) -> str:
    """The address that holds these values; BadArgument where one would lead elsewhere."""
    for name, value in values.items():
        if str(value) in ("", ".", ".."):
            raise BadArgument(f"{name}: {str(value)!r} is no id; give the id as the API told it")
    return template.format_map({name: quote(str(one), safe="") for name, one in values.items()})


def new_key() -> str:
    """A key for a write that nobody has used."""
    return str(uuid4())


def _words(value: object) -> Iterator[str]:
    if value is None:
        return
    if isinstance(value, (list, tuple, set, frozenset)):
        for one in value:
            yield from _words(one)
    elif isinstance(value, bool):
        yield "true" if value else "false"
    elif isinstance(value, date):
        yield value.isoformat()
    else:
        yield str(value)
