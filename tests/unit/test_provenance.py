"""From what results were made: the document, its bytes, and what contradicts it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from genoflow.deploy.provenance_files import read_again
from genoflow.deploy.provenance_lines import facts_of
from genoflow.deploy.subject import LogSubjects
from genoflow.events import topics
from genoflow.events.errors import Refused
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.projections.asking.provenance import text_of
from genoflow.projections.asking.provenance_asked import provenance_told, run_named
from genoflow.projections.asking.provenance_parts import OutputFile, Provenance
from tests.fakes import FakeStore
from tests.partition import CODEC
from tests.provenances import DIGEST, RUN, retracted, story, told
from tests.run_facts import CASE, result, superseded
from tools.provenance_schema import PATH, text

SCHEMA = json.loads(text())


def of_type(events: Sequence[Event], name: str) -> Event:
    """The last fact of this type."""
    return [one for one in events if one.type() == name][-1]


def test_the_schema_on_its_page_is_that_of_the_models() -> None:
    assert Path(PATH).read_text(encoding="utf-8") == text()


async def test_files_code_people_and_events_stand_in_it() -> None:
    events = story()
    found, faults = await told(events)
    assert faults == []
    jsonschema.validate(json.loads(text_of(found)), SCHEMA)
    ids = {one.type(): one.envelope.event_id for one in events}
    [sample] = found.inputs
    assert (sample.verdict, sample.verdict_event_id) == ("overridden", ids["QcOverridden"])
    assert sample.failed_event_id == ids["QcFailed"]
    assert [(one.role, one.md5, one.sha256) for one in sample.files] == [
        ("R1", "7" * 32, "0" * 64), ("R2", "7" * 32, "0" * 64),
    ]  # fmt: skip
    assert sample.files[-1].validated_event_id == ids["Validated"]
    assert sample.files[-1].landed_event_id == ids["FileLanded"]
    assert found.pipeline.published_event_id == ids["PipelinePublished"]
    assert (found.pipeline.code_sha256, found.pipeline.engine) == ("1" * 64, "nextflow")
    assert found.parameters.values == {"ploidy": 2}
    assert [one.sha256 for one in found.reference.files] == ["0" * 64]
    [attempt] = found.attempts
    assert (attempt.engine_version, attempt.exit_code, attempt.ended) == ("24.10.0", 0, "succeeded")
    [task] = found.tasks
    assert (task.process, task.ended, task.container_digest) == ("CALL", "completed", DIGEST)
    assert [(one.did, one.role, one.actor.id) for one in found.decisions] == [
        ("published", None, "a.b"), ("ordered", None, "a.b"), ("overrode", "director", "a.b"),
        ("released", "director", "a.b"),
    ]  # fmt: skip
    assert (found.outputs.state, found.outputs.manifest_sha256) == ("published", "5" * 64)
    assert [one.sha256 for one in found.outputs.files] == ["4" * 64]


async def test_every_cause_stands_before_what_follows_from_it() -> None:
    events = story()
    found, _ = await told(events)
    place = {one.event_id: number for number, one in enumerate(found.events)}
    assert set(place) == {one.envelope.event_id for one in events}
    assert all(one.led_to_results for one in found.events)
    assert found.causes_elsewhere == []
    for one in found.events:
        for cause in (one.causation_id, *one.names):
            assert cause is None or place[cause] < place[one.event_id]


async def test_the_same_log_gives_the_same_bytes_however_often_it_is_read() -> None:
    async with MemoryLog(topics.TOPICS, partitions=4, codec=CODEC) as log:
        for event in (*story(), *story()):
            await log.append(event)
        first = text_of(await provenance_told(LogSubjects(log), RUN))
        again = text_of(await provenance_told(LogSubjects(log), RUN.upper()))
        assert first == again
        assert Provenance.model_validate_json(first).model_dump() == json_dump(first)


def json_dump(document: str) -> dict[str, Any]:
    """A document as it is read again."""
    return Provenance.model_validate_json(document).model_dump()


@pytest.mark.parametrize("name", [RUN, CASE, f"{CASE}/vcf", f"s3://genoflow-results/{CASE}/vcf",
                                  f"genoflow-results/{CASE}/vcf@v1", "4" * 64])  # fmt: skip
async def test_a_run_is_found_by_its_case_and_by_each_file(name: str) -> None:
    async with MemoryLog(topics.TOPICS, partitions=4, codec=CODEC) as log:
        for event in story():
            await log.append(event)
        assert await run_named(LogSubjects(log), name) == RUN


async def test_what_left_no_results_is_refused() -> None:
    async with MemoryLog(topics.TOPICS, partitions=4, codec=CODEC) as log:
        with pytest.raises(Refused, match="no case with results, and no file of results"):
            await run_named(LogSubjects(log), "C9")
        with pytest.raises(Refused, match="nothing on the log asks for it"):
            await provenance_told(LogSubjects(log), RUN)


async def test_what_became_of_results_is_told_and_did_not_lead_to_them() -> None:
    found, faults = await told([*story(), retracted()])
    assert faults == []
    assert (found.outputs.state, found.run.counts) == ("retracted", False)
    assert [one.type for one in found.events if not one.led_to_results] == ["ResultsRetracted"]
    assert (found.decisions[-1].did, found.decisions[-1].reason) == ("retracted", "a swap")
    cause = of_type(story(), "ResultsPublished")
    gone = cause.follow(superseded(), by=cause.envelope.producer)
    later, _ = await told([*story(), gone])
    assert (later.outputs.state, later.run.superseded_by_run_id) == (
        "superseded", superseded().superseded_by_run_id,
    )  # fmt: skip


# -- what contradicts it


async def test_a_cause_that_is_not_there_is_told() -> None:
    events = [one for one in story() if one.type() != "CaseReady"]
    found, faults = await told(events)
    gone = of_type(story(), "CaseReady").envelope.event_id
    assert found.causes_elsewhere == [gone]
    [fault] = faults
    assert f"event {gone}: other events follow from it, and no story here holds it" in fault


async def test_a_cause_that_came_later_is_told() -> None:
    events = story()
    held = of_type(events, "ResultsHeld")
    _, faults = await told([*(one for one in events if one is not held), held])
    assert len(faults) == 1
    assert f"before {held.envelope.event_id} (ResultsHeld)" in faults[0]


async def test_another_fact_under_an_id_is_told() -> None:
    events = story()
    asked = of_type(events, "RunRequested")
    forged = asked.enveloped(asked.envelope.model_copy(update={"causation_id": None}))
    _, faults = await told([forged if one is asked else one for one in events])
    assert [one for one in faults if "its id is not the one" in one] != []


def kept(store: FakeStore, found: Provenance, body: bytes) -> Provenance:
    """The same results, their files in this store with these bytes."""
    file = found.outputs.files[0]
    head = store.keep(file.bucket, file.object_key, body, {})
    left = OutputFile(**dict(result()) | {
        "version_id": head.version_id, "size_bytes": len(body),
        "sha256": hashlib.sha256(b"called").hexdigest(),
    })  # fmt: skip
    outputs = found.outputs.model_copy(update={"files": [left], "manifest_key": None})
    reference = found.reference.model_copy(
        update={"files": [one.model_copy(update={"uri": "file:///ref.fa"})
                          for one in found.reference.files]}
    )  # fmt: skip
    return found.model_copy(update={"outputs": outputs, "inputs": [], "reference": reference})


async def test_every_byte_is_read_again_and_what_differs_is_told() -> None:
    found, _ = await told(story())
    store = FakeStore()
    looked = read_again(kept(store, found, b"called"), store)
    assert (looked.files, looked.size_bytes, looked.differs) == (1, 6, [])
    assert looked.not_here == ["fasta of the reference: file:///ref.fa"]
    [fault] = read_again(kept(store, found, b"edited"), store).differs
    assert "output vcf of the case, s3://genoflow-results/C1/vcf@" in fault
    assert f"and the log says {hashlib.sha256(b'called').hexdigest()}" in fault
    gone = read_again(found, FakeStore())
    assert gone.files == 5
    assert len(gone.differs) == 5
    assert all("cannot be read" in one for one in gone.differs)


async def test_people_read_the_same_in_lines() -> None:
    found, _ = await told(story())
    lines = facts_of(found)
    assert lines["pipeline"] == "germline 1"
    assert [one["sha256"] for one in lines["inputs"]] == ["0" * 64] * 2
    assert lines["decisions"][-1]["because"] == "looked at"
    assert [one["type"] for one in lines["events"]] == [one.type for one in found.events]
