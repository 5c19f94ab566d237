"""Who scans files for viruses in this deployment, if anybody does."""

from __future__ import annotations

from genoflow.deploy.settings import Settings
from genoflow.events.errors import Refused
from genoflow.processors.ports import Scanner

OFF = "off: files are read as they come; GENOFLOW_SCANNER names a scanner"


def open_scanner(settings: Settings) -> Scanner | None:
    """The scanner that the settings name; None where files are not scanned."""
    if settings.scanner == "none":
        return None
    if settings.scanner == "clamd":
        from genoflow.processors.adapters.clamd import Clamd  # noqa: PLC0415

        return Clamd(clamd_address(settings), settings.scan_stream_bytes)
    from genoflow.deploy.wiring import open_s3  # noqa: PLC0415 -- 0.3 s for boto3
    from genoflow.processors.adapters.guardduty_tags import GuardDutyTags  # noqa: PLC0415

    return GuardDutyTags(open_s3(settings))


def clamd_address(settings: Settings) -> str:
    """Where clamd listens; Refused where nobody said."""
    if settings.clamd is None:
        raise Refused(
            "GENOFLOW_SCANNER is clamd, and GENOFLOW_CLAMD does not say where it listens; set it "
            "to its host:port, or to the path of its socket"
        )
    return settings.clamd
