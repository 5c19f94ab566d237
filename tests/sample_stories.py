"""What may be said of sample S7 and of its run, in any order: stories that meet every state."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from genoflow.events import topics
from genoflow.events.case_left import CaseLeft
from genoflow.events.demultiplex_failed import DemultiplexFailed
from genoflow.events.demultiplex_reopened import DemultiplexReopened
from genoflow.events.event import Event
from genoflow.events.file_assigned import FileAssigned
from genoflow.events.file_checksum_mismatched import FileChecksumMismatched
from genoflow.events.file_checksummed import FileChecksummed
from genoflow.events.qc_metrics_recorded import QcMetricsRecorded
from genoflow.events.qc_overridden import QcOverridden
from genoflow.events.qc_requested import QcRequested
from genoflow.events.read_set_invalidated import ReadSetInvalidated
from genoflow.events.sample_relabelled import SampleRelabelled
from genoflow.events.sample_sheet_refused import SampleSheetRefused
from genoflow.events.sequencing_run_qc_failed import SequencingRunQcFailed
from genoflow.events.sequencing_run_qc_passed import SequencingRunQcPassed
from genoflow.events.top_up_requested import TopUpRequested
from genoflow.events.validation_attempt_failed import ValidationAttemptFailed
from tests import sequencing
from tests.asked import (
    READ_SET,
    all_valid,
    failed,
    joined,
    landed,
    like,
    passed,
    read_set,
    registered,
    rejected,
    validated,
)
from tests.partition import MOMENT
from tests.spec import heard

SECOND = "L1.FC2.1"
FILE = {"bucket": "raw", "object_key": f"{READ_SET}/R1", "version_id": "1"}
OF_S7 = {"subject_topic": topics.SAMPLE.name, "subject_key": "S7", **FILE, "size_bytes": 9}
TRIED = ValidationAttemptFailed(
    sample_id="S7", read_set_id=READ_SET, **FILE, attempt=2, attempts_max=5,
    reason_code="store unavailable", reason="no answer",
)  # fmt: skip
GIVEN_UP = TRIED.model_copy(update={"attempt": 5})
MISMATCHED = FileChecksumMismatched(
    **OF_S7 | {"size_bytes": 8}, stored_size_bytes=9, md5="0" * 32, sha256="0" * 64
)
SUMMED = FileChecksummed(**OF_S7, md5="1" * 32, sha256="2" * 64, declared=False)
INVALIDATED = ReadSetInvalidated(
    sample_id="S7", read_set_id=READ_SET, reason_code="sheet amended", reason="another index"
)
QC_FAILED = failed()
TOP_UP = TopUpRequested(
    sample_id="S7", round=2, failed_event_id=QC_FAILED.envelope.event_id, reads_wanted=2_000_000,
    reason="the library is good",
)  # fmt: skip
OVERRIDDEN = QcOverridden(
    sample_id="S7", round=1, overridden_event_id=QC_FAILED.envelope.event_id, request_id="r1",
    role="lab director", reason="rare tissue", failed_metrics=["mean_coverage"],
)  # fmt: skip
RELABELLED = SampleRelabelled(
    sample_id="S7", true_sample_id="S8", read_set_ids=[READ_SET], request_id="r1", role="lead",
    reason="tubes were swapped",
)  # fmt: skip
LEFT = CaseLeft(sample_id="S7", case_id="C1", outcome="cancelled", reason="ordered twice")
ASKED_FOR = like(QcRequested, sample_id="S7", round=1, read_set_ids=[READ_SET])
MEASURED = like(QcMetricsRecorded, sample_id="S7", round=1, read_set_ids=[READ_SET])
RUN_FAILED = like(SequencingRunQcFailed, sample_id="S7", instrument_run_id="RUN1")
SOMEWHERE = {"bucket": "raw", "object_key": "courier/R1", "version_id": "1"}
LOOSE = landed("R1", sample_id=None, read_set_id=None, **SOMEWHERE)
ASSIGNED = FileAssigned(
    **SOMEWHERE,
    sample_id="S7",
    read_set_id=READ_SET,
    role="R1",
    lane=1,
    request_id="r",
    reason="label",
)
OF_THE_SAMPLE: tuple[Event, ...] = (
    registered(), joined(), joined(case="C2"), LEFT, read_set(of=2), read_set(SECOND),
    *all_valid(), *all_valid(SECOND), rejected("R1"), rejected("R2"), landed("R1", version="2"),
    validated("R1", version="2"), landed("R2", None), TRIED, GIVEN_UP, MISMATCHED, SUMMED,
    INVALIDATED, ASKED_FOR, MEASURED, passed(), passed(READ_SET, SECOND), QC_FAILED, TOP_UP,
    OVERRIDDEN, RELABELLED, RUN_FAILED,
)  # fmt: skip
GIVEN_UP_STORY: tuple[Event, ...] = (
    registered(), joined(), read_set(),
    *(one for one in all_valid() if one != validated("R1")), TRIED, GIVEN_UP,
)  # fmt: skip

REFUSED = SampleSheetRefused(
    instrument_run_id=sequencing.RUN, sheet_uri="file:///s.csv", sheet_sha256="9" * 64,
    problems=["line 3: no index"],
)  # fmt: skip
COUNTED = [sequencing.library(row, 10 * number) for number, row in enumerate(sequencing.ROWS)]
TOLD_APART = sequencing.completed(*COUNTED, unknown=7)
NOT_TOLD_APART = DemultiplexFailed(
    instrument_run_id=sequencing.RUN, attempt=1, sheet_revision=1, tool="picard",
    reason_code="tool failed", reason="it ended with 1",
)  # fmt: skip
REOPENED = DemultiplexReopened(
    instrument_run_id=sequencing.RUN, attempt=1, failed_event_id=QC_FAILED.envelope.event_id,
    reason="more memory",
)  # fmt: skip
WHOLE_PASSED = like(SequencingRunQcPassed, sample_id=None, instrument_run_id=sequencing.RUN)
WHOLE_FAILED = like(SequencingRunQcFailed, sample_id=None, instrument_run_id=sequencing.RUN)
UNDETERMINED = landed(
    "R1", None, sample_id=None, instrument_run_id=sequencing.RUN, object_key="undetermined/R1"
)
OF_THE_RUN: tuple[Event, ...] = (
    sequencing.STARTED, sequencing.ATTACHED, sequencing.amended(), REFUSED, sequencing.COMPLETED,
    sequencing.FAILED, sequencing.mirrored(), sequencing.requested(), TOLD_APART, NOT_TOLD_APART,
    REOPENED, sequencing.requested(2), sequencing.completed(*COUNTED, attempt=2), WHOLE_PASSED,
    WHOLE_FAILED, UNDETERMINED,
)  # fmt: skip


def shuffled(facts: Sequence[Event], seed: int) -> list[Event]:
    """Most of these facts, nearly in this order: some come much earlier or later, none twice."""
    chance = random.Random(f"shuffled {seed}")
    far = chance.choice((0.0, 3.0, 30.0))
    order = sorted(range(len(facts)), key=lambda number: number + chance.random() * far)
    taken = [facts[number] for number in order if chance.random() < 0.75]
    return [_at(fact, MOMENT + timedelta(minutes=number)) for number, fact in enumerate(taken)]


def _at(fact: Event, at: datetime) -> Event:
    if not fact.has_envelope:
        return heard(fact, at)
    return fact.enveloped(fact.envelope.model_copy(update={"occurred_at": at}))
