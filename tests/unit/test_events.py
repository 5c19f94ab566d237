"""Every event of the catalogue: its name, its words, its key, its rules and its identity."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from importlib.resources import files
from typing import Any
from uuid import uuid4

import pytest
from pydantic import BaseModel, ValidationError

from genoflow.events import topics
from genoflow.events.avro import full_name, schema_of
from genoflow.events.case_opened import CaseOpened
from genoflow.events.catalogue import EVENTS
from genoflow.events.deadline_set import DeadlineSet
from genoflow.events.envelope import Envelope
from genoflow.events.errors import InvalidEvent, SchemaConflict
from genoflow.events.event import Event, begin
from genoflow.events.file_assigned import FileAssigned
from genoflow.events.file_landed import FileLanded
from genoflow.events.identity import derived_id, external_id
from genoflow.events.measured import Measured
from genoflow.events.qc_failed import QcFailed
from genoflow.events.qc_passed import QcPassed
from genoflow.events.registry import file_name, released, stem_of
from genoflow.events.sequencing_run_qc_passed import SequencingRunQcPassed
from genoflow.events.task_resources import TaskResources
from tests.examples import bare_example, example, somebody, someone

every_event = pytest.mark.parametrize("model", EVENTS, ids=lambda model: model.__name__)

# Past participles that do not end in "ed"; a projection is cut over.
IRREGULAR = {
    "Found", "Held", "Kept", "Left", "Lost", "Over", "Overridden", "Read", "Ready", "Sent", "Set",
    "Silent", "Stuck", "Withdrawn",
}  # fmt: skip
DIRECT_IDENTIFIERS = {
    "first_name", "last_name", "surname", "patient_name", "birth_date", "date_of_birth", "mrn",
    "medical_record_number", "social_security_number", "phone", "address", "email",
}  # fmt: skip
MOMENT = datetime(2026, 3, 1, 10, tzinfo=UTC)


def parts(model: type[BaseModel]) -> dict[str, type[BaseModel]]:
    """Every record in a model, itself too."""
    found = {model.__name__: model}
    for info in model.model_fields.values():
        for name in re.findall(r"genoflow\.events\.(\w+)\.(\w+)", str(info.annotation)):
            module, record = name
            inner = getattr(importlib.import_module(f"genoflow.events.{module}"), record)
            if issubclass(inner, BaseModel):
                found.update(parts(inner))
    return found


@every_event
def test_one_stem_names_class_module_and_schema(model: type[Event]) -> None:
    stem = stem_of(model.__name__)
    assert model.__module__ == f"genoflow.events.{stem}"
    assert files("genoflow.schemas").joinpath(f"{stem}.v{model.about.version}.avsc").is_file()
    assert file_name(model.type(), model.about.version) == f"{stem}.v{model.about.version}.avsc"
    assert released().current(model.type()).subject == full_name(model.type(), model.about.version)


@every_event
def test_the_name_is_a_fact_in_the_past(model: type[Event]) -> None:
    last = re.findall(r"[A-Z][a-z]+", model.__name__)[-1]
    assert last.endswith("ed") or last in IRREGULAR


@every_event
def test_every_word_is_there(model: type[Event]) -> None:
    for record in parts(model).values():
        assert (record.__doc__ or "").strip().endswith("."), record
        assert len(record.__doc__ or "") <= 400
        for name, info in record.model_fields.items():
            assert info.description, f"{record.__name__}.{name}"
            assert len(info.description) <= 100


@every_event
def test_a_verdict_names_its_twin_and_the_twin_names_it(model: type[Event]) -> None:
    named = re.findall(
        r"(\w+) is the (?:positive|negative) twin", " ".join((model.__doc__ or "").split())
    )
    by_name = {other.__name__: other for other in EVENTS}
    for twin in named:
        assert f"{model.__name__} is the" in " ".join((by_name[twin].__doc__ or "").split())


@every_event
def test_key_and_topic_resolve(model: type[Event]) -> None:
    for seed in range(5):
        event = example(model, seed)
        assert event.key == event.envelope.subject
        assert event.topic in topics.BY_NAME
        if model.about.topics:
            assert event.topic in {topic.name for topic in model.about.topics}


@every_event
def test_about_names_only_fields(model: type[Event]) -> None:
    about = model.about
    assert about.key in model.model_fields
    assert set(about.identity) <= set(model.model_fields)
    assert set(about.discriminator) <= set(model.model_fields)


@every_event
def test_no_field_is_a_direct_identifier_of_a_person(model: type[Event]) -> None:
    for record in parts(model).values():
        assert not DIRECT_IDENTIFIERS & set(record.model_fields)


def branches(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A JSON Schema and those inside it, but not behind a reference."""
    yield schema
    for inner in [*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else ())]:
        yield from branches(inner)


@every_event
def test_nothing_is_unbounded(model: type[Event]) -> None:
    limits = {"array": "maxItems", "integer": "maximum", "string": "maxLength"}
    for record in (*parts(model).values(), *parts(Envelope).values()):
        exact = {name for name, i in record.model_fields.items() if "Decimal" in str(i.annotation)}
        for name, schema in record.model_json_schema()["properties"].items():
            for branch in () if name in exact else branches(schema):
                limit = limits.get(branch.get("type", ""))
                by_itself = (
                    branch.get("format") in {"uuid", "date-time", "date"} or "pattern" in branch
                )
                if limit and not (by_itself and limit == "maxLength"):
                    assert limit in branch, f"{record.__name__}.{name}"
                if branch.get("pattern", "").endswith(("*$", "+$")):
                    assert limit in branch, f"{record.__name__}.{name}"


@every_event
def test_it_is_frozen_and_closed(model: type[Event]) -> None:
    event = bare_example(model)
    name = next(iter(model.model_fields))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(event, name, getattr(event, name))
    fields = {field: getattr(event, field) for field in model.model_fields}
    with pytest.raises(InvalidEvent, match=rf"{model.__name__}\.surplus: Extra inputs"):
        model(**fields, surplus=1)
    assert hash(event) == hash(bare_example(model))


@every_event
def test_what_is_missing_is_named(model: type[Event]) -> None:
    required = [name for name, info in model.model_fields.items() if info.is_required()]
    with pytest.raises(InvalidEvent) as caught:
        model()
    for name in required:
        assert f"{model.__name__}.{name}: Field required" in str(caught.value)


@every_event
def test_its_schema_has_plain_defaults_and_one_name_a_record(model: type[Event]) -> None:
    schema = schema_of(model)
    assert next(field["name"] for field in schema["fields"]) == "envelope"
    for field in schema["fields"]:
        if isinstance(field["type"], list):
            assert field["type"][0] == "null"
            assert field["default"] is None, field["name"]


@every_event
def test_two_reporters_of_one_fact_give_it_one_id(model: type[Event]) -> None:
    fact = bare_example(model, 3)
    there = begin(fact, occurred_at=MOMENT, actor=somebody(), by=someone())
    later = MOMENT + timedelta(hours=1)
    here = begin(bare_example(model, 3), occurred_at=later, actor=somebody(), by=someone())
    assert there.envelope.event_id == here.envelope.event_id
    other = begin(bare_example(model, 4), occurred_at=MOMENT, actor=somebody(), by=someone())
    assert other.envelope.event_id != here.envelope.event_id


def test_the_catalogue_lists_every_event_once() -> None:
    names = [model.__name__ for model in EVENTS]
    assert len(set(names)) == len(names)
    room = files("genoflow.events")
    modules = {
        path.name.removesuffix(".py") for path in room.iterdir() if path.name.endswith(".py")
    }
    for stem in modules:
        module = importlib.import_module(f"genoflow.events.{stem}")
        for found in vars(module).values():
            if isinstance(found, type) and issubclass(found, Event) and "about" in vars(found):
                assert found in EVENTS, f"{found.__name__} is not in the catalogue"


def test_what_follows_carries_the_story() -> None:
    cause = example(QcPassed, 1)
    fact = bare_example(QcPassed, 2)
    effect = cause.follow(fact, by=someone(), effect_id=uuid4())
    mine, theirs = effect.envelope, cause.envelope
    assert mine.causation_id == theirs.event_id
    assert mine.correlation_id == theirs.correlation_id
    assert mine.occurred_at == theirs.occurred_at
    assert mine.traceparent == theirs.traceparent
    again = cause.follow(fact, by=someone(), occurred_at=MOMENT)
    assert again.envelope.event_id == mine.event_id
    rounds = {
        cause.follow(fact.model_copy(update={"round": n}), by=someone()).envelope.event_id
        for n in range(1, 5)
    }
    assert len(rounds) == 4


def test_ids_are_the_same_for_ever() -> None:
    assert str(external_id("FileLanded", "b", "k", "v")) == "38fee410-9419-574b-93da-46d5cb004ba8"
    assert external_id("T", "a", "b,c") != external_id("T", "a,b", "c")
    cause = external_id("T", "a")
    assert str(derived_id(cause, "p", "T", "s")) == "a2ce1708-1632-5e41-894c-99669ca5d35e"
    assert derived_id(cause, "p", "T", "s") != derived_id(cause, "p", "T", "s", "")


def test_a_file_lands_where_it_belongs() -> None:
    fields = {
        **dict(bare_example(FileLanded)),
        "bucket": "raw",
        "object_key": "a/b",
        "sample_id": None,
        "instrument_run_id": None,
    }
    unassigned = FileLanded(**fields)
    assert (unassigned.topic, unassigned.key) == ("gf.sample.v1", "unassigned/raw/a/b")
    of_run = FileLanded(**{**fields, "instrument_run_id": "RUN1"})
    assert (of_run.topic, of_run.key) == ("gf.sequencing-run.v1", "RUN1")
    of_sample = FileLanded(**{**fields, "instrument_run_id": "RUN1", "sample_id": "S1"})
    assert (of_sample.topic, of_sample.key) == ("gf.sample.v1", "S1")
    assigned = FileAssigned(
        **{**dict(bare_example(FileAssigned)), "bucket": "raw", "object_key": "a/b"}
    )
    assert (assigned.topic, assigned.key) == (unassigned.topic, unassigned.key)


def test_a_verdict_on_a_run_is_handed_to_its_samples() -> None:
    fields = {**dict(bare_example(SequencingRunQcPassed)), "instrument_run_id": "RUN1"}
    of_run = SequencingRunQcPassed(**{**fields, "sample_id": None})
    assert (of_run.topic, of_run.key) == ("gf.sequencing-run.v1", "RUN1")
    handed = SequencingRunQcPassed(**{**fields, "sample_id": "S1"})
    assert (handed.topic, handed.key) == ("gf.sample.v1", "S1")


def test_a_deadline_stands_with_its_subject() -> None:
    fields = {**dict(bare_example(DeadlineSet)), "subject_topic": "gf.run.v1", "subject_key": "R"}
    assert (DeadlineSet(**fields).topic, DeadlineSet(**fields).key) == ("gf.run.v1", "R")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("size_bytes", -1, "greater than or equal to 0"),
        ("size_bytes", "10", "is not a number"),
        ("size_bytes", True, "is not a number"),
        ("sample_id", "", "String should"),
        ("sample_id", "Anna Müller", "String should match pattern"),
        ("sample_id", "x" * 101, "at most 100 characters"),
        ("bucket", "No", "String should match pattern"),
        ("object_key", "a\x00b", "String should match pattern"),
        ("version_id", "", "at least 1 character"),
        ("lane", 17, "less than or equal to 16"),
        ("role", "R3", "can be one of R1, R2"),
        ("last_modified_at", datetime(2026, 3, 1), "has no time zone; give it as UTC"),  # noqa: DTZ001
        ("declared_md5", "XYZ", "String should match pattern"),
    ],
)
def test_a_bad_value_is_refused_with_place_and_fact(field: str, value: object, said: str) -> None:
    fields = {**dict(bare_example(FileLanded)), field: value}
    with pytest.raises(InvalidEvent, match=rf"^FileLanded\.{field}: .*{re.escape(said)}"):
        FileLanded(**fields)


def test_times_become_utc() -> None:
    east = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    fields = {**dict(bare_example(FileLanded)), "last_modified_at": east}
    landed = FileLanded(**fields)
    assert landed.last_modified_at == MOMENT
    assert landed.last_modified_at.tzinfo is UTC


def test_numbers_that_are_none_are_refused() -> None:
    fields = {"metric": "m", "value": 1.0, "unit": "x", "verdict": "pass"}
    assert Measured(**fields).value == 1.0
    for value in (float("nan"), float("inf"), float("-inf")):
        with pytest.raises(ValidationError, match="finite"):
            Measured(**{**fields, "value": value})


def test_money_is_exact_to_the_millionth() -> None:
    assert str(TaskResources(cost_usd=Decimal("1.5")).cost_usd) == "1.500000"
    for value in (Decimal("0.0000001"), Decimal(-1), Decimal(10**12)):
        with pytest.raises(ValidationError, match=r"Decimal|greater"):
            TaskResources(cost_usd=value)


def test_a_failure_without_reads_needs_no_profile() -> None:
    reads = Measured(metric="reads", value=0, unit="reads", required_min=1, verdict="fail")
    failed = QcFailed(
        sample_id="F",
        round=1,
        reason_code="no reads",
        reason="on the sheet, no reads",
        measured=(reads,),
    )
    assert failed.read_set_ids == ()


def test_lists_are_bounded() -> None:
    fields = dict(bare_example(CaseOpened))
    with pytest.raises(InvalidEvent, match=r"CaseOpened\.members: .*at least 1 item"):
        CaseOpened(**{**fields, "members": ()})
    with pytest.raises(InvalidEvent, match=r"CaseOpened\.members: .*at most 100 items"):
        CaseOpened(**{**fields, "members": fields["members"][:1] * 101})


def test_a_field_without_words_has_no_schema() -> None:
    class Unsaid(QcPassed):
        """A fact."""

        silent: int

    with pytest.raises(SchemaConflict, match="field silent: has no description; say what it means"):
        schema_of(Unsaid)


def test_the_envelope_is_closed() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        Envelope(**{**dict(example(QcPassed).envelope), "surplus": 1})
