"""What a person may change of a parked event, and what its bytes are then."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from genoflow.deploy.parked import Address, Parking, record_of
from genoflow.deploy.parked_requests import (
    Editable,
    difference,
    edited,
    parse_document,
    require_event,
)
from genoflow.events import topics
from genoflow.events.codec import Codec
from genoflow.events.envelope import Actor
from genoflow.events.errors import Refused
from genoflow.events.event import begin
from genoflow.events.event_parked import EventParked
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.recorded import Position
from genoflow.events.registry import released
from genoflow.processors.intake.privacy import PrivacyGuard
from tests.contracts.logs import BY, landed

CODEC = Codec(released())
GUARD = PrivacyGuard((r"MRN\d+",))
EVENT = landed("P1", 1)
BROKEN = Editable(FileLanded, EVENT.envelope, EVENT.payload() | {"declared_md5": "not an md5"})


def parking(effect_id: UUID | None = None) -> Parking:
    fact = begin(
        EventParked(
            subject_key="P1", processor="toy", processor_version="1",
            input_topic=topics.SAMPLE.name, partition=0, offset=0,
            recorded_at=EVENT.envelope.occurred_at, effect_id=effect_id, error_class="E",
            error="why", value_size_bytes=0, value_sha256="0" * 64,
        ),
        occurred_at=EVENT.envelope.occurred_at, actor=Actor(kind="service", id="toy"), by=BY,
    )  # fmt: skip
    address = Address("toy", topics.SAMPLE.name, 0, 0, effect_id)
    return Parking(fact, address, address.position, None)


def document(**payload: Any) -> dict[str, Any]:
    whole = BROKEN.document()
    return whole | {"payload": whole["payload"] | {"declared_md5": None} | payload}


def test_what_is_mended_is_the_same_event_and_every_reader_takes_it() -> None:
    value = edited(BROKEN, parking(), document(), CODEC, GUARD)
    event = CODEC.decode(value)
    assert event.payload() == EVENT.payload()
    assert event.envelope == EVENT.envelope


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (document() | {"type": "FileRejected"}, "type: is FileLanded and cannot become"),
        (document() | {"subject": "P2"}, "subject: is P1 and cannot become P2"),
        (document() | {"event_id": str(UUID(int=1))}, "event_id: is"),
        (document(sample_id="P2"), "parked under 'P1'"),
        (document(size_bytes=-1), "size_bytes"),
        (document(declared_md5="still none"), "declared_md5"),
        (document(unheard_of=1), "unheard_of"),
        (document(object_key="MRN123456"), "object_key"),
    ],
)
def test_an_edit_makes_no_other_fact_and_breaks_no_rule(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=said):
        edited(BROKEN, parking(), changed, CODEC, GUARD)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no JSON"),
        ("[]", "has to be an object of event_id"),
        (json.dumps({"payload": {}}), "has to be an object of event_id"),
        (json.dumps(document() | {"payload": 1}), "its payload has to be an object"),
    ],
)
def test_what_is_no_document_is_refused(text: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        parse_document(text, "file")


def test_an_effect_cannot_be_edited() -> None:
    with pytest.raises(Refused, match="its event, which was taken"):
        require_event(parking(UUID(int=1)))


def test_what_an_edit_changes_is_told() -> None:
    told = difference(BROKEN.document(), document())
    assert [line for line in told if line.startswith(("-  ", "+  "))] == [
        '-    "declared_md5": "not an md5",', '+    "declared_md5": null,',
    ]  # fmt: skip


@pytest.mark.parametrize(("partition", "offset"), [(99, 0), (0, 7)])
async def test_a_place_that_the_log_has_not_is_refused_in_words(
    partition: int, offset: int
) -> None:
    nowhere = replace(parking(), place=Position(topics.SAMPLE.name, partition, offset))
    async with MemoryLog() as log:
        with pytest.raises(Refused, match="the log has no such place"):
            await record_of(log, nowhere, CODEC)
