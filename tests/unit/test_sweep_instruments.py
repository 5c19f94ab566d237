"""Folders of instruments, undetermined reads and delivered copies: gone when nothing needs them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from genoflow.events import topics
from genoflow.events.case_joined import CaseJoined
from genoflow.events.deletion_refused import HELD, UNDER_WAY
from genoflow.events.demultiplex_reopened import DemultiplexReopened
from genoflow.events.errors import Refused
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.events.retention_published import RetentionPublished
from genoflow.processors.intake.delivered import Copies
from genoflow.processors.intake.notices import Place
from genoflow.processors.intake.privacy import PrivacyGuard
from genoflow.processors.intake.sweeper import Look
from genoflow.processors.ports import Removal
from genoflow.processors.sweep_files import SWEEP_FILES
from tests.examples import example
from tests.fakes import FakeClock
from tests.partition import MOMENT
from tests.shelves import FakeShelves
from tests.spec import heard
from tests.sweeping import (
    DAY,
    FLOW_CELL_RUN,
    FOLDER,
    FakeRemover,
    asked_for,
    demultiplexed,
    hold,
    landed,
    mirrored,
    of_instrument,
    registered,
    release,
    rules,
    sheet,
    sweeper,
    validated,
)
from tests.workers import Lab, until

RULES = rules(run_folder=10, undetermined=5, delivery=3, reads=30)
READ: Sequence[Event] = (sheet(), mirrored(), asked_for(), demultiplexed())
WHOLE: Sequence[Event] = (*READ, registered(), validated())


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    async with MemoryLog(topics.declared(row.changelog for row in SWEEP_FILES)) as log:
        yield Lab(log)


def folder() -> FakeShelves:
    shelves = FakeShelves()
    for name in ("C1.bcl.gz", "RunInfo.xml"):
        shelves.put(Place("raw", f"{FOLDER}{name}"))
    shelves.put(Place("raw", "runs/R1/manifest.tsv"))
    return shelves


async def put(lab: Lab, *facts: Event) -> None:
    for fact in facts:
        await lab.log.append(fact)


async def look(lab: Lab, day: float, shelves: FakeShelves, *documents: RetentionPublished) -> Look:
    return await sweeper(lab.log, shelves, day).look(documents or (RULES,))


async def worked(lab: Lab, topic: topics.Topic = topics.SEQUENCING_RUN) -> list[Any]:
    """What is said of the proposals on the log, once each of them has its answer."""

    async def answers() -> list[Any]:
        kinds = ("FileDeleted", "DeletionRefused")
        return [one.event for kind in kinds for one in await lab.said(kind, topic)]

    async def are_answered() -> bool:
        asked = {
            str(one.event.envelope.event_id) for one in await lab.said("DeletionProposed", topic)
        }
        return asked <= {str(one.envelope.causation_id) for one in await answers()}

    async with lab.working(*SWEEP_FILES) as running:
        await until(are_answered, running)
    return await answers()


def keys(found: Look) -> list[tuple[str, str]]:
    return [(one.rule, file.object_key) for one in found.proposals for file in one.files]


async def test_a_folder_goes_when_its_reads_are_whole_and_its_manifest_stays(lab: Lab) -> None:
    lab.remover = remover = FakeRemover()
    await put(lab, *WHOLE)
    assert (await look(lab, 10.9, folder())).proposals == []
    found = await look(lab, 11, folder())
    assert keys(found) == [
        ("run_folder-10", f"{FOLDER}C1.bcl.gz"), ("run_folder-10", f"{FOLDER}RunInfo.xml"),
    ]  # fmt: skip
    await put(lab, *found.proposals)
    gone = await worked(lab)
    assert [(one.type(), one.rule, one.key) for one in gone] == [
        ("FileDeleted", "run_folder-10", FLOW_CELL_RUN)
    ] * 2
    assert len(remover.removed) == 2


@pytest.mark.parametrize(
    "story",
    [
        (sheet(), mirrored(), asked_for()),
        READ,
        (*READ, registered()),
        (*WHOLE, sheet(2, 2)),
        (*WHOLE, mirrored(2, "b")),
        (*WHOLE, sheet(2, 2), asked_for(2, 2)),
        (*WHOLE, of_instrument(DemultiplexReopened, 2, attempt=1)),
    ],
    ids=["read", "no reads", "not whole", "new sheet", "new folder", "asked again", "reopened"],
)
async def test_a_folder_that_may_be_read_again_is_not_asked_for(
    lab: Lab, story: Sequence[Event]
) -> None:
    await put(lab, *story)
    assert (await look(lab, 9_999, folder())).proposals == []
    await put(lab, *WHOLE[4:], sheet(2, 3), asked_for(2, 3), demultiplexed(2, 4))
    assert keys(await look(lab, 13.9, folder())) == []
    assert len(keys(await look(lab, 14, folder()))) == 2


@pytest.mark.parametrize(
    ("then", "code"),
    [((sheet(2, 11),), UNDER_WAY), ((hold(day=11),), HELD)],
    ids=["amended", "held"],
)
async def test_what_comes_behind_the_proposal_keeps_the_folder(
    lab: Lab, then: Sequence[Event], code: str
) -> None:
    lab.remover = remover = FakeRemover()
    await put(lab, *WHOLE)
    [proposal] = (await look(lab, 11, folder())).proposals
    await put(lab, *then, proposal)
    [refused] = await worked(lab)
    assert (refused.reason_code, len(refused.files), remover.removed) == (code, 2, [])
    assert (await look(lab, 12, folder())).proposals == []


async def test_the_effect_looks_once_more_whether_all_that_was_read_is_whole(lab: Lab) -> None:
    lab.remover = remover = FakeRemover()
    await put(lab, *WHOLE)
    [proposal] = (await look(lab, 11, folder())).proposals
    async with MemoryLog(topics.declared(row.changelog for row in SWEEP_FILES)) as log:
        other = Lab(log, remover=remover)
        await put(other, *READ, registered(), proposal)  # it was never said to be whole
        [refused] = await worked(other)
    assert (refused.reason_code, remover.removed) == (UNDER_WAY, [])
    assert "RS1" in refused.reason


async def test_a_hold_of_a_relabelled_sample_keeps_the_folder_and_the_undetermined_reads(
    lab: Lab,
) -> None:
    lab.remover = remover = FakeRemover()
    nobodys = landed("u/R1", sample_id=None, instrument_run_id=FLOW_CELL_RUN)
    theirs = registered("S8", "RS2")  # a read set that is moved gets another id
    court = hold().model_copy(update={"sample_id": "S8"})
    court = court.enveloped(court.envelope.model_copy(update={"subject": "S8"}))
    await put(lab, *WHOLE, nobodys)
    proposals = (await look(lab, 20, folder())).proposals
    assert sorted(one.rule for one in proposals) == ["run_folder-10", "undetermined-5"]
    await put(lab, theirs, court, *proposals)
    assert {one.reason_code for one in await worked(lab)} == {HELD}
    found = await look(lab, 21, folder())
    assert (found.proposals, remover.removed) == ([], [])
    assert (topics.SEQUENCING_RUN.name, FLOW_CELL_RUN) in found.held


async def test_undetermined_reads_go_by_a_rule_of_their_own_whatever_the_run_does(
    lab: Lab,
) -> None:
    lab.remover = remover = FakeRemover()
    nobodys = landed("u/R1", sample_id=None, instrument_run_id=FLOW_CELL_RUN)
    await put(lab, nobodys)
    assert (await look(lab, 4.9, FakeShelves())).proposals == []
    assert (await look(lab, 99, FakeShelves(), rules(unassigned=1))).proposals == []
    found = await look(lab, 5, FakeShelves())
    await put(lab, *found.proposals)
    [gone] = await worked(lab)
    assert (gone.rule, gone.key, remover.removed) == ("undetermined-5", "R1", ["raw/u/R1@1"])


async def test_a_locked_folder_is_asked_for_again_when_the_last_lock_has_ended(lab: Lab) -> None:
    ends = MOMENT + 20 * DAY
    lab.remover = FakeRemover(
        lock=Removal(is_gone=False, is_locked=True, locked_until=ends, reason="locked")
    )
    await put(lab, *WHOLE)
    await put(lab, *(await look(lab, 11, folder())).proposals)
    [refused] = await worked(lab)
    assert refused.kept_until == ends
    shelves = folder()
    shelves.put(Place("raw", f"{FOLDER}later"))
    assert (await look(lab, 19, shelves)).proposals == []
    assert len(keys(await look(lab, 20, shelves))) == 3


async def test_a_run_is_of_the_assays_of_its_samples(lab: Lab) -> None:
    joined = example(CaseJoined, 1).model_copy(update={"sample_id": "S7", "assay": "wgs"})
    await put(lab, *WHOLE, heard(CaseJoined(**dict(joined)), MOMENT))
    longer = rules(("wgs",), run_folder=40)
    assert (await look(lab, 40, folder(), RULES, longer)).proposals == []
    assert {rule for rule, _ in keys(await look(lab, 41, folder(), RULES, longer))} == {
        "run_folder-40"
    }
    silent = rules(("wgs",), reads=1)
    assert (await look(lab, 9_999, folder(), RULES, silent)).proposals == []


# -- what was handed over


def handed_over(shelves: FakeShelves, key: str, **metadata: str) -> None:
    shelves.put(Place("delivery", key), {f"gf-{name}": said for name, said in metadata.items()})


async def test_a_delivered_copy_goes_under_whomever_it_names_and_a_hold_keeps_it(lab: Lab) -> None:
    lab.remover = remover = FakeRemover()
    shelves = FakeShelves(FakeClock(MOMENT))
    handed_over(shelves, "a.vcf", sample="S7")
    handed_over(shelves, "b.zip")
    assert (await look(lab, 2.9, shelves)).proposals == []
    found = await look(lab, 4, shelves)
    assert [(one.subject_key, one.rule) for one in found.proposals] == [
        ("S7", "delivery-3"), ("unassigned/delivery/b.zip", "delivery-3"),
    ]  # fmt: skip
    await put(lab, hold(), *found.proposals)
    told = {one.key: one.type() for one in await worked(lab, topics.SAMPLE)}
    assert told == {"S7": "DeletionRefused", "unassigned/delivery/b.zip": "FileDeleted"}
    assert remover.removed == ["delivery/b.zip@v2"]
    await put(lab, release(day=4))
    shelves.erase(Place("delivery", "b.zip"), "v2")
    assert keys(await look(lab, 5, shelves)) == [("delivery-3", "a.vcf")]


async def test_nothing_is_listed_without_a_rule_and_what_landed_is_no_copy(lab: Lab) -> None:
    shelves = FakeShelves(FakeClock(MOMENT))
    handed_over(shelves, "in/a.gz", sample="S7")
    await put(lab, landed(bucket="delivery", version_id="v1"))
    assert keys(await look(lab, 20, shelves)) == []  # it goes by the rule of reads
    shelves.fault = _refuses
    assert (await look(lab, 20, shelves, rules(reads=30))).proposals == []


def _refuses(what: str) -> None:
    raise AssertionError(what)


async def test_a_name_that_may_be_of_a_person_never_stands_on_the_log(lab: Lab) -> None:
    shelves = FakeShelves(FakeClock(MOMENT))
    handed_over(shelves, "MRN-1234567.vcf")
    found = await look(lab, 20, shelves)
    assert (found.proposals, found.unsaid) == ([], 1)
    shared = Copies(shelves, None, PrivacyGuard(())).older(DAY, MOMENT, ())
    with pytest.raises(Refused, match="GENOFLOW_DELIVERY_BUCKET"):
        await anext(shared)
