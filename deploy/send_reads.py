"""Material from outside: which read set a file belongs to, and what is said of it on the log.

A file is known by its role and its SHA-256. A read set that holds the same bytes already is found
again, so a command that is repeated appends nothing. Else the files are those that a read set of
the sample waits for, or a read set of their own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from genoflow.events.errors import Refused
from genoflow.events.event import Event
from genoflow.events.expected_file import ExpectedFile
from genoflow.events.file_rejected import FileRejected
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.sample_registered import SampleRegistered
from genoflow.processors.intake import landing
from genoflow.processors.materials import materials_of
from genoflow.projections.asking import read_sets
from genoflow.projections.asking.file import File
from genoflow.projections.asking.sample import Sample
from genoflow.projections.read_set_state import ReadSet
from genoflow.projections.words import listed

# What nothing can be told from alone, and what it comes with.
COMES_WITH = {"R2": "R1", "BAI": "BAM", "CRAI": "CRAM", "TBI": "VCF"}
DIGEST_CHARACTERS = 12  # 48 bits tell the deliveries of one sample apart
# The bytes were right as they were sent, and the store lost or could not give them.
SENT_AGAIN_UNCHANGED = ("gone", "unreadable")


@dataclass(frozen=True, slots=True)
class Sent:
    """A file as its sender has it."""

    role: str
    path: Path
    size_bytes: int
    md5: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a command amounts to: facts that are new, files to upload, and those that are here."""

    read_set_id: str
    registers: tuple[Event, ...]
    uploads: tuple[Upload, ...]
    here: tuple[tuple[Sent, File], ...]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file, where it goes, and what it carries."""

    file: Sent
    object_key: str
    metadata: dict[str, str]
    replaces: File | None


def sent(role: str, path: Path) -> Sent:
    """The file with its checksums; Refused where there is nothing to send."""
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            md5 = hashlib.file_digest(file, _md5).hexdigest()
            size = file.tell()
    except OSError as error:
        raise Refused(
            f"{path}: cannot be read as {role} ({error.strerror}); name a file that you may read; "
            f"nothing was sent"
        ) from error
    if not size:
        raise Refused(f"{path}: is empty; send a file with content as {role}; nothing was sent")
    return Sent(role, path, size, md5, sha256)


def _md5() -> hashlib._Hash:
    return hashlib.md5(usedforsecurity=False)  # as sequencing services declare it


def delivery(
    sample: Sample,
    files: Sequence[Sent],
    read_set_id: str | None = None,
    *,
    is_new: bool = False,
    instrument_run_id: str | None = None,
) -> Delivery:
    """Where these files belong; Refused, with the way out, where that cannot be told.

    They carry the run of an instrument where one is named, so that its sheet is compared.
    """
    found = _delivery(sample, files, read_set_id, is_new)
    if instrument_run_id is None:
        return found
    run = {landing.RUN: instrument_run_id}
    uploads = tuple(replace(one, metadata=one.metadata | run) for one in found.uploads)
    return replace(found, uploads=uploads)


def _delivery(
    sample: Sample, files: Sequence[Sent], read_set_id: str | None, is_new: bool
) -> Delivery:
    materials = materials_of(one.role for one in files)
    if len(materials) != 1:
        raise Refused(
            f"{sample.key}: {' and '.join(materials) or 'no file'} cannot be one read set; send "
            f"--r1 and --r2, or one of --bam, --cram and --vcf; nothing was sent"
        )
    if len({one.sha256 for one in files}) < len(files):
        raise Refused(
            f"{sample.key}: {listed(str(one.path) for one in files)} hold the same bytes; send "
            f"each mate under its own role; nothing was sent"
        )
    found = _named(sample, files, read_set_id) if read_set_id else _fitting(sample, files, is_new)
    if found is None:
        return _new(sample, files, materials[0])
    return _into(sample, files, found)


# -- which read set


def _named(sample: Sample, files: Sequence[Sent], name: str) -> ReadSet:
    known = sample.read_sets.get(name)
    if known is None:
        names = listed(one.name for one in sample.active) or "none"
        raise Refused(
            f"{sample.key}: has no read set {name}; those that count: {names}; name one of them, "
            f"or leave --read-set out and the files are a read set of their own"
        )
    if known.invalidated is not None:
        raise Refused(
            f"{sample.key}: read set {name} does not count any more "
            f"({known.invalidated.reason.rstrip('.')}); leave --read-set out"
        )
    roles = {one.role for one in known.registered.expected_files}
    strange = [one.role for one in files if one.role not in roles]
    if strange:
        raise Refused(
            f"{sample.key}: read set {name} has no file {listed(strange)}, but "
            f"{listed(sorted(roles))}; send those, or leave --read-set out"
        )
    _one_slot_each(sample, files, known)
    return known


def _one_slot_each(sample: Sample, files: Sequence[Sent], known: ReadSet) -> None:
    roles = [one.role for one in known.registered.expected_files]
    several = [one.role for one in files if roles.count(one.role) > 1]
    if several:
        raise Refused(
            f"{sample.key}: read set {known.name} has a {several[0]} for each lane, and a file "
            f"does not say for which it is; send them as a read set of their own with --new"
        )


def _fitting(sample: Sample, files: Sequence[Sent], is_new: bool) -> ReadSet | None:
    for one in sample.active:
        newest = _newest(sample, one)
        if all(_is_here(file, newest.get(file.role)) for file in files):
            return one
    if is_new:
        return None
    waiting = [one for one in sample.active if _wanted(sample, one, files)]
    if len(waiting) == 1 and _takes_all(sample, waiting[0], files):
        return waiting[0]
    if waiting:
        raise Refused(
            f"{sample.key}: read set {listed(one.name for one in waiting)} waits for such files; "
            f"name it with --read-set, or say --new for a read set beside it; nothing was sent"
        )
    return None


def _wanted(sample: Sample, one: ReadSet, files: Sequence[Sent]) -> list[Sent]:
    """Those of the files that the read set waits for; none where it does not have their roles."""
    newest = _newest(sample, one)
    roles = {expected.role for expected in one.registered.expected_files}
    if not {file.role for file in files} <= roles:
        return []
    return [file for file in files if (n := newest.get(file.role)) is None or n.is_refused]


def _takes_all(sample: Sample, one: ReadSet, files: Sequence[Sent]) -> bool:
    # What is good there is not replaced unasked, and reads of a run are not filled up from outside.
    wanted, newest = _wanted(sample, one, files), _newest(sample, one)
    left = [file for file in files if file not in wanted]
    is_delivered = one.registered.instrument_run_id is None
    return is_delivered and all(_is_here(file, newest.get(file.role)) for file in left)


def _newest(sample: Sample, one: ReadSet) -> dict[str, File]:
    slots = read_sets.slots_of(one, sample.versions)
    return {slot.role: slot.file for slot in slots if slot.file}


def _is_here(file: Sent, newest: File | None) -> bool:
    if newest is None or newest.row.declared_sha256 != file.sha256:
        return False
    verdict = newest.verdict
    lost = isinstance(verdict, FileRejected) and verdict.reason_code in SENT_AGAIN_UNCHANGED
    return not lost


# -- what is said


def _new(sample: Sample, files: Sequence[Sent], material: str) -> Delivery:
    roles = [one.role for one in files]
    if COMES_WITH.keys() >= {*roles}:
        [role] = roles
        raise Refused(
            f"{sample.key}: no read set waits for {role} alone; send it with "
            f"--{COMES_WITH[role].lower()}, or name its read set with --read-set; nothing was sent"
        )
    digest = hashlib.sha256(" ".join(one.sha256 for one in files).encode()).hexdigest()
    name = f"sent-{digest[:DIGEST_CHARACTERS]}"
    if name in sample.read_sets:
        raise Refused(
            f"{sample.key}: these files were read set {name} before, and since then others took "
            f"their place, or it was invalidated; name it with --read-set to go back to them"
        )
    registers: list[Event] = []
    if not sample.registrations:
        registers.append(SampleRegistered(sample_id=sample.key, registered_by="upload"))
    registers.append(
        ReadSetRegistered(
            sample_id=sample.key,
            read_set_id=name,
            material=material,
            expected_files=tuple(ExpectedFile(role=role) for role in roles),
            read_sets_of_sample=1,  # it came by itself; no demultiplexing counted others
        )
    )
    uploads = tuple(_upload(sample, one, name, None, 0) for one in files)
    return Delivery(name, tuple(registers), uploads, ())


def _into(sample: Sample, files: Sequence[Sent], found: ReadSet) -> Delivery:
    newest = _newest(sample, found)
    lanes = {one.role: one.lane for one in found.registered.expected_files}
    uploads, here = [], []
    for one in files:
        before = newest.get(one.role)
        if before is not None and _is_here(one, before):
            here.append((one, before))
            continue
        number = sum(
            (file.read_set_id, file.role) == (found.name, one.role)
            for file in sample.files.values()
        )
        uploads.append(_upload(sample, one, found.name, before, number, lanes[one.role]))
    return Delivery(found.name, (), tuple(uploads), tuple(here))


def _upload(
    sample: Sample, file: Sent, name: str, before: File | None, number: int, lane: int | None = None
) -> Upload:
    # A key for each time: in a bucket without versions the same key would be the same fact.
    tail = f"{file.role}-{number + 1}-{file.sha256[:DIGEST_CHARACTERS]}"
    metadata = {
        landing.SAMPLE: sample.key,
        landing.READ_SET: name,
        landing.ROLE: file.role,
        landing.MD5: file.md5,
        landing.SHA256: file.sha256,
    }
    if lane is not None:
        metadata[landing.LANE] = str(lane)
    return Upload(file, f"sent/{sample.key}/{name}/{tail}", metadata, before)
