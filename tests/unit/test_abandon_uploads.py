"""Uploads that nobody completes: given up after a day, their parts freed, or found whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from genoflow.events.deadline_passed import DeadlinePassed
from genoflow.events.deadline_set import DeadlineSet
from genoflow.events.errors import Retry
from genoflow.events.event import Event
from genoflow.events.file_landed import FileLanded
from genoflow.events.upload_abandoned import UploadAbandoned
from genoflow.events.upload_initiated import UploadInitiated
from genoflow.processors.abandon_uploads import ABANDON_UPLOADS, NAME, PATIENCE, Free, Open, free
from genoflow.processors.decision import Effect
from genoflow.processors.intake.landing import belonging
from genoflow.processors.ports import Attempt, Ports
from tests.asked import landed
from tests.fakes import FakeClock, FakeStore
from tests.partition import MOMENT
from tests.spec import Spec, heard

UPLOAD = UUID(int=7, version=5)
PLACE = {"bucket": "raw", "object_key": "uploads/7/S7_R1.fastq"}
BEGUN = heard(
    UploadInitiated(
        sample_id="S7", upload_id=UPLOAD, **PLACE, store_upload_id="m1", filename="S7_R1.fastq",
        size_bytes=9, part_bytes=5 * 1024**2, format="FASTQ", role="R1", read_set_id="up-7",
        declared_sha256="0" * 64,
    ),
    MOMENT,
)  # fmt: skip
WAIT = DeadlineSet(
    subject_topic="gf.sample.v1", subject_key="S7", processor=NAME, deadline=str(UPLOAD),
    purpose="the last part of this upload", due_at=MOMENT + PATIENCE,
)  # fmt: skip
PASSED = DeadlinePassed(
    subject_topic="gf.sample.v1", subject_key="S7", deadline_id=UUID(int=1), processor=NAME,
    deadline=str(UPLOAD), purpose="the last part of this upload", due_at=MOMENT + PATIENCE,
)  # fmt: skip
GIVEN_UP = UploadAbandoned(sample_id="S7", upload_id=UPLOAD, **PLACE, reason="no more")
ARGUMENTS = Free(sample_id="S7", upload=Open(upload_id=UPLOAD, **PLACE, store_upload_id="m1"))
FREES = Effect("free-parts", ARGUMENTS, lane=str(UPLOAD))
SPEC = Spec(ABANDON_UPLOADS)


class FakeParts:
    """PartStore that notes what was dropped, and can fail once."""

    def __init__(self, *errors: Exception) -> None:
        self.dropped: list[str] = []
        self._errors = list(errors)

    async def drop(self, bucket: str, key: str, store_upload_id: str) -> None:
        self.dropped.append(f"{bucket}/{key} {store_upload_id}")
        if self._errors:
            raise self._errors.pop()


def test_an_upload_is_waited_for_a_day_and_once() -> None:
    SPEC.given().when(BEGUN).then(WAIT)
    SPEC.given(BEGUN).when(BEGUN).then_nothing()


def test_what_is_open_after_a_day_is_looked_at() -> None:
    SPEC.given(BEGUN).when(PASSED).then_effects(FREES)
    SPEC.given(BEGUN, PASSED).when(PASSED).then_nothing()


@pytest.mark.parametrize("ending", [landed("R1", **PLACE), GIVEN_UP], ids=["landed", "given up"])
def test_what_has_ended_is_left_alone(ending: Event) -> None:
    SPEC.given(BEGUN, ending).when(PASSED).then_nothing()


def test_what_is_about_others_ends_nothing() -> None:
    other = GIVEN_UP.model_copy(update={"upload_id": UUID(int=8)})
    late = PASSED.model_copy(update={"processor": "watch-silence"})
    SPEC.given(BEGUN, landed("R1"), other).when(late).then_nothing()
    SPEC.given(BEGUN, landed("R1"), other, late).when(PASSED).then_effects(FREES)


async def freed(store: FakeStore, parts: FakeParts) -> Sequence[Event]:
    """What is said of the upload."""
    ports = Ports(FakeClock(), store=store, parts=parts)
    return await free(ARGUMENTS, Attempt(UUID(int=1), 1, ports, lambda *_: None))


async def test_the_parts_are_freed_before_it_is_said() -> None:
    parts = FakeParts(Retry("the answer was lost"))
    with pytest.raises(Retry):
        await freed(FakeStore(), parts)
    [said] = await freed(FakeStore(), parts)
    assert isinstance(said, UploadAbandoned)
    assert (said.upload_id, said.object_key) == (UPLOAD, PLACE["object_key"])
    assert "24 hours" in said.reason
    assert parts.dropped == ["raw/uploads/7/S7_R1.fastq m1"] * 2


async def test_an_object_that_is_whole_after_all_has_landed() -> None:
    store = FakeStore()
    told: Any = {"sample_id": "S7", "read_set_id": "up-7", "role": "R1", "lane": None}
    metadata = belonging(**told, instrument_run_id=None, md5=None, sha256="0" * 64)
    store.keep("raw", PLACE["object_key"], b"@r1\nA\n+\nI\n", metadata)
    [said] = await freed(store, FakeParts())
    assert isinstance(said, FileLanded)
    assert (said.sample_id, said.role, said.declared_sha256) == ("S7", "R1", "0" * 64)
