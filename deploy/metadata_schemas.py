"""Schemas of sample metadata: which can be published, and what of a sample does not fit one.

A schema is JSON Schema (draft 2020-12) of one flat object. schemas/metadata_schema.v1.schema.json
says which keywords there are; a reference to another document is none of them, so nothing is ever
fetched. Patterns run on an engine that never goes back, so none can run for ever.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Any

from pydantic import StringConstraints, TypeAdapter, ValidationError
from pydantic_core import SchemaError

from genoflow.events.errors import Refused
from genoflow.events.metadata_schema_published import MetadataSchemaPublished
from genoflow.events.metadata_value import VALUE_CHARACTERS_MAX, MetadataName, MetadataValue
from genoflow.events.sample_metadata_amended import VALUES_MAX
from genoflow.processors.json_schema import faults_of

SCHEMA_CHARACTERS_MAX = 65_536  # what the event holds: 100 fields of 650 characters
SCHEMA_SCHEMA = "metadata_schema.v1.schema.json"
PATTERNS_KEPT_MAX = 1_000  # compiled: those of ten schemas with 100 fields
FAULTS_SHOWN_MAX = 30  # about one screen
WHOLE_MAX = 2**53  # above it a double does not tell one whole number from the next
_NAME: TypeAdapter[str] = TypeAdapter(MetadataName)


def schema_faults(schema: object, text: str) -> Iterator[str]:
    """Everything for which this is no schema that can be published; text is its canonical JSON."""
    if len(text) > SCHEMA_CHARACTERS_MAX:
        yield (
            f"schema: has {len(text):,} characters; {SCHEMA_CHARACTERS_MAX:,} is the most, so "
            f"shorten its descriptions or its lists"
        )
        return
    rules = json.loads(files("genoflow.schemas").joinpath(SCHEMA_SCHEMA).read_text("utf-8"))
    found = faults_of({"schema": schema}, {"properties": {"schema": rules}, **_defs(rules)})
    yield from found
    if found:
        return
    assert isinstance(schema, dict)
    for name in schema.get("required", ()):
        if name not in schema["properties"]:
            yield f"schema.required: {name} is none of the properties; add it there"
    for name, field in schema["properties"].items():
        for fault in _field_faults(field):
            yield f"schema.properties.{name}.{fault}"


def metadata_faults(metadata: Mapping[str, object], schema: Mapping[str, Any]) -> list[str]:
    """Everything in which these metadata do not fit a schema that was published."""
    fields: Mapping[str, Mapping[str, Any]] = schema["properties"]
    # The patterns are matched below: the checker of documents matches with an engine that goes
    # back, which is right for our own patterns and not for everybody's.
    bare = {name: _without(field, "pattern") for name, field in fields.items()}
    faults = faults_of(
        {"metadata": metadata}, {"properties": {"metadata": {**schema, "properties": bare}}}
    )
    for name, field in fields.items():
        value = metadata.get(name)
        if "pattern" in field and isinstance(value, str) and not _fits(field["pattern"], value):
            faults.append(f"metadata.{name}: does not fit {field['pattern']}; write what does")
    return faults


def values_of(metadata: Mapping[str, object]) -> tuple[MetadataValue, ...]:
    """The metadata as an event holds them, by name; Refused names every one that cannot be."""
    faults = []
    if len(metadata) > VALUES_MAX:
        faults.append(f"metadata: has {len(metadata):,} values; {VALUES_MAX} is the most")
    for name, value in metadata.items():
        faults += [f"metadata.{name:.64}: {fact}" for fact in _value_faults(name, value)]
    refuse(faults)
    return tuple(_value(name, metadata[name]) for name in sorted(metadata))


def parsed(text: str, characters_max: int) -> Mapping[str, object]:
    """The JSON object of a text; Refused where it is none, or is longer than that."""
    if len(text) > characters_max:
        raise Refused(f"metadata: have more than {characters_max:,} characters; say less")
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise Refused(f'metadata: are no JSON ({error}); write {{"name": value, …}}') from error
    if not isinstance(value, dict):
        raise Refused('metadata: are no JSON object; write {"name": value, …}')
    return value


def schema_of(document: MetadataSchemaPublished) -> Mapping[str, Any]:
    """The JSON Schema that a document holds."""
    found: Mapping[str, Any] = json.loads(document.document_json)
    return found


def refuse(faults: list[str]) -> None:
    """Return if there are none of these; else Refused with as many as a screen shows."""
    if faults:
        more = len(faults) - FAULTS_SHOWN_MAX
        raise Refused(
            "\n".join([*faults[:FAULTS_SHOWN_MAX], *([f"and {more:,} more"] if more > 0 else [])])
        )


def _defs(rules: Mapping[str, Any]) -> dict[str, Any]:
    return {"$defs": rules["$defs"]}


def _without(field: Mapping[str, Any], word: str) -> dict[str, Any]:
    return {name: rule for name, rule in field.items() if name != word}


def _field_faults(field: Mapping[str, Any]) -> Iterator[str]:
    for least, most in (("minLength", "maxLength"), ("minimum", "maximum")):
        if least in field and most in field and field[least] > field[most]:
            yield f"{least}: is above {most}, so that nothing fits; mend one of them"
    for number, one in enumerate(field.get("enum", ())):
        for fault in faults_of(one, {"type": field["type"]}):
            yield f"enum.{number}: {fault}"
    if "pattern" in field:
        try:
            _matcher(field["pattern"])
        except SchemaError as error:
            fact = str(error).strip().splitlines()[-1].strip()
            yield (
                f"pattern: cannot be matched ({fact}); write it without look-around and "
                f"back-references, and with smaller repetitions"
            )


def _value_faults(name: str, value: object) -> Iterator[str]:
    try:
        _NAME.validate_python(name)
    except ValidationError:
        yield "is no name; write a letter, then letters, digits and _, 64 in all at most"
    if isinstance(value, str):
        if len(value) > VALUE_CHARACTERS_MAX:
            yield f"has {len(value):,} characters; {VALUE_CHARACTERS_MAX} is the most"
        if "\0" in value:
            yield "holds the character U+0000; leave it out"
    elif not isinstance(value, bool | int | float):
        yield f"is {type(value).__name__}; write a text, a number, true or false"
    elif abs(value) > WHOLE_MAX or value != value:  # noqa: PLR0124 -- only NaN is not itself
        yield f"is no number that is kept as it is; write one up to {WHOLE_MAX:,}, or a text"


def _value(name: str, value: object) -> MetadataValue:
    if isinstance(value, bool):
        return MetadataValue(name=name, flag=value)
    if isinstance(value, str):
        return MetadataValue(name=name, text=value)
    assert isinstance(value, int | float)
    return MetadataValue(name=name, number=value)


def _fits(pattern: str, text: str) -> bool:
    try:
        _matcher(pattern).validate_python(text[:VALUE_CHARACTERS_MAX])
    except ValidationError:
        return False
    return True


@lru_cache(maxsize=PATTERNS_KEPT_MAX)
def _matcher(pattern: str) -> TypeAdapter[str]:
    # Its engine is Rust's regex: linear in the text, and a bounded size when compiled.
    return TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)])
