"""Keys that wait for a person, and states that are folded anew, whatever dies in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from genoflow.events.errors import StateMismatch
from genoflow.events.event import Event
from genoflow.events.event_parked import EventParked
from genoflow.events.file_landed import FileLanded
from tests.partition import Partition
from tests.toy import (
    TOY_ANEW,
    FilesAnew,
    discarded,
    landed,
    parked_by,
    requeued,
    sent,
    told,
    worked,
)

# -- parked keys


def parked_key() -> tuple[Partition, EventParked]:
    """S1 parked at its second file, with two more behind it."""
    partition = worked(*(landed(*of) for of in [("a",), ("b", "poison"), ("c",), ("d",)]))
    [parked] = parked_by(partition)
    return partition, parked


def test_a_key_drains_in_order_behind_the_bytes_that_were_mended() -> None:
    partition, parked = parked_key()
    partition.restart()
    request = requeued(parked, mended=landed("b"))
    partition.put(request)
    partition.work()
    assert told(partition) == [("a", 1), ("b", 2), ("c", 3), ("d", 4)]
    partition.put(landed("e"))
    partition.work()
    assert told(partition)[-1] == ("e", 5)


def test_a_discarded_event_is_passed_over() -> None:
    partition, parked = parked_key()
    partition.put(discarded(parked))
    partition.work()
    assert told(partition) == [("a", 1), ("c", 2), ("d", 3)]


def test_a_request_counts_once_and_only_where_it_is_addressed() -> None:
    partition, parked = parked_key()
    others = [
        parked.model_copy(update=change)
        for change in ({"processor": "someone"}, {"partition": 1}, {"offset": 2}, {"offset": 0})
    ]
    for number, other in enumerate(others):
        partition.put(requeued(other, f"other{number}", landed("b")))
    partition.work()
    assert told(partition) == [("a", 1)]
    partition.put(requeued(parked, "r1"))  # it fails again
    partition.work()
    assert [event.offset for event in parked_by(partition)] == [1, 1]
    assert len({event.envelope.event_id for event in parked_by(partition)}) == 2
    partition.put(requeued(parked, "r1", landed("b")))
    partition.work()
    assert told(partition) == [("a", 1)]  # that request was acted on
    partition.put(requeued(parked, "r2", landed("b")))
    partition.work()
    partition.put(requeued(parked, "r2", landed("b")), requeued(parked, "r3", landed("b")))
    partition.work()
    assert told(partition) == [("a", 1), ("b", 2), ("c", 3), ("d", 4)]


def test_a_queue_that_meets_poison_again_waits_there() -> None:
    files = [("a",), ("b", "poison"), ("c",), ("d", "poison"), ("e",)]
    partition = worked(*(landed(*of) for of in files))
    partition.put(requeued(parked_by(partition)[0], mended=landed("b")), landed("f"))
    partition.work()
    assert told(partition) == [("a", 1), ("b", 2), ("c", 3)]
    second = parked_by(partition)[-1]
    assert second.offset == 3
    partition.put(discarded(second, "r2"))
    partition.work()
    assert told(partition) == [("a", 1), ("b", 2), ("c", 3), ("e", 4), ("f", 5)]


@pytest.mark.parametrize("taken", [0, 1, 2, 3])
def test_a_drain_that_dies_goes_on_where_it_was(taken: int) -> None:
    partition, parked = parked_key()
    partition.put(requeued(parked, mended=landed("b")))
    drain = partition.task.take(partition.records[partition.task.position])
    assert drain is not None
    partition.drain(drain, records_max=taken)
    partition.restart()
    partition.work()
    assert told(partition) == [("a", 1), ("b", 2), ("c", 3), ("d", 4)]
    assert partition.task.parked == {}


# -- rebuilding


def as_from_the_start(partition: Partition) -> dict[bytes, bytes]:
    """The states that the new release folds from the topic's records, none of them parked."""
    row = partition.row
    states: dict[str, Any] = {}
    for record in partition.records:
        if record.type == "FileLanded":
            states[record.key] = row.evolve(states.get(record.key, row.state()), record.event)
    return {f"state/{k}".encode(): s.model_dump_json().encode() for k, s in states.items() if s}


def anew(partition: Partition, **how: Any) -> Sequence[Event]:
    """Another release takes over and rebuilds; what it said meanwhile."""
    before = len(partition.said)
    partition.restart(TOY_ANEW, version="2")
    assert partition.task.is_outdated
    partition.rebuild(**how)
    return partition.said[before:]


def test_an_older_state_is_folded_again_and_nothing_is_said() -> None:
    partition = worked(landed("a"), landed("b", "hop"), landed("x", sample="S2"))
    assert anew(partition) == []
    assert partition.states() == as_from_the_start(partition)
    assert not partition.task.is_outdated
    partition.put(landed("c"))
    partition.work()
    assert told(partition)[-1] == ("c", 3)


def test_a_subject_that_was_forgotten_stays_forgotten() -> None:
    partition = worked(landed("a"), landed("b", "forget"))
    anew(partition)
    assert partition.states() == {}


def test_a_subject_of_which_nothing_is_known_is_not_kept_by_a_rebuild() -> None:
    nothing = replace(TOY_ANEW, evolve=lambda state, _event: state)
    partition = worked(landed("a"), row=replace(nothing, state_version=1))
    assert partition.states() == {}
    partition.restart(nothing)
    partition.rebuild()
    assert partition.states() == {}


@pytest.mark.parametrize("killed_after", [1, 2])
def test_a_rebuild_that_dies_is_begun_again(killed_after: int) -> None:
    samples = [f"S{number}" for number in range(6)]
    partition = worked(*(landed("a", sample=s) for s in samples))
    assert anew(partition, parts=4, killed_after=killed_after) == []
    assert anew(partition, parts=4) == []
    assert partition.states() == as_from_the_start(partition)


def test_a_key_that_is_parked_is_parked_behind_a_rebuild() -> None:
    partition, parked = parked_key()
    error = partition.task.parked[b"S1"].error
    assert anew(partition) == []
    assert partition.task.parked[b"S1"].error == error
    assert partition.state("S1") == FilesAnew(newest_first=("a",), size_bytes=1)
    partition.put(requeued(parked, mended=landed("b")))
    partition.work()
    assert told(partition) == [("a", 1), ("b", 2), ("c", 3), ("d", 4)]


def test_a_key_that_was_drained_is_folded_in_the_order_of_its_taking() -> None:
    partition, parked = parked_key()
    partition.put(requeued(parked, "r1"))  # in vain
    partition.work()
    partition.put(requeued(parked, "r2", landed("b-mended")), landed("e"))
    partition.work()
    assert anew(partition) == []
    assert partition.task.parked == {}
    assert partition.state("S1") == FilesAnew(
        newest_first=("e", "d", "c", "b-mended", "a"), size_bytes=12
    )


@pytest.mark.parametrize("taken", [0, 1, 2, 3])
@pytest.mark.parametrize("parts", [1, 3])
def test_a_rebuild_in_the_middle_of_a_drain(taken: int, parts: int) -> None:
    partition, parked = parked_key()
    partition.put(requeued(parked, mended=landed("b")))
    drain = partition.task.take(partition.records[partition.task.position])
    assert drain is not None
    partition.drain(drain, records_max=taken)
    assert anew(partition, parts=parts, killed_after=1) == []
    partition.restart(TOY_ANEW)
    if partition.task.is_outdated:
        partition.rebuild(parts)
    partition.work()
    assert told(partition) == [("a", 1), ("b", 2), ("c", 3), ("d", 4)]
    assert partition.state("S1") == FilesAnew(newest_first=("d", "c", "b", "a"), size_bytes=4)


def test_a_stuck_drain_stays_stuck_behind_a_rebuild() -> None:
    files = [("a",), ("b", "poison"), ("c",), ("d", "poison"), ("e",)]
    partition = worked(*(landed(*of) for of in files))
    partition.put(requeued(parked_by(partition)[0], mended=landed("b")), landed("f"))
    partition.work()
    assert anew(partition) == []
    partition.put(discarded(parked_by(partition)[-1], "r2"))
    partition.work()
    assert told(partition) == [("a", 1), ("b", 2), ("c", 3), ("e", 4), ("f", 5)]


def test_what_cannot_be_folded_again_stops_and_changes_nothing() -> None:
    def refuses(state: FilesAnew, event: FileLanded) -> FilesAnew:
        raise RuntimeError("never seen before")

    partition = worked(landed("a"))
    before = dict(partition.changelog)
    partition.restart(replace(TOY_ANEW, evolve=refuses))
    with pytest.raises(StateMismatch, match=r"\[0\]@0: toy took this event before and cannot fold"):
        partition.rebuild()
    assert partition.changelog == before


def test_a_state_of_another_shape_under_the_same_version_stops() -> None:
    partition = worked(landed("a"))
    partition.restart(replace(TOY_ANEW, state_version=1))
    partition.put(landed("b"))
    with pytest.raises(StateMismatch, match=r"state of b'S1': .*raise state_version"):
        partition.work()


def test_open_effects_outlive_a_rebuild() -> None:
    partition = worked(landed("a", "mail"))
    anew(partition)
    [effect] = partition.open_effects
    assert len(partition.finish(effect.effect_id, sent(effect.effect_id))) == 1
