"""Events of a small lab, for tests that ask about its subjects: S7, its case C1, its run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from genoflow.events.case_joined import CaseJoined
from genoflow.events.case_member_ready import CaseMemberReady
from genoflow.events.case_opened import CaseOpened
from genoflow.events.case_ready import CaseReady
from genoflow.events.event import Event
from genoflow.events.file_landed import FileLanded
from genoflow.events.file_rejected import FileRejected
from genoflow.events.qc_failed import QcFailed
from genoflow.events.qc_passed import QcPassed
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.run_requested import RunRequested
from genoflow.events.sample_registered import SampleRegistered
from genoflow.events.validated import Validated
from genoflow.projections.asking.subject import Answer
from tests.examples import example
from tests.partition import MOMENT
from tests.spec import heard

READ_SET = "L1.FC.1"
RUN_ID = UUID("5f9d2c2e-7c1b-5a53-9d0c-2f6f4b1d7e10")


def told(*events: Event) -> list[Event]:
    """These facts, a minute apart, as they stand on the log; those with envelopes keep theirs."""
    return [
        event if event.has_envelope else heard(event, MOMENT + timedelta(minutes=number))
        for number, event in enumerate(events)
    ]


def sentences(subject: str, answers: Sequence[Answer]) -> str:
    """What `why` says, a line a reason."""
    return "\n".join(answer.about(subject) for answer in answers)


def like(kind: type[Any], **fields: Any) -> Any:
    """A valid fact of this type with these fields, and whatever for the others."""
    return kind(**dict(example(kind, 1)) | fields)


def registered(sample: str = "S7") -> SampleRegistered:
    return SampleRegistered(sample_id=sample, declared_sex="unknown", registered_by="sample sheet")


def joined(sample: str = "S7", case: str = "C1", role: str = "single") -> CaseJoined:
    return CaseJoined(
        sample_id=sample, case_id=case, case_kind="single", role=role, subject_ref="P1",
        declared_sex="unknown", assay="panel", material="FASTQ", reference="GRCh38",
        priority="routine",
    )  # fmt: skip


def read_set(name: str = READ_SET, lane: int = 1, of: int = 1, **more: Any) -> ReadSetRegistered:
    files = [{"role": role, "lane": lane} for role in ("R1", "R2", "I1", "I2")]
    return ReadSetRegistered(
        sample_id="S7", read_set_id=name, material="FASTQ", expected_files=files,
        instrument_run_id="RUN1", read_sets_of_sample=of, **more,
    )  # fmt: skip


def landed(role: str, name: str | None = READ_SET, version: str = "1", **more: Any) -> FileLanded:
    fields = {
        "bucket": "raw", "object_key": f"{name}/{role}", "version_id": version, "size_bytes": 9,
        "etag": "e", "last_modified_at": MOMENT, "sample_id": "S7", "read_set_id": name,
        "role": role, "lane": 1,
    }  # fmt: skip
    return FileLanded(**fields | more)


def validated(role: str, name: str = READ_SET, version: str = "1") -> Validated:
    return Validated(
        sample_id="S7", read_set_id=name, role=role, lane=1, bucket="raw",
        object_key=f"{name}/{role}", version_id=version, size_bytes=9, md5="0" * 32,
        sha256="0" * 64, format="FASTQ", metrics={}, engine="simple", engine_version="1",
    )  # fmt: skip


def rejected(role: str, name: str = READ_SET) -> FileRejected:
    return FileRejected(
        sample_id="S7", read_set_id=name, role=role, bucket="raw", object_key=f"{name}/{role}",
        version_id="1", size_bytes=9, reason_code="truncated", reason="it ends inside a block.",
        at_byte=1_234, engine="simple", engine_version="1",
    )  # fmt: skip


def all_valid(name: str = READ_SET) -> list[Event]:
    """Every file of a read set has landed and is valid."""
    roles = ("R1", "R2", "I1", "I2")
    return [*(landed(role, name) for role in roles), *(validated(role, name) for role in roles)]


COVERAGE = {"metric": "mean_coverage", "value": 11.2, "unit": "x", "required_min": 30.0}


def passed(*read_sets: str, round: int = 1) -> QcPassed:  # noqa: A002 -- the event's own word
    return QcPassed(
        sample_id="S7", round=round, profile="strict", profile_version="1",
        read_set_ids=read_sets or (READ_SET,), measured=[{**COVERAGE, "verdict": "pass"}],
    )  # fmt: skip


def failed(at: datetime = MOMENT, *, sample: str = "S7", **more: Any) -> QcFailed:
    fact = QcFailed(
        **{
            "sample_id": sample, "round": 1, "reason_code": "below threshold",
            "reason": "too few reads", "profile": "strict", "profile_version": "1",
            "read_set_ids": (READ_SET,), "measured": [{**COVERAGE, "verdict": "fail"}],
        } | more
    )  # fmt: skip
    return heard(fact, at)


def opened(**more: Any) -> CaseOpened:
    members = [
        {"sample_id": "D", "role": "tumour", "subject_ref": "P4"},
        {"sample_id": "E", "role": "normal", "subject_ref": "P4"},
    ]
    return CaseOpened(
        case_id="C1", kind="tumour-normal", members=members, assay="panel", reference="GRCh38",
        source="tests", **more,
    )  # fmt: skip


def member_ready(sample: str, round: int = 1) -> CaseMemberReady:  # noqa: A002 -- as above
    return like(CaseMemberReady, case_id="C1", sample_id=sample, round=round)  # type: ignore[no-any-return]


def ready(revision: int = 1) -> CaseReady:
    return like(CaseReady, case_id="C1", revision=revision, assay="panel")  # type: ignore[no-any-return]


def requested(revision: int = 1) -> RunRequested:
    fields = {"run_id": RUN_ID, "case_id": "C1", "case_revision": revision, "launcher": "local"}
    return like(RunRequested, **fields)  # type: ignore[no-any-return]
