"""What the beginning of a file says of the sequences that it counts positions of: a port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

Place = tuple[str, str, str]  # bucket, key, version


class Unreadable(Exception):
    """A file whose beginning is not what it should be; the message says how."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A sequence as the header of a file names it."""

    name: str
    length_bases: int | None = None  # none where the header leaves it out
    md5: str | None = None  # the same


@dataclass(frozen=True, slots=True)
class Opening:
    """What the beginning of a file says."""

    headings: tuple[Heading, ...]
    reached: tuple[tuple[str, int], ...] = ()  # sequence and last base of its first records


class Headings(Protocol):
    """Reads the beginning of files in the store, and never the whole of one that is large.

    ObjectGone, ObjectArchived and Retry as of byte stores; Unreadable where a file is none of its
    kind.
    """

    def alignment(self, place: Place) -> Opening:
        """What a BAM or a CRAM says."""

    def variants(self, place: Place) -> Opening:
        """What a VCF or a BCF says, with its first records."""

    def lines(self, place: Place) -> AbstractContextManager[Iterator[bytes]]:
        """The lines of a text, such as a BED, from the first one on."""

    def look(self, place: Place) -> None:
        """Whether it is there at all; raises where it is not."""
