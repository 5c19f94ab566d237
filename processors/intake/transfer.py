"""The port of transfers: who brings a complete run folder into the object store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from genoflow.processors.intake.mirror import Changed, Mirror, mirror
from genoflow.processors.intake.run_folders import RunFolders, RunStore, Shown


class Transfer(Protocol):
    """Brings run folders over; it blocks, so it is called in a thread."""

    def mirror(
        self, run_id: str, shown: Shown, again: Callable[[], Shown], stopping: Callable[[], bool]
    ) -> Mirror | Changed:
        """Have every file of the run in the store, compared with the folder, and its manifest.

        Changed where the folder did not hold still. Retry where it is not over yet or did not go
        well: called again, it goes on with what was begun. `again` looks at the folder once more.
        """


@dataclass(frozen=True, slots=True)
class LocalCopy:
    """The watcher reads and sends each file itself."""

    folders: RunFolders
    store: RunStore
    bucket: str

    def mirror(
        self, run_id: str, shown: Shown, again: Callable[[], Shown], stopping: Callable[[], bool]
    ) -> Mirror | Changed:
        """Copy what is not in the store yet, four files at once."""
        return mirror(self.folders, self.store, self.bucket, run_id, shown, again, stopping)
