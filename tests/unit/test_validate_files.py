"""validate-files, told as stories, and its effect on real bytes in a store of memory."""

from __future__ import annotations

import gzip
import hashlib
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest

from genoflow.events import topics
from genoflow.events.case_joined import CaseJoined
from genoflow.events.deadline_passed import DeadlinePassed
from genoflow.events.deadline_set import DeadlineSet
from genoflow.events.errors import Parked, Retry
from genoflow.events.event import Event
from genoflow.events.expected_file import ExpectedFile
from genoflow.events.file_finding import FileFinding
from genoflow.events.file_landed import FileLanded
from genoflow.events.file_rejected import FileRejected
from genoflow.events.identity import GENOFLOW
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.validated import Validated
from genoflow.events.validation_attempt_failed import ValidationAttemptFailed
from genoflow.processors.decision import Effect
from genoflow.processors.ports import UNVERSIONED, ByteAttempt
from genoflow.processors.validate_files import (
    NAME,
    VALIDATE_FILES,
    File,
    Read,
    attempt_failed,
    validate,
)
from genoflow.processors.validation.engine import READERS
from genoflow.processors.validation.findings import Findings, Where
from genoflow.processors.validation.port import Expected, Measured
from genoflow.processors.validation.rules import Rule, Severity
from genoflow.processors.validation.source import Source
from genoflow.processors.validation_waits import ATTEMPTS_MAX, WAITS
from tests.fakes import FakeStore
from tests.partition import MOMENT
from tests.reads import bgzf, fastq
from tests.spec import Spec, heard

given = Spec(VALIDATE_FILES).given
BODY = bgzf(fastq(30))


def landed(key: str = "a", version: str = "1", **changes: Any) -> FileLanded:
    """A file of S1's first read set."""
    fields: dict[str, Any] = {
        "bucket": "raw", "object_key": key, "version_id": version, "size_bytes": len(BODY),
        "etag": "e", "last_modified_at": MOMENT, "sample_id": "S1", "read_set_id": "RS1",
        "role": "R1",
    }  # fmt: skip
    return FileLanded(**fields | changes)


def registered(
    *roles: str, reads: int | None = 30, read_set: str = "RS1", lane: int | None = 1
) -> ReadSetRegistered:
    return ReadSetRegistered(
        sample_id="S1", read_set_id=read_set, material="FASTQ", lane=lane, reads=reads,
        expected_files=tuple(ExpectedFile(role=role, lane=lane) for role in roles or ("R1", "R2")),
        read_sets_of_sample=1,
    )  # fmt: skip


def joined(reference: str = "GRCh38", case: str = "C1") -> CaseJoined:
    return CaseJoined(
        sample_id="S1", case_id=case, case_kind="single", role="single", subject_ref="P1",
        declared_sex="unknown", assay="wes", material="FASTQ", reference=reference,
        priority="routine",
    )  # fmt: skip


def read(event: FileLanded, **known: Any) -> Effect:
    """The effect that reads this file, with what is known of it."""
    file = File(**{name: getattr(event, name) for name in File.model_fields})
    fields = {"lane": None, "reads": None, "references": (), "attempt": 1} | known
    return Effect("validate", Read(sample_id="S1", file=file, **fields), lane=file.name)


# -- once for each version, with what is known by then


def test_a_file_is_read_once_whoever_reports_it() -> None:
    given().when(landed()).then().then_effects(read(landed()))
    given(landed()).when(landed()).then_nothing()
    given(landed()).when(landed(etag="other")).then_nothing()


def test_a_file_that_is_sent_again_is_another_version() -> None:
    again = landed(version="2")
    given(landed()).when(again).then_effects(read(again))
    assert read(again).lane != read(landed()).lane


def test_what_is_expected_goes_with_it() -> None:
    given(registered(), joined()).when(landed()).then_effects(
        read(landed(), lane=1, reads=30, references=("GRCh38",))
    )
    two = (joined(), joined("GRCh37", "C2"), joined())
    given(*two).when(landed()).then_effects(read(landed(), references=("GRCh38", "GRCh37")))
    said = landed(lane=3, declared_md5="0" * 32)
    given().when(said).then_effects(read(said, lane=3))


def test_a_file_before_its_read_set_is_read_all_the_same() -> None:
    given().when(landed()).then_effects(read(landed()))
    given(landed()).when(registered()).then_nothing()
    given(registered(read_set="RS2")).when(landed()).then_effects(read(landed()))


def test_a_count_is_compared_only_where_it_is_that_of_one_file() -> None:
    for known in (registered("R1", "R1", "R2"), registered(reads=None)):
        given(known).when(landed()).then_effects(read(landed(), lane=1))
    bam = landed(role="BAM")
    given(registered("BAM")).when(bam).then_effects(read(bam, lane=1))


def test_the_first_registration_of_a_read_set_counts() -> None:
    given(registered(), registered(reads=9)).when(landed()).then_effects(
        read(landed(), lane=1, reads=30)
    )


def test_a_file_of_nobody_waits_until_it_lands_for_its_sample() -> None:
    nobody = landed(sample_id=None, read_set_id=None, role=None)
    assert nobody.key == "unassigned/raw/a"
    given().when(nobody).then_nothing()
    given(nobody).when(landed()).then_effects(read(landed()))
    given(landed(role=None)).when(landed()).then_effects(read(landed()))


# -- attempts that failed


def failed(attempt: int = 1, key: str = "a") -> ValidationAttemptFailed:
    return ValidationAttemptFailed(
        sample_id="S1", read_set_id="RS1", bucket="raw", object_key=key, version_id="1",
        attempt=attempt, attempts_max=ATTEMPTS_MAX, reason_code="store unavailable",
        reason="s3://raw/a@1: no answer",
    )  # fmt: skip


AT = MOMENT + timedelta(minutes=3)
DUE = AT + WAITS[0]


def waits(attempt: int = 1) -> DeadlineSet:
    return DeadlineSet(
        subject_topic=topics.SAMPLE.name, subject_key="S1", processor=NAME,
        deadline=hashlib.sha256(b"raw/a@1").hexdigest(),
        purpose="the next attempt to read raw/a", due_at=AT + WAITS[attempt - 1],
    )  # fmt: skip


def passed(attempt: int = 1, **changes: Any) -> DeadlinePassed:
    fields = dict(waits(attempt)) | {"deadline_id": uuid5(GENOFLOW, str(attempt))} | changes
    return DeadlinePassed(**fields)


def test_a_failed_attempt_is_followed_by_a_wait_and_another() -> None:
    first = heard(failed(), AT)
    given(landed()).when(first).then(waits())
    given(landed(), first).when(first).then_nothing()
    given(landed(), first).when(passed()).then_effects(read(landed(), attempt=2))
    second = heard(failed(2), AT)
    given(landed(), first, passed()).when(second).then(waits(2))
    given(landed(), first, passed(), second).when(passed(2)).then_effects(read(landed(), attempt=3))


def test_a_wait_ends_once_and_only_ours() -> None:
    first = heard(failed(), AT)
    given(landed(), first, passed()).when(passed()).then_nothing()
    given(landed(), first).when(passed(processor="someone")).then_nothing()
    given(landed(), first).when(passed(due_at=DUE + timedelta(hours=1))).then_nothing()
    given(landed(), first).when(passed(deadline="other")).then_nothing()
    given(landed(), first, passed()).when(first).then_nothing()
    given(landed(), heard(failed(2), AT)).when(first).then_nothing()


def test_what_is_known_meanwhile_goes_with_the_next_attempt() -> None:
    given(landed(), heard(failed(), AT), registered(), joined()).when(passed()).then_effects(
        read(landed(), attempt=2, lane=1, reads=30, references=("GRCh38",))
    )


def test_the_last_attempt_asks_a_person() -> None:
    given(landed()).when(heard(failed(ATTEMPTS_MAX), AT)).then_nothing()
    arguments = read(landed(), attempt=ATTEMPTS_MAX).arguments
    assert isinstance(arguments, Read)
    with pytest.raises(Parked, match=rf"no answer; attempt {ATTEMPTS_MAX} of {ATTEMPTS_MAX}"):
        attempt_failed(arguments, "s3://raw/a@1: no answer")


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("s3://raw/a@1: no answer", "store unavailable"),
        ("validate 7: needs more than its 9 bytes; raise memory_bytes_max", "out of memory"),
        ("validate 7: not done within 21600 s; see what it waits for", "out of time"),
        ("validate 7: its process was ended by SIGSEGV", "engine failed"),
    ],
)
def test_what_failed_is_said(reason: str, code: str) -> None:
    arguments = read(landed(), attempt=2).arguments
    assert isinstance(arguments, Read)
    [said] = attempt_failed(arguments, reason)
    assert isinstance(said, ValidationAttemptFailed)
    assert (said.reason_code, said.reason, said.attempt) == (code, reason, 2)


# -- the effect


def performed(
    body: bytes,
    event: FileLanded,
    store: FakeStore | None = None,
    *,
    strict: bool = False,
    **known: Any,
) -> Event:
    if store is None:
        store = FakeStore()
        store.keep("raw", event.object_key, body, {})
    told: list[tuple[float, float | None, str]] = []
    attempt = ByteAttempt(UUID(int=1), 1, store, lambda *news: told.append(news), strict)
    arguments = read(event, **known).arguments
    assert isinstance(arguments, Read)
    [said] = validate(arguments, attempt)
    assert [done for done, _, _ in told] == ([len(body)] if body else [])
    return said


def test_a_whole_file_is_validated_with_all_that_was_found() -> None:
    said = performed(BODY, landed(version="v1"), lane=1, reads=30)
    assert isinstance(said, Validated)
    assert (said.md5, said.sha256) == (
        hashlib.md5(BODY).hexdigest(), hashlib.sha256(BODY).hexdigest(),
    )  # fmt: skip
    assert (said.size_bytes, said.format, said.compression) == (len(BODY), "FASTQ", "bgzf")
    assert (said.reads, said.bases, said.lane, said.role) == (30, 1_800, 1, "R1")
    assert said.metrics.read_length_max == 60
    assert said.read_names_sha256
    assert said.engine == "genoflow-python"
    assert said.duration_seconds is not None
    given().when(landed(version="v1")).performed(said).then(said)


def test_a_faulty_file_is_rejected_with_both_sides() -> None:
    body = gzip.compress(fastq(30))[:-4]
    declared: dict[str, Any] = {
        "declared_md5": "0" * 32,
        "size_bytes": len(body),
        "version_id": "v1",
    }
    said = performed(body, landed(**declared), reads=30)
    assert isinstance(said, FileRejected)
    assert (said.reason_code, said.declared_md5) == ("truncated", "0" * 32)
    assert (said.found_md5, said.at_byte) == (hashlib.md5(body).hexdigest(), len(body))
    assert said.reason.endswith("; send it again whole, and compare its size before and after")
    given().when(landed(**declared)).performed(said).then(said)


ODD = Rule("toy-odd", Severity.VIOLATION, "", "numbers are even", "add one", "3")


@pytest.mark.parametrize("strict", [False, True])
def test_what_was_found_stands_in_the_verdict(
    monkeypatch: pytest.MonkeyPatch, strict: bool
) -> None:
    def read(source: Source, _: str, __: Expected, findings: Findings) -> Measured:
        source.drain()
        findings.add(ODD, "3\x00 is odd", Where(line=4))
        return Measured("FASTQ")

    monkeypatch.setitem(READERS, "FASTQ", read)
    said = performed(BODY, landed(version="v1"), strict=strict)
    assert isinstance(said, FileRejected if strict else Validated)
    assert (said.violations, said.notes, said.is_strict) == (1, 0, strict)
    assert said.findings == (
        FileFinding(code="toy-odd", severity="violation", message="3 is odd", line=4),
    )
    assert said.duration_seconds is not None
    if isinstance(said, FileRejected):
        assert (said.reason_code, said.errors, said.format) == ("malformed record", 0, "FASTQ")
        assert said.reason == "3 is odd; add one"


def test_a_failed_attempt_is_repeated_three_times() -> None:
    assert [wait.total_seconds() for wait in WAITS] == [60, 120, 240]
    assert ATTEMPTS_MAX == 4


def test_an_object_that_is_gone_is_rejected_and_a_store_that_is_away_is_not() -> None:
    said = performed(b"", landed(version="v9"))
    assert isinstance(said, FileRejected)
    assert said.reason_code == "gone"
    assert "s3://raw/a@v9: there is no such version" in said.reason

    plain = FakeStore(keeps_versions=False)
    etag = plain.keep("raw", "a", BODY, {}).etag
    file = landed(version=UNVERSIONED, etag=etag)
    assert isinstance(performed(BODY, file, plain), Validated)
    plain.keep("raw", "a", bgzf(fastq(30, seed=2))[: len(BODY)].ljust(len(BODY)), {})
    said = performed(b"", file, plain)
    assert isinstance(said, FileRejected)
    assert said.reason_code == "gone"
    assert said.reason.endswith("another object has taken its place; send it again")

    def away(_operation: str) -> None:
        raise Retry("the store is away")

    with pytest.raises(Retry):
        performed(b"", landed(version="v1"), FakeStore(fault=away))
