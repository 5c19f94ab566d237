"""What retention keeps in mind of a sample, of a run, or of a run of an instrument."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from genoflow.events.stored_version import StoredVersion, name_of
from genoflow.events.types import Part
from genoflow.processors.repeated import Remembering

# Some 250 bytes each: half a megabyte, and a state may have one. A sample has a hundred at most, a
# run as many results; what is beyond is kept for ever.
FILES_MAX = 2_000


class Kept(Part):
    """A file that is there, as far as the log knows."""

    file: StoredVersion
    file_class: str
    since: datetime
    fetched_until: datetime | None = None  # a link to it may be used until then

    @property
    def name(self) -> str:
        """By what it is told apart."""
        return name_of(self.file)


class Spared(Part):
    """A file that was to be deleted, or a whole folder, and is not asked for before this."""

    name: str
    until: datetime | None


class Subject(Remembering):
    """What speaks for the files of one subject, and what lets them go."""

    files: tuple[Kept, ...] = ()
    spared: tuple[Spared, ...] = ()
    refusals: int = 0
    holds: tuple[str, ...] = ()
    assays: tuple[str, ...] = ()
    sample_ids: tuple[str, ...] = ()
    attempt: int = 0
    is_over: bool = False
    is_cancelled: bool = False
    waits_for_a_person: bool = False
    last_at: datetime | None = None
    work_places: tuple[str, ...] = ()  # beginnings of keys: `bucket/prefix`, or of any bucket
    sheet_revision: int = 0  # of a run of an instrument, as what follows
    manifest: str = ""  # of the newest copy of its folder
    read_sets: tuple[str, ...] = ()  # that its newest demultiplexing gave


def with_files(files: tuple[Kept, ...], more: Iterable[Kept]) -> tuple[Kept, ...]:
    """These files and those, each once, as far as there is room."""
    known = {one.name: one for one in files}
    for one in more:
        if one.name in known or len(known) < FILES_MAX:
            known.setdefault(one.name, one)
    return tuple(known.values())
