"""A read set, with the files that landed for it: how far it is, and what it waits for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from genoflow.events.read_set_invalidated import ReadSetInvalidated
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.projections.file_state import A_PERSON, A_SCAN, ANOTHER_TRY, REFUSED, FileRow
from genoflow.projections.words import listed

CORRECTED, FILES, VALIDATION = "a corrected file", "files", "validation"
# What a read set waits for is what its sample waits for: the first of these that any has.
IN_THIS_ORDER = (CORRECTED, FILES, A_SCAN, VALIDATION, A_PERSON, ANOTHER_TRY)


class Wait(NamedTuple):
    """What is waited for, and why; both may be none."""

    waits_for: str | None = None
    reason: str | None = None


NOTHING = Wait()


class Expected(NamedTuple):
    """A file that has to land, and the newest that did."""

    part: str  # such as R2 of lane 1
    role: str
    file: FileRow | None


@dataclass(slots=True)
class ReadSet:
    """A read set with the files that landed for it, and how far they are."""

    registered: ReadSetRegistered
    order: int  # which event of the sample named it
    since: datetime
    invalidated: ReadSetInvalidated | None = None
    files: dict[UUID, tuple[int, FileRow]] = field(default_factory=dict)  # with their order
    state: str = ""
    wait: Wait = NOTHING
    landed: int = 0  # of the expected files
    valid: int = 0

    @property
    def name(self) -> str:
        """Its id."""
        return self.registered.read_set_id

    def look(self, at: datetime) -> None:
        """See again how far it is."""
        before = self.state, self.wait.waits_for
        expected = self.expected()
        here = [one.file for one in expected if one.file is not None]
        self.landed = len(here)
        self.valid = sum(file.state == "valid" for file in here)
        if self.invalidated is not None:
            reason = f"{self.invalidated.reason_code}: {self.invalidated.reason}"
            self.state, self.wait = "invalidated", Wait(None, reason)
        elif self.valid == len(expected):
            self.state, self.wait = "whole", NOTHING
        else:
            self.state, self.wait = "waits for files", self._wait(expected)
        if before != (self.state, self.wait.waits_for):
            self.since = at

    def expected(self) -> list[Expected]:
        """Each expected file with the newest version that landed for it."""
        found: list[Expected] = []
        for one in self.registered.expected_files:
            fitting = [
                numbered for numbered in self.files.values()
                if numbered[1].role == one.role
                and (one.lane is None or numbered[1].lane in (None, one.lane))
            ]  # fmt: skip
            part = one.role if one.lane is None else f"{one.role} of lane {one.lane}"
            newest = max(fitting, key=lambda numbered: numbered[0], default=None)
            found.append(Expected(part, one.role, newest[1] if newest else None))
        return found

    def _wait(self, expected: list[Expected]) -> Wait:
        of = f"{len(expected)} files of read set {self.name}"
        for part, _, file in expected:
            if file is not None and file.state in REFUSED:
                return Wait(CORRECTED, f"{part} of read set {self.name}: {file.reason}")
        missing = [part for part, _, file in expected if file is None]
        if missing:
            return Wait(FILES, f"{len(missing)} of {of}: {listed(missing)}")
        unread = [part for part, _, file in expected if file and file.state == "landed"]
        scanned = [part for part, _, file in expected if file and file.waits_for == A_SCAN]
        if scanned:
            return Wait(A_SCAN, f"{len(scanned)} of {of}: {listed(scanned)}")
        if unread:
            return Wait(VALIDATION, f"{len(unread)} of {of}: {listed(unread)}")
        tried = [(part, file) for part, _, file in expected if file and file.state == "tried"]
        part, file = min(tried, key=lambda one: IN_THIS_ORDER.index(one[1].waits_for or FILES))
        return Wait(file.waits_for, f"{part} of read set {self.name}: {file.reason}")


Batch = tuple[str | None, int | None, int | None]  # run, revision of its sheet, attempt


class Unregistered(NamedTuple):
    """Read sets that a demultiplexing counted for a sample and that are not registered yet."""

    missing: int
    counted: int
    run: str
    since: datetime  # when the newest of those that are registered was


def unregistered(read_sets: Collection[ReadSet]) -> Unregistered | None:
    """The first run of which read sets are still to come."""
    # One that counts no more was registered all the same; with none that counts, nothing is due.
    here: Counter[Batch] = Counter()
    counted: dict[Batch, tuple[int, datetime]] = {}
    for one in read_sets:
        fact = one.registered
        batch = (fact.instrument_run_id, fact.sheet_revision, fact.demultiplex_attempt)
        here[batch] += 1
        if one.invalidated is None:
            counted[batch] = (fact.read_sets_of_sample, fact.envelope.occurred_at)
    for batch, (count, at) in counted.items():
        if batch[0] is not None and here[batch] < count:
            return Unregistered(count - here[batch], count, batch[0], at)
    return None
