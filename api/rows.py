"""Rows of read models as answers: their columns under their own names, and pages of them."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields
from datetime import UTC, datetime
from typing import Any, get_type_hints
from uuid import UUID

from pydantic import BaseModel, Field, create_model

from genoflow.api.refusal import Refusal
from genoflow.events.log.recorded import Position
from genoflow.projections.row import Json, Row

CURSOR_CHARACTERS_MAX = 4_000  # a key of 1,100 characters, in JSON and base64
INTEGER_MAX = 2**63 - 1  # of a column
# The columns of a list's order; with their types where a forged key could hold others.
Order = Sequence[str] | Mapping[str, type]
Read = Callable[[Any], Any]
# How each part of a cursor is read again; what is none of these is a text.
_READ: Mapping[str, Read] = {"t": datetime.fromisoformat, "u": UUID, "i": int, "s": str}


def shape(row: type[Row], name: str, about: str, **more: Any) -> type[BaseModel]:
    """The answer that tells a row of this kind: its columns, and the event that it speaks of.

    `more` are fields beside them, as pydantic takes them: a type and a default or a Field.
    """
    hints = get_type_hints(row)
    columns: dict[str, Any] = {}
    for one in fields(row):  # type: ignore[arg-type]
        kind = Any if hints[one.name] is Json else hints[one.name]
        columns[one.name] = (kind, ... if one.default is MISSING else one.default)
    columns |= {
        "event_id": (UUID, Field(description="the newest event behind this row")),
        "recorded_at": (datetime, Field(description="when the log took that event")),
        "place": (str, Field(description="where that event stands", examples=["gf.…[3]@1201"])),
    }
    made: type[BaseModel] = create_model(name, __doc__=about, **(columns | more))
    return made


def told(found: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A row as such an answer: the place on the log as one word."""
    place = Position(found["log_topic"], found["log_partition"], found["log_offset"])
    return {**found, "place": str(place), **more}


def page_of(row: type[BaseModel], name: str, rows_are: str) -> type[BaseModel]:
    """The answer that tells a page of such rows."""
    made: type[BaseModel] = create_model(
        name,
        __doc__=f"A page of {rows_are}.",
        items=(list[row], Field(description="the rows, in their order")),  # type: ignore[valid-type]
        next=(
            str | None, Field(description="hand it to `after` for the next page; null at the end")
        ),
    )  # fmt: skip
    return made


def page(found: Sequence[Mapping[str, Any]], order: Order, limit: int) -> dict[str, Any]:
    """Rows that a query found, as a page; the next one begins behind the last of them."""
    behind = [found[-1][name] for name in order] if len(found) == limit else None
    return {"items": [told(one) for one in found], "next": behind and cursor_of(behind)}


def cursor_of(key: Sequence[Any]) -> str:
    """The key of a row as a word that nobody has to understand."""
    text = json.dumps([_part(one) for one in key], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _part(value: Any) -> list[str]:
    kinds: Mapping[type, str] = {datetime: "t", UUID: "u", int: "i", str: "s"}
    kind = next(mark for type_, mark in kinds.items() if isinstance(value, type_))
    return [kind, value.isoformat() if isinstance(value, datetime) else str(value)]


def key_of(cursor: str | None, order: Order) -> list[Any] | None:
    """The key in such a word; a Refusal where it is none of ours, or of another list."""
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        key = [_READ[kind](text) for kind, text in parts]
        is_of_it = len(key) == len(order) and all(map(_fits, key, _types(order)))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError, binascii.Error):
        is_of_it = False
    if not is_of_it:
        raise Refusal(
            422, "after: is no place in this list; hand back the `next` of a page as it came",
            details={"field": "after", "rejected_value": cursor[:100]},
        )  # fmt: skip
    return key


def _types(order: Order) -> list[type]:
    return list(order.values()) if isinstance(order, Mapping) else [object] * len(order)


def _fits(value: Any, kind: type) -> bool:
    """Whether a column of this type could hold it."""
    if isinstance(value, datetime):
        value.astimezone(UTC)  # OverflowError where that is before the year 1
        return issubclass(datetime, kind) and value.utcoffset() is not None
    if isinstance(value, int):
        return issubclass(int, kind) and abs(value) <= INTEGER_MAX
    if isinstance(value, str):
        value.encode()  # ValueError where it holds half a character
        return issubclass(str, kind) and "\0" not in value
    return isinstance(value, kind)
