"""What is found in a file: few of each rule are kept, and all are counted."""

from __future__ import annotations

from itertools import count

import pytest

from genoflow.processors.validation.findings import (
    FINDINGS_PER_RULE_MAX,
    Broken,
    Findings,
    Where,
)
from genoflow.processors.validation.inflate import Block
from genoflow.processors.validation.rules import Rule, Severity
from genoflow.processors.validation.text import LINE_BYTES_MAX, Lines, whole_lines

ODD = Rule("toy-odd", Severity.VIOLATION, "", "numbers are even", "add one", "3")
BAD = Rule("toy-bad", Severity.ERROR, "", "it is a number", "write a number", "x")


def test_few_of_a_rule_are_kept_and_all_are_counted() -> None:
    findings = Findings()
    for number in range(FINDINGS_PER_RULE_MAX + 5):
        findings.add(ODD, f"{number} is odd", Where(line=number + 1))
    assert len(list(findings)) == FINDINGS_PER_RULE_MAX
    assert findings.counts[ODD] == findings.count(Severity.VIOLATION) == FINDINGS_PER_RULE_MAX + 5
    assert findings.is_full(ODD)
    assert not findings.is_full(BAD)


def test_a_violation_rejects_where_it_is_strict_and_an_error_always() -> None:
    findings = Findings()
    assert findings.is_valid(strict=True)
    findings.add(ODD, "3 is odd")
    assert findings.is_valid(strict=False)
    assert not findings.is_valid(strict=True)
    findings.add(BAD, "x is no number", Where(line=2, byte=40))
    assert not findings.is_valid(strict=False)
    assert [str(found.where) for found in findings] == ["", "line 2, byte 40"]
    assert list(findings)[1].as_json() == {
        "code": "toy-bad", "severity": "error", "message": "x is no number",
        "where": {"line": 2, "record": None, "byte": 40}, "remedy": "write a number",
    }  # fmt: skip


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_lines_come_whole_however_the_text_is_cut(size: int) -> None:
    text = b"one\n\ntwo and three\nfour"
    cut = [Block(at, text[at : at + size]) for at in range(0, len(text), size)]
    lines = list(whole_lines(cut, BAD))
    assert b"".join(part.text for part in lines) == text
    for part in lines:
        before = text[: text.index(part.text)] if part.text != b"\n" else b"one\n"
        assert part.number == before.count(b"\n") + 1
        assert part.stored_at <= len(before) < part.stored_at + size
    assert all(part.text.endswith(b"\n") for part in lines[:-1])


def test_the_place_of_lines_is_that_of_the_block_they_begin_in() -> None:
    blocks = [Block(0, b"a\nb"), Block(90, b"c\n"), Block(95, b"d\n")]
    assert list(whole_lines(blocks, BAD)) == [
        Lines(1, 0, b"a\n"), Lines(2, 0, b"bc\n"), Lines(3, 95, b"d\n"),
    ]  # fmt: skip


def test_a_line_that_has_no_end_is_a_finding_and_is_not_held() -> None:
    piece = b"x" * 2**20
    blocks = (Block(at, piece if at else b"one\n" + piece) for at in count())
    with pytest.raises(Broken, match=f"line 2 has more than {LINE_BYTES_MAX} bytes") as told:
        list(whole_lines(blocks, BAD))
    assert told.value.rule is BAD
    assert next(blocks).stored_at == LINE_BYTES_MAX // len(piece) + 1
    whole = [Block(0, piece + b"\n") for _ in range(40)]
    assert len(list(whole_lines(whole, BAD))) == 40, "a text of lines may be as long as it likes"
