"""Records follow each other, or the tower notices which ones are missing."""

from __future__ import annotations

import pytest

from genoflow.events.errors import Retry
from genoflow.processors.watchtower.chain import Chain, Linked
from tests.tower_rules import LATE
from tests.unit.test_tower_judge import Trial

RUN, SAMPLE = ("gf.run.v1", 7), ("gf.sample.v1", 7)


def test_offsets_that_transactions_leave_out_are_not_missing() -> None:
    chain = Chain()
    chain.begin({RUN: 4_431})
    chain.take(RUN, 4_431, 4_431)
    chain.take(RUN, 4_432, 4_440)  # behind the end of one, and a whole one that was aborted
    assert chain.lacks({RUN: 4_441}) == {}


def test_a_record_whose_forerunner_never_came_is_refused() -> None:
    chain = Chain()
    chain.begin({RUN: 4_431})
    with pytest.raises(Retry, match=r"gf\.run\.v1 7 was read up to 4431, and .* follows 4514"):
        chain.take(RUN, 4_514, 4_514)
    chain.take(SAMPLE, 0, 3)  # of a partition of which nothing is known, the first is the first


def test_what_comes_twice_leaves_the_place_where_it_is() -> None:
    chain = Chain()
    chain.begin({RUN: 10})
    for follows, offset in ((0, 3), (4, 9), (10, 10), (0, 3)):
        chain.take(RUN, follows, offset)
    assert chain.lacks({RUN: 11, SAMPLE: 0}) == {}


def test_the_last_record_of_a_partition_is_lacked_though_none_comes_behind_it() -> None:
    chain = Chain()
    chain.begin({RUN: 4_057})
    assert chain.lacks({RUN: 4_058}) == {RUN: 4_057}
    chain.take(RUN, 4_057, 4_057)
    assert chain.lacks({RUN: 4_058}) == {}


def test_a_partition_stands_until_it_moves_whatever_others_do() -> None:
    chain = Chain()
    chain.begin({RUN: 5})
    assert chain.stood({RUN: 6, SAMPLE: 1}, 100.0) == 0.0
    chain.take(SAMPLE, 0, 0)
    assert chain.stood({RUN: 6, SAMPLE: 2}, 130.0) == 30.0
    chain.take(RUN, 5, 5)
    assert chain.stood({RUN: 7, SAMPLE: 2}, 140.0) == 10.0  # the other one, since it last moved
    chain.begin({RUN: 6, SAMPLE: 1})  # it was given anew, and has its time again
    assert chain.stood({RUN: 7, SAMPLE: 2}, 150.0) == 0.0


async def test_a_tower_takes_nothing_of_what_comes_behind_a_gap() -> None:
    trial = Trial(LATE)
    await trial.run(1, 0)
    first, second, third, *_ = await trial.records()
    assert first.partition == second.partition == third.partition
    place, watch = (first.topic, first.partition), trial.watch
    await watch.follow([Linked(1, 0, first)])
    with pytest.raises(Retry, match="start it again"):
        await watch.follow([Linked(1, second.offset + 1, third)])
    assert watch.tower.positions() == {place: first.offset + 1}
    watch.begin_again([])  # as of a table that does not hold the first one yet
    with pytest.raises(Retry, match="start it again"):
        await watch.follow([Linked(2, first.offset + 1, second)])
    await watch.follow([Linked(3, 0, first), Linked(3, first.offset + 1, second)])
    assert watch.tower.positions() == {place: second.offset + 1}
