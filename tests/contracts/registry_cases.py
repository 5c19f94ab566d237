"""What is asked of a schema registry, and what Confluent documents as the answer.

Apicurio 3.0.9 departs from the documented behaviour in the places that a case states under
`apicurio`: it has no route for an id's subjects, the global mode or a lookup of nothing; it ignores
offset, limit, subjectPrefix and the documentation inside a schema; it answers 404 to a version that
is no number and to a schema that is none; it has other codes for the rules of an unknown subject
and no mode at all; and it leaves out the schema type of a lookup.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2

from genoflow.api.registry import COMPATIBILITY
from genoflow.events.registry import Edition


def toy(schema_id: int, version: str, *fields: dict[str, Any], doc: str = "a toy") -> Edition:
    """An edition of an event that only this test knows."""
    namespace = f"genoflow.v{version.split('.', maxsplit=1)[0]}"
    part = {"type": "record", "name": "Part", "namespace": "genoflow", "fields": [UUID_FIELD]}
    schema = {
        "type": "record",
        "name": "ToyKept",
        "namespace": namespace,
        "doc": doc,
        "fields": [{"name": "part", "type": part}, *fields],
    }
    return Edition(schema_id, "ToyKept", version, json.dumps(schema, indent=2) + "\n")


UUID_FIELD = {"name": "id", "type": {"type": "string", "logicalType": "uuid"}}
AGAIN = {"name": "again", "type": ["null", "genoflow.Part"], "doc": "by name", "default": None}
AT = {
    "name": "at",
    "type": ["null", {"type": "long", "logicalType": "timestamp-micros"}],
    "doc": "when",
    "default": None,
}
TOYS = (
    toy(9001, "1.0"),
    toy(9002, "1.1", AGAIN),
    toy(9004, "2.0", AT),
    toy(9003, "1.2", AGAIN, AT),
)
TOY, TOY2 = "genoflow.v1.ToyKept", "genoflow.v2.ToyKept"
FIRST, SECOND, OTHER_MAJOR, THIRD = TOYS
UNKNOWN_ID = 999_999


@dataclass(frozen=True)
class Asked:
    """A registry that holds the editions, each under an id of its own."""

    name: str
    client: httpx2.Client
    editions: tuple[Edition, ...]
    ids: dict[Edition, int]

    def entity(self, edition: Edition, version: int) -> dict[str, Any]:
        """What a registry says of one version of a subject."""
        place = {"subject": edition.subject, "version": version, "id": self.ids[edition]}
        return {**place, "schemaType": "AVRO", "schema": json.loads(edition.text)}


@dataclass(frozen=True)
class Refused:
    """An answer that says no: Confluent's code, or only a status where there is no such body."""

    code: int


Expected = Callable[[Asked], Any]
SAME = object()


@dataclass(frozen=True)
class Case:
    """A question, the documented answer, and Apicurio's where it is another."""

    path: str | Callable[[Asked], str]
    answer: Any
    method: str = "GET"
    body: Any = None
    apicurio: Any = SAME


def by_id(edition: Edition, rest: str = "") -> Callable[[Asked], str]:
    """The path of an edition's id, which is another in each registry."""
    return lambda asked: f"/schemas/ids/{asked.ids[edition]}{rest}"


def entity(edition: Edition, version: int) -> Expected:
    """An edition as one version of its subject."""
    return lambda asked: asked.entity(edition, version)


def without(name: str, expected: Expected) -> Expected:
    """The same answer, less one of its parts."""
    return lambda asked: {key: value for key, value in expected(asked).items() if key != name}


def subjects(asked: Asked) -> list[str]:
    """The names of all subjects, sorted."""
    return sorted({edition.subject for edition in asked.editions})


def look_up(schema: object, subject: str = TOY) -> dict[str, Any]:
    """The question which version of a subject a schema is."""
    text = schema if isinstance(schema, str) else json.dumps(schema)
    return {"path": f"/subjects/{subject}", "method": "POST", "body": {"schema": text}}


def spelled(edition: Edition, **changes: Any) -> dict[str, Any]:
    """The same schema in other words: full names instead of namespaces, other order of keys."""
    schema = json.loads(edition.text)
    full = f"{schema.pop('namespace')}.{schema['name']}"
    return dict(reversed({**schema, "name": full, **changes}.items()))


def beside(versions: str, schema: object) -> dict[str, Any]:
    """The question whether a schema can stand beside these versions."""
    path = f"/compatibility/subjects/{TOY}/{versions}"
    return {"path": path, "method": "POST", "body": {"schema": json.dumps(schema)}}


def with_field(edition: Edition, field: dict[str, Any]) -> dict[str, Any]:
    """An edition's schema with one field added or replaced."""
    kept = [each for each in json.loads(edition.text)["fields"] if each["name"] != field["name"]]
    return spelled(edition, fields=[*kept, field])


NEXT = with_field(THIRD, {"name": "note", "type": ["null", "string"], "default": None})
BARE = with_field(THIRD, {"name": "note", "type": "string"})
RETYPED = with_field(THIRD, {"name": "at", "type": ["null", "string"], "default": None})
COMPATIBLE, INCOMPATIBLE = {"is_compatible": True}, {"is_compatible": False}

CASES = {
    "subjects": Case("/subjects", subjects),
    "subjects with a prefix": Case(
        "/subjects?subjectPrefix=genoflow.v2.", [TOY2], apicurio=subjects
    ),
    "subjects of all contexts": Case("/subjects?subjectPrefix=:*:", subjects),
    "subjects paged": Case(
        "/subjects?offset=1&limit=2", lambda asked: subjects(asked)[1:3], apicurio=subjects
    ),
    "versions": Case(f"/subjects/{TOY}/versions", [1, 2, 3]),
    "versions paged": Case(f"/subjects/{TOY}/versions?offset=1&limit=1", [2], apicurio=[1, 2, 3]),
    "versions of the other major": Case(f"/subjects/{TOY2}/versions", [1]),
    "versions of nobody": Case("/subjects/nobody/versions", Refused(40401)),
    "version 1": Case(f"/subjects/{TOY}/versions/1", entity(FIRST, 1)),
    "version 2": Case(f"/subjects/{TOY}/versions/2", entity(SECOND, 2)),
    "version latest": Case(f"/subjects/{TOY}/versions/latest", entity(THIRD, 3)),
    "version -1": Case(f"/subjects/{TOY}/versions/-1", entity(THIRD, 3)),
    "version of the other major": Case(f"/subjects/{TOY2}/versions/1", entity(OTHER_MAJOR, 1)),
    "version not there": Case(f"/subjects/{TOY}/versions/4", Refused(40402)),
    "version 0": Case(f"/subjects/{TOY}/versions/0", Refused(42202), apicurio=Refused(40402)),
    "version -2": Case(f"/subjects/{TOY}/versions/-2", Refused(42202), apicurio=Refused(40401)),
    "version abc": Case(f"/subjects/{TOY}/versions/abc", Refused(42202), apicurio=Refused(40402)),
    "version beyond int": Case(
        f"/subjects/{TOY}/versions/99999999999", Refused(42202), apicurio=Refused(40402)
    ),
    "version of nobody": Case("/subjects/nobody/versions/1", Refused(40401)),
    "latest of nobody": Case("/subjects/nobody/versions/latest", Refused(40401)),
    "text of a version": Case(
        f"/subjects/{TOY}/versions/2/schema", lambda _: json.loads(SECOND.text)
    ),
    "text of a version not there": Case(f"/subjects/{TOY}/versions/9/schema", Refused(40402)),
    "text of nobody": Case("/subjects/nobody/versions/1/schema", Refused(40401)),
    "id": Case(by_id(SECOND), lambda _: {"schemaType": "AVRO", "schema": json.loads(SECOND.text)}),
    "id with a subject": Case(
        by_id(THIRD, f"?subject={TOY}"),
        lambda _: {"schemaType": "AVRO", "schema": json.loads(THIRD.text)},
    ),
    "id with a subject that is not there": Case(
        by_id(THIRD, "?subject=gf.sample.v1-value"),
        lambda _: {"schemaType": "AVRO", "schema": json.loads(THIRD.text)},
    ),
    "text of an id": Case(by_id(THIRD, "/schema"), lambda _: json.loads(THIRD.text)),
    "versions of an id": Case(by_id(THIRD, "/versions"), [{"subject": TOY, "version": 3}]),
    "subjects of an id": Case(by_id(THIRD, "/subjects"), [TOY], apicurio=Refused(404)),
    "id not there": Case(f"/schemas/ids/{UNKNOWN_ID}", Refused(40403)),
    "id below zero": Case("/schemas/ids/-1", Refused(40403)),
    "id abc": Case("/schemas/ids/abc", Refused(404)),
    "text of an id not there": Case(f"/schemas/ids/{UNKNOWN_ID}/schema", Refused(40403)),
    "versions of an id not there": Case(f"/schemas/ids/{UNKNOWN_ID}/versions", Refused(40403)),
    "subjects of an id not there": Case(
        f"/schemas/ids/{UNKNOWN_ID}/subjects", Refused(40403), apicurio=Refused(404)
    ),
    "types": Case("/schemas/types", ["AVRO"], apicurio=["AVRO", "JSON", "PROTOBUF"]),
    "config": Case("/config", {"compatibilityLevel": COMPATIBILITY}),
    "config of a subject": Case(f"/config/{TOY}", {"compatibilityLevel": COMPATIBILITY}),
    "config of nobody": Case("/config/nobody", Refused(40408), apicurio=Refused(40401)),
    "mode": Case("/mode", {"mode": "READONLY"}, apicurio=Refused(404)),
    "mode of a subject": Case(f"/mode/{TOY}", {"mode": "READONLY"}, apicurio=None),
    "mode of nobody": Case("/mode/nobody", Refused(40409), apicurio=None),
    "nowhere": Case("/nowhere", Refused(404)),
    "associations of a topic": Case("/associations/resources/-/gf.sample.v1", Refused(404)),
    "lookup": Case(
        **look_up(FIRST.text),
        answer=entity(FIRST, 1),
        apicurio=without("schemaType", entity(FIRST, 1)),
    ),
    "lookup in other words": Case(
        **look_up(spelled(THIRD)),
        answer=entity(THIRD, 3),
        apicurio=without("schemaType", entity(THIRD, 3)),
    ),
    "lookup with another documentation": Case(
        **look_up(spelled(SECOND, doc="other")),
        answer=Refused(40403),
        apicurio=without("schemaType", entity(SECOND, 2)),
    ),
    "lookup of another subject's schema": Case(**look_up(OTHER_MAJOR.text), answer=Refused(40403)),
    "lookup of a schema not there": Case(
        **look_up({"type": "record", "name": "Nobody", "fields": []}), answer=Refused(40403)
    ),
    "lookup under nobody": Case(**look_up(FIRST.text, "nobody"), answer=Refused(40401)),
    "lookup of no JSON": Case(**look_up("{"), answer=Refused(42201), apicurio=Refused(40403)),
    "lookup of no schema": Case(
        **look_up({"type": "nonsense"}), answer=Refused(42201), apicurio=Refused(40403)
    ),
    "lookup of nothing": Case(
        f"/subjects/{TOY}", Refused(42201), "POST", {}, apicurio=Refused(500)
    ),
    "lookup with a broken body": Case(f"/subjects/{TOY}", Refused(400), "POST", b"{"),
    "registering what is there": Case(
        f"/subjects/{TOY}/versions",
        lambda asked: {"id": asked.ids[SECOND]},
        "POST",
        {"schema": SECOND.text},
    ),
    "compatible with the latest": Case(**beside("versions/latest", NEXT), answer=COMPATIBLE),
    "compatible with a version": Case(**beside("versions/1", NEXT), answer=COMPATIBLE),
    "compatible with all": Case(**beside("versions", NEXT), answer=COMPATIBLE),
    "a type that changed": Case(**beside("versions/latest", RETYPED), answer=INCOMPATIBLE),
    "a type that changed, since the first": Case(
        **beside("versions/1", RETYPED), answer=COMPATIBLE
    ),
    "a type that changed, among all": Case(**beside("versions", RETYPED), answer=INCOMPATIBLE),
    "a field without a default": Case(**beside("versions/latest", BARE), answer=INCOMPATIBLE),
    "a field that went without a default": Case(
        **beside("versions/latest", {**spelled(THIRD), "fields": []}), answer=INCOMPATIBLE
    ),
    "compatible with a version not there": Case(
        **beside("versions/9", NEXT), answer=Refused(40402)
    ),
    "compatible with no version": Case(
        **beside("versions/abc", NEXT), answer=Refused(42202), apicurio=Refused(40402)
    ),
    "no schema is compatible": Case(
        **beside("versions/latest", {"type": "x"}), answer=Refused(42201)
    ),
}
