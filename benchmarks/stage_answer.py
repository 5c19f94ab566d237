"""What the anchors do with a record: the same stage over plain dictionaries and a bare library.

Nothing of ours is imported here: the anchors run on an installation of their own.
"""

from __future__ import annotations

import io
import json
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastavro

PREFIX_BYTES = 5  # magic byte and schema id
OUT = "NotificationQueued"
HEADLINE = "{role} of {sample}: file {files}, {size_bytes} bytes in all"


@dataclass(frozen=True, slots=True)
class Errand:
    """What one run of an anchor is told: where it reads and writes, and the two schemas."""

    address: str
    name: str
    source: str
    target: str
    partitions: int
    folder: str
    source_schema: Any
    target_schema: Any
    target_prefix: bytes


def errand() -> Errand:
    """The errand in the file that the command line names last."""
    told = json.loads(Path(sys.argv[-1]).read_text(encoding="utf-8"))
    for side in ("source_schema", "target_schema"):
        told[side] = fastavro.parse_schema(json.loads(told[side]))
    told["target_prefix"] = bytes.fromhex(told["target_prefix"])
    return Errand(**told)


def decoded(told: Errand, value: bytes) -> dict[str, Any]:
    """The values of a landed file."""
    buffer = io.BytesIO(value)
    buffer.seek(PREFIX_BYTES)
    found: Any = fastavro.schemaless_reader(buffer, told.source_schema, None)
    return found  # type: ignore[no-any-return]


def evolved(state: dict[str, Any] | None, values: dict[str, Any]) -> dict[str, Any]:
    """One file more."""
    before = state or {"files": 0, "size_bytes": 0}
    return {
        "files": before["files"] + 1,
        "size_bytes": before["size_bytes"] + values["size_bytes"],
        "etag": values["etag"],
    }


def answer(told: Errand, state: dict[str, Any], values: dict[str, Any]) -> bytes:
    """The bytes of the event that follows: the same fields, and an id from its cause."""
    cause, sample = values["envelope"], values["sample_id"]
    name = json.dumps([told.name, OUT, sample, str(cause["event_id"])])
    headline = HEADLINE.format(
        role=values["role"], sample=sample, files=state["files"], size_bytes=state["size_bytes"]
    )
    follows = {
        "envelope": {
            "event_id": uuid.uuid5(cause["event_id"], name),
            "type": OUT,
            "schema_version": "1.0",
            "subject": sample,
            "occurred_at": cause["occurred_at"],
            "correlation_id": cause["correlation_id"],
            "causation_id": cause["event_id"],
            "actor": {"kind": "service", "id": told.name, "on_behalf_of": None},
            "producer": {"service": told.name, "version": "0.1.0", "revision": "3f2a91c"},
            "traceparent": cause["traceparent"],
            "effect_id": None,
        },
        "subscription_id": sample,
        "notification_id": cause["event_id"],
        "channel": "email",
        "source_event_id": cause["event_id"],
        "source_type": "FileLanded",
        "source_topic": "gf.sample.v1",
        "source_key": sample,
        "source_occurred_at": cause["occurred_at"],
        "headline": headline,
    }
    buffer = io.BytesIO()
    buffer.write(told.target_prefix)
    fastavro.schemaless_writer(buffer, told.target_schema, follows)
    return buffer.getvalue()
