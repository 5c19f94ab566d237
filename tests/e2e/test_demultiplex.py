"""A mirrored run through real workers and Picard: reads of each sample, and an amended sheet."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.generate.cast import make_cast
from genoflow.deploy.generate.libraries import Run
from genoflow.deploy.generate.run_folder import clusters_of, count, files_of
from genoflow.deploy.generate.sheets import Sheet, i5_is_turned, sheet_bytes, sheet_of
from genoflow.deploy.local.artifacts import PICARD_JARS, ensure_jars
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import ensure_bucket, open_log, open_s3
from genoflow.events import topics
from genoflow.events.event import Event, begin
from genoflow.events.sample_sheet_amended import SampleSheetAmended
from genoflow.events.sample_sheet_attached import SampleSheetAttached
from genoflow.events.sample_sheet_row import SampleSheetRow
from genoflow.events.sequencing_run_completed import SequencingRunCompleted
from genoflow.events.sequencing_run_mirrored import SequencingRunMirrored
from genoflow.events.sequencing_run_started import SequencingRunStarted
from tests.e2e.workers import settings_of, succeeds, until, working
from tests.examples import somebody, someone
from tests.run_on_log import manifest_of, reads_of, rows_of
from tests.sequencing import completed, library, requested

ROWS = ("request-demultiplex", "demultiplex", "register-read-sets")
VERSION = "v2"
UPLOADS_AT_ONCE = 8


@dataclass(frozen=True)
class Lab:
    """A deployment with a run that is about to be told."""

    settings: Settings
    client: Any
    run: Run
    sheet: Sheet

    def mirror(self) -> SequencingRunMirrored:
        """Put the run folder into the store, with the list of its files."""
        files = list(files_of(self.run, sheet_bytes(self.sheet, self.run)))
        bucket, prefix = self.settings.raw_bucket, f"runs/{self.run.run_id}"
        with ThreadPoolExecutor(UPLOADS_AT_ONCE) as pool:
            for done in [
                pool.submit(
                    self.client.put_object, Bucket=bucket, Key=f"{prefix}/{f.path}", Body=f.content
                )
                for f in files
            ]:
                done.result()
        manifest = manifest_of(files)
        key = f"manifests/{self.run.run_id}"
        self.client.put_object(Bucket=bucket, Key=key, Body=manifest)
        return SequencingRunMirrored(
            instrument_run_id=self.run.run_id, bucket=bucket, prefix=prefix, manifest_key=key,
            manifest_sha256=hashlib.sha256(manifest).hexdigest(), file_count=len(files),
            total_bytes=sum(len(f.content) for f in files),
        )  # fmt: skip

    def tell(self, *events: Event) -> None:
        """Append what a watcher would."""
        now = datetime.now(UTC)
        self.append(
            *(begin(one, occurred_at=now, actor=somebody(), by=someone()) for one in events)
        )

    def append(self, *facts: Event) -> None:
        """Append facts in their envelopes."""

        async def append() -> None:
            async with open_log(self.settings) as log:
                for fact in facts:
                    await log.append(fact)

        asyncio.run(append())

    def said(self, kind: str, topic: topics.Topic = topics.SAMPLE) -> list[Any]:
        """Every event of a type, in the order of its topic."""

        async def read() -> list[Event]:
            async with open_log(self.settings) as log:
                return [r.event async for r in log.read_topic(topic.name) if r.type == kind]

        return asyncio.run(read())

    def ended(self, attempt: int) -> Any:
        """How this attempt ended, once it has."""
        kinds = ("DemultiplexCompleted", "DemultiplexFailed")
        all_ended = [one for kind in kinds for one in self.said(kind, topics.SEQUENCING_RUN)]
        return next((one for one in all_ended if one.attempt == attempt), None)

    def sheet_event(self, kind: Any, sheet: Sheet, revision: int, **more: Any) -> Event:
        """A sheet of the run."""
        body = sheet_bytes(sheet, self.run)
        turned = i5_is_turned(self.run.instrument, VERSION)
        event: Event = kind(
            instrument_run_id=self.run.run_id, revision=revision, sheet_version=VERSION,
            sheet_uri="file:///sheet.csv", sheet_sha256=hashlib.sha256(body).hexdigest(),
            rows=rows_of(sheet), override_cycles=sheet.override_cycles,
            i5_orientation="reverse complement" if turned else "forward", **more,
        )  # fmt: skip
        return event

    def beginning(self) -> Sequence[Event]:
        """All but the mirror."""
        run = self.run
        return (
            SequencingRunStarted(
                instrument_run_id=run.run_id, instrument_id=run.instrument.serial,
                instrument_model=run.instrument.model, platform="illumina",
                flow_cell_id=run.flow_cell, lanes=run.instrument.lanes, reads=reads_of(run),
                run_folder="file:///runs", run_info_sha256="0" * 64,
            ),
            self.sheet_event(SampleSheetAttached, self.sheet, 1),
            SequencingRunCompleted(
                instrument_run_id=run.run_id, marker="CopyComplete.txt",
                run_folder="file:///runs", file_count=1, total_bytes=1,
            ),
        )  # fmt: skip

    def reads_in(self, key: str, sha256: str) -> int:
        """How many reads an object holds, whose bytes are those that were declared."""
        answer = self.client.get_object(Bucket=self.settings.raw_bucket, Key=key)
        with answer["Body"] as body:
            content = body.read()
        assert hashlib.sha256(content).hexdigest() == sha256
        return gzip.decompress(content).count(b"\n") // 4


@pytest.fixture
def lab(stack: Addresses, suffix: str, tmp_path: Path) -> Iterator[Lab]:
    """A deployment of this test's own."""
    settings = settings_of(
        stack, suffix, tmp_path / "home", raw_bucket=f"raw-{suffix}",
        work_bucket=f"work-{suffix}", picard_memory_mb=512,
    )  # fmt: skip
    succeeds(settings, "topics", "apply")
    asyncio.run(ensure_jars(settings.cache, PICARD_JARS, lambda _: None))  # 61 MB the first time
    client = open_s3(settings)
    ensure_bucket(client, settings.raw_bucket)
    run = make_cast(5, depth=1.0).run
    yield Lab(settings, client, run, sheet_of(run, VERSION))
    client.close()


@contextmanager
def worked(lab: Lab, log: Path) -> Iterator[None]:
    """A worker beside the block; what it complained of is in the report of a failure."""
    with working(lab.settings, log, "--once", *ROWS):
        yield
    assert "parked" not in log.read_text()


def swapped(sheet: Sheet) -> Sheet:
    """The sheet with the barcodes of its first two libraries exchanged."""
    a, b, *rest = sheet.rows
    return replace(
        sheet,
        rows=(
            replace(a, index1=b.index1, index2=b.index2),
            replace(b, index1=a.index1, index2=a.index2),
            *rest,
        ),
    )


@pytest.mark.long
def test_a_run_gives_each_sample_its_reads_and_an_amended_sheet_moves_them(
    lab: Lab, tmp_path: Path
) -> None:
    lab.tell(*lab.beginning(), lab.mirror())
    jobs = lab.settings.home / "jobs"
    with working(lab.settings, tmp_path / "killed.log", "--once", *ROWS) as worker:
        until(lambda: [*jobs.glob("*/begun")], "the job has begun")
        worker.kill()
        worker.wait()
    with worked(lab, tmp_path / "worker.log"):
        done = until(lambda: lab.ended(1), "the first attempt has ended")
        assert done.type() == "DemultiplexCompleted", done.payload()
        files = {row.sample_id: 2 for row in lab.sheet.rows} | {"SIM-F": 0}
        until(lambda: len(lab.said("FileLanded")) == sum(files.values()), "all files have landed")
        first = lab.said("FileLanded")
        what_was_generated(lab, done, first)

        assert len([*jobs.iterdir()]) == 1, "the job outlived its worker, and was found again"
        later = lab.sheet_event(
            SampleSheetAmended, swapped(lab.sheet), 2, replaces_sha256="1" * 64, reason="a swap"
        )
        lab.tell(later)
        again = until(lambda: lab.ended(2), "the second attempt has ended")
        assert again.type() == "DemultiplexCompleted", again.payload()
        expected = 2 * sum(files.values())
        until(lambda: len(lab.said("FileLanded")) == expected, "all files have landed again")
    reads = {one.sample_id: one.reads for one in done.libraries}
    anew = {one.sample_id: one.reads for one in again.libraries}
    assert anew == reads | {"SIM-A": reads["SIM-B"], "SIM-B": reads["SIM-A"]}
    assert len(lab.said("ReadSetInvalidated")) == 5, "each once"
    moved = {one.key: one.moved_to_sample_id for one in lab.said("ReadSetInvalidated")}
    assert moved == {
        "SIM-A": "SIM-B", "SIM-B": "SIM-A", "SIM-C": None, "SIM-D": None, "SIM-E": None,
    }  # fmt: skip


def what_was_generated(lab: Lab, done: Any, landed: Sequence[Any]) -> None:
    """What was found is what was generated, in the event as in the objects."""
    expected: Counter[str | None] = Counter()
    for lane in lab.run.lanes:
        expected += count(lane, clusters_of(lab.run, lane)).passed
    found = {one.sample_id: one.reads for one in done.libraries}
    assert found == {name: expected[name] for name in found}
    assert done.reads_undetermined == expected[None]
    assert done.reads_total == expected.total()
    assert (done.tool, done.expected_roles) == ("picard", ("R1", "R2"))
    assert not done.i5_looks_reversed
    assert done.unknown_barcodes
    assert {one.key for one in lab.said("SampleRegistered")} == {*found}
    sets = {one.read_set_id: one for one in lab.said("ReadSetRegistered")}
    assert {one.key: one.reads for one in sets.values()} == {n: r for n, r in found.items() if r}
    for file in landed:
        assert sets[file.read_set_id].sample_id == file.sample_id
        assert lab.reads_in(file.object_key, file.declared_sha256) == found[file.sample_id]
    [failed] = until(lambda: lab.said("QcFailed"), "the sample without reads has failed")
    assert (failed.key, failed.reason_code) == ("SIM-F", "no reads")
    rest = until(lambda: lab.said("FileLanded", topics.SEQUENCING_RUN), "the rest has landed")
    assert {one.sample_id for one in rest} == {None}
    r1 = [lab.reads_in(one.object_key, one.declared_sha256) for one in rest if one.role == "R1"]
    assert sum(r1) == expected[None]


def test_a_full_flow_cell_is_handed_to_every_sample(lab: Lab, tmp_path: Path) -> None:
    rows = tuple(
        SampleSheetRow(lane=lane, sample_id=f"P-{lane}-{n:03}", library_id=f"P-{lane}-{n:03}_L")
        for lane in range(1, 9)
        for n in range(384)
    )
    asked, done = requested(rows=rows), completed(*(library(row, 0) for row in rows))
    with working(lab.settings, tmp_path / "worker.log", "--once", "register-read-sets"):
        lab.append(asked, done)
        until(lambda: len(lab.said("QcFailed")) == len(rows), "every sample has heard")
    assert {event.key for event in lab.said("QcFailed")} == {row.sample_id for row in rows}


@pytest.mark.long
def test_a_run_whose_copy_was_changed_fails_with_its_reason(lab: Lab, tmp_path: Path) -> None:
    mirrored = lab.mirror()
    changed = f"{mirrored.prefix}/Data/Intensities/L001/s_1_1101.locs"
    lab.client.put_object(Bucket=mirrored.bucket, Key=changed, Body=b"other bytes")
    with worked(lab, tmp_path / "worker.log"):
        lab.tell(*lab.beginning(), mirrored)
        failed = until(lambda: lab.ended(1), "the attempt has ended")
    assert failed.type() == "DemultiplexFailed"
    assert failed.reason_code == "input missing"
    assert "s_1_1101.locs: its bytes are not those that were copied" in failed.reason
    assert "`genoflow demultiplex again`" in failed.reason
    assert lab.said("FileLanded") == []
