"""`genoflow validate` as people and programs call it: exit codes, lines of JSON, pipes, signals."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from genoflow.deploy.settings import Settings
from tests import warm
from tests.alignments import bam, vcf
from tests.reads import bgzf, fastq
from tests.servers import cli_environment

GENOFLOW = str(Path(sys.executable).parent / "genoflow")
SECONDS_MAX = 60
NULLABLE = {"type": ["integer", "null"]}
LINE = Draft202012Validator(
    {
        "type": "object",
        "additionalProperties": False,
        "required": [
            "file", "format", "version", "compression", "size_bytes", "valid", "counts",
            "findings", "md5", "sha256", "metrics",
        ],
        "properties": {
            "file": {"type": "string"},
            "format": {"type": ["string", "null"]},
            "version": {"type": ["string", "null"]},
            "compression": {"enum": ["none", "gzip", "bgzf", None]},
            "size_bytes": NULLABLE,
            "valid": {"type": "boolean"},
            "counts": {
                "type": "object",
                "required": ["errors", "violations", "notes"],
                "additionalProperties": {"type": "integer", "minimum": 0},
            },
            "findings": {
                "type": "array",
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["code", "severity", "where", "message", "remedy"],
                    "properties": {
                        "code": {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)+$"},
                        "severity": {"enum": ["error", "violation", "note"]},
                        "where": {
                            "type": "object",
                            "required": ["line", "record", "byte"],
                            "additionalProperties": NULLABLE,
                        },
                        "message": {"type": "string", "minLength": 1},
                        "remedy": {"type": "string", "minLength": 1},
                    },
                },
            },
            "md5": {"type": ["string", "null"], "pattern": "^[0-9a-f]{32}$"},
            "sha256": {"type": ["string", "null"], "pattern": "^[0-9a-f]{64}$"},
            "metrics": {"type": "object"},
        },
    }
)  # fmt: skip


class Place:
    """A folder with files, and the command in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = cli_environment(Settings(home=folder / "home"))

    def put(self, name: str, body: bytes) -> str:
        """Write a file here."""
        (self.folder / name).write_bytes(body)
        return name

    def run(self, *words: str, said: bytes = b"") -> subprocess.CompletedProcess[str]:
        """Run it to its end; there is never a traceback."""
        done = warm.command_in(
            self.folder, ("validate", *words), env=self.environment, said=said, timeout=SECONDS_MAX
        )
        out, err = done.stdout.decode(), done.stderr.decode()
        assert "Traceback" not in err, err
        return subprocess.CompletedProcess(done.args, done.returncode, out, err)

    def lines(self, *words: str, said: bytes = b"", code: int) -> list[dict[str, Any]]:
        """What it prints as JSON, each line of the shape that is promised."""
        done = self.run("--json", *words, said=said)
        assert (done.returncode, done.stderr) == (code, "")
        found = [json.loads(line) for line in done.stdout.splitlines()]
        for one in found:
            LINE.validate(one)
        return found

    @contextmanager
    def waiting(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """It reads standard input, which does not end; it is ended here."""
        with subprocess.Popen(
            [GENOFLOW, "validate", *words], cwd=self.folder, env=self.environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as process:  # fmt: skip
            try:
                yield process
            finally:
                process.kill()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def codes(line: dict[str, Any]) -> list[str]:
    return [one["code"] for one in line["findings"]]


def test_what_is_valid_is_told_in_the_order_of_the_files(place: Place) -> None:
    bodies = {"a.bam": bam(), "b.vcf": vcf(), "c.fq.gz": bgzf(fastq(9)), "d.fq": fastq(3)}
    names = [place.put(name, body) for name, body in bodies.items()]
    found = place.lines(*names, code=0)
    assert [one["file"] for one in found] == names
    assert [one["format"] for one in found] == ["BAM", "VCF", "FASTQ", "FASTQ"]
    assert [one["compression"] for one in found] == ["bgzf", "none", "bgzf", "none"]
    for one in found:
        body = bodies[one["file"]]
        assert one["valid"]
        assert one["md5"] == hashlib.md5(body).hexdigest()
        assert one["sha256"] == hashlib.sha256(body).hexdigest()
        assert one["size_bytes"] == len(body)
    assert found[2]["metrics"]["reads"] == 9


def test_one_that_is_not_valid_is_named_and_ends_it_with_1(place: Place) -> None:
    names = place.put("a.fq", fastq(3)), place.put("b.bam", bam()[:-100])
    found = place.lines(*names, code=1)
    assert [one["valid"] for one in found] == [True, False]
    assert codes(found[1])
    done = place.run(*names)
    assert (done.returncode, done.stderr) == (1, "")
    assert "a.fq" in done.stdout
    said = found[1]["findings"][0]
    assert f"error {said['code']}: {said['message']}" in done.stdout
    assert said["remedy"] in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Missing argument"),
        (("nowhere.bam",), "nowhere.bam: there is no such file"),
        (("d",), "d: is a directory"),
        (("-", "-"), "name it once"),
        (("--paired", "a.fq"), "by twos"),
        (("--nothing", "a.fq"), "No such option"),
        (("--reference", "nowhere.fa", "a.fq"), "nowhere.fa: there is no such file"),
        (("--reference", "a.txt", "a.fq"), "cannot be indexed as FASTA"),
        (("a" * 300,), "a" * 300),
        (("a.fq", "nowhere.bam"), "nowhere.bam: there is no such file"),
    ],
)
def test_a_wrong_call_ends_with_2_and_says_why(
    place: Place, words: tuple[str, ...], said: str
) -> None:
    place.put("a.fq", fastq(3))
    place.put("a.txt", b"hello\n")
    (place.folder / "d").mkdir()
    done = place.run(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_standard_input_and_pipes_are_read(place: Place) -> None:
    body = gzip.compress(fastq(9))
    [found] = place.lines("-", said=body, code=0)
    assert (found["file"], found["format"], found["size_bytes"]) == ("-", "FASTQ", len(body))
    [found] = place.lines("-", said=b"hello", code=1)
    assert codes(found) == ["file-format-unknown"]
    place.put("a.fq", fastq(3))
    done = subprocess.run(
        ["bash", "-c", f"{GENOFLOW} validate --json <(cat a.fq) a.fq"], cwd=place.folder,
        env=place.environment, capture_output=True, check=False, timeout=SECONDS_MAX,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, second = map(json.loads, done.stdout.splitlines())
    assert first["sha256"] == second["sha256"]


def test_mates_are_compared(place: Place) -> None:
    first, second = place.put("1.fq", fastq(9)), place.put("2.fq.gz", bgzf(fastq(9, mate=2)))
    assert [one["valid"] for one in place.lines("--paired", first, second, code=0)] == [True, True]
    short = place.put("s.fq", fastq(8, mate=2))
    for order in ((first, short, "--paired"), ("--paired", first, short)):
        found = place.lines(*order, code=1)
        assert [codes(one) for one in found] == [["fastq-pair-counts"]] * 2
        message = found[0]["findings"][0]["message"]
        assert "s.fq: the first file has 9 reads, and the other 8" in message
        assert found[0]["counts"]["errors"] == 1
    found = place.lines("--paired", second, first, code=1)  # each under the other's role
    assert [codes(one) for one in found] == [["fastq-mate"]] * 2
    found = place.lines("--paired", first, place.put("x.bam", bam()), code=1)
    assert codes(found[1]) == ["file-not-its-format"]
    [one, _] = place.lines("--paired", first, "-", said=fastq(8, mate=2), code=1)
    assert "their reads have other names" in one["findings"][0]["message"]


def test_whose_a_file_is_can_be_said(place: Place) -> None:
    name = place.put("x.bam", bam())
    place.lines("--sample", "S1", name, code=0)
    [found] = place.lines("--sample", "S2", name, code=1)
    errors = [one["message"] for one in found["findings"] if one["severity"] == "error"]
    assert errors == ["its header names S1, and it was sent for S2"]


def test_a_reference_without_an_index_gets_one_elsewhere(place: Place) -> None:
    reference = place.put("r.fa", b">1\nACGT\n")
    place.lines("--reference", reference, place.put("x.bam", bam()), code=0)
    assert sorted(one.name for one in place.folder.iterdir()) == ["r.fa", "x.bam"]


def test_an_index_is_held_against_the_file_that_is_named_with_it(place: Place) -> None:
    of_two = b"BAI\x01" + struct.pack("<iiiii", 2, 0, 0, 0, 0) + bytes(8)
    of_one = b"BAI\x01" + struct.pack("<iii", 1, 0, 0) + bytes(8)
    place.put("x.bam", bam())
    place.put("x.bam.bai", of_two)
    assert [one["findings"] for one in place.lines("x.bam.bai", code=0)] == [[]]
    place.lines("--strict", "x.bam", "x.bam.bai", code=0)
    place.put("x.bam.bai", of_one)
    place.lines("x.bam.bai", code=0)
    [_, index] = place.lines("--strict", "x.bam", "x.bam.bai", code=1)
    assert codes(index) == ["index-references-differ"]


# -- what happens to the processes


def until(condition: Callable[[], Any]) -> Any:
    """What it gives when it gives something."""
    end = time.monotonic() + SECONDS_MAX
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def children_of(process: int) -> Sequence[int]:
    """The processes that it has started, and that live."""
    text = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    return [int(one) for one in text.split()]


def is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2]
    except FileNotFoundError:
        return False
    return state.split()[0] != "Z"


def test_a_file_that_brings_its_process_down_is_told_and_the_next_one_is_read(place: Place) -> None:
    place.put("a.fq", fastq(3))
    with place.waiting("--json", "-", "a.fq") as process:
        assert process.stdin is not None
        process.stdin.write(fastq(3))
        process.stdin.flush()
        [reader] = until(lambda: _of_input(process.pid))
        os.kill(reader, signal.SIGKILL)
        out, err = process.communicate(timeout=SECONDS_MAX)
    assert (process.returncode, err) == (1, b"")
    first, second = map(json.loads, out.splitlines())
    LINE.validate(first)
    assert (codes(first), first["valid"]) == (["validator-died"], False)
    assert "its process ended by signal 9" in first["findings"][0]["message"]
    assert (second["file"], second["valid"]) == ("a.fq", True)


def _of_input(process: int) -> list[int]:
    """The child that holds the pipe which is standard input of its parent."""
    pipe = str(Path(f"/proc/{process}/fd/0").readlink())
    return [one for one in children_of(process) if pipe in _open_in(one) and _is_begun(one)]


def _is_begun(process: int) -> bool:
    """Whether it is a program of its own: until then it has all that its parent has open."""
    return b"validate_child" in Path(f"/proc/{process}/cmdline").read_bytes()


def _open_in(process: int) -> set[str]:
    found = set()
    for one in Path(f"/proc/{process}/fd").iterdir():
        try:
            found.add(str(one.readlink()))
        except FileNotFoundError:  # it was closed meanwhile
            continue
    return found


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)]
)
def test_whoever_ends_it_ends_its_children(place: Place, number: int, code: int) -> None:
    with place.waiting("-") as process:
        readers = until(lambda: _of_input(process.pid))
        process.send_signal(number)
        assert process.wait(timeout=SECONDS_MAX) == code
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()
    until(lambda: not any(map(is_alive, readers)))


def test_a_reader_of_its_lines_may_leave(place: Place) -> None:
    names = [place.put(f"{number}.fq", fastq(3)) for number in range(8)]
    done = subprocess.run(
        ["bash", "-c", f"{GENOFLOW} validate --json {' '.join(names)} | head -1"],
        cwd=place.folder, env=place.environment, capture_output=True, check=True,
        timeout=SECONDS_MAX,
    )  # fmt: skip
    assert done.stderr == b""
    assert json.loads(done.stdout)["file"] == "0.fq"
