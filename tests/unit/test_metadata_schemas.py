"""Which schemas of metadata can be published, and which metadata fit one."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from genoflow.deploy.catalog_documents import document_schema, parse_documents
from genoflow.deploy.metadata_desk import schema_for
from genoflow.deploy.metadata_schemas import (
    SCHEMA_CHARACTERS_MAX,
    SCHEMA_SCHEMA,
    metadata_faults,
    schema_faults,
    values_of,
)
from genoflow.events.errors import Refused
from genoflow.events.metadata_schema_published import MetadataSchemaPublished
from genoflow.processors.intake.privacy import PrivacyGuard
from genoflow.processors.running.parameters import canonical

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["tissue"],
    "additionalProperties": False,
    "properties": {
        "tissue": {"type": "string", "enum": ["blood", "saliva"]},
        "age_years": {"type": "integer", "minimum": 0, "maximum": 120},
        "box": {"type": "string", "pattern": "^B[0-9]{3}$"},
        "fasting": {"type": "boolean"},
        "note": {"type": "string", "minLength": 2, "maxLength": 10},
    },
}
DOCUMENT = {
    "kind": "metadata-schema", "document_id": "cohort-a", "version": "1.0", "title": "A",
    "projects": ["P-12"], "schema": SCHEMA,
}  # fmt: skip
GUARD = PrivacyGuard((r"MRN\d+", r"^\d{8}$"))
FITTING: dict[str, object] = {"tissue": "blood", "age_years": 41, "box": "B001", "fasting": True}


def published(**changes: Any) -> MetadataSchemaPublished:
    [found] = parse_documents([("a", json.dumps(DOCUMENT | changes))], [], GUARD)
    assert isinstance(found, MetadataSchemaPublished)
    return found


def field(**rules: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"x": rules}}


def test_a_schema_is_published_and_holds_what_was_written() -> None:
    found = published()
    assert json.loads(found.document_json) == SCHEMA
    assert found.projects == ("P-12",)


def test_our_schema_of_schemas_and_what_fits_it_are_of_the_draft() -> None:
    Draft202012Validator.check_schema(document_schema(SCHEMA_SCHEMA))
    Draft202012Validator(document_schema(SCHEMA_SCHEMA)).validate(SCHEMA)
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    ("schema", "word"),
    [
        (None, "write an object"),
        ([], "write an object"),
        ({}, "properties: is missing"),
        ({"type": "array", "properties": {}}, "write 'object'"),
        ({"type": "object", "properties": {}, "required": ["x"]}, "none of the properties"),
        ({"type": "object", "properties": {"a b": {"type": "string"}}}, "write what fits"),
        ({"type": "object", "properties": {}, "additionalProperties": {}}, "write a boolean"),
        (field(), "x.type: is missing"),
        (field(type="text"), "write one of string"),
        (field(type=["string", "null"]), "write one of string"),
        (field(type="object"), "write one of string"),
        ({"type": "object", "properties": {"x": {"$ref": "https://a.example/b"}}}, "x.$ref"),
        (field(type="string", format="date"), "x.format: is not known"),
        (field(type="string", minLength="3"), "write an integer"),
        (field(type="string", minLength=3, maxLength=2), "above maxLength"),
        (field(type="number", minimum=3, maximum=2), "above maximum"),
        (field(type="string", enum=[]), "at least 1"),
        (field(type="string", enum=["a", "a"]), "twice"),
        (field(type="string", enum=["a", 1]), "enum.1"),
        (field(type="string", pattern="("), "cannot be matched"),
        (field(type="string", pattern="(?=a)"), "cannot be matched"),
        (field(type="string", pattern=r"(a)\1"), "cannot be matched"),
        (field(type="string", pattern="((a{1000}){1000}){1000}"), "cannot be matched"),
        (field(type="string", pattern="a" * 201), "at most 200"),
        (
            {"type": "object", "properties": {f"x{n}": {"type": "string"} for n in range(101)}},
            "at most 100",
        ),
        (field(type="string", description="a" * SCHEMA_CHARACTERS_MAX), "is the most"),
    ],
)
def test_what_is_no_schema_is_refused_with_its_place(schema: object, word: str) -> None:
    faults = list(schema_faults(schema, canonical(schema)))
    assert any(word in one for one in faults), faults
    with pytest.raises(Refused, match="nothing was published"):
        published(schema=schema)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"tissue": "hair"}, "metadata.tissue: is 'hair'; write one of blood, saliva"),
        ({"age_years": 121}, "metadata.age_years: is 121; write at most 120"),
        ({"age_years": "41"}, "metadata.age_years: is '41'; write an integer"),
        ({"age_years": True}, "metadata.age_years: is True; write an integer"),
        ({"box": "B1"}, "metadata.box: does not fit ^B[0-9]{3}$; write what does"),
        ({"box": "B001\n"}, "metadata.box: does not fit ^B[0-9]{3}$; write what does"),
        ({"fasting": 1}, "metadata.fasting: is 1; write a boolean"),
        ({"note": "a"}, "metadata.note: has 1 characters; give it at least 2"),
        (
            {"colour": "red"},
            "metadata.colour: is not known; leave it out, there are tissue, age_years, box, "
            "fasting, note",
        ),
    ],
)
def test_what_does_not_fit_is_told_with_path_fact_and_way_out(
    changes: dict[str, object], fault: str
) -> None:
    found = FITTING | changes
    assert metadata_faults(found, SCHEMA) == [fault]
    # A line end behind the last character fits $ in Python alone.
    if changes != {"box": "B001\n"}:
        assert not Draft202012Validator(SCHEMA).is_valid(found)


def test_what_fits_has_no_fault() -> None:
    assert metadata_faults(FITTING, SCHEMA) == []
    assert metadata_faults({}, SCHEMA) == ["metadata.tissue: is missing; add it"]
    Draft202012Validator(SCHEMA).validate(FITTING)


def test_a_pattern_never_runs_for_ever() -> None:
    schema = field(type="string", pattern="^(a+)+$")
    assert list(schema_faults(schema, canonical(schema))) == []
    start = time.process_time()
    assert metadata_faults({"x": "a" * 499 + "b"}, schema)
    assert time.process_time() - start < 1.0


@pytest.mark.parametrize(
    ("metadata", "word"),
    [
        ({"a b": "x"}, "is no name"),
        ({"a" * 65: "x"}, "is no name"),
        ({"a": "x" * 501}, "500 is the most"),
        ({"a": "x\0"}, "U+0000"),
        ({"a": None}, "is NoneType"),
        ({"a": {"b": 1}}, "is dict"),
        ({"a": 2**53 + 1}, "no number"),
        ({"a": float("nan")}, "no number"),
        ({"a": float("inf")}, "no number"),
        ({f"a{n}": n for n in range(101)}, "100 is the most"),
    ],
)
def test_metadata_have_limits_without_a_schema_too(metadata: dict[str, object], word: str) -> None:
    with pytest.raises(Refused, match=re.escape(word)):
        values_of(metadata)


def test_values_keep_their_kind_and_stand_by_name() -> None:
    found = values_of({"b": 1, "a": "x", "c": False})
    assert [(one.name, one.text, one.number, one.flag) for one in found] == [
        ("a", "x", None, None), ("b", None, 1.0, None), ("c", None, None, False),
    ]  # fmt: skip


def test_the_schema_that_came_into_force_last_counts_for_a_project() -> None:
    first, other = published(), published(document_id="cohort-b", projects=["P-12", "P-13"])
    assert schema_for("P-12", [first, other]) is other
    assert schema_for("P-12", [first]) is first
    assert schema_for("P-13", [first]) is None
    assert schema_for(None, [first, other]) is None
