"""The watcher over a folder that is written piece by piece: what it says, in order, and once."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta
from typing import Any

import pytest

from genoflow.events.errors import Retry
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.processors.intake.told import LogOfRuns, Told
from genoflow.processors.intake.watch import Limits
from genoflow.processors.intake.watcher import news
from tests.run_lab import Lab
from tests.sheets import RUN_ID, Library, run_files, run_info, sheet

STARTED, ATTACHED, REFUSED = "SequencingRunStarted", "SampleSheetAttached", "SampleSheetRefused"
AMENDED, COMPLETED = "SampleSheetAmended", "SequencingRunCompleted"
FAILED, MIRRORED = "SequencingRunFailed", "SequencingRunMirrored"
MARKER = "RTAComplete.txt"
SHEET = sheet([Library("S1", "AAAAAAAA", "CCCCCCCC"), Library("S2", "GGGGGGGG", "TTTTTTTT")])
OTHER_SHEET = sheet([Library("S1", "AAAAAAAA", "CCCCCCCC"), Library("S3", "GGGGGGGG", "TTTTTTTT")])
BAD_SHEET = sheet([Library("S1", "AAAAAAAA"), Library("S2", "AAAAAAAA")])
BCL = "Data/Intensities/BaseCalls/L001/C7.1/s_1_1101.bcl"


@pytest.fixture
async def lab() -> Any:
    async with MemoryLog() as log:
        yield Lab(log)


def ready(lab: Lab, sheet_data: bytes = SHEET) -> None:
    lab.folders.write(run_files(sheet_data=sheet_data) | {MARKER: b"done"})


def refuse(_key: str) -> None:
    raise Retry("the store answers no requests now")


async def test_a_run_is_told_piece_by_piece(lab: Lab) -> None:
    whole = run_files()
    assert await lab.looks() == []
    lab.folders.write({"RunInfo.xml": whole["RunInfo.xml"][:150]})
    assert await lab.looks(2) == [], "half a RunInfo is none"
    lab.folders.write({"RunInfo.xml": whole["RunInfo.xml"]})
    assert await lab.looks(2) == [], "the model is not known yet"
    lab.folders.write({"runParameters.xml": whole["runParameters.xml"]})
    assert await lab.looks(2) == [STARTED]
    lab.folders.write({"SampleSheet.csv": SHEET[:-30]})
    lab.clock.jump(-60)
    await lab.looks()
    lab.folders.write({"SampleSheet.csv": SHEET})
    assert await lab.looks() == [], "a sheet that is being saved is let be"
    assert await lab.looks() == [ATTACHED]
    lab.folders.write(whole)
    assert await lab.looks(9) == [], "there is no marker"
    lab.folders.write({MARKER: b""})
    assert await lab.looks(2) == [], "the marker alone is not enough"
    assert await lab.looks(5) == [COMPLETED, MIRRORED]
    started, *rest = await lab.events()
    assert {event.envelope.correlation_id for event in rest} == {started.envelope.event_id}
    assert {event.envelope.causation_id for event in rest} == {started.envelope.event_id}


async def test_what_the_facts_say(lab: Lab) -> None:
    ready(lab)
    await lab.looks(3)
    found: dict[str, Any] = {event.type(): event for event in await lab.events()}
    started, completed = found[STARTED], found[COMPLETED]
    assert (started.instrument_model, started.platform, started.lanes) == ("MiSeq", "illumina", 1)
    assert [read.cycles for read in started.reads] == [26, 8, 8, 26]
    assert started.envelope.actor.kind == "instrument"
    assert found[ATTACHED].sheet_sha256 == hashlib.sha256(SHEET).hexdigest()
    assert (completed.marker, completed.cycles_done) == (MARKER, 68)
    files = {p: b for p, (b, _) in lab.folders.runs[RUN_ID].items() if p != "SampleSheet.csv"}
    copied = found[MIRRORED]
    assert copied.file_count == completed.file_count == len(files)
    assert copied.total_bytes == completed.total_bytes == sum(map(len, files.values()))
    assert {k.removeprefix(copied.prefix): b for k, (b, _) in lab.store.objects.items()
            if k.startswith(copied.prefix)} == files  # fmt: skip
    manifest = lab.store.objects[copied.manifest_key][0]
    assert hashlib.sha256(manifest).hexdigest() == copied.manifest_sha256
    lines = [line.split("\t") for line in manifest.decode().splitlines()]
    assert {path: (sha, int(size)) for sha, size, path in lines} == {
        path: (hashlib.sha256(body).hexdigest(), len(body)) for path, body in files.items()
    }


async def test_a_list_that_grows_is_waited_for(lab: Lab) -> None:
    ready(lab)
    for number in range(4):
        lab.folders.write({f"InterOp/{number}.bin": b"x"})
        assert COMPLETED not in await lab.looks()
    assert await lab.looks(2) == [COMPLETED, MIRRORED]


async def test_missing_files_fail_a_run_and_are_taken_when_they_come(lab: Lab) -> None:
    ready(lab)
    body, _ = lab.folders.runs[RUN_ID].pop(BCL)
    assert await lab.looks(100) == [STARTED, ATTACHED], "they may come yet"
    lab.clock.jump(3_600)
    assert await lab.looks(3) == [FAILED]
    failed = await lab.last()
    assert failed.reason_code == "files missing"
    assert f"for 2 h these files are not: {BCL}; copy them again" in failed.reason
    lab.folders.write({BCL: body})
    assert await lab.looks(4) == [COMPLETED, MIRRORED]


async def test_a_file_that_is_cut_short_is_a_file_that_is_missing(lab: Lab) -> None:
    ready(lab)
    lab.folders.write({BCL: b"x" * 19})
    lab.clock.jump(3_600 * 2)
    assert await lab.looks(3) == [STARTED, FAILED, ATTACHED]
    (failed,) = [event for event in await lab.events() if event.type() == FAILED]
    assert f"these files are not: {BCL} (cut short); copy" in failed.payload()["reason"]
    lab.folders.write({BCL: b"x" * 20})
    assert await lab.looks(3) == [COMPLETED, MIRRORED]


async def test_sheets_are_refused_attached_and_amended_with_their_revision(lab: Lab) -> None:
    lab.folders.write(run_files(sheet_data=BAD_SHEET))
    assert await lab.looks(3) == [STARTED, REFUSED]
    assert "lines 11 and 12: two samples have the same index" in (await lab.last()).problems[0]
    for body, said, revision in (
        (SHEET, ATTACHED, 1), (OTHER_SHEET, AMENDED, 2), (SHEET, AMENDED, 3),
    ):  # fmt: skip
        lab.folders.write({"SampleSheet.csv": body})
        assert await lab.looks(3) == [said]
        assert (await lab.last()).revision == revision
    assert (await lab.last()).replaces_sha256 == hashlib.sha256(OTHER_SHEET).hexdigest()
    lab.folders.write({"SampleSheet.csv": BAD_SHEET})
    assert await lab.looks(3) == [], "it was refused before, and the other one holds"
    lab.folders.write({"SampleSheet.csv": SHEET})
    assert await lab.looks(3) == [], "it holds already"


async def test_a_sheet_may_be_amended_after_the_copy_and_come_after_the_marker(lab: Lab) -> None:
    ready(lab, b"")
    assert await lab.looks(4) == [STARTED, COMPLETED, MIRRORED]
    lab.folders.write({"SampleSheet.csv": SHEET})
    assert await lab.looks(2) == [ATTACHED]
    lab.folders.write({"SampleSheet.csv": OTHER_SHEET})
    assert await lab.looks(2) == [AMENDED]


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (b"<S><CompletionStatus>UserEndedEarly</CompletionStatus><ErrorDescription>None"
         b"</ErrorDescription></S>", "stopped early", "says UserEndedEarly; nothing"),
        (b"<S><RunStatus>RunErrored</RunStatus><RunError><Message>no laser</Message></RunError>"
         b"</S>", "instrument reported failure", "says RunErrored (no laser); nothing"),
    ],
)  # fmt: skip
async def test_a_bad_status_fails_the_run_for_good(
    lab: Lab, status: bytes, code: str, words: str
) -> None:
    ready(lab)
    lab.folders.write({"RunCompletionStatus.xml": status})
    assert await lab.looks(3) == [STARTED, FAILED]
    failed = await lab.last()
    assert (failed.reason_code, failed.cycles_planned) == (code, 68)
    assert words in failed.reason
    lab.folders.write({"RunCompletionStatus.xml": status, "SampleSheet.csv": OTHER_SHEET})
    assert await lab.looks(5) == []


async def test_half_a_status_is_waited_for_and_a_good_one_is_told(lab: Lab) -> None:
    ready(lab)
    lab.folders.write({"RunCompletionStatus.xml": b"<RunCompletionStatus><RunSt"})
    assert await lab.looks(5) == [STARTED, ATTACHED]
    good = b"<RunCompletionStatus><RunStatus>RunCompleted</RunStatus></RunCompletionStatus>"
    lab.folders.write({"RunCompletionStatus.xml": good})
    assert await lab.looks(4) == [COMPLETED, MIRRORED]
    assert (await lab.events())[2].payload()["completion_status"] == "RunCompleted"


@pytest.mark.parametrize("again", ["restarted", "the same watcher"])
async def test_a_folder_that_changes_between_marker_and_copy_has_failed(
    lab: Lab, again: str
) -> None:
    ready(lab)
    lab.store.during = refuse
    assert await lab.looks(3) == [STARTED, ATTACHED, COMPLETED]
    assert lab.passes[-1].problems == {RUN_ID: "the store answers no requests now"}
    lab.store.during = lambda _: None
    if again == "restarted":
        lab.folders.write({BCL: b"longer than it was before"})
        lab.watcher = lab.another()
    else:
        lab.folders.write({BCL: b"x" * 20})  # as long as it was
    assert await lab.looks(3) == [FAILED]
    failed = await lab.last()
    assert failed.reason_code == "files changed after the marker"
    assert await lab.looks(5) == []


@pytest.mark.parametrize("deed", ["changes", "goes", "comes", "same size"])
async def test_a_file_that_changes_while_it_is_copied_is_noticed(lab: Lab, deed: str) -> None:
    ready(lab)

    def meddle(key: str) -> None:
        if key.endswith("C9.1/s_1_1101.bcl"):
            lab.clock.jump(1)
            if deed == "goes":
                lab.folders.runs[RUN_ID].pop(BCL, None)
            elif deed == "comes":
                lab.folders.write({"InterOp/more.bin": b"x"})
            else:
                lab.folders.write({BCL: b"x" * (20 if deed == "same size" else 7)})

    lab.store.during = meddle
    assert await lab.looks(3) == [STARTED, ATTACHED, COMPLETED, FAILED]
    failed = await lab.last()
    assert failed.reason_code == "files changed after the marker"
    assert "changed while the folder was copied" in failed.reason
    assert await lab.looks(3) == []


async def test_silence_and_unreadable_folders_are_told_and_pass(lab: Lab) -> None:
    lab.folders.write({"RunInfo.xml": b"<RunInfo>"})
    assert await lab.looks(60) == []
    assert await lab.looks(3) == [FAILED]
    assert (await lab.last()).reason_code == "folder unreadable"
    whole = run_files()
    lab.folders.write({name: whole[name] for name in ("RunInfo.xml", "runParameters.xml")})
    assert await lab.looks(3) == [STARTED]
    lab.clock.jump(24 * 3_600)
    assert await lab.looks(3) == [FAILED]
    assert (await lab.last()).reason_code == "silent"
    lab.folders.write(whole | {MARKER: b""})
    assert await lab.looks(4) == [COMPLETED, MIRRORED]


async def test_a_folder_that_cannot_be_read_before_its_copy_is_told(lab: Lab) -> None:
    ready(lab)
    lab.store.during = refuse
    await lab.looks(3)
    lab.store.during = lambda _: None
    lab.folders.unreadable = "the share is gone; mount it again"
    assert await lab.looks(60) == []
    assert await lab.looks(2) == [FAILED]
    failed = await lab.last()
    assert failed.reason.startswith("the share is gone; mount it again (so for 1 h); the watcher")
    lab.folders.unreadable = None
    assert await lab.looks(1) == [MIRRORED]


async def test_a_watcher_that_is_to_stop_lets_a_copy_be(lab: Lab) -> None:
    ready(lab)
    lab.store.during = lambda _: lab.watcher.stop()
    assert await lab.looks(3) == [STARTED, ATTACHED, COMPLETED]
    assert "the copy was interrupted; the next look goes on" in str(lab.passes)
    assert lab.store.puts < 10
    lab.store.during, lab.watcher = lambda _: None, lab.another()
    assert await lab.looks(3) == [MIRRORED]


async def test_a_second_watcher_and_a_restart_append_nothing_new(lab: Lab) -> None:
    ready(lab)
    assert await lab.looks(3) == [STARTED, ATTACHED, COMPLETED, MIRRORED]
    puts = lab.store.puts
    lab.watcher = lab.another()
    assert await lab.looks(5) == []
    assert lab.store.puts == puts


async def test_two_watchers_at_once_say_the_same(lab: Lab) -> None:
    ready(lab)
    both = lab.another(), lab.another()
    for _ in range(5):
        lab.clock.jump(60)
        await asyncio.gather(*(watcher.look() for watcher in both))
    ids = {(e.type(), e.envelope.event_id) for e in await lab.events()}
    assert sorted(kind for kind, _ in ids) == sorted([STARTED, ATTACHED, COMPLETED, MIRRORED])


class Crash(Exception):
    """The watcher ends here."""


class CrashingLog:
    """RunLog that ends its watcher at one of its calls, before or after it is done."""

    def __init__(self, inner: LogOfRuns, at: int, *, after: bool) -> None:
        self._inner, self._left, self._after = inner, at, after

    async def catch_up(self) -> None:
        await self._inner.catch_up()

    def told(self, run_id: str) -> Told:
        return self._inner.told(run_id)

    async def append(self, event: Event) -> None:
        self._left -= 1
        if self._left == 0 and not self._after:
            raise Crash
        await self._inner.append(event)
        if self._left == 0:
            raise Crash


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 5))
async def test_a_crash_at_any_fact_changes_nothing(lab: Lab, at: int, after: bool) -> None:
    ready(lab)
    lab.watcher = lab.another(CrashingLog(LogOfRuns(lab.log), at, after=after))
    with pytest.raises(Crash):
        await lab.looks(5)
    lab.watcher = lab.another()
    await lab.looks(5)
    events = await lab.events()
    assert [event.type() for event in events] == [STARTED, ATTACHED, COMPLETED, MIRRORED]
    async with MemoryLog() as log:
        calm = Lab(log)
        ready(calm)
        await calm.looks(5)
        assert [e.envelope.event_id for e in await calm.events()] == [
            event.envelope.event_id for event in events
        ]


async def test_a_copy_that_was_interrupted_goes_on_where_it_stopped(lab: Lab) -> None:
    ready(lab)

    def broken(key: str) -> None:
        if lab.store.puts >= 20:
            raise Retry("the store answers no requests now")

    lab.store.during = broken
    assert await lab.looks(3) == [STARTED, ATTACHED, COMPLETED]
    sent = lab.store.puts
    lab.store.during, lab.watcher = lambda _: None, lab.another()
    assert await lab.looks(3) == [MIRRORED]
    assert lab.store.puts == len(lab.store.objects)
    assert sent >= 20


async def test_what_looks_like_a_person_is_refused_and_the_others_go_on(lab: Lab) -> None:
    lab.folders.write(run_files(info=run_info(run_id="MRN-0012345")), "MRN-0012345")
    ready(lab)
    assert await lab.looks(3) == [STARTED, ATTACHED, COMPLETED, MIRRORED]
    problems = lab.passes[-1].problems
    assert set(problems) == {"MRN-0012345"}
    assert "takes for an identifier of a person" in problems["MRN-0012345"]
    assert news(problems, lab.passes[-2].problems) == {}


async def test_a_run_that_was_told_elsewhere_is_not_taken_twice(lab: Lab) -> None:
    lab.folders.write(run_files())
    assert await lab.looks() == [STARTED]
    lab.folders.runs["copy"] = lab.folders.runs.pop(RUN_ID)
    assert await lab.looks(3) == []
    assert "the log says that this run is at file:///runs/" in lab.passes[-1].problems["copy"]


async def test_what_is_no_part_of_the_run_is_neither_copied_nor_compared(lab: Lab) -> None:
    ready(lab)
    beside = {"Analysis/1/x.bam": b"1", "Logs/a.log": b"2", ".nfs0001": b"3",
              "Data/Intensities/BaseCalls/S1_L001_R1.fastq.gz": b"4"}  # fmt: skip
    lab.folders.write(beside)
    await lab.looks(3)
    assert (await lab.last()).type() == MIRRORED
    names = {key.partition("/files/")[2] for key in lab.store.objects}
    assert not names & set(beside)


def test_the_limits_are_those_that_the_page_names() -> None:
    assert Limits().missing == timedelta(hours=2)
    assert Limits().silent == timedelta(hours=24)
