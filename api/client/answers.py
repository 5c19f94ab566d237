"""What an answer becomes: a frozen model, and beside it what its head said."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar, cast

import httpx2
from pydantic import BaseModel, ConfigDict, PrivateAttr, TypeAdapter, ValidationError

from genoflow.api.client.errors import REQUEST_ID, Unreadable, denied

POSITION = "GenoFlow-Position"
REPLAYED = "Idempotency-Replayed"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Head:
    """What an answer says beside its body."""

    status: int = 0
    position: str | None = None  # the part of the log that it knows: `min_position` of a later call
    location: str | None = None  # where to ask for what is not done yet
    request_id: str | None = None
    is_replayed: bool = False  # the answer of an earlier try of this write


class Answer(BaseModel):
    """What every answer is: frozen, and open for fields that a newer API adds."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", populate_by_name=True, protected_namespaces=(),
        defer_build=True,  # a program uses few of them
    )  # fmt: skip

    _head: Head = PrivateAttr(default_factory=Head)

    # Two that tell the same are equal, whichever answers they came with.
    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(tuple(self.__dict__.values()))


def head_of(answer: Answer) -> Head:
    """What the API said beside this answer; of a part of an answer, nothing."""
    return answer._head


def with_head(answer: T, head: Head) -> T:
    """The same answer, which knows what was said beside it."""
    if isinstance(answer, Answer):
        answer._head = head
    return answer


def heard_head(response: httpx2.Response) -> Head:
    """What the head of a response says."""
    headers = response.headers
    return Head(
        response.status_code, headers.get(POSITION), headers.get("Location"),
        headers.get(REQUEST_ID), headers.get(REPLAYED) == "true",
    )  # fmt: skip


def read(response: httpx2.Response, answers: Mapping[int, type[T]]) -> T:
    """The response as the answer that its status means; an error where it is a refusal."""
    status = response.status_code
    kind = answers.get(status)
    if kind is None and 200 <= status < 300:
        kind = next(iter(answers.values()))
    if kind is None:
        if status >= 400:
            raise denied(response)
        raise Unreadable(f"{response.url}: answered {status}, which leads elsewhere; look at the "
                         f"address of this client")  # fmt: skip
    if kind is bytes or kind is type(None):
        found: Any = response.content if kind is bytes else None
        return cast("T", found)
    try:
        answer = adapter_of(kind).validate_json(response.content)
    except ValidationError as error:
        raise unreadable(response, error) from error
    return with_head(answer, heard_head(response))


def adapter_of(kind: type[T]) -> TypeAdapter[T]:
    """What reads an answer of this kind."""
    found: TypeAdapter[T] = _adapter(cast("Hashable", kind))
    return found


@lru_cache(maxsize=512)  # of as many kinds as there are calls
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def unreadable(response: httpx2.Response, error: ValidationError) -> Unreadable:
    """The error for an answer that is of another shape than this client knows."""
    first: Any = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "body"
    return Unreadable(
        f"{response.url}: {place}: {first['msg']}; take the client of the API's version, or look "
        f"at the address of this client"
    )
