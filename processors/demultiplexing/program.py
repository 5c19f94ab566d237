"""The program of a demultiplexing: fetch the run, tell its reads apart, put them into the store.

Everything here may be done twice: it may be launched anew, and then fetches and puts the same.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple, Protocol, TypeVar

from genoflow.events.demultiplex_requested import DemultiplexRequested
from genoflow.events.demultiplexed_library import DemultiplexedLibrary
from genoflow.events.errors import Refused, Retry
from genoflow.processors.demultiplexing.adapter import (
    Demultiplexer,
    Found,
    LibraryReads,
    NotDone,
)
from genoflow.processors.demultiplexing.barcodes import looks_reversed
from genoflow.processors.demultiplexing.manifest import Completed, Failed, Manifest, Request
from genoflow.processors.demultiplexing.names import object_key, read_set_id, undetermined_key
from genoflow.processors.intake import landing
from genoflow.processors.ports import ByteStore

PIECE_BYTES = 8 * 1024**2
TRANSFERS_AT_ONCE = 8  # most files of a run are small, and a store answers them in parallel
PAUSES_SECONDS = (1, 2, 5, 15, 30, 60, 120, 240)  # 8 min in all: a store that is restarted
CURRENT = "null"  # a mirrored object is written once, and its checksum is known
AGAIN = "then `genoflow demultiplex again`"
COPY_AGAIN = f"have the run copied again, {AGAIN}"
SHA256 = re.compile(r"[0-9a-f]{64}")
T = TypeVar("T")


class Uploads(Protocol):
    """Where files of reads go, however large they are."""

    def upload(self, path: Path, bucket: str, key: str, metadata: Mapping[str, str]) -> None:
        """Write a file as an object with this metadata; the store has checked its bytes."""


class Listed(NamedTuple):
    """A line of the list of a mirrored run."""

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Program:
    """One demultiplexing with all that it needs."""

    store: ByteStore
    uploads: Uploads
    adapters: Mapping[str, Demultiplexer]
    folder: Path
    pauses_seconds: tuple[float, ...] = PAUSES_SECONDS

    def manifest(self, request: Request) -> Manifest:
        """What came of it; whatever was foreseen is a failure with its reason."""
        began = time.monotonic()
        asked = request.requested
        try:
            _check_sheet(asked)
            adapter = self._adapter(asked.adapter)
            run_folder, output = self.folder / "run", self.folder / "reads"
            output.mkdir(parents=True, exist_ok=True)
            self._fetch(request, adapter, run_folder)
            found = adapter.run(asked, run_folder, output)
            completed = self._put(asked, found)
        except NotDone as error:
            failed = Failed(
                reason_code=error.reason_code, reason=error.reason, exit_code=error.exit_code
            )
            return Manifest(failed=failed)
        took = time.monotonic() - began
        return Manifest(completed=completed.model_copy(update={"duration_seconds": took}))

    def _adapter(self, name: str) -> Demultiplexer:
        adapter = self.adapters.get(name)
        if adapter is None:
            raise NotDone(
                "tool failed",
                f"there is no demultiplexer {name!r}; name one of {', '.join(self.adapters)} in "
                f"GENOFLOW_DEMULTIPLEXER, then `genoflow demultiplex again`",
            )
        return adapter

    # -- the run

    def _fetch(self, request: Request, adapter: Demultiplexer, folder: Path) -> None:
        asked = request.requested
        wanted = [one for one in self._listed(request) if adapter.needs(one.path)]

        def fetch(one: Listed) -> None:
            self._patiently("input missing", lambda: self._fetch_one(asked, one, folder))

        _all_at_once(fetch, wanted)

    def _listed(self, request: Request) -> list[Listed]:
        asked, key = request.requested, request.manifest_key
        if key is None:
            raise NotDone(
                "input missing",
                f"nobody has said where the list with SHA-256 {asked.manifest_sha256} is; "
                f"{COPY_AGAIN}",
            )

        def read() -> bytes:
            return b"".join(self.store.chunks(asked.bucket, key, CURRENT, PIECE_BYTES))

        body = self._patiently("input missing", read)
        if hashlib.sha256(body).hexdigest() != asked.manifest_sha256:
            raise NotDone(
                "input missing",
                f"s3://{asked.bucket}/{key}: the list of the run's files is not the one that was "
                f"written (SHA-256 {asked.manifest_sha256}); {COPY_AGAIN}",
            )
        return list(read_list(f"s3://{asked.bucket}/{key}", body))

    def _fetch_one(self, asked: DemultiplexRequested, one: Listed, folder: Path) -> None:
        path = folder / one.path
        path.parent.mkdir(parents=True, exist_ok=True)
        key, digest = f"{asked.prefix.rstrip('/')}/{one.path}", hashlib.sha256()
        with path.open("wb") as file:
            for piece in self.store.chunks(asked.bucket, key, CURRENT, PIECE_BYTES):
                digest.update(piece)
                file.write(piece)
        if digest.hexdigest() != one.sha256:
            raise NotDone(
                "input missing",
                f"s3://{asked.bucket}/{key}: its bytes are not those that were copied (SHA-256 "
                f"{one.sha256}); {COPY_AGAIN}",
            )

    # -- the reads

    def _put(self, asked: DemultiplexRequested, found: Found) -> Completed:
        _check(asked, found)
        uploads: list[tuple[Path, str, dict[str, str]]] = []
        libraries = []
        for library in found.libraries:
            named = _read_set_of(asked, library)
            for role, path in library.files.items() if named else ():
                metadata = {
                    landing.SAMPLE: library.row.sample_id, landing.READ_SET: named or "",
                    landing.RUN: asked.instrument_run_id, landing.LANE: str(library.row.lane),
                    landing.ROLE: role,
                }  # fmt: skip
                uploads.append((path, object_key(asked.output_prefix, named or "", role), metadata))
            libraries.append(_counted(library, named))
        some_undetermined = any(one.reads for one in found.undetermined.values())
        for lane in sorted({row.lane for row in asked.rows}) if some_undetermined else ():
            for role in found.roles:
                metadata = {
                    landing.RUN: asked.instrument_run_id, landing.LANE: str(lane),
                    landing.ROLE: role,
                }  # fmt: skip
                key = undetermined_key(asked.output_prefix, lane, role)
                uploads.append((self._undetermined(found, lane, role), key, metadata))

        def put(upload: tuple[Path, str, dict[str, str]]) -> None:
            path, key, metadata = upload
            whole = {**metadata, **_checksums(path)}
            self._patiently(
                "output missing",
                lambda: self.uploads.upload(path, asked.output_bucket, key, whole),
            )

        _all_at_once(put, uploads)
        return _completed(found, libraries)

    def _undetermined(self, found: Found, lane: int, role: str) -> Path:
        """The lane's file; an empty one where the others have some and this lane has none."""
        rest = found.undetermined.get(lane)
        if rest is not None and role in rest.files:
            return rest.files[role]
        path = self.folder / f"undetermined.{lane}.{role}.fastq.gz"
        path.write_bytes(EMPTY_GZIP)
        return path

    def _patiently(self, reason_code: str, work: Callable[[], T]) -> T:
        """Do it, again and again while the store is away; NotDone where it says no."""
        for pause in (*self.pauses_seconds, None):
            try:
                return work()
            except Retry as error:
                if pause is None:
                    raise NotDone(
                        reason_code, f"{error}; then `genoflow demultiplex again`"
                    ) from error
                time.sleep(pause)
            except Refused as error:
                raise NotDone(reason_code, f"{error}; {AGAIN}") from error
        raise AssertionError("the last pause is none")


# What gzip makes of nothing, without a name and without a time.
EMPTY_GZIP = bytes.fromhex("1f8b0800000000000003030000000000" + "00000000")


def read_list(place: str, body: bytes) -> Iterator[Listed]:
    """The lines of the list of a mirrored run; NotDone where one is none.

    A line has path, size and SHA-256; the checksum may stand first, as sha256sum has it.
    """
    for number, line in enumerate(body.decode("utf-8", errors="replace").splitlines(), start=1):
        cells = line.split("\t")
        if SHA256.fullmatch(cells[0]) and len(cells) == 3:
            cells.reverse()
        path = PurePosixPath(cells[0])
        whole = len(cells) == 3 and cells[1].isdecimal() and SHA256.fullmatch(cells[2])
        if not whole or not path.name or path.is_absolute() or ".." in path.parts:
            raise NotDone(
                "input missing",
                f"{place} line {number}: is not a path, a size and a SHA-256; {COPY_AGAIN}",
            )
        yield Listed(str(path), int(cells[1]), cells[2])


def _all_at_once(work: Callable[[T], None], items: list[T]) -> None:
    with ThreadPoolExecutor(TRANSFERS_AT_ONCE) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            for future in futures:
                future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _read_set_of(asked: DemultiplexRequested, library: LibraryReads) -> str | None:
    row = library.row
    if not library.reads:
        return None
    return read_set_id(row.library_id, asked.flow_cell_id, row.lane, asked.attempt)


def _check_sheet(asked: DemultiplexRequested) -> None:
    """Its reads could be told apart, or nothing is begun."""
    if len({(row.lane, row.library_id) for row in asked.rows}) != len(asked.rows):
        raise NotDone(
            "tool failed",
            "a library stands twice in one lane of the sheet, so its reads could not be told "
            "apart; give each barcode a library id of its own",
        )


def _check(asked: DemultiplexRequested, found: Found) -> None:
    """Every row has its count and every library its files, or nothing is put."""
    wanted = {(row.lane, row.library_id) for row in asked.rows}
    whole = {
        (one.row.lane, one.row.library_id)
        for one in found.libraries
        if not one.reads or set(one.files) == set(found.roles)
    }
    if missing := sorted(wanted - whole):
        raise NotDone(
            "output missing",
            f"{found.tool} gave no count or not all files for (lane, library) {missing[:5]}; read "
            f"what it wrote and mend it, then `genoflow demultiplex again`",
        )


def _counted(library: LibraryReads, named: str | None) -> DemultiplexedLibrary:
    return DemultiplexedLibrary(
        lane=library.row.lane, sample_id=library.row.sample_id, library_id=library.row.library_id,
        read_set_id=named, reads=library.reads, bases=library.bases,
        perfect_index_fraction=_short(library.perfect_index_fraction),
        q30_fraction=_short(library.q30_fraction),
    )  # fmt: skip


def _short(fraction: float | None) -> float | None:
    # Ten digits less in each of 3,072 rows, twice: the manifest has to stay within 1 MiB.
    return None if fraction is None else round(fraction, 6)


def _completed(found: Found, libraries: list[DemultiplexedLibrary]) -> Completed:
    undetermined = sum(one.reads for one in found.undetermined.values())
    total = sum(one.reads for one in libraries) + undetermined
    return Completed(
        tool=found.tool, tool_version=found.tool_version, libraries=tuple(libraries),
        expected_roles=found.roles, reads_total=total, reads_undetermined=undetermined,
        undetermined_fraction=round(undetermined / total, 6) if total else 0.0,
        unknown_barcodes=found.unknown, i5_looks_reversed=looks_reversed(found.unknown, total),
    )  # fmt: skip


def _checksums(path: Path) -> dict[str, str]:
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            md5.update(piece)
            sha256.update(piece)
    return {landing.MD5: md5.hexdigest(), landing.SHA256: sha256.hexdigest()}
