"""docs/asyncapi.json: the log as an AsyncAPI 3.0.0 document, for the tools that read one.

A payload points to its released schema in `schemas/`, so that nothing is said twice.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from genoflow.events.codec import (
    HEADER_CORRELATION,
    HEADER_ID,
    HEADER_SEAL,
    HEADER_TYPE,
)
from genoflow.events.event import Event
from genoflow.events.registry import file_name
from genoflow.events.topics import PARKED, TOPICS, Retention, Topic

AVRO = "application/vnd.apache.avro;version=1.9.0"
KAFKA_BINDING = "0.5.0"
CONTENT_TYPE = "application/vnd.confluent.avro"


def document_of(models: Sequence[type[Event]], release: str) -> dict[str, Any]:
    """The document: a channel a topic, a message an event."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "GenoFlow",
            "version": release,
            "description": "The event log of a clinical sequencing laboratory.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {_name(topic): _channel(topic, models) for topic in TOPICS},
        "operations": {f"append-{_name(topic)}": _operation(topic) for topic in TOPICS},
        "components": {
            "messages": {model.type(): _message(model) for model in models},
            "correlationIds": {
                "story": {
                    "description": "the same for all that follows from one beginning",
                    "location": f"$message.header#/{HEADER_CORRELATION}",
                }
            },
            "schemas": {"Headers": _headers()},
        },
    }


def text_of_document(document: dict[str, Any]) -> str:
    """The text of the file."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _name(topic: Topic) -> str:
    return topic.name.split(".")[1]


def _channel(topic: Topic, models: Sequence[type[Event]]) -> dict[str, Any]:
    subjects = topic is not PARKED  # what is parked stands under a subject's key, and is no subject
    here = [m for m in models if topic in m.about.topics or (subjects and not m.about.topics)]
    forever = topic.retention is Retention.FOREVER
    return {
        "address": topic.name,
        "title": topic.name,
        "description": f"{topic.about}; the key is the {topic.key}",
        "messages": {
            model.type(): {"$ref": f"#/components/messages/{model.type()}"} for model in here
        },
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "topicConfiguration": {
                    "cleanup.policy": ["delete" if forever else "compact"],
                    "retention.ms": -1,
                    "retention.bytes": -1,
                },
                "bindingVersion": KAFKA_BINDING,
            }
        },
    }


def _operation(topic: Topic) -> dict[str, Any]:
    return {
        "action": "send",
        "summary": f"Appends to {topic.name}, ordered by {topic.key}.",
        "channel": {"$ref": f"#/channels/{_name(topic)}"},
    }


def _message(model: type[Event]) -> dict[str, Any]:
    schema_file = file_name(model.type(), model.about.version)
    return {
        "name": model.type(),
        "title": model.type(),
        "summary": " ".join((model.__doc__ or "").split()),
        "contentType": CONTENT_TYPE,
        "headers": {"$ref": "#/components/schemas/Headers"},
        "correlationId": {"$ref": "#/components/correlationIds/story"},
        "payload": {"schemaFormat": AVRO, "schema": {"$ref": f"../schemas/{schema_file}"}},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": "the envelope's subject"},
                "schemaIdLocation": "payload",
                "schemaIdPayloadEncoding": "confluent",
                "bindingVersion": KAFKA_BINDING,
            }
        },
    }


def _headers() -> dict[str, Any]:
    texts = {
        "ce_specversion": "the edition of CloudEvents whose attributes these are",
        HEADER_ID: "the envelope's event_id",
        HEADER_TYPE: "the full name of the record",
        "ce_source": "the service that wrote it",
        HEADER_CORRELATION: "the envelope's correlation_id",
    }
    properties: dict[str, Any] = {
        name: {"type": "string", "description": meaning} for name, meaning in texts.items()
    }
    properties[HEADER_SEAL] = {
        "type": "string",
        "format": "binary",
        "description": "CRC-32 of the value, big endian; only our own writers set it",
    }
    return {"type": "object", "properties": properties}
