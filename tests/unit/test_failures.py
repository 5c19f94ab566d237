"""Failures told apart: each kind by real words and codes, and the page that shows the table."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from genoflow.events.errors import Parked, Retry
from genoflow.events.failure import EVIDENCE_MAX
from genoflow.processors.running.failures import (
    DISAGREEMENTS,
    NAMED,
    RULES,
    Seen,
    classified,
    judged,
    told_apart,
)
from genoflow.processors.running.last_words import complaints_of_engine, complaints_of_task
from genoflow.processors.running.manifest import Fault
from genoflow.processors.running.outputs import damage_of
from tests import alignments
from tools.failures_page import PAGE, table

CLASSES = {"data", "pipeline", "infrastructure", "lab"}


@pytest.mark.parametrize(
    ("seen", "rule", "retried"),
    [
        ({"exit_code": 1, "lines": ["dd: error writing 'x': No space left on device"]},
         "disk full", False),
        ({"exit_code": 153}, "disk full", False),
        ({"exit_code": 127, "lines": [".command.run: line 5: docker: command not found"]},
         "container program absent", False),
        ({"exit_code": 127, "lines": [".command.sh: line 2: bwa: command not found"]},
         "program absent", False),
        ({"exit_code": 1, "lines": ["CannotPullContainerError: Error response from daemon"]},
         "container absent", False),
        ({"exit_code": 125, "lines": ["toomanyrequests: You have reached your pull rate limit"]},
         "container registry busy", True),
        ({"reason": "AWS Batch, q: AccessDeniedException (403) not authorized"},
         "credentials refused", False),
        ({"reason": "AWS Batch, q: ClientException (400) JobQueue q is DISABLED"},
         "queue disabled", False),
        ({"reason": "AWS Batch, q: TooManyRequestsException (429) Too Many Requests"},
         "asked too often", True),
        ({"reason": "Host EC2 (instance i-1) terminated."}, "host taken away", True),
        ({"exit_code": 137}, "out of memory", True),
        ({"signal": "SIGKILL"}, "out of memory", True),
        ({"exit_code": 1, "lines": ["java.lang.OutOfMemoryError: Java heap space"]},
         "out of memory", True),
        ({"exit_code": 1, "lines": ["gzip: reads.gz: unexpected end of file"]},
         "input cut short", False),
        ({"exit_code": 1, "lines": ["Missing output file(s) `x.bam` expected by process `A`"]},
         "output missing", False),
        ({"reason_code": "output damaged"}, "output cut short", False),
        ({"reason_code": "refused by the launcher"}, "launch refused", False),
        ({"reason_code": "input missing", "is_away": True}, "store away", True),
        ({"reason_code": "input missing"}, "input gone", False),
        ({"exit_code": 75}, "service away", True),
        ({"reason_code": "out of time"}, "took too long", False),
        ({"reason_code": "lost"}, "lost", True),
        ({"exit_code": 143}, "told to end", True),
        ({"signal": "SIGSEGV"}, "program crashed", False),
        ({"reason_code": "manifest missing", "exit_code": 0}, "results incomplete", False),
        ({"exit_code": 1, "lines": ["Validation of pipeline parameters failed!"]},
         "parameters refused", False),
        ({"exit_code": 3, "lines": ["nobody knows"]}, "step failed", False),
        ({"rule": "reference missing", "exit_code": 137}, "reference missing", False),
        ({}, "step failed", False),
    ],
)  # fmt: skip
def test_each_kind_is_known_by_what_it_leaves(
    seen: dict[str, Any], rule: str, retried: bool
) -> None:
    verdict = classified(Seen(**seen))
    assert (verdict.rule.name, verdict.rule.may_retry) == (rule, retried)
    if seen.get("exit_code") is not None:
        assert verdict.evidence[0] == f"exit code {seen['exit_code']}"
    assert {*seen.get("lines", ())} <= {*verdict.evidence}


def test_words_stand_before_codes_and_evidence_is_kept_within_a_screen() -> None:
    lines = [f"line {number}" for number in range(100)]
    found = classified(Seen(exit_code=137, lines=["No space left on device", *lines]))
    assert found.rule.name == "disk full"
    assert found.evidence[:2] == ("exit code 137", "No space left on device")
    assert len(found.evidence) <= EVIDENCE_MAX
    assert found.evidence[-1] == "line 99"


def test_a_fault_is_judged_once() -> None:
    fault = judged(Fault(reason_code="exit code", reason="no", exit_code=137, may_pass=False))
    assert (fault.failure_class, fault.rule, fault.may_pass) == (
        "infrastructure", "out of memory", True,
    )  # fmt: skip
    assert judged(fault, ["No space left on device"]) == fault


def test_a_refused_launch_says_its_kind_and_stays_what_it_was() -> None:
    parked = told_apart(Parked("AWS Batch, q: ClientException (400) JobQueue q is DISABLED"))
    assert isinstance(parked, Parked)
    assert "(by its kind infrastructure, queue disabled: The queue that runs wait in" in str(parked)
    again = told_apart(Retry("AWS Batch, q: TooManyRequestsException (429)"))
    assert isinstance(again, Retry)
    assert "asked too often" in str(again)
    other = Parked("something else")
    assert told_apart(other) is other


def test_the_table_is_whole_and_speaks_to_people() -> None:
    assert len(NAMED) == len(RULES)
    assert {*DISAGREEMENTS.values()} <= {*NAMED}
    for one in RULES:
        assert one.failure_class in CLASSES
        assert one.sentence.endswith(".")
        assert ("again by itself" in one.sentence) == one.may_retry, one.name
        assert "exit code" not in one.sentence


def test_the_page_shows_the_table() -> None:
    assert table() in PAGE.read_text(encoding="utf-8"), "run `python -m tools.failures_page`"


# -- evidence


def test_the_last_words_of_a_task_and_of_the_engine_are_read(tmp_path: Path) -> None:
    assert complaints_of_task(str(tmp_path / "none")) == []
    assert complaints_of_task("s3://work/ab/cd") == []
    (tmp_path / ".command.log").write_text("wrapper\n")
    assert complaints_of_task(str(tmp_path)) == ["wrapper"]
    (tmp_path / ".command.err").write_text("\n".join(f"line {n}" for n in range(9_000)) + "\n\n")
    assert complaints_of_task(str(tmp_path))[-1] == "line 8999"
    log = tmp_path / ".nextflow.log"
    assert complaints_of_engine(log) == []
    log.write_text(
        "Nov-22 08:00:00.000 [main] INFO  nextflow.cli - N E X T F L O W\n"
        "Nov-22 08:00:01.000 [main] ERROR nextflow.cli.Launcher - No such variable: x\n"
        "java.lang.Exception: no\nCaused by: java.io.IOException: gone\n"
    )
    assert complaints_of_engine(log) == [
        "No such variable: x",
        "Caused by: java.io.IOException: gone",
    ]


@pytest.mark.parametrize("packed", [alignments.bam(), alignments.cram()])
def test_an_output_that_is_cut_short_is_seen_at_its_end(tmp_path: Path, packed: bytes) -> None:
    path = tmp_path / "S1.out"
    path.write_bytes(packed)
    assert damage_of(path) is None
    path.write_bytes(packed[:-9])
    assert "is cut short" in str(damage_of(path))


def test_plain_gzip_is_read_to_its_end_and_text_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "counts.gz"
    whole = gzip.compress(b"a\t1\n" * 9_000) + gzip.compress(b"b\t2\n")
    path.write_bytes(whole)
    assert damage_of(path) is None
    path.write_bytes(whole[:-5])
    assert damage_of(path) == "is cut short: it does not unpack to its end"
    path.write_bytes(b"plain text")
    assert damage_of(path) is None
