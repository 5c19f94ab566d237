"""What is known of virus scans of the files of one subject."""

from __future__ import annotations

from genoflow.events.file_cleared import FileCleared
from genoflow.events.file_quarantined import FileQuarantined
from genoflow.events.scan_requested import ScanRequested
from genoflow.events.stored_version import name_of
from genoflow.events.types import Part


class Scans(Part):
    """By the names of versions: which were asked about, cleared, and locked away."""

    requested: tuple[str, ...] = ()
    cleared: tuple[str, ...] = ()
    quarantined: tuple[str, ...] = ()


NO_SCANS = Scans()
Heard = ScanRequested | FileCleared | FileQuarantined
HEARD = (ScanRequested, FileCleared, FileQuarantined)


def heard(scans: Scans, event: Heard) -> Scans:
    """What is known after this event; what is locked away stays so."""
    if isinstance(event, ScanRequested):
        return scans.model_copy(update={"requested": _with(scans.requested, event)})
    if isinstance(event, FileCleared):
        return scans.model_copy(update={"cleared": _with(scans.cleared, event)})
    return scans.model_copy(update={"quarantined": _with(scans.quarantined, event)})


def _with(names: tuple[str, ...], event: Heard) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*names, name_of(event))))


def opens(scans: Scans, event: Heard) -> bool:
    """Whether a file that waited for its verdict may be read because of just this event.

    The verdict may come before it is asked for, where others scan by themselves.
    """
    name = name_of(event)
    if name in scans.quarantined or isinstance(event, FileQuarantined):
        return False
    if isinstance(event, ScanRequested):
        return name in scans.cleared and name not in scans.requested
    return name in scans.requested and name not in scans.cleared
