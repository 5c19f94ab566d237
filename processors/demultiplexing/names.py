"""What read sets and their files are called: computed from the run, so that a second try agrees."""

from __future__ import annotations

import hashlib

from genoflow.events.types import ID_CHARACTERS_MAX

DIGEST_CHARACTERS = 16  # 64 bits: two of 4,000 libraries agree once in 10**12 runs


def read_set_id(library_id: str, flow_cell_id: str, lane: int, attempt: int) -> str:
    """The read set of a library in a lane; a later attempt reads anew, so it has another id."""
    again = f".a{attempt}" if attempt > 1 else ""
    tail = f".{flow_cell_id}.{lane}{again}"
    if len(library_id) + len(tail) <= ID_CHARACTERS_MAX:
        return f"{library_id}{tail}"
    # Both may have a hundred characters: what is cut off is kept as a digest.
    digest = hashlib.sha256(f"{library_id}{tail}".encode()).hexdigest()[:DIGEST_CHARACTERS]
    tail = f".{digest}.{lane}{again}"
    return f"{library_id[: ID_CHARACTERS_MAX - len(tail)]}{tail}"


def output_prefix(instrument_run_id: str, attempt: int) -> str:
    """Where the files of one attempt stand, apart from those of every other."""
    return f"reads/{instrument_run_id}/a{attempt}"


def object_key(prefix: str, read_set_id: str, role: str) -> str:
    """Where one file of a read set stands."""
    return f"{prefix}/{read_set_id}/{role}.fastq.gz"


def undetermined_key(prefix: str, lane: int, role: str) -> str:
    """Where the reads of a lane stand that no row of the sheet claims."""
    return f"{prefix}/undetermined/L{lane:03}/{role}.fastq.gz"
