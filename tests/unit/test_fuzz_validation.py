"""A small share of the fuzz run of the validator, and proof that it notices what it looks for."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path

import pytest

from tests import fuzz_validation
from tests.fuzz_files import Base, bases
from tests.fuzz_validation import Answer, drawn, judge, run

FILES = 300
COUNTER = itertools.count()
PASSES = Answer((True,), "fine")


async def test_no_damaged_file_is_more_than_a_finding() -> None:
    verdict = await run(FILES, seed=7)
    assert not verdict.failures, str(verdict)
    assert verdict.files == FILES
    assert FILES // 3 < verdict.refused < FILES
    assert set(verdict.by_kind) == set(bases())


def test_the_files_are_sound_before_they_are_damaged() -> None:
    for kind, base in bases().items():
        answer = judge(base.body, base, 1_000)
        assert answer.passes[-2:][0], (kind, answer.said)
    fuzz_validation.remove_fasta()


def test_a_file_is_drawn_from_seed_and_number_alone() -> None:
    numbers = range(60)
    first = [drawn(3, number)[2] for number in numbers]
    assert first == [drawn(3, number)[2] for number in reversed(numbers)][::-1]
    assert first != [drawn(4, number)[2] for number in numbers]


def raises(_body: bytes, _base: Base, _piece: int) -> Answer:
    raise RuntimeError("out of order")


def crashes(_body: bytes, _base: Base, _piece: int) -> Answer:
    if next(COUNTER) == 7:
        os.abort()
    return PASSES


def hangs(_body: bytes, _base: Base, _piece: int) -> Answer:
    if next(COUNTER) == 7:
        time.sleep(600)
    return PASSES


def wavers(_body: bytes, _base: Base, _piece: int) -> Answer:
    return Answer((True,), str(next(COUNTER)))


def differs(_body: bytes, _base: Base, piece: int) -> Answer:
    return Answer((piece > fuzz_validation.SMALL_PIECE,), "")


def swells(_body: bytes, _base: Base, _piece: int) -> Answer:
    assert len(bytearray(b"x") * fuzz_validation.RESIDENT_BYTES_MAX)
    return PASSES


@pytest.mark.parametrize(
    ("what", "failure"),
    [
        (raises, "exception"),
        (crashes, "crash"),
        (hangs, "hang"),
        (wavers, "two answers"),
        (differs, "two verdicts"),
        (swells, "memory"),
    ],
)
async def test_what_must_not_be_is_found_with_its_seed(
    what: fuzz_validation.Judge, failure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fuzz_validation, "SECONDS_MAX", 2)
    name = f"{Path(__file__).stem}:{what.__name__}"
    verdict = await run(4, 5, f"tests.unit.{name}", at_once=1)
    found = verdict.failures[0]
    assert found["failure"].startswith(failure), found
    assert found["seed"] == 5
    assert found["number"] == (2 if what in (crashes, hangs) else 0)
    assert found["kind"] == drawn(5, found["number"])[0]
