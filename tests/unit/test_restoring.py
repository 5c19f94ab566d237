"""Files in an archive: what waits for them, until when, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from genoflow.events import topics
from genoflow.events.archived_file import ArchivedFile
from genoflow.events.case_file_restored import CaseFileRestored
from genoflow.events.deadline_passed import DeadlinePassed
from genoflow.events.deadline_set import DeadlineSet
from genoflow.events.errors import Parked
from genoflow.events.event import Event
from genoflow.events.file_restore_awaited import FileRestoreAwaited
from genoflow.events.file_restored import FileRestored
from genoflow.events.file_tier_changed import FileTierChanged
from genoflow.events.qc_passed import QcPassed
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_file_restored import RunFileRestored
from genoflow.events.run_inputs_awaited import RunInputsAwaited
from genoflow.events.run_inputs_restored import RunInputsRestored
from genoflow.events.run_requested import RunRequested
from genoflow.events.validation_attempt_failed import ARCHIVED
from genoflow.processors import restore_files, submit_run
from genoflow.processors.decision import Effect, effect_id
from genoflow.processors.ports import ObjectArchived, ObjectGone, ObjectHead
from genoflow.processors.request_run import Wanted, resolve
from genoflow.processors.restore_files import RESTORE_FILES, Look
from genoflow.processors.restoring import LOOKS_MAX, RESTORED_DAYS, in_archives, not_restored
from genoflow.processors.running.manifest import Submission
from genoflow.processors.running.names import run_id_of
from genoflow.processors.submit_run import SUBMIT_RUN, job_id_of
from genoflow.processors.tell_case import TELL_CASE
from genoflow.processors.tell_runs import TELL_RUNS
from genoflow.processors.validate_files import VALIDATE_FILES, attempt_failed
from genoflow.projections.asking import file as files
from genoflow.projections.asking import run as runs
from tests import qc_facts
from tests.fakes import BEGINNING, FakeCatalog
from tests.partition import MOMENT
from tests.run_facts import CASE, RUN_ID, pipeline, ready, requested
from tests.spec import Spec, heard
from tests.unit.test_validate_files import landed, read
from tests.wishes import attempt

given_run, given_file = Spec(SUBMIT_RUN).given, Spec(RESTORE_FILES).given
PLACE = {"bucket": "raw", "object_key": "a", "version_id": "1"}
DUE = MOMENT + timedelta(hours=5)


class FakeArchive:
    """Objects in archives by their keys, each with what becomes of it once it is asked for."""

    def __init__(self, **archived_in: str) -> None:
        self.heads = {
            key: ObjectHead("raw", key, "1", 5, "e", BEGINNING, {}, archived_in=name or None)
            for key, name in archived_in.items()
        }
        self.asked: list[tuple[str, int]] = []

    def becomes(self, key: str, **changes: Any) -> None:
        """The store says something else of it from now on."""
        self.heads[key] = replace(self.heads[key], **changes)

    async def head(self, bucket: str, key: str, version_id: str) -> ObjectHead:
        """What is said of it."""
        if key not in self.heads:
            raise ObjectGone(f"s3://{bucket}/{key}@{version_id}: there is no such object")
        return self.heads[key]

    async def restore(self, head: ObjectHead, days: int) -> None:
        """Be at work on it."""
        self.asked.append((head.key, days))
        self.becomes(head.key, is_restoring=not head.is_readable)


def archived(key: str = "a", archive: str = "GLACIER") -> ArchivedFile:
    return ArchivedFile(bucket="raw", object_key=key, version_id="1", storage_class=archive)


ASKED = requested(archived=(archived(), archived("b")))


def run_waits(look: int = 1, due_at: Any = DUE, *keys: str) -> RunInputsAwaited:
    some = tuple(archived(key) for key in keys or ("a", "b"))
    return RunInputsAwaited(
        run_id=RUN_ID, case_id=CASE, files=some, look=look, expected_by=due_at
    )  # fmt: skip


def run_deadline(due_at: Any = DUE) -> DeadlineSet:
    return DeadlineSet(
        subject_topic=topics.RUN.name, subject_key=str(RUN_ID), processor="submit-run",
        deadline="restore", purpose="the restore of 2 files from their archive", due_at=due_at,
    )  # fmt: skip


def passed(deadline: DeadlineSet) -> DeadlinePassed:
    fields = {name: getattr(deadline, name) for name in DeadlinePassed.model_fields if name in
              DeadlineSet.model_fields}  # fmt: skip
    return DeadlinePassed(deadline_id=heard(deadline).envelope.event_id, **fields)


def looks(look: int) -> Effect:
    files_of_run = ASKED.archived
    return Effect(
        "restore",
        submit_run.Wanted(run_id=RUN_ID, case_id=CASE, files=files_of_run, look=look),
    )


# -- a run


def test_a_run_with_archived_files_is_launched_once_they_are_restored() -> None:
    asked = heard(ASKED)
    given_run().when(asked).then().then_effects(looks(1))
    waits = heard(run_waits())
    given_run(asked).when(waits).then(run_deadline())
    over = heard(passed(run_deadline()))
    given_run(asked, waits).when(over).then().then_effects(looks(2))
    restored = heard(RunInputsRestored(run_id=RUN_ID, case_id=CASE, files=2))
    what = Submission(
        requested=RunRequested(**dict(ASKED)), attempt=1,
        job_id=job_id_of(restored.envelope.event_id), caused_by=restored.envelope.event_id,
        correlation_id=restored.envelope.correlation_id,
    )  # fmt: skip
    both = (Effect("launch", what), Effect("run", what))
    given_run(asked, waits, over).when(restored).then().then_effects(*both)
    for late in (restored, over, waits, heard(run_waits(2))):
        given_run(asked, waits, over, restored).when(late).then_nothing()


def back(key: str) -> RunFileRestored:
    return heard(
        RunFileRestored(
            run_id=RUN_ID, case_id=CASE, sample_id="S1", bucket="raw", object_key=key,
            version_id="1",
        )
    )  # fmt: skip


def test_a_run_looks_at_once_when_the_last_of_its_files_is_back() -> None:
    asked, waits, over = heard(ASKED), heard(run_waits()), heard(passed(run_deadline()))
    given_run(asked, waits).when(back("a")).then_nothing()
    given_run(asked, waits, back("a")).when(back("a")).then_nothing()
    given_run(asked, waits).when(back("c")).then_nothing()
    given_run(asked, waits, back("a")).when(back("b")).then().then_effects(looks(2))
    woken = (asked, waits, back("a"), back("b"))
    for late in (back("b"), back("a"), over):
        given_run(*woken).when(late).then_nothing()
    again = heard(run_waits(2, DUE, "c"))  # it had gone to the archive since
    given_run(*woken, again).when(back("c")).then().then_effects(looks(3))


def test_a_run_that_does_not_wait_is_not_woken() -> None:
    asked, waits = heard(ASKED), heard(run_waits(1, DUE, "a"))
    given_run().when(back("a")).then_nothing()
    given_run(asked).when(back("a")).then_nothing()
    given_run(asked, waits, heard(passed(run_deadline()))).when(back("a")).then_nothing()
    restored = heard(RunInputsRestored(run_id=RUN_ID, case_id=CASE, files=2))
    given_run(asked, waits, restored).when(back("a")).then_nothing()
    end = heard(RunCancelled(run_id=RUN_ID, case_id=CASE, request_id="r", reason="wrong tube"))
    given_run(asked, waits, end).when(back("a")).then_nothing()


def test_a_restored_file_is_told_to_the_cases_that_took_it_and_from_there_to_their_runs() -> None:
    first, second = qc_facts.both()
    place = {"bucket": "raw", "object_key": first.object_key, "version_id": "1"}
    news = FileRestored(
        **place, subject_topic=topics.SAMPLE.name, subject_key=qc_facts.SAMPLE,
        storage_class="GLACIER",
    )  # fmt: skip
    said = QcPassed(
        sample_id=qc_facts.SAMPLE, round=1, profile="wgs-30x", profile_version="1",
        read_set_ids=("A",), measured=qc_facts.failed().measured,
    )  # fmt: skip
    judged = (qc_facts.joined(), qc_facts.requested(1, first, second))
    told = CaseFileRestored(case_id="C1", sample_id=qc_facts.SAMPLE, **place)
    given = Spec(TELL_CASE).given
    given(*judged, said).when(news).then(told)
    given(*judged).when(news).then_nothing()
    elsewhere = news.model_copy(update={"version_id": "2"})
    given(*judged, said).when(elsewhere).then_nothing()
    case = heard(ready())
    whose = {"case_id": case.case_id, "sample_id": case.members[0].sample_id}
    run_id = run_id_of(case.envelope.event_id)
    runs_of = Spec(TELL_RUNS).given
    runs_of(case).when(CaseFileRestored(**whose, **place)).then(
        RunFileRestored(run_id=run_id, **whose, **place)
    )
    other = CaseFileRestored(case_id=case.case_id, sample_id="S9", **place)
    runs_of(case).when(other).then_nothing()
    runs_of().when(CaseFileRestored(**whose, **place)).then_nothing()


def test_a_run_that_nobody_wants_any_more_is_not_asked_back() -> None:
    end = heard(RunCancelled(run_id=RUN_ID, case_id=CASE, request_id="r", reason="wrong tube"))
    asked, waits, over = heard(ASKED), heard(run_waits()), heard(passed(run_deadline()))
    look = effect_id(asked.envelope.event_id, "submit-run", "restore")
    given_run(asked).when(end).then().then_closed(look)
    given_run(asked, waits, end).when(over).then_nothing()


def test_another_deadline_is_none_of_ours() -> None:
    other = passed(run_deadline(DUE + timedelta(hours=1)))
    given_run(heard(ASKED), heard(run_waits())).when(other).then_nothing()
    given_run().when(run_waits()).then_nothing()


async def looked(archive: FakeArchive, look: int = 1) -> Event:
    wanted = submit_run.Wanted(run_id=RUN_ID, case_id=CASE, files=ASKED.archived, look=look)
    (event,) = await submit_run.restore(wanted, attempt(archive=archive))
    return event


async def test_each_file_is_asked_for_once_and_the_slowest_says_when_to_look() -> None:
    archive = FakeArchive(a="GLACIER", b="GLACIER")
    assert await looked(archive) == run_waits(1, BEGINNING + timedelta(hours=5))
    assert archive.asked == [("a", RESTORED_DAYS), ("b", RESTORED_DAYS)]
    lasts = BEGINNING + timedelta(days=RESTORED_DAYS)
    archive.becomes("a", is_restoring=False, restored_until=lasts)
    assert await looked(archive, 2) == run_waits(2, BEGINNING + timedelta(hours=1), "b")
    archive.becomes("b", is_restoring=False, restored_until=lasts)
    assert await looked(archive, 3) == RunInputsRestored(run_id=RUN_ID, case_id=CASE, files=2)
    assert len(archive.asked) == 2


async def test_a_copy_that_goes_soon_is_made_to_stay_and_nobody_waits_for_that() -> None:
    archive = FakeArchive(a="GLACIER")
    archive.becomes("a", restored_until=BEGINNING + timedelta(days=2))
    assert await not_restored(archive, [archived()], 1, BEGINNING) == []
    assert archive.asked == [("a", RESTORED_DAYS)]


async def test_what_never_comes_back_asks_a_person() -> None:
    archive = FakeArchive(a="DEEP_ARCHIVE")
    with pytest.raises(Parked, match=r"raw/a@1: is not restored from GLACIER after 49 looks"):
        await not_restored(archive, [archived()], LOOKS_MAX, BEGINNING)


async def test_what_is_not_there_is_left_to_whoever_reads_it() -> None:
    found = await in_archives(FakeArchive(b="DEEP_ARCHIVE", c=""), [
        archived("a", "UNKNOWN"), archived("b", "UNKNOWN"), archived("c", "UNKNOWN"),
    ])  # fmt: skip
    assert found == [archived("b", "DEEP_ARCHIVE")]


async def test_a_request_names_its_files_that_lie_in_an_archive() -> None:
    first = ready().members[0].files[0].object_key
    catalog = FakeCatalog(*map(heard, (pipeline(), qc_facts.reference(), qc_facts.profile())))
    archive = FakeArchive(**{first: "DEEP_ARCHIVE"})
    wanted = Wanted(ready=ready(), run_id=RUN_ID)
    (request,) = await resolve(wanted, attempt(catalog=catalog, archive=archive))
    assert isinstance(request, RunRequested)
    assert request.archived == (
        ArchivedFile(
            bucket="raw", object_key=first, version_id="1", storage_class="DEEP_ARCHIVE",
            sample_id="S1",
        ),
    )  # fmt: skip


def test_a_run_says_what_it_waits_for_and_since_when() -> None:
    later = heard(run_waits(2, DUE, "b"), MOMENT + timedelta(hours=6))
    run = runs.run_of(str(RUN_ID), [heard(ASKED), heard(run_waits()), later])
    (answer,) = runs.why(run)
    assert answer.says.startswith("waits for 1 file from GLACIER: a restore of each is asked for")
    assert answer.since == MOMENT, "it waits since the first look"
    facts = runs.facts(run)
    assert (facts["state"], facts["waits_for"]) == ("requested", "1 file from GLACIER")
    assert [one["file"] for one in facts["archived"]] == ["raw/b@1"]
    restored = RunInputsRestored(run_id=RUN_ID, case_id=CASE, files=2)
    run = runs.run_of(str(RUN_ID), [heard(ASKED), heard(run_waits()), heard(restored)])
    assert runs.why(run)[0].says == "waits to be submitted to local"


# -- a file


def failed(number: int = 1) -> Event:
    arguments: Any = read(landed(), attempt=number).arguments
    (event,) = attempt_failed(arguments, "s3://raw/a@1: InvalidObjectState (403) ; it is archived")
    return event


def file_waits(look: int = 1, due_at: Any = DUE) -> FileRestoreAwaited:
    return FileRestoreAwaited(
        **PLACE, sample_id="S1", read_set_id="RS1", storage_class="GLACIER", look=look,
        expected_by=due_at,
    )  # fmt: skip


def restored() -> FileRestored:
    return FileRestored(
        **PLACE, subject_topic=topics.SAMPLE.name, subject_key="S1", storage_class="GLACIER",
        restored_until=BEGINNING + timedelta(days=RESTORED_DAYS),
    )  # fmt: skip


def only_look(said: Sequence[Effect]) -> Look:
    (effect,) = said
    assert isinstance(effect.arguments, Look)
    return effect.arguments


def test_a_validation_of_an_archived_file_waits_for_its_restore_and_goes_on() -> None:
    assert failed().payload()["reason_code"] == ARCHIVED
    given = Spec(VALIDATE_FILES).given
    given(landed()).when(failed()).then_nothing()
    given(landed(), failed()).when(restored()).then_effects(read(landed(), attempt=2))
    given(landed(), failed(), restored()).when(restored()).then_nothing()
    given(landed()).when(restored()).then_nothing()


def test_an_archived_file_is_asked_back_and_looked_at_until_it_is_there() -> None:
    begun = heard(failed())
    state, evolve, decide = RESTORE_FILES.state(), RESTORE_FILES.evolve, RESTORE_FILES.decide
    look = only_look(decide(state, begun).effects)
    assert (look.file.name, look.look) == ("raw/a@1", 1)
    state = evolve(state, begun)
    (deadline,) = decide(state, heard(file_waits())).events
    assert isinstance(deadline, DeadlineSet)
    assert deadline.due_at == DUE
    assert deadline.purpose == "the restore of raw/a from GLACIER"
    over = heard(passed(deadline))
    state = evolve(state, heard(file_waits()))
    assert only_look(decide(state, over).effects).look == 2
    looked_again = effect_id(over.envelope.event_id, "restore-files", "restore")
    given_file(begun, heard(file_waits()), over).when(restored()).then().then_closed(looked_again)
    given_file(begun, restored()).when(begun).then_nothing()
    given_file(begun, heard(file_waits())).when(heard(file_waits())).then_nothing()
    given_file().when(restored()).then_nothing()


async def test_a_restored_file_is_told_with_the_end_of_its_copy() -> None:
    archive = FakeArchive(a="GLACIER")
    look = only_look(RESTORE_FILES.decide(RESTORE_FILES.state(), heard(failed())).effects)
    (event,) = await restore_files.restore(look, attempt(archive=archive))
    assert event == file_waits(1, BEGINNING + timedelta(hours=5))
    lasts = BEGINNING + timedelta(days=RESTORED_DAYS)
    archive.becomes("a", is_restoring=False, restored_until=lasts)
    (event,) = await restore_files.restore(look, attempt(archive=archive))
    assert event == restored()
    assert archive.asked == [("a", RESTORED_DAYS)]


def told(*facts: Event) -> files.File:
    known: files.Files = {}
    for number, fact in enumerate(facts):
        name = files.take(known, topics.SAMPLE, heard(fact, BEGINNING), number)
    return known[name]


def test_a_file_says_that_it_waits_for_the_archive() -> None:
    file = told(landed(), failed(), file_waits())
    assert (file.row.state, file.row.waits_for) == ("tried", "its restore from the archive")
    assert "waits for its restore from GLACIER, which is expected by" in files.why(file).says
    file = told(landed(), failed(), file_waits(), restored())
    assert (file.row.waits_for, file.row.restored_until) == (
        "another try", restored().restored_until,
    )  # fmt: skip
    assert files.why(file).says == "was restored from GLACIER, and waits to be validated"


def test_a_file_of_another_tier_stands_as_it_stood() -> None:
    fields = {"subject_topic": topics.SAMPLE.name, "subject_key": "S1"}
    file = told(landed(), FileTierChanged(**PLACE, **fields, storage_class="DEEP_ARCHIVE"))
    assert (file.row.state, file.row.storage_class) == ("landed", "DEEP_ARCHIVE")
    assert files.facts(file)["storage_class"] == "DEEP_ARCHIVE"


def test_what_is_archived_is_no_other_refusal() -> None:
    assert issubclass(ObjectArchived, Parked)
