"""Metadata that come with a file or an order: held to the schema before, and said once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from genoflow.api.desks import Decided
from genoflow.deploy.catalog_documents import parse_documents
from genoflow.deploy.metadata_desk import LogMetadata, request_with
from genoflow.deploy.order_metadata import OrderMetadata
from genoflow.deploy.people import saying
from genoflow.deploy.subject import LogSubjects
from genoflow.events import topics
from genoflow.events.errors import Contradicted, Refused
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.events.sample_metadata_amended import SampleMetadataAmended
from genoflow.events.sample_registered import SampleRegistered
from genoflow.processors.intake import order_desk
from genoflow.processors.intake.order_metadata import taken_off
from genoflow.processors.intake.orders import OrderRefused
from genoflow.processors.intake.privacy import PrivacyGuard
from genoflow.projections.sample_metadata import values_in
from tests.asked import registered, told
from tests.partition import CODEC, MOMENT
from tests.spec import heard

PATTERNS = (r"MRN\d+", r"^\d{8}$")
GUARD = PrivacyGuard(PATTERNS)
BY = order_desk.Said(order_desk.person("a.b"), MOMENT)
SCHEMA = {
    "kind": "metadata-schema", "document_id": "cohort", "version": "1.0", "title": "Cohort",
    "projects": ["P-12"],
    "schema": {
        "type": "object", "required": ["tissue"], "additionalProperties": False,
        "properties": {"tissue": {"type": "string", "enum": ["blood"]}, "age": {"type": "integer"}},
    },
}  # fmt: skip


@pytest.fixture
async def log() -> AsyncIterator[MemoryLog]:
    """S7 is of P-12, which has a schema; S8 is of no project."""
    async with MemoryLog(topics.TOPICS, partitions=4, codec=CODEC) as memory:
        of_project = SampleRegistered(**dict(registered()) | {"project_id": "P-12"})
        [schema] = parse_documents([("a", json.dumps(SCHEMA))], [], GUARD)
        for event in told(of_project, registered("S8"), heard(schema)):
            await memory.append(event)
        yield memory


async def said(log: MemoryLog) -> list[tuple[str, dict[str, Any]]]:
    records = log.read_topic(topics.SAMPLE.name)
    facts = [e async for one in records if isinstance(e := one.event, SampleMetadataAmended)]
    return [(one.sample_id, values_in(one)) for one in facts]


async def brought(
    log: MemoryLog, sample: str, request: str | None = None, *, project: str | None = None,
    may_replace: bool = True, **metadata: Any,
) -> SampleMetadataAmended | None:  # fmt: skip
    """What is said with a file, once it stands on the log."""
    decided = Decided("with a file", "operator", saying("a.b", MOMENT), request)
    fact = await LogMetadata(log, PATTERNS).brought(
        sample, metadata, decided, project_id=project, may_replace=may_replace
    )
    if fact is not None:
        await log.append(fact)
    return fact


async def test_the_same_metadata_are_said_once(log: MemoryLog) -> None:
    first = await brought(log, "S7", tissue="blood")
    assert first is not None
    assert (first.schema_id, first.schema_version, first.project_id) == ("cohort", "1.0", "P-12")
    assert await brought(log, "S7", tissue="blood") is None
    assert await brought(log, "S7", "r1", tissue="blood") is None
    assert await brought(log, "S7", "r2", tissue="blood", age=4) is not None
    # What came again late does not take the place of what was said since.
    assert await brought(log, "S7", "r3", tissue="blood") is not None
    assert await brought(log, "S7", "r2", tissue="blood", age=4) is None
    assert await said(log) == [
        ("S7", {"tissue": "blood"}), ("S7", {"tissue": "blood", "age": 4}),
        ("S7", {"tissue": "blood"}),
    ]  # fmt: skip


async def test_what_does_not_fit_is_refused_with_every_fault_and_not_said(log: MemoryLog) -> None:
    for sample, project in (("S7", None), ("new", "P-12")):
        with pytest.raises(Refused) as refusal:
            await brought(log, sample, project=project, colour="red", age=1.5)
        text = str(refusal.value)
        assert "metadata.tissue: is missing; add it (schema cohort 1.0 of project P-12)" in text
        assert "metadata.colour: is not known" in text
        assert "metadata.age" in text
    for metadata in ({"tissue": "MRN12"}, {"MRN12": "blood"}, {"age": 12345678}):
        with pytest.raises(Refused, match="identifier of a person"):
            await brought(log, "S8", **metadata)
    with pytest.raises(Refused, match=r"metadata\.deep: is list"):
        await brought(log, "S8", deep=[["MRN12"]])
    assert await said(log) == []


async def test_others_are_not_replaced_by_whoever_may_only_send_files(log: MemoryLog) -> None:
    assert await brought(log, "new", may_replace=False, colour="red") is not None
    assert await brought(log, "new", may_replace=False, colour="red") is None
    with pytest.raises(Contradicted, match="others are said of sample new"):
        await brought(log, "new", may_replace=False, colour="blue")
    assert await brought(log, "new", colour="blue") is not None


def test_a_decision_is_named_by_what_it_came_with_and_by_its_values() -> None:
    named = request_with({"a": 1, "b": 2}, "CaseOpened", "C1", "S7")
    assert named == request_with({"b": 2, "a": 1}, "CaseOpened", "C1", "S7")
    assert named != request_with({"a": 1, "b": 3}, "CaseOpened", "C1", "S7")
    assert named != request_with({"a": 1, "b": 2}, "CaseOpened", "C2", "S7")


# -- with orders


def order(case: str, sample: str, **more: Any) -> dict[str, Any]:
    member = {"sample_id": sample, "role": "single", "subject_ref": "P1"} | more
    return {
        "case_id": case, "kind": "single", "assay": "panel", "reference": "GRCh38",
        "project_id": "P-12", "members": [member],
    }  # fmt: skip


async def placed(log: MemoryLog, *documents: Any, dry_run: bool = False) -> list[bool]:
    found = order_desk.read_orders([("a.json", json.dumps(documents))], GUARD)
    beside = OrderMetadata(log, PATTERNS, found.carried, BY)
    done = await order_desk.place(
        log, LogSubjects(log), found.orders, BY, dry_run=dry_run, beside=beside
    )
    return [one.is_new for one in done]


async def cases(log: MemoryLog) -> Sequence[Event | None]:
    return [record.event async for record in log.read_topic(topics.CASE.name)]


async def test_an_order_says_them_once_however_often_it_is_placed(log: MemoryLog) -> None:
    document = order("C1", "new", metadata={"tissue": "blood", "age": 4})
    assert await placed(log, document, dry_run=True) == [True]
    assert await said(log) == []
    assert await placed(log, document) == [True]
    assert await brought(log, "new", project="P-12", tissue="blood") is not None
    assert await placed(log, document) == [False]
    assert await placed(log, order("C1", "new", metadata={"tissue": "blood", "age": 9})) == [False]
    both = order("C2", "new", metadata={"tissue": "blood"}), order("C3", "S9")
    assert await placed(log, *both) == [True, True]
    assert await said(log) == [
        ("new", {"tissue": "blood", "age": 4}), ("new", {"tissue": "blood"}),
    ]  # fmt: skip


async def test_an_order_whose_metadata_do_not_fit_is_no_case(log: MemoryLog) -> None:
    wrong = order("C1", "new", metadata={"colour": "MRN12"})
    right = order("C2", "S9", metadata={"tissue": "blood"})
    for document in (wrong, order("C1", "new", metadata={"colour": "red"})):
        with pytest.raises(Refused) as refusal:
            await placed(log, document, right)
        assert "a.json order 1: members.0.metadata" in str(refusal.value)
        assert "MRN12" not in str(refusal.value)
    assert (await said(log), await cases(log)) == ([], [])


def test_metadata_of_a_member_are_an_object_and_the_same_in_one_order() -> None:
    with pytest.raises(OrderRefused, match=r"members\.0\.metadata: are no JSON object"):
        taken_off(order("C1", "S9", metadata=[1]), "a")
    bare, carried = taken_off(order("C1", "S9", metadata=None), "a")
    assert (bare["members"][0].keys() & {"metadata"}, carried) == (set(), [])
    twice = [order("C1", "S9", metadata={"x": n}) for n in range(2)]
    with pytest.raises(Refused, match="C1: has other metadata than in a order 1"):
        order_desk.read_orders([("a", json.dumps(twice))], GUARD)
