"""The program of a run: fetch what it needs, let an engine do it, put what it left into the store.

Results stand in <results>/<kind>/<sample id, or _case>/<one file>, where the pipeline put them: who
a file belongs to is said by its folder, and never read from its name.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError

from genoflow.events.errors import Refused, Retry
from genoflow.events.measured import Measured
from genoflow.events.run_requested import RunRequested
from genoflow.events.types import TEXT_CHARACTERS_MAX
from genoflow.processors.intake.landing import SAMPLE, SHA256
from genoflow.processors.ports import ByteStore
from genoflow.processors.published import place_of
from genoflow.processors.running.engine import Engine, News, NotDone, Plan, code_sha256, nobody
from genoflow.processors.running.failures import judged
from genoflow.processors.running.inputs import COLUMNS, Entry, Sequences, Unpaired, entries_of
from genoflow.processors.running.manifest import Fault, Listed, RunManifest, Submission, Tasks
from genoflow.processors.running.names import attempt_prefix, job_name, manifest_key
from genoflow.processors.running.outputs import damage_of
from genoflow.processors.running.regions import fault_of, lengths_of

PIECE_BYTES = 8 * 1024**2
PAUSES_SECONDS = (1, 2, 5, 15, 30, 60, 120, 240)  # 8 min in all: a store that is restarted
CURRENT = "null"  # what a document names by its checksum needs no version
WHOLE_CASE = "_case"  # no sample can be called that: ids begin with a letter or a digit
MEASUREMENTS = "measurements.json"
AGAIN = "then have the case run again with `genoflow run again`"
MANIFEST_TYPE = {"gf-kind": "manifest"}
T = TypeVar("T")


class Uploads(Protocol):
    """Where results go, however large they are."""

    def upload(self, path: Path, bucket: str, key: str, metadata: Mapping[str, str]) -> None:
        """Write a file as an object with this metadata; the store has checked its bytes."""


@dataclass(frozen=True, slots=True)
class Program:
    """One run with all that it needs."""

    store: ByteStore
    uploads: Uploads
    engine: Engine
    locate: Callable[[str], Path | None]  # where the code of a pipeline is on this machine
    python: str
    folder: Path
    pauses_seconds: tuple[float, ...] = PAUSES_SECONDS
    news: News = nobody
    weblog: str = ""

    def run(self, submission: Submission) -> RunManifest:
        """Do it and leave its manifest; whatever was foreseen stands there as a fault."""
        began, asked = time.monotonic(), submission.requested
        files: list[Listed] = []
        measured: tuple[Measured, ...] = ()
        fault: Fault | None = None
        tasks = Tasks()
        try:
            tasks = self.engine.run(self._plan(submission))
            measured = self._measurements()
            files = self._put(submission)
        except NotDone as error:
            fault, tasks = judged(error.fault), error.tasks if error.tasks != Tasks() else tasks
        manifest = RunManifest(
            run_id=asked.run_id, attempt=submission.attempt, job_id=submission.job_id,
            engine=self.engine.name, engine_version=self.engine.version, files=tuple(files),
            measurements=measured, tasks=tasks, fault=fault,
            duration_seconds=round(time.monotonic() - began, 3),
        )  # fmt: skip
        path = self.folder / "manifest.json"
        path.write_text(manifest.model_dump_json(), encoding="utf-8")
        key = manifest_key(asked.output_prefix, submission.attempt)
        self._patiently(
            "manifest missing",
            lambda: self.uploads.upload(path, asked.bucket, key, MANIFEST_TYPE),
        )
        return manifest

    # -- before

    def _plan(self, submission: Submission) -> Plan:
        asked = submission.requested
        pipeline = self._code(asked)
        inputs, results = self.folder / "inputs", self.folder / "results"
        inputs.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(results, ignore_errors=True)  # of an earlier attempt: the engine leaves anew
        samples, roles = inputs / "samples.tsv", inputs / "roles.tsv"
        entries = self._entries(asked, inputs)
        _table(samples, COLUMNS, [one.row(inputs) for one in entries])
        _table(roles, ("sample", "role"), [(one.sample_id, one.role) for one in asked.members])
        bed: Path | None = None
        if asked.target_set_uri is not None and asked.target_set_sha256 is not None:
            bed = inputs / "targets.bed"
            self._fetch_uri(asked.target_set_uri, asked.target_set_sha256, bed)
        fasta, gtf = self._reference(asked, inputs), self._annotation(asked, inputs)
        _check(asked, entries, fasta, inputs)
        if bed is not None and (fault := fault_of(bed, lengths_of(fasta))):
            raise _not_done(
                "refused by the launcher",
                f"the regions {asked.target_set} {asked.target_set_version} are not those of "
                f"{asked.reference} {asked.reference_version}: {fault}; publish a version with "
                f"regions of this build, {AGAIN}",
                rule="reference at odds",
            )
        parameters = {
            **json.loads(asked.parameters_json), "samples": str(samples), "roles": str(roles),
            "fasta": str(fasta), "bed": str(bed) if bed else "", "gtf": str(gtf) if gtf else "",
            "case_id": asked.case_id, "kind": asked.kind, "python": self.python,
            "outdir": str(results),
        }  # fmt: skip
        name = job_name(asked.run_id, submission.attempt)
        return Plan(pipeline, parameters, self.folder / "engine", name, self.news, self.weblog)

    def _code(self, asked: RunRequested) -> Path:
        which = f"the pipeline {asked.pipeline} {asked.pipeline_version}"
        try:
            path = self.locate(asked.pipeline_uri)
            found = None if path is None or not path.is_dir() else code_sha256(path)
        except Refused as error:
            raise _not_done("refused by the launcher", f"{which}: {error}, {AGAIN}") from error
        if path is None or found is None:
            raise _not_done(
                "refused by the launcher",
                f"{which} is not on this machine ({asked.pipeline_uri}); install it there, {AGAIN}",
            )
        if found != asked.pipeline_sha256:
            raise _not_done(
                "refused by the launcher",
                f"{which}: the code at {asked.pipeline_uri} has SHA-256 {found}, and "
                f"{asked.pipeline_sha256} was published; publish it as a new version, {AGAIN}",
            )
        return path

    def _entries(self, asked: RunRequested, inputs: Path) -> list[Entry]:
        try:
            entries = [entry for one in asked.members for entry in entries_of(one)]
        except Unpaired as error:
            raise _not_done(
                "input missing", f"{error}; register it anew with its files, {AGAIN}"
            ) from error
        for entry in entries:
            for column, file in entry.files.items():
                path = entry.path(column, inputs)
                self._fetch(file.bucket, file.object_key, file.version_id, file.sha256, path)
        return entries

    def _reference(self, asked: RunRequested, inputs: Path) -> Path:
        fasta = next((one for one in asked.reference_files if one.kind == "fasta"), None)
        if fasta is None:
            raise _not_done(
                "input missing",
                f"the reference {asked.reference} {asked.reference_version} has no file of the "
                f"kind fasta; publish a version that has one, {AGAIN}",
                rule="reference missing",
            )
        path = inputs / "reference.fa"
        self._fetch_uri(fasta.uri, fasta.sha256, path)
        return path

    def _annotation(self, asked: RunRequested, inputs: Path) -> Path | None:
        gtf = next((one for one in asked.reference_files if one.kind == "gtf"), None)
        if gtf is None:
            return None  # a pipeline that needs one says so
        path = inputs / "annotation.gtf"
        self._fetch_uri(gtf.uri, gtf.sha256, path)
        return path

    def _fetch_uri(self, uri: str, sha256: str, path: Path) -> None:
        place = place_of(uri)
        if place is None:
            raise _not_done(
                "input missing",
                f"{uri}: is not in the object store; publish it with s3://…, {AGAIN}",
                rule="reference missing",
            )
        try:
            self._fetch(*place, CURRENT, sha256, path)
        except NotDone as error:
            if error.fault.may_pass:
                raise
            named = error.fault.model_copy(update={"rule": "reference missing"})
            raise NotDone(named) from error

    def _fetch(self, bucket: str, key: str, version: str, sha256: str, path: Path) -> None:
        if path.is_file() and _sha256(path) == sha256:
            return  # an earlier attempt fetched it, and the engine knows it by its time

        def fetch() -> str:
            digest = hashlib.sha256()
            with path.open("wb") as file:
                for piece in self.store.chunks(bucket, key, version, PIECE_BYTES):
                    digest.update(piece)
                    file.write(piece)
            return digest.hexdigest()

        if self._patiently("input missing", fetch) != sha256:
            raise _not_done(
                "input missing",
                f"s3://{bucket}/{key}: its bytes are not those that were published (SHA-256 "
                f"{sha256}); put them there again, {AGAIN}",
            )

    # -- after

    def _measurements(self) -> tuple[Measured, ...]:
        path = self.folder / "results" / MEASUREMENTS
        if not path.is_file():
            return ()
        try:
            rows = json.loads(path.read_bytes())
            judged = [{**row, "verdict": "not judged"} for row in rows]
            return TypeAdapter(tuple[Measured, ...]).validate_python(judged)
        except (ValueError, TypeError, ValidationError) as error:
            raise _not_done(
                "manifest incomplete",
                f"{MEASUREMENTS} of the pipeline cannot be read ({error}); mend the pipeline, "
                f"publish it as a new version, {AGAIN}",
            ) from error

    def _put(self, submission: Submission) -> list[Listed]:
        asked = submission.requested
        prefix = attempt_prefix(asked.output_prefix, submission.attempt)
        listed: list[Listed] = []
        for owed in asked.expected_outputs:
            whole = owed.per == "case"
            for sample in [None] if whole else [one.sample_id for one in asked.members]:
                folder = self.folder / "results" / owed.kind / (sample or WHOLE_CASE)
                path = _only_file(owed.kind, folder)
                sha256 = _sha256(path)
                key = f"{prefix}/{sample or WHOLE_CASE}/{path.name}"
                metadata = {SHA256: sha256} | ({SAMPLE: sample} if sample else {})
                self._upload(path, asked.bucket, key, metadata)
                listed.append(
                    Listed(
                        kind=owed.kind,
                        sample_id=sample,
                        object_key=key,
                        sha256=sha256,
                        size_bytes=path.stat().st_size,
                        content_type=owed.content_type,
                    )
                )
        return listed

    def _upload(self, path: Path, bucket: str, key: str, metadata: Mapping[str, str]) -> None:
        self._patiently(
            "manifest incomplete", lambda: self.uploads.upload(path, bucket, key, metadata)
        )

    def _patiently(self, reason_code: str, work: Callable[[], T]) -> T:
        """Do it, again and again while the store is away; NotDone where it says no."""
        for pause in (*self.pauses_seconds, None):
            try:
                return work()
            except Retry as error:
                if pause is None:
                    raise _not_done(reason_code, f"{error}; {AGAIN}", may_pass=True) from error
                time.sleep(pause)
            except Refused as error:
                raise _not_done(reason_code, f"{error}; {AGAIN}") from error
        raise AssertionError("the last pause is none")


def _not_done(
    reason_code: str, reason: str, *, may_pass: bool = False, rule: str | None = None
) -> NotDone:
    reason = reason[:TEXT_CHARACTERS_MAX]
    return NotDone(Fault(reason_code=reason_code, reason=reason, may_pass=may_pass, rule=rule))


def _check(asked: RunRequested, entries: Iterable[Entry], fasta: Path, inputs: Path) -> None:
    placed = [entry for entry in entries if entry.is_placed]
    known = Sequences(fasta, lengths_of(fasta) if placed else {})  # of raw reads it asks nothing
    for entry in placed:
        if fault := known.fault(entry, inputs):
            raise _not_done(
                "refused by the launcher",
                f"the read set {entry.part} of {entry.sample_id} is not of {asked.reference} "
                f"{asked.reference_version}: {fault}; send it made with this reference (`genoflow "
                f"reads send {entry.sample_id} {entry.options} --read-set {entry.read_set_id}`), "
                f"or order the case with the reference that it was made with",
                rule="reads of another build",
            )


def _table(path: Path, names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    text = "".join("\t".join(row) + "\n" for row in (names, *rows))
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def _only_file(kind: str, folder: Path) -> Path:
    found = sorted(path for path in folder.glob("*") if path.is_file()) if folder.is_dir() else []
    if len(found) != 1 or not found[0].stat().st_size:
        what = f"{len(found)} files" if len(found) != 1 else "an empty file"
        raise _not_done(
            "manifest incomplete",
            f"the pipeline ended well and left {what} as {kind} of {folder.name}, where it owes "
            f"one; read what it wrote and mend it, {AGAIN}",
            rule="output missing",
        )
    if fault := damage_of(found[0]):
        raise _not_done(
            "output damaged",
            f"the pipeline ended well, and {found[0].name} ({kind} of {folder.name}) {fault}; read "
            f"what it wrote and mend it, {AGAIN}",
            rule="output cut short",
        )
    return found[0]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
