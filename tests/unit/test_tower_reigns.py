"""The table as its changelog tells it: each keeper in its time, and nobody behind it."""

from __future__ import annotations

import random

from genoflow.processors.watchtower.kept import Figures, Key, Reached, write_value
from genoflow.processors.watchtower.reigns import Changelog, fence

PANE = Key("pane", "gf.run.v1", 0, "hour|0|all")
PLACE = Key("place", "gf.run.v1", 0)
ELSEWHERE = Key("place", "gf.run.v1", 1)


def written(key: Key, at: int, reign: int) -> tuple[int, bytes, bytes]:
    """What a keeper writes when it has folded up to here."""
    value: Figures | Reached = Figures() if key.kind == "pane" else Reached()
    value.at = at
    return key.partition, key.written(), write_value(value, reign)


def fenced(partition: int, reign: int) -> tuple[int, bytes, bytes]:
    """Where a reign begins."""
    return partition, *fence(partition, reign)


def read(*records: tuple[int, bytes, bytes | None]) -> Changelog:
    """The table behind these records."""
    found = Changelog()
    for record in records:
        found.take(*record)
    return found


def reached(found: Changelog) -> dict[Key, int]:
    """How far each value is."""
    return {key: value.at for key, value in found.values()}


def test_what_a_stopped_keeper_writes_behind_its_successors_fence_is_not_read() -> None:
    found = read(
        fenced(0, 1), written(PANE, 5, 1), written(PLACE, 5, 1),
        fenced(0, 2), written(PANE, 9, 1), written(PLACE, 9, 1),
    )  # fmt: skip
    assert reached(found) == {PANE: 5, PLACE: 5}
    assert found.shadowed == {PANE.written(), PLACE.written()}
    assert found.newest == 2


def test_what_it_wrote_before_the_fence_is_read_by_whoever_comes() -> None:
    found = read(fenced(0, 1), written(PANE, 5, 1), written(PANE, 9, 1), fenced(0, 2))
    assert reached(found) == {PANE: 9}
    assert found.shadowed == set()


def test_a_fence_holds_in_its_partition() -> None:
    found = read(fenced(0, 2), written(ELSEWHERE, 3, 1), fenced(1, 2), written(ELSEWHERE, 4, 1))
    assert reached(found) == {ELSEWHERE: 3}


def test_what_is_written_again_is_in_shadow_no_more() -> None:
    found = read(fenced(0, 2), written(PANE, 5, 2), written(PANE, 4, 1), written(PANE, 5, 2))
    assert reached(found) == {PANE: 5}
    assert found.shadowed == set()


def test_of_two_who_begin_at_once_the_later_one_reigns() -> None:
    """The fence that comes too late is no value, so nobody writes it again."""
    found = read(written(PANE, 5, 1), fenced(0, 3), fenced(0, 2), written(PANE, 6, 2))
    assert reached(found) == {PANE: 5}
    assert found.newest == 3
    assert found.shadowed == {PANE.written()}


def test_what_was_let_go_is_gone() -> None:
    found = read(fenced(0, 1), written(PANE, 5, 1), (0, PANE.written(), None))
    assert reached(found) == {}


def test_however_stopped_keepers_write_the_last_one_is_whole() -> None:
    """Each has a tail that it could not send; the tails come at any time behind its successor."""
    for seed in range(200):
        chance = random.Random(seed)
        log: list[tuple[int, bytes, bytes]] = []
        tails: list[tuple[int, bytes, bytes]] = []
        at = 0
        for reign in range(1, 6):
            log.append(fenced(0, reign))
            found = reached(read(*log))
            assert found.get(PANE, -1) >= found.get(PLACE, -1), seed
            assert found.get(PLACE, 0) == at, seed
            for _ in range(chance.randrange(4)):
                at += 1
                batch = [written(PANE, at, reign), written(PLACE, at, reign)]
                late = chance.randrange(len(tails) + 1)
                log += (*tails[:late], *batch)
                del tails[:late]
            tails.append(written(PANE, at + 7, reign))  # sent late, or never
        assert reached(read(*log)).get(PLACE, 0) == at
