"""Which change of a schema is none, which is a minor one and which needs a new major.

Two editions of one major must read each other, whichever wrote: an event of any edition can be
read by code that knows any other (FULL_TRANSITIVE). For the subset that `avro` writes this is:

    a field may come or go where the side that lacks it has a default for it
    a type stays what it is: its logical type, its precision and whether it may be null, too
    a record keeps its full name
    a default, a doc and the order of fields may change
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Schema = Any  # Avro's own JSON: a name, a list for nullable, or an object
Names = Mapping[str, Mapping[str, Any]]  # full name of a record -> its definition

PRIMITIVES = frozenset({"boolean", "int", "long", "double", "bytes", "string"})
_DECORATION = ("doc",)
_LOGICAL = ("logicalType", "precision", "scale")


class Verdict(StrEnum):
    """What a change asks of the version."""

    NONE = "none"
    MINOR = "minor"
    MAJOR = "major"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two editions, at a path of field names."""

    path: str
    kind: str  # added, removed or changed
    before: str
    after: str

    def sentence(self) -> str:
        """The difference in words."""
        if self.kind == "added":
            return f"{self.path}: added as {self.after}"
        if self.kind == "removed":
            return f"{self.path}: removed, was {self.before}"
        return f"{self.path}: changed from {self.before} to {self.after}"


def incompatibilities(older: Schema, newer: Schema) -> list[str]:
    """Why two editions cannot read each other, one sentence a reason; empty if they can."""
    old, new = _names(older), _names(newer)
    found = [
        f"{path}: readers of the newer edition cannot take the older one's events ({reason})"
        for path, reason in _unreadable(newer, older, new, old, "", set())
    ]
    found += [
        f"{path}: readers of the older edition cannot take the newer one's events ({reason})"
        for path, reason in _unreadable(older, newer, old, new, "", set())
    ]
    return found


def changes(older: Schema, newer: Schema) -> tuple[Change, ...]:
    """Every difference but that of words, at its path."""
    return tuple(_changes(older, newer, _names(older), _names(newer), "", set()))


def verdict(older: Schema, newer: Schema) -> Verdict:
    """What the difference between two schemas asks of the version."""
    if not changes(older, newer):
        return Verdict.NONE
    return Verdict.MAJOR if incompatibilities(older, newer) else Verdict.MINOR


def without_words(schema: Schema) -> Schema:
    """The schema without its documentation: words may be mended after a release."""
    if isinstance(schema, list):
        return [without_words(branch) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if key not in _DECORATION}
    for key in ("type", "items"):
        if key in kept:
            kept[key] = without_words(kept[key])
    if "fields" in kept:
        kept["fields"] = [without_words(field) for field in kept["fields"]]
    return kept


def _unreadable(
    reader: Schema, writer: Schema, ours: Names, theirs: Names, path: str, seen: set[str]
) -> Iterator[tuple[str, str]]:
    reader_null, reader_type = _nullable(reader)
    writer_null, writer_type = _nullable(writer)
    place = path or "the record"
    if writer_null and not reader_null:
        yield place, "it may be null there and not here"
    if _kind(reader_type, ours) != _kind(writer_type, theirs):
        yield place, f"{_shown(writer_type)} there is {_shown(reader_type)} here"
        return
    kind = _kind(reader_type, ours)
    if kind == "array":
        yield from _unreadable(
            reader_type["items"], writer_type["items"], ours, theirs, f"{path}[]", seen
        )
    elif kind.startswith("record "):
        if kind not in seen:
            seen.add(kind)
            yield from _unreadable_record(reader_type, writer_type, ours, theirs, path, seen)
    elif kind.split()[0] not in PRIMITIVES:
        yield place, f"{_shown(reader_type)} is outside the subset that this house uses"


def _unreadable_record(
    reader: Schema, writer: Schema, ours: Names, theirs: Names, path: str, seen: set[str]
) -> Iterator[tuple[str, str]]:
    written = {field["name"]: field for field in _record(writer, theirs)["fields"]}
    for field in _record(reader, ours)["fields"]:
        below = f"{path}.{field['name']}" if path else field["name"]
        there = written.get(field["name"])
        if there is not None:
            yield from _unreadable(field["type"], there["type"], ours, theirs, below, seen)
        elif "default" not in field:
            yield below, "it is missing there and has no default here"


def _changes(
    older: Schema, newer: Schema, old: Names, new: Names, path: str, seen: set[str]
) -> Iterator[Change]:
    (old_null, old_type), (new_null, new_type) = _nullable(older), _nullable(newer)
    kind = _kind(old_type, old)
    if old_null != new_null or kind != _kind(new_type, new):
        yield Change(path or "the record", "changed", _shown(older), _shown(newer))
    elif kind == "array":
        yield from _changes(old_type["items"], new_type["items"], old, new, f"{path}[]", seen)
    elif kind.startswith("record ") and kind not in seen:
        seen.add(kind)
        yield from _changed_fields(
            _record(old_type, old), _record(new_type, new), old, new, path, seen
        )


def _changed_fields(
    older: Schema, newer: Schema, old: Names, new: Names, path: str, seen: set[str]
) -> Iterator[Change]:
    before = {field["name"]: field for field in older["fields"]}
    after = {field["name"]: field for field in newer["fields"]}
    for name in [*before, *(name for name in after if name not in before)]:
        below = f"{path}.{name}" if path else name
        if name not in after:
            yield Change(below, "removed", _shown_field(before[name]), "")
        elif name not in before:
            yield Change(below, "added", "", _shown_field(after[name]))
        else:
            yield from _changes(before[name]["type"], after[name]["type"], old, new, below, seen)
            was, now = _default(before[name]), _default(after[name])
            if was != now:
                yield Change(below, "changed", was, now)
    if [n for n in before if n in after] != [n for n in after if n in before]:
        yield Change(path or "the record", "changed", "one order of fields", "another")


def _nullable(schema: Schema) -> tuple[bool, Schema]:
    if isinstance(schema, list) and len(schema) == 2 and schema[0] == "null":
        return True, schema[1]
    return False, schema


def _kind(schema: Schema, names: Names) -> str:
    """Words that are equal where two types are the same on the wire and in meaning."""
    if isinstance(schema, str):
        return f"record {schema}" if schema in names else schema
    if isinstance(schema, list):
        return "union"
    if schema["type"] == "record":
        return f"record {_full_name(schema)}"
    if schema["type"] == "array":
        return "array"
    marks = [f"{key}={schema[key]}" for key in _LOGICAL if key in schema]
    return " ".join([str(schema["type"]), *marks])


def _record(schema: Schema, names: Names) -> Mapping[str, Any]:
    return names[schema if isinstance(schema, str) else _full_name(schema)]


def _full_name(schema: Mapping[str, Any]) -> str:
    return f"{schema['namespace']}.{schema['name']}" if "namespace" in schema else schema["name"]


def _names(schema: Schema) -> dict[str, Mapping[str, Any]]:
    if isinstance(schema, list):
        return {name: record for branch in schema for name, record in _names(branch).items()}
    if not isinstance(schema, dict):
        return {}
    if schema["type"] == "array":
        return _names(schema["items"])
    if schema["type"] != "record":
        return {}
    found: dict[str, Mapping[str, Any]] = {_full_name(schema): schema}
    for field in schema["fields"]:
        found.update(_names(field["type"]))
    return found


def _shown(schema: Schema) -> str:
    nullable, bare = _nullable(schema)
    if nullable:
        return f"{_shown(bare)} or null"
    if isinstance(bare, str):
        return bare.rpartition(".")[2]
    if isinstance(bare, list):
        return "a union"
    if bare["type"] == "record":
        return str(bare["name"])
    if bare["type"] == "array":
        return f"a list of {_shown(bare['items'])}"
    return str(bare.get("logicalType", bare["type"]))


def _default(field: Mapping[str, Any]) -> str:
    return f"default {json.dumps(field['default'])}" if "default" in field else "no default"


def _shown_field(field: Mapping[str, Any]) -> str:
    return f"{_shown(field['type'])}, {_default(field)}"
