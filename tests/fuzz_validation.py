"""Files that are damaged at random, and a validator that has to answer each of them.

    python -m tests.fuzz_validation --files 100000 --seed 1
    python -m tests.fuzz_validation --seed 1 --only 4711      one of them again, with its answer

Never a crash, never a hang, never another exception than a finding, never more memory than is
allowed, the same answer twice, and the same verdict in whatever pieces the bytes come. Each file
is drawn from the seed and its number alone.
"""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import importlib
import json
import random
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genoflow.processors.child_limits import status_bytes
from genoflow.processors.validation.engine import PythonEngine
from genoflow.processors.validation.findings import Broken, Findings
from genoflow.processors.validation.indexes.held import hold_index
from genoflow.processors.validation.port import Expected
from tests.fuzz_files import BASES, Base, bases, mutated

AT_ONCE = 2  # children: one for each core that a machine for tests has
BATCH_FILES = 2_000  # of one child: what a library keeps is found, and is not all that is measured
SECONDS_MAX = 20  # of one file: these are of a few kilobytes, and take some milliseconds
START_SECONDS_MAX = 120  # until a child has its libraries and its files
# Of memory that is there, of the whole child: Python and the libraries have 100 MB of it.
RESIDENT_BYTES_MAX = 300 * 1024**2
ADDRESS_BYTES_MAX = 4 * 1024**3  # of addresses: libraries reserve more than they use
FAILURES_MAX = 50  # then it is known that something is wrong
SMALL_PIECE = 97  # bytes at once, beside all of them at once
SHOWN = 400  # characters of an answer


@dataclass(frozen=True)
class Answer:
    """What was said of a file, and whether it passes, by each way that it was asked."""

    passes: tuple[bool, ...]
    said: str


Judge = Callable[[bytes, Base, int], Answer]
JUDGE = "tests.fuzz_validation:judge"


@dataclass
class Verdict:
    """What was found over all files."""

    files: int = 0
    refused: int = 0
    by_kind: Counter[str] = field(default_factory=Counter)
    failures: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0

    def __str__(self) -> str:
        rate = self.files / self.seconds if self.seconds else 0
        lines = [f"{kind:24} {count:8}" for kind, count in sorted(self.by_kind.items())]
        total = f"{self.files} files, {self.refused} refused, {rate:.0f} a second"
        failed = [json.dumps(failure) for failure in self.failures]
        return "\n".join([*lines, total, f"{len(failed)} failures", *failed])


def drawn(seed: int, number: int) -> tuple[str, Base, bytes]:
    """The file of this number: its kind, what it was, and what it is now."""
    chance = random.Random(f"{seed}/{number}")
    kind = chance.choice(sorted(bases()))
    return kind, bases()[kind], mutated(bases()[kind], chance)


def judge(body: bytes, base: Base, piece: int) -> Answer:
    """All that the validator says of a file that comes in pieces of this size."""
    reference = fasta() if base.role == "CRAM" else None  # of the others it is not the one
    known = Expected(base.role, sample_id="S1", references=("small-1",), reference_path=reference)
    report = PythonEngine().validate(_pieces(body, piece), known)
    said = [_told(report.findings, report.measured)]
    if base.data and piece > SMALL_PIECE:
        said.append(_beside(body, base))
    passes = tuple(one for each in said for one in each.passes)
    return Answer(passes, "\n".join(each.said for each in said))


def _pieces(body: bytes, piece: int) -> list[bytes]:
    return [body[at : at + piece] for at in range(0, len(body), piece)]


def _told(findings: Findings, measured: object) -> Answer:
    counts = sorted((rule.code, count) for rule, count in findings.counts.items())
    said = json.dumps([finding.as_json() for finding in findings])
    passes = (findings.is_valid(strict=False), findings.is_valid(strict=True))
    return Answer(passes, f"{counts} {said} {measured!r}")


def _beside(body: bytes, base: Base) -> Answer:
    findings = Findings()
    with tempfile.TemporaryDirectory() as folder:
        index, data = Path(folder, "index"), Path(folder, "data")
        index.write_bytes(body)
        data.write_bytes(base.data)
        try:
            hold_index(index, data, findings)
        except Broken as broken:
            findings.add(broken.rule, broken.message, broken.where)
    return Answer((), _told(findings, None).said)


_FASTA: list[Path] = []


def fasta() -> Path:
    """The reference of the files that need one; made once in a process."""
    if not _FASTA:
        path = Path(tempfile.gettempdir(), f"fuzz-{random.Random().getrandbits(64)}.fa")
        path.write_text(f">one\n{BASES[:300]}\n", "ascii")
        _FASTA.append(path)
    return _FASTA[0]


def remove_fasta() -> None:
    """Nothing of it stays behind."""
    while _FASTA:
        _FASTA.pop().unlink()


def child(seed: int, first: int, end: int, judge_name: str) -> None:
    """Judge these files; one line on standard output for each."""
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_BYTES_MAX, ADDRESS_BYTES_MAX))
    module, _, name = judge_name.partition(":")
    judged: Judge = getattr(importlib.import_module(module), name)
    bases()
    try:
        for number in range(first, end):
            kind, base, body = drawn(seed, number)
            told = {"number": number, "kind": kind, **_once(judged, body, base)}
            print(json.dumps(told), flush=True)
    finally:
        remove_fasta()


def _once(judged: Judge, body: bytes, base: Base) -> dict[str, Any]:
    """What is wrong with the answers to one file, or whether it is refused."""
    all_of_it = len(body) + SMALL_PIECE + 1
    try:
        first, again, pieces = (
            judged(body, base, size) for size in (all_of_it, all_of_it, SMALL_PIECE)
        )
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        where = "".join(traceback.format_tb(error.__traceback__)[-3:])
        return {"failure": "exception", "said": repr(error)[:SHOWN], "where": where}
    if first != again:
        return {"failure": "two answers", "said": [first.said[:SHOWN], again.said[:SHOWN]]}
    if first.passes[: len(pieces.passes)] != pieces.passes:
        return {"failure": "two verdicts", "said": [first.said[:SHOWN], pieces.said[:SHOWN]]}
    resident = status_bytes("VmHWM")
    if resident > RESIDENT_BYTES_MAX:
        return {"failure": "memory", "said": f"{resident} bytes"}
    return {"refused": not first.passes[0]}


async def run(files: int, seed: int, judge_name: str = JUDGE, at_once: int = AT_ONCE) -> Verdict:
    """Judge so many files, in so many children at once."""
    verdict, started = Verdict(), time.monotonic()
    turns = iter(range(0, files, BATCH_FILES))

    async def work() -> None:
        for first in turns:
            await _batch(verdict, seed, first, min(files, first + BATCH_FILES), judge_name)

    await asyncio.gather(*(work() for _ in range(at_once)))
    verdict.seconds = time.monotonic() - started
    return verdict


async def _batch(verdict: Verdict, seed: int, first: int, end: int, judge_name: str) -> None:
    while first < end and len(verdict.failures) < FAILURES_MAX:
        first = await _child(verdict, seed, first, end, judge_name) + 1


async def _child(verdict: Verdict, seed: int, first: int, end: int, judge_name: str) -> int:
    """The number of the last file that a child was given; how it ended is part of the verdict."""
    arguments = (str(seed), str(first), str(end), judge_name)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fuzz_validation", "--child", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, limit=1024**2,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    errors = asyncio.create_task(process.stderr.read())
    number, hung, patience = first, False, float(START_SECONDS_MAX)
    while number < end:
        try:
            line = await asyncio.wait_for(process.stdout.readline(), patience)
        except TimeoutError:
            hung = True
            process.kill()
            break
        if not line:
            break
        _heard(verdict, seed, line)
        number, patience = number + 1, float(SECONDS_MAX)
    code = await process.wait()
    said = (await errors).decode("utf-8", "replace")
    if hung or code:
        number = min(number, end - 1)
        kind = drawn(seed, number)[0]
        failure = f"hang of {SECONDS_MAX} s" if hung else f"crash, exit code {code}"
        told = {"seed": seed, "number": number, "kind": kind, "failure": failure}
        verdict.failures.append({**told, "said": said[-SHOWN:]})
    return number


def _heard(verdict: Verdict, seed: int, line: bytes) -> None:
    told = json.loads(line)
    verdict.files += 1
    verdict.by_kind[told["kind"]] += 1
    if "failure" in told:
        verdict.failures.append({"seed": seed, **told})
    else:
        verdict.refused += told["refused"]


def main(arguments: Sequence[str]) -> int:
    """Print what was found; 1 where something was wrong."""
    if arguments[:1] == ["--child"]:
        seed, first, end = (int(number) for number in arguments[1:4])
        with suppress(KeyboardInterrupt, BrokenPipeError):
            child(seed, first, end, arguments[4])
        return 0
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help="children")
    parser.add_argument("--only", type=int, help="the number of one file")
    given = parser.parse_args(arguments)
    if given.only is not None:
        kind, base, body = drawn(given.seed, given.only)
        print(f"{kind}, {len(body)} bytes, was {len(base.body)}")
        print(judge(body, base, SMALL_PIECE).said)
        remove_fasta()
        return 0
    verdict = asyncio.run(run(given.files, given.seed, at_once=given.at_once))
    print(verdict)
    return 1 if verdict.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
