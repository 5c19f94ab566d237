"""From reads that count no more to results that are void: every row of the way, one after another.

An amended sheet and a person who relabels come in at different places and go the same way.
"""

from __future__ import annotations

from typing import Any

import pytest

from genoflow.events import topics
from genoflow.events.case_member import CaseMember
from genoflow.events.case_opened import CaseOpened
from genoflow.events.case_ready import CaseReady
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.events.qc_passed import QcPassed
from genoflow.events.result_file import ResultFile
from genoflow.events.results_published import ResultsPublished
from genoflow.events.sample_relabelled import SampleRelabelled
from genoflow.events.topics import CASE, RUN, SAMPLE, Topic
from genoflow.processors.await_members import AWAIT_MEMBERS
from genoflow.processors.demultiplexing.names import object_key
from genoflow.processors.intake.landing import belonging
from genoflow.processors.register_read_sets import REGISTER_READ_SETS
from genoflow.processors.relabel import RELABEL
from genoflow.processors.retract_results import RETRACT_RESULTS
from genoflow.processors.running.names import run_id_of
from genoflow.processors.tell_case import TELL_CASE
from genoflow.processors.tell_runs import TELL_RUNS
from tests import qc_facts, sequencing
from tests.asked import like
from tests.fakes import FakeStore
from tests.sequencing import ATTACHED, ROWS, amended, library
from tests.spec import heard
from tests.workers import Lab, landing, until

ROW, BUCKET, PREFIX = ROWS[0], "genoflow-raw", f"reads/{sequencing.RUN}/a1"
FOLLOWING = (REGISTER_READ_SETS, RELABEL, TELL_CASE, AWAIT_MEMBERS, TELL_RUNS, RETRACT_RESULTS)
READ_SET = library(ROW, 7).read_set_id or ""
SWAPPED = tuple(
    row.model_copy(update={"sample_id": {"A": "B", "B": "A"}.get(row.sample_id, row.sample_id)})
    for row in ROWS
)
RELABELLED = SampleRelabelled(
    sample_id="A", true_sample_id="F", read_set_ids=(READ_SET,), request_id="r1", role="lead",
    reason="tubes were swapped",
)  # fmt: skip


def of_a(event: Event) -> Event:
    """The same fact of sample A and its read set."""
    files = getattr(event, "files", ())
    known: dict[str, Any] = {"sample_id": "A"}
    if files:
        named = tuple(one.model_copy(update={"read_set_id": READ_SET}) for one in files)
        known |= {"files": named, "read_set_ids": (READ_SET,)}
    return heard(type(event)(**dict(event) | known))


def opened() -> CaseOpened:
    """The order of A."""
    member = CaseMember(sample_id="A", role="single", subject_ref="P1")
    return heard(
        CaseOpened(
            case_id="C1", kind="single", members=(member,), assay="wgs", reference="GRCh38",
            source="tests",
        )
    )  # fmt: skip


def published(because: CaseReady) -> ResultsPublished:
    """What the run of this case answered."""
    file = ResultFile(
        kind="vcf", bucket="results", object_key="vcf", version_id="1", size_bytes=1,
        sha256="0" * 64, content_type="text/plain",
    )  # fmt: skip
    run_id = run_id_of(because.envelope.event_id)
    fact: ResultsPublished = heard(
        like(ResultsPublished, run_id=run_id, case_id="C1", files=(file,))
    )
    return fact


async def lab() -> Lab:
    """A log on which A is demultiplexed, judged and ordered, and a store with its files."""
    store = FakeStore()
    for role in ("R1", "R2"):
        metadata = belonging(
            sample_id="A", read_set_id=READ_SET, instrument_run_id=sequencing.RUN, lane=1,
            role=role, md5=None, sha256=None,
        )  # fmt: skip
        store.keep(BUCKET, object_key(PREFIX, READ_SET, role), b"reads", metadata)
    changelogs = [row.changelog for row in FOLLOWING]
    found = Lab(MemoryLog(topics.declared(changelogs)), store=store)
    passed = like(QcPassed, sample_id="A", round=1, read_set_ids=(READ_SET,))
    run = (ATTACHED, sequencing.requested(), sequencing.completed(library(ROW, 7)))
    judged = (qc_facts.joined(), qc_facts.requested())
    await landing(found, *run, *(of_a(one) for one in judged), heard(passed), opened())
    return found


async def one(lab: Lab, kind: str, topic: Topic, working: Any) -> Any:
    """The only fact of a type, as soon as it is there."""

    async def there() -> bool:
        return bool(await lab.said(kind, topic))

    await until(there, working)
    [record] = await lab.said(kind, topic)
    return record.event


@pytest.mark.parametrize(
    ("because", "reason_code", "moved_to"),
    [(amended(2, SWAPPED), "sheet amended", "B"), (heard(RELABELLED), "relabelled", "F")],
    ids=["an amended sheet", "a person who relabels"],
)
@pytest.mark.parametrize("early", [True, False], ids=["published before", "published after"])
async def test_results_of_reads_that_count_no_more_are_retracted(
    because: Event, reason_code: str, moved_to: str, early: bool
) -> None:
    lab_ = await lab()
    async with lab_.working(*FOLLOWING) as working:
        case = await one(lab_, "CaseReady", CASE, working)
        await one(lab_, "ReadSetRegistered", SAMPLE, working)
        results = published(case)
        await landing(lab_, *([results, because] if early else [because]))
        withdrawn = await one(lab_, "CaseMemberWithdrawn", CASE, working)
        void = await one(lab_, "RunInputsInvalidated", RUN, working)
        if not early:
            await landing(lab_, results)
        retracted = await one(lab_, "ResultsRetracted", RUN, working)
    [gone] = [record.event.payload() for record in await lab_.said("ReadSetInvalidated")]
    assert (gone["reason_code"], gone["moved_to_sample_id"]) == (reason_code, moved_to)
    for said in (withdrawn, void, retracted):
        assert said.reason_code == reason_code
        assert said.reason == gone["reason"]
    assert (withdrawn.sample_id, withdrawn.read_set_id, withdrawn.round) == ("A", READ_SET, 1)
    assert void.run_id == retracted.run_id == results.run_id
    assert [change.before for change in retracted.changes] == ["vcf: s3://results/vcf@1"]
    assert len(await lab_.said("CaseReady", CASE)) == 1
