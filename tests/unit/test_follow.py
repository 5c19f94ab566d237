"""Deriving an event takes short cuts; each gives what the long way gives."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from uuid import UUID, uuid5

import pytest

from genoflow.events.envelope import Actor, Envelope, Producer
from genoflow.events.event import Event, begin
from genoflow.events.identity import GENOFLOW, derived_id, external_id
from genoflow.events.qc_overridden import QcOverridden
from genoflow.events.registry import released
from tests.examples import bare_example

BY = Producer(service="check", version="1.0", revision="abc")
AT = datetime(2026, 3, 1, tzinfo=UTC)
PERSON = Actor(kind="person", id="account-7")
KINDS = [*released().models.values()]


def words(source: random.Random) -> str:
    """Texts with what JSON has to escape, and what it has not."""
    letters = ("a", '"', "\\", "\n", "\x00", "\x7f", "\u2028", "ä", "\U0001f600", ",", "]")
    return "".join(source.choice(letters) for _ in range(source.randrange(8)))


def test_an_id_is_the_uuid5_of_a_json_list() -> None:
    source = random.Random(5)
    for _ in range(2_000):
        cause = UUID(int=source.getrandbits(128))
        parts = [words(source) for _ in range(source.randint(3, 5))]
        name = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
        found = derived_id(cause, parts[0], parts[1], *parts[2:])
        assert (found, found.version) == (uuid5(cause, name), 5)
        assert external_id(parts[0], *parts[1:]) == uuid5(GENOFLOW, name)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.type())
def test_what_follows_is_as_if_pydantic_had_checked_it(kind: type[Event]) -> None:
    fact = bare_example(kind)
    cause = begin(fact, occurred_at=AT, actor=PERSON, by=BY)
    after = cause.follow(fact, by=BY)
    checked = Envelope(**dict(after.envelope))
    assert after.envelope == checked
    assert after.envelope.model_dump_json() == checked.model_dump_json()
    assert after.envelope.actor == Actor(kind="service", id="check", on_behalf_of="account-7")
    assert after == fact.enveloped(after.envelope)
    assert after.payload() == fact.payload()
    assert (after is not fact, fact.has_envelope) == (True, False)


def test_what_came_in_with_a_time_is_checked() -> None:
    source = bare_example(QcOverridden)
    cause = begin(source, occurred_at=AT, actor=PERSON, by=BY)
    with pytest.raises(ValueError, match="time zone"):
        cause.follow(source, by=BY, occurred_at=AT.replace(tzinfo=None))
