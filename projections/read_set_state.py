"""A read set, with the files that landed for it: how far it is, and what it waits for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from genoflow.events.read_set_invalidated import ReadSetInvalidated
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.projections.file_state import A_PERSON, ANOTHER_TRY, REFUSED, FileRow
from genoflow.projections.words import listed

CORRECTED, FILES, VALIDATION = "a corrected file", "files", "validation"
# What a read set waits for is what its sample waits for: the first of these that any has.
IN_THIS_ORDER = (CORRECTED, FILES, VALIDATION, A_PERSON, ANOTHER_TRY)


class Wait(NamedTuple):
    """What is waited for, and why; both may be none."""

    waits_for: str | None = None
    reason: str | None = None


NOTHING = Wait()


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
        expected = self._expected()
        here = [file for _, file in expected if file is not None]
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

    def _expected(self) -> list[tuple[str, FileRow | None]]:
        """Each expected file with the newest version that landed for it."""
        found: list[tuple[str, FileRow | None]] = []
        for one in self.registered.expected_files:
            fitting = [
                numbered for numbered in self.files.values()
                if numbered[1].role == one.role
                and (one.lane is None or numbered[1].lane in (None, one.lane))
            ]  # fmt: skip
            part = one.role if one.lane is None else f"{one.role} of lane {one.lane}"
            newest = max(fitting, key=lambda numbered: numbered[0], default=None)
            found.append((part, newest[1] if newest else None))
        return found

    def _wait(self, expected: list[tuple[str, FileRow | None]]) -> Wait:
        of = f"{len(expected)} files of read set {self.name}"
        for part, file in expected:
            if file is not None and file.state in REFUSED:
                return Wait(CORRECTED, f"{part} of read set {self.name}: {file.reason}")
        missing = [part for part, file in expected if file is None]
        if missing:
            return Wait(FILES, f"{len(missing)} of {of}: {listed(missing)}")
        unread = [part for part, file in expected if file and file.state == "landed"]
        if unread:
            return Wait(VALIDATION, f"{len(unread)} of {of}: {listed(unread)}")
        tried = [(part, file) for part, file in expected if file and file.state == "tried"]
        part, file = min(tried, key=lambda one: IN_THIS_ORDER.index(one[1].waits_for or FILES))
        return Wait(file.waits_for, f"{part} of read set {self.name}: {file.reason}")
