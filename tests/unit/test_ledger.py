"""What stands on a task's changelog: read back as it was written, refused where it is not ours."""

from __future__ import annotations

import re

import pytest

from genoflow.events.errors import StateMismatch
from genoflow.processors.ledger import (
    PARKED,
    TASK,
    ParkedKey,
    TaskStamp,
    read_ledger,
    translated,
    was_parked_key,
)
from genoflow.processors.step import Outcome
from tests.partition import Partition
from tests.toy import TOY, landed

PLACE = "gf.changelog.toy.sample.v1[3]"


def busy() -> Partition:
    """A task with states, an open effect, a parked effect and a parked key."""
    partition = Partition(TOY)
    partition.put(
        landed("a", "mail"), landed("b", "mail"), landed("c", "poison"), landed("x", sample="S2")
    )
    partition.work()
    first = partition.open_effects[0]
    partition.hand_in(Outcome(first.effect_id, parked="no such address", error_class="Parked"))
    return partition


def test_what_is_written_is_read_back() -> None:
    partition = busy()
    ledger = read_ledger(PLACE, partition.changelog)
    assert ledger.effects == partition.task.effects
    assert ledger.parked == partition.task.parked
    assert ledger.was_parked == {(2, 2): 2}
    assert set(ledger.states) == {b"S1", b"S2"}
    assert ledger.stamp == TaskStamp.model_validate_json(partition.changelog[TASK])


def test_an_empty_changelog_is_a_beginning() -> None:
    ledger = read_ledger(PLACE, {})
    assert (ledger.stamp, ledger.states, ledger.effects, ledger.parked) == (None, {}, {}, {})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (TASK, b"{}"),
        (TASK, b"\xff"),
        (b"effect/1", b"{}"),
        (PARKED + b"S1", b'{"offset": "none"}'),
        (b"was-parked/1", b"1"),
        (b"was-parked/1/x", b"1"),
        (b"was-parked/1/1", b"x"),
        (b"something", b"else"),
    ],
)
def test_a_record_that_is_not_ours_stops(key: bytes, value: bytes) -> None:
    records = {**busy().changelog, key: value}
    said = f"{PLACE}: record {key!r} is not what this code writes"
    with pytest.raises(StateMismatch, match=re.escape(said)) as caught:
        read_ledger(PLACE, records)
    assert "delete the topic to rebuild the state" in str(caught.value)


def test_records_without_a_stamp_stop() -> None:
    records = busy().changelog
    del records[TASK]
    with pytest.raises(
        StateMismatch, match=r"\[3\]: \d+ records and no stamp of a task; .* backup"
    ):
        read_ledger(PLACE, records)


def test_places_are_translated_and_names_are_not() -> None:
    before = busy()
    records = dict(before.changelog)
    records[PARKED + b"S3"] = (
        ParkedKey(offset=1, named=1, trigger=2, error="", draining=3).model_dump_json().encode()
    )
    moved = dict(
        translated(key, value, lambda offset: offset + 100) for key, value in records.items()
    )
    old, new = read_ledger(PLACE, records), read_ledger(PLACE, moved)
    assert old.stamp is not None
    assert new.stamp is not None
    assert old.stamp.last_offset is not None
    assert (new.stamp.start, new.stamp.last_offset) == (100, old.stamp.last_offset + 100)
    assert new.stamp.last_id == old.stamp.last_id
    offsets = {name: effect.offset + 100 for name, effect in old.effects.items()}
    assert {name: effect.offset for name, effect in new.effects.items()} == offsets
    assert new.was_parked == {(102, 102): 2}
    drained = new.parked[b"S3"]
    assert (drained.offset, drained.named, drained.trigger, drained.draining) == (101, 1, 102, 103)
    parked = new.parked[b"S1"]
    assert (parked.offset, parked.named, parked.draining) == (102, 2, None)
    assert new.states == old.states


def test_a_key_with_slashes_is_a_key() -> None:
    partition = Partition(TOY)
    partition.put(landed("a", sample="S1").model_copy(update={"sample_id": None}).enveloped(
        landed("a").envelope.model_copy(update={"subject": "unassigned/raw/a"})
    ))  # fmt: skip
    partition.work()
    assert set(read_ledger(PLACE, partition.changelog).states) <= {b"unassigned/raw/a"}
    assert was_parked_key(1, 2) == b"was-parked/1/2"
