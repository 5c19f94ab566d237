"""The effect that counts reads over a panel in the parts of BAMs that hold them, and estimates.

A BAM is never read whole, and never kept: of each some hundred megabytes at a time stand in a
file without a name, which the system frees with the process.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from genoflow.events.contamination_estimated import ContaminationEstimated
from genoflow.events.contamination_not_estimated import ContaminationNotEstimated
from genoflow.events.errors import Parked, Refused
from genoflow.events.event import Event
from genoflow.events.read_set_file import ReadSetFile
from genoflow.events.stored_version import name_of
from genoflow.events.types import TEXT_CHARACTERS_MAX, Part
from genoflow.processors.alignment_parts import (
    END_BYTES,
    INDEX_BYTES_MAX,
    Placed,
    Span,
    gathered,
    read_bai,
    span_of_header,
    spans_of,
    write_parts,
)
from genoflow.processors.contamination import (
    Counted,
    Estimate,
    Site,
    added,
    count_sites,
    estimate,
    read_sites,
)
from genoflow.processors.decision import Arguments
from genoflow.processors.ports import ByteAttempt
from genoflow.processors.published import fetch_published
from genoflow.processors.validation.scratch import scratch

ENGINE = "measure-alignments"
METHOD_VERSION = "1"  # of what is counted and how: raise it when a share would come out otherwise
PANEL_BYTES_MAX = 256 * 1024**2  # 100,000 sites with much beside them are 50 MB
# 10,000 sites of a BAM of 30x take 3 GB; this many take three minutes at 100 MB/s.
FETCHED_BYTES_MAX = 16 * 1024**3
BATCH_BYTES = 256 * 1024**2  # on disk at a time
# 10,000 requests of 50 ms, 3 GB at 10 MB/s, and 10 ms a site to count and to estimate: 15 minutes.
SECONDS_MAX = 3_600


class Source(ReadSetFile):
    """A file, and by what it is known where the store keeps no versions."""

    etag: str = ""


class Indexed(Part):
    """A BAM and its index."""

    bam: Source
    index: Source


class CountForeign(Arguments):
    """Over which panel the reads of which files are counted."""

    sample_id: str
    round: int
    panel_uri: str
    panel_sha256: str
    bams: tuple[Indexed, ...]


class NotTold(Exception):
    """The share cannot be told; the code is one of those of ContaminationNotEstimated."""

    def __init__(self, reason_code: str, reason: str) -> None:
        super().__init__(reason)
        self.reason_code = reason_code


@dataclass(slots=True)
class Fetched:
    """Bytes that were read of files, and how many are to be."""

    attempt: ByteAttempt
    total: int = 0
    done: int = 0

    def span(self, file: Source, start: int, end: int) -> bytes:
        """These bytes of a file; NotTold where it is not there, or not to be read."""
        try:
            place = file.bucket, file.object_key, file.version_id
            found = self.attempt.store.span(*place, start, end, file.etag)
        except Parked as error:
            raise NotTold("unreadable", str(error)) from error
        if len(found) != end - start:
            said = f"s3://{name_of(file)}: has {len(found)} bytes from {start} to {end}"
            raise NotTold("unreadable", f"{said}; send it again")
        self.done += len(found)
        self.attempt.progress(self.done, self.total or None, "bytes")
        return found


def unknown(asked: CountForeign, code: str, reason: str, found: Estimate | None = None) -> Event:
    """That the share cannot be told, and why."""
    return ContaminationNotEstimated(
        sample_id=asked.sample_id,
        round=asked.round,
        reason_code=code,
        reason=reason[:TEXT_CHARACTERS_MAX],
        share_low=found.low if found else None,
        share_high=found.high if found else None,
        sites=found.sites if found else 0,
        reads=found.reads if found else 0,
        panel_sha256=asked.panel_sha256,
        engine=ENGINE,
        engine_version=METHOD_VERSION,
    )


def count_gave_up(asked: CountForeign, reason: str) -> Sequence[Event]:
    """The store, the memory or the time was wanting for as long as a worker tries."""
    return [unknown(asked, "gave up", f"{reason}; the round goes on without the share")]


def count_foreign(asked: CountForeign, attempt: ByteAttempt) -> Sequence[Event]:
    """Count the reads over the panel in each file, add them up, and estimate."""
    begun_at, fetched = time.monotonic(), Fetched(attempt)
    try:
        sites = _sites(asked, attempt)
        found = estimate(added([_counted(one, sites, fetched) for one in asked.bams]))
    except NotTold as error:
        return [unknown(asked, error.reason_code, str(error))]
    if found.share is None or found.low is None or found.high is None:
        way_on = "a panel of more variants, or more reads, would tell it"
        return [unknown(asked, "left open", f"{found.unknown}; {way_on}", found)]
    return [
        ContaminationEstimated(
            sample_id=asked.sample_id,
            round=asked.round,
            share=found.share,
            share_low=found.low,
            share_high=found.high,
            sites=found.sites,
            reads=found.reads,
            panel_sha256=asked.panel_sha256,
            fetched_bytes=fetched.done,
            engine=ENGINE,
            engine_version=METHOD_VERSION,
            duration_seconds=time.monotonic() - begun_at,
        )
    ]


def path_of(file: IO[bytes]) -> Path:
    """Under which name another reader in this process opens a file that has none."""
    return Path(f"/dev/fd/{file.fileno()}")


def _sites(asked: CountForeign, attempt: ByteAttempt) -> list[Site]:
    with scratch() as file:
        try:
            fetch_published(
                attempt.store, asked.panel_uri, asked.panel_sha256, file, PANEL_BYTES_MAX
            )
            return read_sites(path_of(file))
        except (Refused, Parked) as error:
            said = str(error).replace(str(path_of(file)), asked.panel_uri)
            way_on = "publish the reference with a panel that can be read"
            raise NotTold("panel unreadable", f"{said}; {way_on}") from error


def _counted(one: Indexed, sites: Sequence[Site], fetched: Fetched) -> list[Counted]:
    """The reads of each site in one file, in the order of the sites."""
    place = f"s3://{name_of(one.bam)}"
    content = _index(one.index, fetched)
    with scratch() as part, scratch() as beside:
        try:
            beside.write(content)
            beside.flush()
            placed = read_bai(content)
            head = [span_of_header(placed, one.bam.size_bytes), _end(one.bam)]
            _write(one.bam, gathered(head, one.bam.size_bytes), part, beside, fetched)
            batches = list(_batches(sites, _numbers(part, placed), placed, one.bam, head))
            _allow(one.bam, batches, fetched)
            found = [Counted(site.frequency, 0, 0) for site in sites]
            for numbers, spans in batches:
                _write(one.bam, spans, part, beside, fetched)
                some = [sites[number] for number in numbers]
                counted = count_sites(path_of(part), some, path_of(beside))
                for number, count in zip(numbers, counted, strict=True):
                    found[number] = count
        except Refused as error:
            code = "no index" if "its index" in str(error) else "unreadable"
            said = str(error).replace(f"{path_of(part)}: ", "")
            raise NotTold(code, f"{place}: {said}") from error
        return found


def _index(file: Source, fetched: Fetched) -> bytes:
    name = f"s3://{name_of(file)}"
    if file.size_bytes > INDEX_BYTES_MAX:
        said = f"{name}: has {file.size_bytes:,} bytes, and an index {INDEX_BYTES_MAX:,} at most"
        raise NotTold("no index", f"{said}; make it anew: samtools index")
    content = fetched.span(file, 0, file.size_bytes)
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise NotTold("unreadable", f"{name}: is another file than was validated; send it again")
    return content


def _end(file: Source) -> Span:
    return max(0, file.size_bytes - END_BYTES), file.size_bytes


def _write(
    bam: Source, spans: Sequence[Span], part: IO[bytes], beside: IO[bytes], fetched: Fetched
) -> None:
    """Have these parts of the file and no others."""

    def fetch(start: int, end: int) -> bytes:
        return fetched.span(bam, start, end)

    write_parts(part, spans, bam.size_bytes, fetch)
    os.utime(beside.fileno())  # an index that is older than its file is warned of


def _numbers(part: IO[bytes], placed: Sequence[Placed]) -> dict[str, int]:
    """The number of each sequence, by its name."""
    import pysam  # noqa: PLC0415 -- takes 0.2 s, and only who reads bytes needs it

    try:
        with pysam.AlignmentFile(str(path_of(part))) as file:
            names = file.references
    except (OSError, ValueError) as error:
        raise Refused(f"its header cannot be read: {error}") from error
    if len(names) != len(placed):
        said = f"its index is of {len(placed)} sequences, and its header names {len(names)}"
        raise Refused(f"{said}; make it anew: samtools index")
    return {name: number for number, name in enumerate(names)}


def _batches(
    sites: Sequence[Site],
    numbers: dict[str, int],
    placed: Sequence[Placed],
    bam: Source,
    head: Sequence[Span],
) -> Iterator[tuple[list[int], list[Span]]]:
    """The numbers of sites that are counted together, and the bytes that hold their reads."""
    known = [at for at, site in enumerate(sites) if site.sequence in numbers]
    known.sort(key=lambda at: (numbers[sites[at].sequence], sites[at].place))
    some: list[int] = []
    spans: list[Span] = []
    reached = size_bytes = 0
    for at in known:
        site = sites[at]
        of_it = list(spans_of(placed[numbers[site.sequence]], site.place))
        for start, end in of_it:
            size_bytes += max(0, end - max(start, reached))
            reached = max(reached, end)
        some.append(at)
        spans += of_it
        if size_bytes > BATCH_BYTES:
            yield some, gathered([*spans, *head], bam.size_bytes)
            some, spans, reached, size_bytes = [], [], 0, 0
    if some:
        yield some, gathered([*spans, *head], bam.size_bytes)


def _allow(bam: Source, batches: Sequence[tuple[list[int], list[Span]]], fetched: Fetched) -> None:
    fetched.total = fetched.done + sum(end - at for _, spans in batches for at, end in spans)
    if fetched.total > FETCHED_BYTES_MAX:
        raise NotTold(
            "too much",
            f"s3://{name_of(bam)}: {fetched.total:,} of its bytes lie around the panel, and "
            f"{FETCHED_BYTES_MAX:,} are read at most; publish the reference with a smaller panel",
        )
