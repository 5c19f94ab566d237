"""A small lab whose files grow old: S7 has reads, one run took them, and there are rules."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from genoflow.deploy.catalog_documents import parse_documents
from genoflow.deploy.settings import Settings
from genoflow.events.demultiplex_completed import DemultiplexCompleted
from genoflow.events.demultiplex_requested import DemultiplexRequested
from genoflow.events.envelope import Producer
from genoflow.events.event import E
from genoflow.events.expected_file import ExpectedFile
from genoflow.events.file_landed import FileLanded
from genoflow.events.legal_hold_placed import LegalHoldPlaced
from genoflow.events.legal_hold_released import LegalHoldReleased
from genoflow.events.log.port import EventLog
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.retention_published import RetentionPublished
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.events.sample_sheet_amended import SampleSheetAmended
from genoflow.events.sample_sheet_attached import SampleSheetAttached
from genoflow.events.sequencing_run_mirrored import SequencingRunMirrored
from genoflow.events.stored_version import StoredVersion, name_of
from genoflow.events.validated import Validated
from genoflow.processors.intake.delivered import Copies
from genoflow.processors.intake.heard import Shelves
from genoflow.processors.intake.privacy import PrivacyGuard
from genoflow.processors.intake.sweeper import SWEEPER, Sweeper
from genoflow.processors.ports import Removal
from tests.examples import example
from tests.fakes import FakeClock
from tests.partition import MOMENT
from tests.spec import heard

RUN = UUID(int=1, version=5)
EFFECT = UUID(int=9, version=5)
DAY = timedelta(days=1)
OUTCOME = f"effects/{EFFECT}/outcome"
WORK = "work"


class FakeRemover:
    """Removes at once, and can fail after it, or find a lock."""

    def __init__(self, *errors: Exception, lock: Removal | None = None) -> None:
        self.removed: list[str] = []
        self._errors = list(errors)
        self._lock = lock

    async def remove(self, file: StoredVersion) -> Removal:
        if self._lock is not None:
            return self._lock
        name = name_of(file)
        if name not in self.removed:
            self.removed.append(name)
        if self._errors:
            raise self._errors.pop()
        return Removal()


def rules(assays: tuple[str, ...] = (), version: str = "1", **days: int) -> RetentionPublished:
    """A document with a rule of so many days for each class."""
    named = [
        {"name": f"{name}-{keep}", "file_class": name, "keep_days": keep}
        for name, keep in days.items()
    ]
    plain = {
        "kind": "retention", "document_id": "-".join(("r", *assays)), "version": version,
        "title": "Rules", "assays": list(assays), "rules": named,
    }  # fmt: skip
    [document] = parse_documents([("here", json.dumps(plain))], [], PrivacyGuard(()))
    assert isinstance(document, RetentionPublished)
    return document


def landed(key: str = "in/a.gz", **fields: Any) -> FileLanded:
    """Reads of S7 that landed at the beginning."""
    place = {"bucket": "raw", "object_key": key, "version_id": "1", "size_bytes": 5, "etag": "e"}
    fact = FileLanded(
        **place | {"sample_id": "S7", "role": "R1", "last_modified_at": MOMENT} | fields
    )
    return heard(fact, MOMENT)


def hold(name: str = "court", day: float = 1) -> LegalHoldPlaced:
    """A hold on S7."""
    words = {"role": "admin", "reason": "asked for by a court", "request_id": f"{name}-{day:g}"}
    return heard(LegalHoldPlaced(sample_id="S7", hold_id=name, **words), MOMENT + day * DAY)


def release(name: str = "court", day: float = 2) -> LegalHoldReleased:
    """The end of that hold."""
    words = {"role": "admin", "reason": "the case is closed", "request_id": f"{name}-{day:g}"}
    return heard(LegalHoldReleased(sample_id="S7", hold_id=name, **words), MOMENT + day * DAY)


def of_run(kind: type[E], day: float, **fields: Any) -> E:
    """A fact of the run, as the outcome of its job says it."""
    fact = kind(**dict(example(kind, 1)) | {"run_id": RUN} | fields)
    event = heard(fact, MOMENT + day * DAY)
    return event.enveloped(event.envelope.model_copy(update={"effect_id": EFFECT}))


def requested(*files: FileLanded) -> RunRequested:
    """A run that takes these files of S7."""
    asked = example(RunRequested, 1)
    some = asked.members[0].files[0]
    taken = tuple(
        some.model_copy(
            update={
                "bucket": one.bucket, "object_key": one.object_key, "version_id": one.version_id,
            }
        )
        for one in files
    )  # fmt: skip
    member = asked.members[0].model_copy(update={"sample_id": "S7", "files": taken})
    return of_run(RunRequested, 0, members=(member,), assay="wgs")


def submitted(day: float = 0) -> RunSubmitted:
    """It goes on."""
    return of_run(RunSubmitted, day, attempt=1, work_uri=None)


def succeeded(day: float = 1) -> RunSucceeded:
    """It is over."""
    return of_run(RunSucceeded, day, attempt=1)


def sweeper(log: EventLog, shelves: Shelves, day: float, work: str = WORK) -> Sweeper:
    """The porch, on a day."""
    clock = FakeClock(MOMENT + day * DAY)
    by = Producer(service=SWEEPER, version="1")
    copies = Copies(shelves, "delivery", PrivacyGuard(Settings().person_patterns))
    return Sweeper(log, shelves, copies, work_bucket=work, clock=clock, by=by)


# -- a run of an instrument, with reads of S7

FLOW_CELL_RUN = "R1"
FOLDER = f"runs/{FLOW_CELL_RUN}/files/"
READ_SET = "RS1"


def of_instrument(kind: type[E], day: float, **fields: Any) -> E:
    """A fact of the run of the instrument."""
    named = {"instrument_run_id": FLOW_CELL_RUN}
    return heard(kind(**dict(example(kind, 1)) | named | fields), MOMENT + day * DAY)


def mirrored(day: float = 0, sums: str = "a") -> SequencingRunMirrored:
    """Its folder is in the raw bucket."""
    place = {"bucket": "raw", "prefix": FOLDER, "manifest_key": "runs/R1/manifest.tsv"}
    return of_instrument(SequencingRunMirrored, day, **place, manifest_sha256=sums * 64)


def sheet(revision: int = 1, day: float = 0) -> SampleSheetAttached | SampleSheetAmended:
    """The sheet lists S7."""
    row = example(SampleSheetAttached, 1).rows[0].model_copy(update={"sample_id": "S7"})
    said = {"revision": revision, "rows": (row,)}
    if revision == 1:
        return of_instrument(SampleSheetAttached, day, **said)
    return of_instrument(SampleSheetAmended, day, **said)


def asked_for(attempt: int = 1, day: float = 0) -> DemultiplexRequested:
    """It is to be demultiplexed."""
    return of_instrument(DemultiplexRequested, day, attempt=attempt, sheet_revision=attempt)


def demultiplexed(attempt: int = 1, day: float = 1) -> DemultiplexCompleted:
    """It was, and S7 has a read set."""
    library = example(DemultiplexCompleted, 1).libraries[0]
    found = library.model_copy(update={"sample_id": "S7", "read_set_id": READ_SET})
    said = {"attempt": attempt, "sheet_revision": attempt, "libraries": (found,)}
    return of_instrument(DemultiplexCompleted, day, **said)


def registered(sample: str = "S7", read_set: str = READ_SET) -> ReadSetRegistered:
    """The read set stands on its sample."""
    fields = {
        "sample_id": sample, "read_set_id": read_set, "instrument_run_id": FLOW_CELL_RUN,
        "expected_files": (ExpectedFile(role="R1", lane=1),),
    }  # fmt: skip
    return heard(ReadSetRegistered(**dict(example(ReadSetRegistered, 1)) | fields), MOMENT + DAY)


def validated() -> Validated:
    """Its file is whole."""
    fields = {"sample_id": "S7", "read_set_id": READ_SET, "role": "R1", "lane": 1}
    return heard(Validated(**dict(example(Validated, 1)) | fields), MOMENT + DAY)
