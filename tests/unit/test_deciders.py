"""The processors of the flow, told as stories: what happened, what happens, what follows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import permutations
from uuid import UUID, uuid5

import pytest

from genoflow.events import topics
from genoflow.events.deadline_passed import DeadlinePassed
from genoflow.events.deadline_set import DeadlineSet
from genoflow.events.event import Event
from genoflow.events.file_checksum_mismatched import FileChecksumMismatched
from genoflow.events.file_checksummed import FileChecksummed
from genoflow.events.file_landed import FileLanded
from genoflow.events.identity import GENOFLOW
from genoflow.events.qc_passed import QcPassed
from genoflow.events.sample_registered import SampleRegistered
from genoflow.events.subject_silent import SubjectSilent
from genoflow.processors.checksum_files import CHECKSUM_FILES, Files, ReadWhole, checksum
from genoflow.processors.decision import Effect
from genoflow.processors.ports import UNVERSIONED, ByteAttempt, ObjectGone
from genoflow.processors.watch_silence import NAME, SILENCE, WATCH_SILENCE, Heard
from tests.examples import bare_example
from tests.fakes import FakeStore
from tests.partition import MOMENT
from tests.spec import Spec, heard

given = Spec(WATCH_SILENCE).given
DAY = MOMENT + SILENCE
HOUR = timedelta(hours=1)
SAMPLE = topics.SAMPLE.name
BODY = b"ACGT" * 1_000
MD5, SHA256 = hashlib.md5(BODY).hexdigest(), hashlib.sha256(BODY).hexdigest()
REGISTERED = heard(
    SampleRegistered(sample_id="S1", declared_sex="unknown", registered_by="order"), MOMENT
)


def landed(hours: float, *, bucket: str = "raw", **declared: str) -> FileLanded:
    """A file of S1, so many hours after the first moment."""
    at = MOMENT + hours * HOUR
    fact = FileLanded(
        bucket=bucket, object_key=f"{hours}.fastq.gz", version_id="1", size_bytes=len(BODY),
        etag="e", last_modified_at=at, sample_id="S1", role="R1", **declared,
    )  # fmt: skip
    return heard(fact, at)


# -- watch-silence: reports a sample of which nothing was heard for a day


def waits(until: datetime) -> DeadlineSet:
    """S1 waits until then."""
    return DeadlineSet(
        subject_topic=SAMPLE, subject_key="S1", processor=NAME, deadline="silence",
        purpose="news of this sample", due_at=until,
    )  # fmt: skip


def passed(due_at: datetime, processor: str = NAME, late: timedelta = timedelta(0)) -> Event:
    """The clock says that a deadline of S1 is over."""
    fact = DeadlinePassed(
        **dict(waits(due_at)) | {"processor": processor},
        deadline_id=uuid5(GENOFLOW, due_at.isoformat()),
    )
    return heard(fact, due_at + late)


def silent(last: Event) -> SubjectSilent:
    """Nothing was heard of S1 since this."""
    return SubjectSilent(
        subject_topic=SAMPLE, subject_key="S1", last_event_id=last.envelope.event_id,
        last_type=last.type(), last_at=last.envelope.occurred_at,
        usual_seconds=SILENCE.total_seconds(),
    )  # fmt: skip


def test_the_first_news_begins_a_wait() -> None:
    given().when(REGISTERED).then(waits(DAY)).then_effects().then_state(
        Heard(
            last_at=MOMENT, last_type="SampleRegistered",
            last_event_id=REGISTERED.envelope.event_id, due_at=DAY,
        )
    )  # fmt: skip


def test_more_news_do_not_set_another_deadline() -> None:
    given(REGISTERED).when(landed(1)).then_nothing()


def test_no_news_for_a_day_is_reported() -> None:
    given(REGISTERED).when(passed(DAY)).then(silent(REGISTERED))


def test_news_on_the_way_make_the_wait_longer() -> None:
    given(REGISTERED, landed(5)).when(passed(DAY)).then(waits(DAY + 5 * HOUR))


def test_a_longer_wait_ends_too() -> None:
    file = landed(5)
    given(REGISTERED, file, passed(DAY)).when(passed(DAY + 5 * HOUR)).then(silent(file))


def test_news_at_the_very_end_of_the_wait_are_in_time() -> None:
    file = landed(24)
    given(REGISTERED, file).when(passed(DAY)).then(waits(DAY + 24 * HOUR))


def test_silence_is_reported_once() -> None:
    given(REGISTERED, passed(DAY)).when(passed(DAY)).then_nothing()
    given(REGISTERED, passed(DAY)).when(passed(DAY + 24 * HOUR)).then_nothing()


def test_news_after_the_report_begin_a_new_wait() -> None:
    file = landed(30)
    given(REGISTERED, passed(DAY)).when(file).then(waits(MOMENT + 54 * HOUR))
    given(REGISTERED, passed(DAY), file).when(passed(MOMENT + 54 * HOUR)).then(silent(file))


def test_a_repetition_is_no_news() -> None:
    given(REGISTERED).when(REGISTERED).then_nothing()
    given(REGISTERED, passed(DAY)).when(REGISTERED).then_nothing()


def test_older_news_that_arrive_late_change_nothing() -> None:
    file = landed(5)
    given(file).when(REGISTERED).then_nothing()
    given(file, REGISTERED).when(passed(DAY + 5 * HOUR)).then(silent(file))
    given(file, passed(DAY + 5 * HOUR)).when(REGISTERED).then_nothing()


def test_a_deadline_that_passed_late_is_judged_by_when_it_was_due() -> None:
    given(REGISTERED).when(passed(DAY, late=9 * HOUR)).then(silent(REGISTERED))
    # The file came after the deadline and before the clock said so: it is heard all the same.
    given(REGISTERED, landed(25)).when(passed(DAY, late=9 * HOUR)).then(waits(DAY + 25 * HOUR))


def test_deadlines_of_others_are_not_ours() -> None:
    given(REGISTERED).when(passed(DAY, processor="someone")).then_nothing()
    given(REGISTERED).when(passed(DAY + HOUR)).then_nothing()
    given().when(passed(DAY)).then_nothing()


def test_the_order_of_news_does_not_matter_for_what_is_known() -> None:
    news = [REGISTERED, landed(3), landed(7)]
    for some in permutations(news):
        then = given(*some).when(passed(some[0].envelope.occurred_at + SILENCE))
        newest = max(some, key=lambda event: event.envelope.occurred_at)
        due = newest.envelope.occurred_at + SILENCE
        then.then(silent(newest) if some[0] is newest else waits(due))


def of_s1(kind: type[Event], hours: float) -> Event:
    """Some fact of this type about S1."""
    changed = {"sample_id": "S1", "subject_key": "S1", "subject_topic": SAMPLE}
    known = {name: value for name, value in changed.items() if name in kind.model_fields}
    return heard(bare_example(kind).model_copy(update=known), MOMENT + hours * HOUR)


def good(hours: float) -> Event:
    """Its reads passed."""
    return of_s1(QcPassed, hours)


def test_nobody_waits_for_news_of_a_sample_whose_reads_passed() -> None:
    summed = of_s1(FileChecksummed, 7)
    given(REGISTERED, landed(5)).when(good(6)).then_nothing()
    given(REGISTERED, landed(5), good(6)).when(passed(DAY)).then_nothing()
    given(REGISTERED, landed(5), good(6)).when(summed).then_nothing()
    given(REGISTERED, landed(5), good(6), summed).when(passed(DAY)).then_nothing()


def test_a_file_after_good_reads_is_waited_for_again() -> None:
    file = landed(30)
    given(REGISTERED, landed(5), good(6)).when(file).then(waits(MOMENT + 54 * HOUR))
    given(REGISTERED, good(6), file).when(passed(MOMENT + 54 * HOUR)).then(silent(file))


# -- checksum-files: reads every file that lands once, and says what it read


def of_files(*events: Event) -> Effect:
    """The effect that reads the file of the last event."""
    [event] = events
    assert isinstance(event, FileLanded)
    arguments = ReadWhole(
        subject_topic=event.topic, subject_key=event.key, bucket=event.bucket,
        object_key=event.object_key, version_id="1", size_bytes=event.size_bytes,
        etag=event.etag, declared_md5=event.declared_md5, declared_sha256=event.declared_sha256,
    )  # fmt: skip
    return Effect("checksum", arguments, lane=f"{event.bucket}/{event.object_key}@1")


def read(event: FileLanded, body: bytes = BODY, piece: int = 999) -> list[Event]:
    """What the effect says of these bytes."""
    arguments = of_files(event).arguments
    assert isinstance(arguments, ReadWhole)

    class Store:
        def chunks(
            self, bucket: str, key: str, version_id: str, size_bytes: int, etag: str = ""
        ) -> Iterator[bytes]:
            assert (bucket, key, version_id) == (event.bucket, event.object_key, "1")
            assert etag == event.etag
            yield from (body[at : at + piece] for at in range(0, len(body), piece))

        def span(
            self, bucket: str, key: str, version_id: str, start: int, end: int, etag: str = ""
        ) -> bytes:
            raise AssertionError("it is read whole")

    told: list[tuple[float, float | None, str]] = []
    attempt = ByteAttempt(UUID(int=1), 1, Store(), lambda *news: told.append(news))
    said = list(checksum(arguments, attempt))
    assert [done for done, _, _ in told][-1:] == ([len(body)] if body else [])
    return said


def test_every_file_is_read_once() -> None:
    given = Spec(CHECKSUM_FILES).given
    file = landed(1)
    name = "raw/1.fastq.gz@1"
    given().when(file).then().then_effects(of_files(file)).then_state(Files(seen=(name,)))
    given(file).when(file).then_nothing()
    given(file).performed(*read(file)).when(file).then_nothing()
    other = landed(1, bucket="raw2")
    given(file).when(other).then_effects(of_files(other))


def test_a_file_of_no_sample_stands_under_its_own_key() -> None:
    file = heard(FileLanded(**{**dict(landed(1)), "sample_id": None}))
    key = "unassigned/raw/1.fastq.gz"
    said = FileChecksummed(
        subject_topic=SAMPLE, subject_key=key, bucket="raw", object_key="1.fastq.gz",
        version_id="1", size_bytes=len(BODY), md5=MD5, sha256=SHA256, declared=False,
    )  # fmt: skip
    Spec(CHECKSUM_FILES).given().when(file).performed(*read(file)).then(said)


@pytest.mark.parametrize(
    ("declared", "is_declared"),
    [
        ({}, False),
        ({"declared_md5": MD5}, True),
        ({"declared_sha256": SHA256}, True),
        ({"declared_md5": MD5, "declared_sha256": SHA256}, True),
    ],
)
def test_bytes_that_are_as_declared_are_checksummed(
    declared: dict[str, str], is_declared: bool
) -> None:
    file = landed(1, **declared)
    expected = FileChecksummed(
        subject_topic=SAMPLE, subject_key="S1", bucket="raw", object_key="1.fastq.gz",
        version_id="1", size_bytes=len(BODY), md5=MD5, sha256=SHA256, declared=is_declared,
    )  # fmt: skip
    for piece in (1, 999, len(BODY), 10**9):
        Spec(CHECKSUM_FILES).given().when(file).performed(*read(file, piece=piece)).then(expected)


@pytest.mark.parametrize(
    ("declared", "body"),
    [
        ({}, BODY[:-1]),
        ({}, b""),
        ({"declared_md5": "0" * 32}, BODY),
        ({"declared_sha256": "0" * 64}, BODY),
        ({"declared_md5": MD5, "declared_sha256": "0" * 64}, BODY),
    ],
)
def test_the_negative_twin_says_both_sides(declared: dict[str, str], body: bytes) -> None:
    file = landed(1, **declared)
    expected = FileChecksumMismatched(
        subject_topic=SAMPLE, subject_key="S1", bucket="raw", object_key="1.fastq.gz",
        version_id="1", size_bytes=len(body), stored_size_bytes=len(BODY),
        md5=hashlib.md5(body).hexdigest(), sha256=hashlib.sha256(body).hexdigest(),
        declared_md5=declared.get("declared_md5"), declared_sha256=declared.get("declared_sha256"),
    )  # fmt: skip
    Spec(CHECKSUM_FILES).given().when(file).performed(*read(file, body)).then(expected)


def test_the_checksums_of_another_object_are_not_those_of_the_file() -> None:
    store = FakeStore(keeps_versions=False)
    first = store.keep("raw", "1.fastq.gz", BODY, {})
    file = heard(landed(1).model_copy(update={"version_id": UNVERSIONED, "etag": first.etag}))
    store.keep("raw", "1.fastq.gz", BODY.lower(), {})
    [effect] = CHECKSUM_FILES.decide(Files(), file).effects
    assert isinstance(effect.arguments, ReadWhole)
    with pytest.raises(ObjectGone, match="another object has taken its place"):
        checksum(effect.arguments, ByteAttempt(UUID(int=1), 1, store, lambda *_: None))


def test_files_are_read_in_lanes_of_their_own() -> None:
    files: Sequence[FileLanded] = [landed(1), landed(2), landed(1, bucket="raw2")]
    lanes = {of_files(file).lane for file in files}
    assert len(lanes) == 3
