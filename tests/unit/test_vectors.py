"""Positions as words: the same there and back, and nothing else is taken."""

from __future__ import annotations

import base64
import random

import pytest

from genoflow.events.errors import Refused
from genoflow.events.topics import TOPICS
from genoflow.projections.vectors import covers, from_word, to_word


@pytest.mark.parametrize("seed", range(50))
def test_a_vector_is_the_same_there_and_back(seed: int) -> None:
    chance = random.Random(f"vector {seed}")
    number = chance.choice((1, 4, 16, 64))
    vector = {
        (topic.name, partition): chance.choice((0, 1, 127, 128, 2**31, 2**62))
        for topic in TOPICS
        for partition in range(number)
        if chance.random() < 0.7
    }
    again = from_word(to_word(vector))
    assert again == {place: offset for place, offset in vector.items() if offset}
    assert covers(vector, again)
    assert covers(again, vector)
    assert to_word(again) == to_word(from_word(to_word(again)))


def test_one_that_is_further_covers_the_other_and_not_the_reverse() -> None:
    near = {(TOPICS[0].name, 0): 5}
    far = {(TOPICS[0].name, 0): 5, (TOPICS[1].name, 3): 1}
    assert covers(far, near)
    assert not covers(near, far)


@pytest.mark.parametrize(
    "word",
    ["", "x", "====", "AQ", "Ag", "1' or '1'='1", "AQEB" * 4_000, "AYCAgICAgICAgICAgICAgICA", "ÄÖÜ",
     base64.urlsafe_b64encode(b"\x01\x7f\x01").decode().rstrip("="),
     base64.urlsafe_b64encode(b"\x01\x01" + b"\x01" * 99).decode().rstrip("="),
     base64.urlsafe_b64encode(b"\x01\x01\x80").decode().rstrip("=")],
)  # fmt: skip
def test_what_is_no_position_is_refused(word: str) -> None:
    with pytest.raises(Refused, match="hand back a position as it came"):
        from_word(word)
