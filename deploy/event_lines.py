"""Records of the log as a person or a program reads them, undecodable ones included."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any

from rich.text import Text

from genoflow.events.codec import PREFIX, Codec
from genoflow.events.errors import MalformedEvent, UnknownSchema
from genoflow.events.event import Event
from genoflow.events.log.origin import origin_in
from genoflow.events.log.recorded import EPOCH, Recorded
from genoflow.events.printable import printable

TYPE_CHARACTERS = 24
SUBJECT_CHARACTERS = 28
VALUE_CHARACTERS_MAX = 40  # of one field in a line for people
HEX_BYTES_MAX = 16  # of bytes that nobody can read


def event_of(record: Recorded) -> Event | None:
    """The event in a record, None where its bytes are none; UnknownSchema names the place."""
    try:
        return record.event
    except MalformedEvent:
        return None
    except UnknownSchema as error:
        raise UnknownSchema(f"{record.position}: {error}") from error


def fault_of(record: Recorded) -> str:
    """Why a record is no event."""
    if record.value is None:
        return "has no value (a tombstone)"
    try:
        return "is an event" if record.event else ""
    except MalformedEvent as error:
        return str(error)


def iso(time: datetime) -> str:
    """The time as everything here writes it: UTC, with milliseconds."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def as_json(record: Recorded) -> dict[str, Any]:
    """Everything about a record, for programs."""
    found: dict[str, Any] = {
        "position": {
            "topic": record.topic, "partition": record.partition, "offset": record.offset,
        },
        "recorded_at": iso(record.recorded_at),
    }  # fmt: skip
    origin = origin_in(record.headers)
    if origin is not None:
        found["first_recorded_at"] = iso(EPOCH + timedelta(milliseconds=origin.recorded_at_ms))
        found["first_position"] = origin.position._asdict()
    event = event_of(record)
    if event is None:
        found |= {
            "error": fault_of(record),
            "key": record.key,
            "value_base64": _base64(record.value),
        }
        return found
    envelope = event.envelope.model_dump(mode="json")
    return found | {
        "type": event.type(), "subject": event.key, "envelope": envelope,
        "payload": event.payload(),
    }  # fmt: skip


def as_whole_json(record: Recorded, codec: Codec) -> dict[str, Any]:
    """The same with what only matters for one record: its headers and its schema."""
    return as_json(record) | {
        "schema": schema_of(record, codec),
        "headers": [
            {"name": name, "text": header_text(value), "base64": _base64(value)}
            for name, value in record.headers
        ],
    }


def schema_of(record: Recorded, codec: Codec) -> dict[str, Any] | None:
    """Id, subject and version of the schema that wrote a record, where there is one."""
    if event_of(record) is None or record.value is None:
        return None
    edition = codec.edition_of(record.value)
    number = int(PREFIX.unpack_from(record.value)[1])
    return {"id": number, "subject": edition.subject, "version": edition.version}


def header_text(value: bytes | None) -> str:
    """A header's value: as text where it is one, else in hexadecimal digits."""
    if value is None:
        return "(null)"
    text = value.decode("utf-8", "replace")
    return text if text.isprintable() and "�" not in text else f"0x{value.hex()}"


def as_line(record: Recorded) -> Text:
    """One line for people: when, where, what, about whom, and the fields."""
    event = event_of(record)
    when = iso(record.recorded_at).replace("T", " ").removesuffix("Z")
    where = f"{record.topic.removeprefix('gf.')}[{record.partition}]@{record.offset}"
    place = ((when, "dim"), "  ", (f"{where:<28}", "dim"))
    if event is None:
        value = record.value
        shown = "" if value is None else f": {value[:HEX_BYTES_MAX].hex()}"
        size = "no value" if value is None else f"{len(value)} bytes"
        return Text.assemble(
            *place, (f"{'not an event':<{TYPE_CHARACTERS}}", "bold red"),
            f"{printable(record.key):<{SUBJECT_CHARACTERS}}", f"{size}{shown}",
        )  # fmt: skip
    return Text.assemble(
        *place, (f"{event.type():<{TYPE_CHARACTERS}} ", "bold cyan"),
        f"{printable(event.key):<{SUBJECT_CHARACTERS}} ", (_fields(event), "dim"),
    )  # fmt: skip


def _fields(event: Event) -> str:
    told = {
        name: value
        for name, value in event.payload().items()
        if value not in (None, [], {}) and str(value) != event.key
    }
    return printable(", ".join(f"{name}={_short(value)}" for name, value in told.items()))


def _short(value: object) -> str:
    if isinstance(value, list | dict):
        return f"({len(value)})"
    text = str(value)
    return text if len(text) <= VALUE_CHARACTERS_MAX else f"{text[: VALUE_CHARACTERS_MAX - 1]}…"


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()
