"""Files held to the rules of their formats, as many at once as there are cores.

Each core has a child process that reads one file after another; a file that brings it down is
told as such, and the next file gets a fresh one. Answers come in the order of the files.
"""

from __future__ import annotations

import asyncio
import json
import os
import stat
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from genoflow.processors.child_limits import BYTES_SECONDS_MAX
from genoflow.processors.validation.findings import Finding
from genoflow.processors.validation.house import READER_DIED
from genoflow.processors.validation.reads.rules import PAIR_NAMES

STDIN = "-"
CHILD = (sys.executable, "-m", "genoflow.deploy.validate_child")
LINE_BYTES_MAX = 16 * 1024**2  # a report: 1,000 rules with 20 findings of 500 bytes are 10 MB
WORDS_BYTES_MAX = 4_096  # of what a child printed last, of which the last line is told
MATE_ROLES = ("R1", "R2")
SUFFIXES = {"fastq": "FASTQ", "fq": "FASTQ", "sam": "SAM"}  # of formats that may have no bytes
COMPRESSED = (".gz", ".bgz", ".bgzf")
# Of indexes: behind the name of a file, or in the place of its last ending.
INDEX_SUFFIXES = (".bai", ".csi", ".tbi", ".crai")

Told = dict[str, Any]  # one line of --json
Progress = Callable[[int, int], None]  # which file, and how many of its bytes were read


@dataclass(frozen=True, slots=True)
class Wanted:
    """How files are to be read."""

    strict: bool = False
    paired: bool = False
    sample: str | None = None
    reference: str | None = None  # a FASTA with its .fai
    targets: str | None = None  # a BED file


def files_at_once(count: int) -> int:
    """How many files are read at once: one a core."""
    return max(1, min(count, len(os.sched_getaffinity(0))))


async def validate_all(
    names: Sequence[str], wanted: Wanted, progress: Progress
) -> AsyncGenerator[Told, None]:
    """What is told of each file, in their order, each as soon as it and those before are read."""
    crew = _Crew(names, wanted, progress)
    count = files_at_once(len(names))
    tasks = [asyncio.create_task(crew.work(), name=f"core {one}") for one in range(count)]
    step = 2 if wanted.paired else 1
    try:
        for first in range(0, len(names), step):
            some = [await _of(told, tasks) for told in crew.told[first : first + step]]
            if wanted.paired:
                await _compare_mates(names[first : first + step], some)
            for one in some:
                yield one
    finally:
        crew.stop()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _of(told: asyncio.Future[Told], tasks: Sequence[asyncio.Task[None]]) -> Told:
    """The answer; or what the task raised that should have given it."""
    waiting: set[asyncio.Future[Any]] = {told, *tasks}
    while not told.done():
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for one in done - {told}:
            one.result()
    return told.result()


class _Crew:
    """The children of one call, and the files that none of them has taken so far.

    Its tasks are never cancelled, since half of a process that is started is nobody's: told to
    stop, they find their children dead and come to an end.
    """

    def __init__(self, names: Sequence[str], wanted: Wanted, progress: Progress) -> None:
        loop = asyncio.get_running_loop()
        self.told: list[asyncio.Future[Told]] = [loop.create_future() for _ in names]
        self._names, self._wanted, self._progress = names, wanted, progress
        self._among = set(names)
        self._waiting = iter(range(len(names)))
        self._children: set[_Child] = set()
        self._is_over = False

    def stop(self) -> None:
        """Take no more files, and leave those that are being read."""
        self._is_over = True
        for child in self._children:
            child.kill()

    async def work(self) -> None:
        """Read files until there are no more."""
        child: _Child | None = None
        try:
            for number in self._waiting:
                name = self._names[number]
                try:
                    descriptor = _descriptor(name)
                except OSError as error:  # it has gone since the call was looked at
                    self.told[number].set_result(_died(name, str(error)))
                    continue
                child, answer = await self._read(number, child, descriptor)
                if self._is_over:
                    return
                self.told[number].set_result(answer.get("report") or _died(name, answer["message"]))
        finally:
            if child is not None:
                await self._end(child)

    async def _read(
        self, number: int, child: _Child | None, descriptor: int | None
    ) -> tuple[_Child, dict[str, Any]]:
        if child is not None and (not child.is_alive or descriptor is not None):
            await self._end(child)
            child = None
        if child is None:
            child = await _Child.start(descriptor)
            self._children.add(child)
            if self._is_over:
                child.kill()
        name = self._names[number]
        request = _request(name, number, self._wanted, descriptor, self._among)
        return child, await child.ask(request, partial(self._progress, number))

    async def _end(self, child: _Child) -> None:
        self._children.discard(child)
        await child.end()


def _descriptor(name: str) -> int | None:
    """What a child has to inherit: standard input, or a pipe that stands under a name of ours."""
    if name == STDIN:
        return os.dup(0)
    if stat.S_ISREG(os.stat(name).st_mode):  # noqa: PTH116 -- names are kept as they were given
        return None
    return os.open(name, os.O_RDONLY)


def _request(
    name: str, number: int, wanted: Wanted, descriptor: int | None, among: set[str]
) -> dict[str, Any]:
    expected: dict[str, Any] = {"sample_id": wanted.sample, "named": named_format(name)}
    if wanted.paired:
        expected["role"] = MATE_ROLES[number % 2]
    if wanted.reference:
        expected["reference_path"] = wanted.reference
    if wanted.targets:
        expected["targets_path"] = wanted.targets
    path = name if descriptor is None else f"/dev/fd/{descriptor}"
    request = {"path": path, "name": name, "expected": expected, "strict": wanted.strict}
    of = file_of_index(name, among)
    return request if of is None or _is_stream(of) else request | {"of": of}


def named_format(name: str) -> str:
    """The format that a name speaks of, of those that may have no bytes."""
    plain = name.lower()
    for ending in COMPRESSED:
        plain = plain.removesuffix(ending)
    return SUFFIXES.get(plain.rpartition(".")[2], "")


def file_of_index(name: str, among: set[str]) -> str | None:
    """The file that an index is named like, where it is among these."""
    stem = next((name.removesuffix(one) for one in INDEX_SUFFIXES if name.endswith(one)), None)
    if stem is None:
        return None
    named = (stem, *(f"{stem}{ending}" for ending in (".bam", ".cram", ".vcf.gz", ".bcf")))
    return next((one for one in named if one in among and one != name), None)


def _died(name: str, message: str) -> Told:
    finding = Finding(READER_DIED, message).as_json()
    return {
        "file": name, "format": None, "version": None, "compression": None, "size_bytes": None,
        "valid": False, "counts": {"errors": 1, "violations": 0, "notes": 0},
        "findings": [finding], "md5": None, "sha256": None, "metrics": {},
    }  # fmt: skip


# -- mates


async def _compare_mates(names: Sequence[str], told: Sequence[Told]) -> None:
    """Add to both what sets them apart; nothing where one cannot be read, which it says itself."""
    digests = [one["metrics"].get("read_names_sha256") for one in told]
    if None in digests or digests[0] == digests[1]:
        return
    found = await _difference(names)
    for number, one in enumerate(told):
        other = names[1 - number]
        for finding in found:
            message = f"its mate is {other}: {finding['message']}"
            one["findings"].append({**finding, "message": message})
            one["counts"][f"{finding['severity']}s"] += 1
        one["valid"] = False


async def _difference(names: Sequence[str]) -> list[dict[str, Any]]:
    """What parts them, or only that they differ where they cannot be read a second time."""
    message = "their reads have other names"
    if not any(_is_stream(name) for name in names):
        child = await _Child.start(None)
        try:
            answer = await child.ask({"mates": list(names)}, lambda _: None)
        finally:
            await child.end()
        if answer["is"] == "findings" and answer["findings"]:
            return list(answer["findings"])
        message = answer.get("message", message)
    return [Finding(PAIR_NAMES, message).as_json()]


def _is_stream(name: str) -> bool:
    return name == STDIN or not stat.S_ISREG(os.stat(name).st_mode)  # noqa: PTH116


# -- a child


class _Child:
    """A process that answers one request at a time."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._words = b""
        self._keeping = asyncio.create_task(self._keep_words())
        self._is_over = False

    @classmethod
    async def start(cls, descriptor: int | None) -> _Child:
        """Start one, which inherits this descriptor and nothing else; it is closed here."""
        passed = () if descriptor is None else (descriptor,)
        try:
            process = await asyncio.create_subprocess_exec(
                *CHILD, stdin=PIPE, stdout=PIPE, stderr=PIPE, pass_fds=passed, limit=LINE_BYTES_MAX
            )
        finally:
            for one in passed:
                os.close(one)
        return cls(process)

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return not self._is_over and self._process.returncode is None

    async def ask(self, request: dict[str, Any], progress: Callable[[int], None]) -> dict[str, Any]:
        """Its answer, or `failed` with how it ended; it is not alive after that."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError, ConnectionResetError):  # told below, as its end
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            await self._process.stdin.drain()
        try:
            async with asyncio.timeout(BYTES_SECONDS_MAX):
                answer = await self._answer(progress)
        except TimeoutError:
            return {
                "is": "failed",
                "message": await self._ended(f"not done in {BYTES_SECONDS_MAX} s"),
            }
        if answer is None:
            return {"is": "failed", "message": await self._ended("")}
        return answer

    async def _answer(self, progress: Callable[[int], None]) -> dict[str, Any] | None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            if not line.endswith(b"\n"):
                return None  # it died in the middle of a word
            answer: dict[str, Any] = json.loads(line)
            if answer["is"] != "progress":
                return answer
            progress(answer["done"])
        return None

    async def _ended(self, why: str) -> str:
        """How it ended, in words; it is ended where it was still at work."""
        if not why:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), timeout=1)  # of its own accord
        await self.end()
        status = self._process.returncode
        if not why:
            ended_by = f"by signal {-status}" if status and status < 0 else f"with status {status}"
            why = f"its process ended {ended_by}"
        last = self._words.decode(errors="replace").strip().rpartition("\n")[2]
        return f"{why}: {last}" if last else why

    def kill(self) -> None:
        """Kill it, whatever it does; `end` is still to follow."""
        self._is_over = True
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def end(self) -> None:
        """Kill it, and return when it is dead."""
        self.kill()
        await self._process.wait()
        await self._keeping
        # All pipes to their end, or their transports outlive the loop and complain.
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        await self._process.stdout.read()
        self._process.stdin.close()
        with suppress(BrokenPipeError, ConnectionResetError):
            await self._process.stdin.wait_closed()

    async def _keep_words(self) -> None:
        assert self._process.stderr is not None
        while words := await self._process.stderr.read(WORDS_BYTES_MAX):
            self._words = (self._words + words)[-WORDS_BYTES_MAX:]
