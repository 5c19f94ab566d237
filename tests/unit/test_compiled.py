"""The compiled readers and writers: the same bytes and events as the made ones, or none."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pytest

from genoflow.events import binary, compiled
from genoflow.events.catalogue import EVENTS
from genoflow.events.event import Event
from genoflow.events.file_landed import FileLanded
from genoflow.native import batch
from tests.examples import example

PREFIX = b"12345"
SEEDS = 20


def functions(model: type[Event]) -> tuple[binary.Write, binary.Read]:
    """The compiled two; where the extension is not built, the made ones stand in."""
    return (
        compiled.writer(model) or binary.writer(model),
        compiled.reader(model) or binary.reader(model),
    )


def everything(event: Event) -> Any:
    """All that a model holds, its hidden slots among it."""
    private = event.__pydantic_private__ or {}
    envelope = private["_envelope"]
    return (
        repr(event), event.model_fields_set, event.__pydantic_extra__, set(private),
        repr(envelope), envelope.model_fields_set, envelope.__pydantic_private__,
    )  # fmt: skip


@pytest.mark.parametrize("model", EVENTS, ids=lambda model: model.__name__)
def test_both_write_the_same_bytes_and_read_the_same_event(model: type[Event]) -> None:
    write, read = functions(model)
    made_write, made_read = binary.writer(model), binary.reader(model)
    for seed in range(SEEDS):
        event = example(model, seed)
        value = write(PREFIX, event.envelope, event)
        assert value == made_write(PREFIX, event.envelope, event)
        found, end = read(value, len(PREFIX))
        assert (found, end) == (event, len(value))
        assert everything(found) == everything(made_read(value, len(PREFIX))[0])


@pytest.mark.parametrize("model", EVENTS, ids=lambda model: model.__name__)
def test_what_is_damaged_is_left_to_the_library_or_read_alike(model: type[Event]) -> None:
    _, read = functions(model)
    made_read, source = binary.reader(model), random.Random(model.type())
    taken = 0
    for seed in range(SEEDS):
        event = example(model, seed)
        value = bytearray(binary.writer(model)(PREFIX, event.envelope, event))
        value[source.randrange(len(PREFIX), len(value))] = source.choice((0, 1, 3, 128, 255))
        octets = bytes(value[: source.choice((len(value), source.randrange(len(value))))])
        try:
            found, end = read(octets, len(PREFIX))
        except binary.NOT_MINE:
            continue
        taken += 1
        if end == len(octets):
            assert everything(found) == everything(made_read(octets, len(PREFIX))[0])
    assert taken < SEEDS


def test_an_actor_that_repeats_is_one_object_and_another_is_another() -> None:
    write, read = functions(FileLanded)
    first, second = example(FileLanded, 1), example(FileLanded, 2)
    values = [write(PREFIX, one.envelope, one) for one in (first, first, second, first)]
    found = [read(value, len(PREFIX))[0].envelope.actor for value in values]
    assert found[0] is found[1]
    assert found == [one.envelope.actor for one in (first, first, second, first)]


def test_a_value_that_no_schema_takes_is_refused_by_a_known_error() -> None:
    write, _ = functions(FileLanded)
    event = example(FileLanded)
    unlike: dict[str, Any] = {
        "bucket": 7, "size_bytes": 2**63, "lane": "one", "version_id": None, "etag": "\ud800",
        "last_modified_at": datetime(2026, 3, 1, tzinfo=UTC).replace(tzinfo=None),
    }  # fmt: skip
    for name, value in unlike.items():
        changed = event.model_copy(update={name: value})
        with pytest.raises(binary.NOT_MINE):
            write(PREFIX, event.envelope, changed)
    missing = event.model_copy()
    del missing.__dict__["etag"]
    with pytest.raises(binary.NOT_MINE):
        write(PREFIX, event.envelope, missing)
    assert write(PREFIX, event.envelope, event).startswith(PREFIX)


def test_where_nothing_is_built_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "_rust", None)
    assert (compiled.writer(FileLanded), compiled.reader(FileLanded)) == (None, None)
