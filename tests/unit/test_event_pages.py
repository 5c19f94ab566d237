"""The pages that are written from the models: complete, consistent, and of the stated shape."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from pydantic import BaseModel, TypeAdapter

from genoflow.deploy.asyncapi import AVRO, document_of
from genoflow.deploy.commands.schemas import schemas
from genoflow.deploy.event_fields import facts_of, parts_of
from genoflow.deploy.event_page import page_of
from genoflow.events.catalogue import EVENTS
from genoflow.events.codec import Codec
from genoflow.events.envelope import Envelope
from genoflow.events.event import Event
from genoflow.events.registry import released
from genoflow.events.schema_release import schemas_directory
from genoflow.events.topics import TOPICS
from tests.examples import example

DOCUMENT = document_of(EVENTS, "1.2.3")
PAGE = page_of(EVENTS)
EVERY_MODEL: list[type[BaseModel]] = [*EVENTS, Envelope, *parts_of([Envelope, *EVENTS])]

REFERENCE: dict[str, Any] = {
    "type": "object",
    "required": ["$ref"],
    "additionalProperties": False,
    "properties": {"$ref": {"type": "string"}},
}
KAFKA = {"bindingVersion": {"const": "0.5.0"}}
# The parts of AsyncAPI 3.0.0 and of its Kafka bindings 0.5.0 that the document uses, by hand.
ASYNCAPI: dict[str, Any] = {
    "type": "object",
    "required": ["asyncapi", "info"],
    "additionalProperties": False,
    "properties": {
        "asyncapi": {"const": "3.0.0"},
        "defaultContentType": {"type": "string"},
        "info": {
            "type": "object",
            "required": ["title", "version"],
            "additionalProperties": False,
            "properties": {
                "title": {"type": "string"},
                "version": {"type": "string"},
                "description": {"type": "string"},
                "license": {"type": "object", "required": ["name"]},
            },
        },
        "channels": {"type": "object", "additionalProperties": {"$ref": "#/$defs/channel"}},
        "operations": {"type": "object", "additionalProperties": {"$ref": "#/$defs/operation"}},
        "components": {
            "type": "object",
            "additionalProperties": False,
            "patternProperties": {
                "^(messages|schemas|correlationIds)$": {
                    "propertyNames": {"pattern": r"^[a-zA-Z0-9.\-_]+$"}
                }
            },
            "properties": {
                "messages": {"additionalProperties": {"$ref": "#/$defs/message"}},
                "schemas": {"additionalProperties": {"type": "object"}},
                "correlationIds": {
                    "additionalProperties": {
                        "required": ["location"],
                        "properties": {
                            "location": {"pattern": r"^\$message\.(header|payload)#(/\S+)?$"}
                        },
                    }
                },
            },
        },
    },
    "$defs": {
        "channel": {
            "type": "object",
            "required": ["address", "messages"],
            "additionalProperties": False,
            "properties": {
                "address": {"type": ["string", "null"]},
                "title": {"type": "string"},
                "description": {"type": "string"},
                "messages": {"type": "object", "additionalProperties": REFERENCE},
                "bindings": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "kafka": {
                            "type": "object",
                            "additionalProperties": False,
                            "properties": {
                                **KAFKA,
                                "topic": {"type": "string"},
                                "topicConfiguration": {
                                    "type": "object",
                                    "properties": {
                                        "cleanup.policy": {
                                            "type": "array",
                                            "items": {"enum": ["compact", "delete"]},
                                        },
                                        "retention.ms": {"type": "integer", "minimum": -1},
                                        "retention.bytes": {"type": "integer", "minimum": -1},
                                    },
                                },
                            },
                        }
                    },
                },
            },
        },
        "operation": {
            "type": "object",
            "required": ["action", "channel"],
            "additionalProperties": False,
            "properties": {
                "action": {"enum": ["send", "receive"]},
                "summary": {"type": "string"},
                "channel": REFERENCE,
            },
        },
        "message": {
            "type": "object",
            "additionalProperties": False,
            "required": ["payload"],
            "properties": {
                "name": {"type": "string"},
                "title": {"type": "string"},
                "summary": {"type": "string"},
                "contentType": {"type": "string"},
                "headers": REFERENCE,
                "correlationId": REFERENCE,
                "payload": {
                    "type": "object",
                    "required": ["schemaFormat", "schema"],
                    "additionalProperties": False,
                    "properties": {"schemaFormat": {"const": AVRO}, "schema": REFERENCE},
                },
                "bindings": {
                    "type": "object",
                    "properties": {
                        "kafka": {
                            "type": "object",
                            "additionalProperties": False,
                            "properties": {
                                **KAFKA,
                                "key": {"type": "object"},
                                "schemaIdLocation": {"enum": ["header", "payload"]},
                                "schemaIdPayloadEncoding": {"type": "string"},
                            },
                        }
                    },
                },
            },
        },
    },
}


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)


def resolved(reference: str) -> Any:
    """What a reference of the document points to, in it or in a file beside it."""
    if not reference.startswith("#/"):
        return json.loads((schemas_directory() / Path(reference).name).read_text())
    node: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def test_the_document_has_the_shape_of_asyncapi_3() -> None:
    Draft202012Validator.check_schema(ASYNCAPI)
    faults = [
        f"{e.json_path}: {e.message}" for e in Draft202012Validator(ASYNCAPI).iter_errors(DOCUMENT)
    ]
    assert faults == []


def test_the_shape_refuses_what_is_no_asyncapi() -> None:
    validator = Draft202012Validator(ASYNCAPI)
    for path in (("info", "title"), ("channels", "sample", "address"), ("asyncapi",)):
        broken = json.loads(json.dumps(DOCUMENT))
        node = broken
        for part in path[:-1]:
            node = node[part]
        del node[path[-1]]
        assert not validator.is_valid(broken), path


def test_every_reference_resolves() -> None:
    found = list(references(DOCUMENT))
    assert len(found) > 3 * len(EVENTS)
    for reference in found:
        assert isinstance(resolved(reference), dict), reference


def test_every_event_is_a_message_with_its_released_schema() -> None:
    messages = DOCUMENT["components"]["messages"]
    assert list(messages) == [model.type() for model in EVENTS]
    for name, message in messages.items():
        schema = resolved(message["payload"]["schema"]["$ref"])
        assert schema == json.loads(released().current(name).text)
        reference = message["payload"]["schema"]["$ref"]
        assert reference == f"../schemas/{Path(reference).name}"


def test_every_topic_is_a_channel_with_the_events_that_can_stand_there() -> None:
    channels = {channel["address"]: channel for channel in DOCUMENT["channels"].values()}
    assert list(channels) == [topic.name for topic in TOPICS]
    for model in EVENTS:
        for seed in range(5):
            assert model.type() in channels[example(model, seed).topic]["messages"]
    assert list(channels["gf.parked.v1"]["messages"]) == ["EventParked", "NoticeParked"]


def test_the_headers_are_those_that_the_codec_writes() -> None:
    described = set(DOCUMENT["components"]["schemas"]["Headers"]["properties"])
    _, headers = Codec(released()).encode(example(EVENTS[0]))
    assert described == {name for name, _ in headers}
    location = DOCUMENT["components"]["correlationIds"]["story"]["location"]
    assert location.rpartition("/")[2] in described


def test_the_page_has_every_event_with_every_field() -> None:
    for model in EVERY_MODEL:
        section = PAGE.split(f"\n### {model.__name__}\n", 1)[1].split("\n#", 1)[0]
        assert " ".join((model.__doc__ or "").split()) in section
        rows = [line for line in section.splitlines() if line.startswith("| `")]
        assert len(rows) == len(model.model_fields)
        for row, (name, info) in zip(rows, model.model_fields.items(), strict=True):
            assert row.startswith(f"| `{name}` | ")
            assert (info.description or "").replace("|", "\\|") in row


def test_the_links_of_the_page_lead_somewhere() -> None:
    anchors = {
        line.removeprefix("### ").lower() for line in PAGE.splitlines() if line[:4] == "### "
    }
    links = re.findall(r"\]\(#([a-z0-9]+)\)", PAGE)
    assert set(links) <= anchors
    assert len(links) > len(EVENTS)


def test_the_cells_of_a_row_are_five() -> None:
    for line in PAGE.splitlines():
        if line.startswith("| `"):
            assert len(re.findall(r"(?<!\\)\|", line)) == 6, line


@pytest.mark.parametrize(
    "model",
    EVERY_MODEL,
    ids=lambda model: model.__name__,
)
def test_the_examples_are_values_that_the_field_takes(model: type[BaseModel]) -> None:
    for row in facts_of(model):
        info = model.model_fields[row.name]
        if row.record:
            assert row.example == ""
            continue
        given: Any = row.example
        if row.kind in {"integer", "number", "yes or no"}:
            given = json.loads(given)
        elif row.kind == "bytes":
            given = bytes.fromhex(given.removeprefix("0x"))
        elif row.kind.startswith("list of"):
            item = given.removeprefix("[").removesuffix("]")
            given = (json.loads(item) if "integer" in row.kind else item,)
        annotation: Any = info.annotation
        for mark in info.metadata:
            annotation = _marked(annotation, mark)
        TypeAdapter(annotation).validate_python(given)


def _marked(annotation: Any, mark: Any) -> Any:
    return Annotated[annotation, mark]


def test_the_committed_pages_are_fresh_and_stale_ones_are_found(tmp_path: Path) -> None:
    runner = CliRunner()
    assert runner.invoke(schemas, ["catalog", "--check"]).exit_code == 0
    assert runner.invoke(schemas, ["catalog", "--to", str(tmp_path)]).exit_code == 0
    assert runner.invoke(schemas, ["catalog", "--check", "--to", str(tmp_path)]).exit_code == 0
    docs = schemas_directory().parent / "docs"
    for name in ("events.md", "asyncapi.json"):
        assert (tmp_path / name).read_bytes() == (docs / name).read_bytes()
    (tmp_path / "events.md").write_text("# Events\n")
    result = runner.invoke(schemas, ["catalog", "--check", "--to", str(tmp_path)])
    assert result.exit_code == 1
    assert (
        result.stderr == "events.md: is not what the models say; run `genoflow schemas catalog`\n"
    )
    assert (tmp_path / "events.md").read_text() == "# Events\n"


def test_outside_of_a_checkout_nothing_is_written_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "genoflow.events.schema_release.schemas_directory", lambda: tmp_path / "schemas"
    )
    result = CliRunner().invoke(schemas, ["catalog"])
    assert result.exit_code == 2
    assert "name one with --to" in result.stderr
    result = CliRunner().invoke(schemas, ["export"])
    assert result.exit_code == 2
    assert "where they are committed" in result.stderr


def test_every_event_of_a_subject_says_so() -> None:
    section = PAGE.split("\n## On the subject's own topic\n", 1)[1].split("\n## ", 1)[0]
    names = set(re.findall(r"^### (\w+)$", section, re.MULTILINE))
    assert names == {model.type() for model in EVENTS if not model.about.topics}
    assert all(issubclass(model, Event) for model in EVENTS)
