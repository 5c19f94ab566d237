"""The program of a demultiplexing over a store in memory: what is fetched, put and refused."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from genoflow.events.demultiplex_requested import DemultiplexRequested
from genoflow.events.errors import Parked, Retry
from genoflow.events.unknown_barcode import UnknownBarcode
from genoflow.processors.demultiplexing.adapter import Found, LibraryReads, NotDone, Undetermined
from genoflow.processors.demultiplexing.manifest import Completed, Failed, Request
from genoflow.processors.demultiplexing.program import EMPTY_GZIP, Program, read_list
from tests.sequencing import CELL, ROWS, RUN, requested

FILES = {"RunInfo.xml": b"<RunInfo/>", "Data/a.bcl": b"calls", "Logs/x.log": b"no use"}
PREFIX = f"runs/{RUN}/files/"


@dataclass
class Store:
    """Objects by key, and how often the store is away before it answers."""

    objects: dict[str, bytes] = field(default_factory=dict)
    away: int = 0
    asked: list[str] = field(default_factory=list)
    put: dict[str, tuple[bytes, dict[str, str]]] = field(default_factory=dict)
    refuses: str = ""

    def chunks(
        self, bucket: str, key: str, version_id: str, size_bytes: int, etag: str = ""
    ) -> Iterator[bytes]:
        """The port of byte stores."""
        self.asked.append(key)
        if self.away:
            self.away -= 1
            raise Retry(f"s3://{bucket}/{key}: the store answers no requests now")
        if key not in self.objects:
            raise Parked(f"s3://{bucket}/{key}: there is no such object; put it there again")
        yield self.objects[key]

    def upload(self, path: Path, bucket: str, key: str, metadata: Mapping[str, str]) -> None:
        """The port of uploads."""
        if self.refuses:
            raise Parked(self.refuses)
        self.put[key] = (path.read_bytes(), dict(metadata))


@dataclass
class Tool:
    """A demultiplexer that gives what it is told to, and notes what it was given."""

    reads: tuple[int, ...] = (7, 5, 0)
    rest: Mapping[int, int] = field(default_factory=lambda: {1: 2})
    leaves_out: str = ""
    fails: NotDone | None = None
    saw: dict[str, bytes] = field(default_factory=dict)

    def needs(self, path: str) -> bool:
        """Everything but logs."""
        return not path.startswith("Logs/")

    def run(self, request: DemultiplexRequested, run_folder: Path, output: Path, /) -> Found:
        """Write files of reads."""
        found = (p for p in run_folder.rglob("*") if p.is_file())
        self.saw = {str(p.relative_to(run_folder)): p.read_bytes() for p in found}
        if self.fails is not None:
            raise self.fails

        def files(name: str) -> dict[str, Path]:
            paths = {role: output / f"{name}.{role}" for role in ("R1", "R2")}
            for path in paths.values():
                path.write_bytes(name.encode())
            return {role: path for role, path in paths.items() if path.name != self.leaves_out}

        libraries = [
            LibraryReads(row, reads, files(row.library_id) if reads else {})
            for row, reads in zip(request.rows, self.reads, strict=True)
        ]
        rest = {lane: Undetermined(count, files(f"U{lane}")) for lane, count in self.rest.items()}
        unknown = UnknownBarcode(lane=1, index1="A", index2="C", reads=2, reverse_complement_of="A")
        return Found("tool", "1", ("R1", "R2"), libraries, rest, (unknown,))


def asked(files: Mapping[str, bytes] = FILES, **changes: Any) -> tuple[Request, Store]:
    """A request for a run of these files, and the store that holds it."""
    lines = (f"{name}\t{len(b)}\t{hashlib.sha256(b).hexdigest()}\n" for name, b in files.items())
    manifest = "".join(lines).encode()
    objects = {f"{PREFIX}{name}": body for name, body in files.items()} | {"list": manifest}
    sha256 = hashlib.sha256(manifest).hexdigest()
    event = requested(prefix=PREFIX, manifest_sha256=sha256, **changes)
    request = Request(requested=DemultiplexRequested(**dict(event)), manifest_key="list")
    return request, Store(objects)


def done(request: Request, store: Store, tool: Tool, folder: Path) -> Completed:
    """What a success says."""
    manifest = Program(store, store, {"picard": tool}, folder, (0, 0)).manifest(request)
    assert manifest.failed is None, manifest.failed
    assert manifest.completed is not None
    return manifest.completed


def refused(request: Request, store: Store, tool: Tool, folder: Path) -> Failed:
    """What a failure says; nothing was put."""
    manifest = Program(store, store, {"picard": tool}, folder, (0, 0)).manifest(request)
    assert manifest.completed is None
    assert manifest.failed is not None
    assert store.put == {}
    return manifest.failed


def test_what_is_needed_is_fetched_and_the_reads_are_put_with_what_they_belong_to(
    tmp_path: Path,
) -> None:
    request, store = asked()
    tool = Tool()
    completed = done(request, store, tool, tmp_path)
    assert tool.saw == {name: body for name, body in FILES.items() if name != "Logs/x.log"}
    prefix = f"reads/{RUN}/a1"
    assert sorted(store.put) == [
        *(f"{prefix}/{name}_L.{CELL}.1/{role}.fastq.gz" for name in "AB" for role in ("R1", "R2")),
        *(f"{prefix}/undetermined/L001/{role}.fastq.gz" for role in ("R1", "R2")),
    ]
    body, metadata = store.put[f"{prefix}/A_L.{CELL}.1/R2.fastq.gz"]
    assert metadata == {
        "gf-sample": "A", "gf-read-set": f"A_L.{CELL}.1", "gf-run": RUN, "gf-lane": "1",
        "gf-role": "R2", "gf-md5": hashlib.md5(body).hexdigest(),
        "gf-sha256": hashlib.sha256(body).hexdigest(),
    }  # fmt: skip
    _, metadata = store.put[f"{prefix}/undetermined/L001/R1.fastq.gz"]
    assert {"gf-sample", "gf-read-set"}.isdisjoint(metadata)
    assert (completed.reads_total, completed.reads_undetermined) == (14, 2)
    assert completed.undetermined_fraction == pytest.approx(1 / 7, abs=1e-6)
    assert [one.read_set_id for one in completed.libraries] == [
        f"A_L.{CELL}.1", f"B_L.{CELL}.1", None,
    ]  # fmt: skip
    assert completed.i5_looks_reversed, "2 of 14 reads are more than a tenth"
    assert done(request, store, tool, tmp_path).libraries == completed.libraries, "a second time"


def test_a_lane_without_undetermined_reads_has_an_empty_file_beside_the_others(
    tmp_path: Path,
) -> None:
    rows = (ROWS[0], ROWS[1].model_copy(update={"lane": 2}))
    request, store = asked(rows=rows)
    done(request, store, Tool(reads=(7, 5), rest={1: 2, 2: 0}), tmp_path)
    body, _ = store.put[f"reads/{RUN}/a1/undetermined/L002/R1.fastq.gz"]
    assert body == b"U2"
    other, store = asked(rows=rows)
    done(other, store, Tool(reads=(7, 5), rest={1: 2}), tmp_path)
    body, _ = store.put[f"reads/{RUN}/a1/undetermined/L002/R1.fastq.gz"]
    assert body == EMPTY_GZIP
    assert gzip.decompress(body) == b""
    third, store = asked(rows=rows)
    done(third, store, Tool(reads=(7, 5), rest={1: 0, 2: 0}), tmp_path)
    assert [key for key in store.put if "undetermined" in key] == []


def test_a_store_that_is_away_for_a_while_is_waited_for(tmp_path: Path) -> None:
    request, store = asked()
    store.away = 2
    done(request, store, Tool(), tmp_path)
    store.away = 99
    store.put.clear()
    failed = refused(request, store, Tool(), tmp_path)
    assert failed.reason_code == "input missing"
    assert "answers no requests now" in failed.reason


@pytest.mark.parametrize(
    ("key", "body", "words"),
    [
        (f"{PREFIX}Data/a.bcl", b"other", "its bytes are not those that were copied"),
        (f"{PREFIX}Data/a.bcl", None, "there is no such object"),
        ("list", b"x\t1\t0\n", "is not the one that was written"),
        ("list", None, "there is no such object"),
    ],
)
def test_a_run_that_is_not_as_it_was_copied_is_refused(
    key: str, body: bytes | None, words: str, tmp_path: Path
) -> None:
    request, store = asked()
    store.objects.pop(key)
    if body is not None:
        store.objects[key] = body
    failed = refused(request, store, Tool(), tmp_path)
    assert failed.reason_code == "input missing"
    assert words in failed.reason
    assert "then `genoflow demultiplex again`" in failed.reason


def test_a_run_whose_list_nobody_named_is_refused(tmp_path: Path) -> None:
    request, store = asked()
    nameless = request.model_copy(update={"manifest_key": None})
    assert "nobody has said where" in refused(nameless, store, Tool(), tmp_path).reason


@pytest.mark.parametrize(
    ("tool", "reason_code", "words"),
    [
        (Tool(leaves_out="B_L.R2"), "output missing", "(1, 'B_L')"),
        (Tool(fails=NotDone("out of time", "too slow", None)), "out of time", "too slow"),
    ],
)
def test_what_the_tool_does_not_give_is_refused(
    tool: Tool, reason_code: str, words: str, tmp_path: Path
) -> None:
    failed = refused(*asked(), tool, tmp_path)
    assert failed.reason_code == reason_code
    assert words in failed.reason


def test_a_sheet_that_lists_a_library_twice_in_a_lane_is_refused_before_anything_is_fetched(
    tmp_path: Path,
) -> None:
    request, store = asked(rows=(ROWS[0], ROWS[0]))
    assert "twice in one lane" in refused(request, store, Tool(), tmp_path).reason
    assert store.asked == []


def test_an_adapter_that_is_not_there_is_named(tmp_path: Path) -> None:
    request, store = asked(adapter="dragen")
    assert "no demultiplexer 'dragen'" in refused(request, store, Tool(), tmp_path).reason


def test_a_store_that_takes_nothing_is_a_failure(tmp_path: Path) -> None:
    request, store = asked()
    store.refuses = "s3://genoflow-raw/x: these keys may not do this; allow it"
    failed = refused(request, store, Tool(), tmp_path)
    assert (failed.reason_code, "allow it" in failed.reason) == ("output missing", True)


def test_a_list_is_read_in_either_order_and_leads_nowhere_else() -> None:
    sha = "0" * 64
    both = [*read_list("m", f"a/b.txt\t3\t{sha}\n{sha}\t4\tc d\n".encode())]
    assert both == [("a/b.txt", 3, sha), ("c d", 4, sha)]
    for line in (f"/etc/x\t1\t{sha}", f"a/../../x\t1\t{sha}", f"a\tx\t{sha}", "a\t1", "a\t1\tff"):
        with pytest.raises(NotDone, match="m line 1: is not a path"):
            list(read_list("m", line.encode()))
