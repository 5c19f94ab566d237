"""A file that waits for a virus scan is scanned: cleared, or quarantined and never read again."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from genoflow.events import topics
from genoflow.events.errors import Parked
from genoflow.events.event import Event
from genoflow.events.file_cleared import FileCleared
from genoflow.events.file_quarantined import (
    THREAT_CHARACTERS_MAX,
    THREATS_MAX,
    FileQuarantined,
)
from genoflow.events.scan_requested import ScanRequested
from genoflow.events.stored_version import name_of
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect
from genoflow.processors.ports import ByteAttempt, Scanned
from genoflow.processors.processor import Bytes, Processor, State
from genoflow.processors.scans import NO_SCANS, Heard, Scans, heard

PIECE_BYTES = 4 * 1024**2  # of what is stored, handed to the scanner as it comes
WAY_OUT = "nobody reads it any more; ask who sent it, and have it sent again from a clean source"


class Known(State):
    """What was scanned of the files of one subject."""

    scans: Scans = NO_SCANS


class Scan(Arguments):
    """Which bytes to scan."""

    sample_id: str
    bucket: str
    object_key: str
    version_id: str
    size_bytes: int = Field(ge=0)
    etag: str = ""


def decide(state: Known, event: ScanRequested) -> Decision:
    """Scan each version once, unless its verdict has come by itself."""
    name, scans = name_of(event), state.scans
    if name in (*scans.requested, *scans.cleared, *scans.quarantined):
        return NOTHING
    arguments = Scan(**{field: getattr(event, field) for field in Scan.model_fields})
    return Decision(effects=(Effect("scan", arguments, lane=name),))


def evolve(state: Known, event: Heard) -> Known:
    """Keep what was asked, and what was found."""
    return Known(scans=heard(state.scans, event))


def scan(arguments: Scan, attempt: ByteAttempt) -> Sequence[Event]:
    """The scanner's verdict; nothing where it comes by another way. Never clean for want of one."""
    place = arguments.bucket, arguments.object_key, arguments.version_id
    if attempt.scanner is None:
        raise Parked(
            f"s3://{name_of(arguments)}: waits for a virus scan, and this worker has no scanner; "
            f"set GENOFLOW_SCANNER, start it anew and requeue the effect"
        )
    found = attempt.scanner.scan(place, attempt.pieces(arguments, PIECE_BYTES))
    return [] if found is None else [verdict(topics.SAMPLE.name, arguments.sample_id, place, found)]


def verdict(topic: str, key: str, place: tuple[str, str, str], found: Scanned) -> Event:
    """What a scanner found, as the fact about this file of this subject."""
    bucket, object_key, version_id = place
    said = {
        "subject_topic": topic,
        "subject_key": key,
        "bucket": bucket,
        "object_key": object_key,
        "version_id": version_id,
        "scanner": found.scanner,
        "scanner_version": found.scanner_version,
    }
    if not found.threats:
        return FileCleared(**said, size_bytes=found.size_bytes, streams=found.streams)
    threats = tuple(one[:THREAT_CHARACTERS_MAX] for one in found.threats[:THREATS_MAX])
    reason = f"{found.scanner} found {', '.join(threats)[:500]} in it; {WAY_OUT}"
    return FileQuarantined(**said, threats=threats, reason=reason)


SCAN_FILES = Processor(
    "scan-files",
    reads=topics.SAMPLE,
    on=(ScanRequested,),
    folds=(FileCleared, FileQuarantined),
    emits=(),
    decide=decide,
    evolve=evolve,
    state=Known,
    effects=(
        Bytes(
            "scan",
            arguments=Scan,
            emits=(FileCleared, FileQuarantined),
            perform=scan,
            may_say_nothing=True,  # a scanner of others tells its verdict by itself
        ),
    ),
    about="has every file that waits for it scanned: cleared, or quarantined for ever",
)
